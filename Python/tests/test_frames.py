"""Tables in memory are read by the rules of files: whoever holds them, the same chain, positions and limits come of them."""
import collections
import io
import pickle
import types
from decimal import Decimal

import numpy as np
import pandas as pd
import poise
import polars as pl
import pyarrow as pa
import pyarrow.csv
import pytest
from conftest import SAMPLE

TEXT = (SAMPLE / "chain.csv").read_text().splitlines()[:60]
FRAME = pd.read_csv(io.StringIO("\n".join(TEXT)))
ARROW = pyarrow.csv.read_csv(io.BytesIO("\n".join(TEXT).encode()))
POLARS = pl.read_csv("\n".join(TEXT).encode(), infer_schema_length=None)
# Rows that the file has, too, and what it has beside the library's own columns.
BOOK = "[[0.0002, 1.5], [0.0001, 2.0]]"


def with_books(frame):
    options = frame["instrument_name"].str.count("-") == 3
    return frame.assign(
        bids=np.where(options, BOOK, "[]"), asks=np.where(options, "[[9.0, 1.0]]", "[]"), open_interest=np.arange(len(frame)) / 8)


def as_file(frame):
    return poise.Chain.parse(frame.to_csv(index=False))


def assert_same(found, expected):
    assert found.instruments == expected.instruments and found.remarks == expected.remarks
    one, other = found.table(), expected.table()
    for name in other:
        equal_nan = other[name].dtype.kind in "fM"
        assert np.array_equal(one[name], other[name], equal_nan=equal_nan), name


class Subclass(pd.DataFrame):
    @property
    def _constructor(self):
        return Subclass


def column(table, name, values):
    return table.set_column(table.schema.get_field_index(name), name, values)


def arrow_kinds():
    stamps = ARROW["timestamp"].cast(pa.timestamp("ms"))
    for kind in (pa.timestamp("us"), pa.timestamp("ns"), pa.timestamp("ms", "Asia/Tokyo"), pa.timestamp("us", "UTC")):
        yield f"arrow {kind}", column(ARROW, "timestamp", stamps.cast(kind))
    for kind in (pa.decimal128(20, 6), pa.decimal256(40, 6), pa.decimal64(18, 6)):
        yield f"arrow {kind}", column(ARROW, "mark_iv", ARROW["mark_iv"].cast(kind))
    names = ARROW["instrument_name"]
    for kind in (pa.large_string(), pa.string_view(), pa.binary()):
        yield f"arrow {kind}", column(ARROW, "instrument_name", names.cast(kind))
    yield "arrow dictionary", column(ARROW, "instrument_name", names.dictionary_encode())
    yield "arrow dictionary of numbers", column(ARROW, "underlying_price", ARROW["underlying_price"].dictionary_encode())
    yield "arrow batch", ARROW.combine_chunks().to_batches()[0]
    yield "arrow batches", pa.concat_tables([ARROW[:3], ARROW[3:17], ARROW[17:]])
    yield "arrow reader", pa.RecordBatchReader.from_batches(ARROW.schema, ARROW.to_batches())


def pandas_kinds():
    stamps = pd.to_datetime(FRAME.timestamp, unit="ms")
    texts = [name for name in FRAME if FRAME[name].dtype.kind not in "fi"]
    floats = [name for name in FRAME if FRAME[name].dtype.kind == "f"]
    yield "pandas", FRAME
    yield "nullable", FRAME.convert_dtypes()
    yield "pyarrow dtypes", FRAME.convert_dtypes(dtype_backend="pyarrow")
    yield "texts alone", pd.read_csv(io.StringIO("\n".join(TEXT)), dtype=str)
    yield "objects", FRAME.astype(object)
    yield "objects with None", FRAME.astype(object).where(FRAME.notna(), None)
    yield "odd index", FRAME.set_index(FRAME.index * 2 + 5)
    yield "named index", FRAME.set_index("instrument_name")
    yield "two named levels", FRAME.set_index(["instrument_name", "timestamp"])
    yield "categories", FRAME.assign(**{name: FRAME[name].astype("category") for name in texts})
    for unit in ("ms", "us", "ns"):
        yield f"datetimes {unit}", FRAME.assign(timestamp=stamps.astype(f"datetime64[{unit}]"))
    yield "zone", FRAME.assign(timestamp=stamps.dt.tz_localize("UTC").dt.tz_convert("Europe/Berlin"))
    yield "periods", FRAME.assign(timestamp=stamps.dt.to_period("ms"))
    yield "upper case", FRAME.rename(columns=str.upper)
    yield "blanks", FRAME.rename(columns=lambda name: name.replace("_", " ").title())
    yield "big endian", FRAME.assign(**{name: FRAME[name].to_numpy().astype(">f8") for name in floats})
    yield "subclass", Subclass(FRAME)
    yield "decimals", FRAME.assign(underlying_price=[Decimal(repr(price)) for price in FRAME.underlying_price])
    yield "sparse", FRAME.assign(underlying_price=pd.arrays.SparseArray(FRAME.underlying_price))
    unknown = FRAME[["mark_price"]].set_axis(["x"], axis=1)
    yield "an unknown column twice", pd.concat([FRAME, unknown, unknown], axis=1)


def other_kinds():
    stamps = POLARS["timestamp"].cast(pl.Datetime("ms"))
    lists = FRAME.to_dict("list")
    yield "polars", POLARS
    yield "polars categories", POLARS.with_columns(pl.col(pl.String).cast(pl.Categorical))
    yield "polars enumeration", POLARS.with_columns(pl.col("instrument_name").cast(pl.Enum(POLARS["instrument_name"].unique())))
    for unit in ("ms", "us", "ns"):
        yield f"polars {unit}", POLARS.with_columns(stamps.cast(pl.Datetime(unit)))
    yield "polars zone", POLARS.with_columns(stamps.dt.replace_time_zone("UTC").dt.convert_time_zone("Asia/Tokyo"))
    yield "polars decimals", POLARS.with_columns(pl.col("mark_iv").cast(pl.Decimal(18, 6)))
    yield "polars chunks", pl.concat([POLARS[:3], POLARS[3:20], POLARS[20:]], rechunk=False)
    yield "lists", lists
    yield "records", FRAME.to_dict("records")
    yield "tuple of records", tuple(FRAME.to_dict("records"))
    yield "generator of records", (row for row in FRAME.to_dict("records"))
    yield "generators", {name: (value for value in values) for name, values in lists.items()}
    yield "tuples", {name: tuple(values) for name, values in lists.items()}
    yield "deques", {name: collections.deque(values) for name, values in lists.items()}
    yield "ordered", collections.OrderedDict(lists)
    yield "proxy", types.MappingProxyType(lists)
    yield "series of another index", {name: FRAME[name].set_axis(FRAME.index + 7) for name in FRAME}
    yield "pandas indices", {name: pd.Index(FRAME[name]) for name in FRAME}
    yield "polars series", {name: POLARS[name] for name in POLARS.columns}
    yield "arrow arrays", {name: ARROW[name] for name in ARROW.column_names}
    arrays = {name: FRAME[name].to_numpy() for name in FRAME}
    yield "arrays", arrays
    yield "every other row", {name: np.repeat(values, 2)[::2] for name, values in arrays.items()}
    yield "backwards twice", {name: values[::-1].copy()[::-1] for name, values in arrays.items()}
    yield "masked", {name: np.ma.masked_invalid(values) if values.dtype.kind == "f" else values for name, values in arrays.items()}
    yield "records of NumPy", FRAME.to_records(index=False)
    for kind in ("U40", "S40"):
        yield f"texts {kind}", {**arrays, "instrument_name": arrays["instrument_name"].astype(kind)}


KINDS = [*pandas_kinds(), *other_kinds(), *arrow_kinds()]


@pytest.mark.parametrize("name, table", KINDS, ids=[name for name, _ in KINDS])
def test_whoever_holds_a_chain_it_is_that_of_the_file(name, table):
    assert_same(poise.Chain(table), poise.Chain.parse("\n".join(TEXT)))


def test_order_books_and_figures_of_exchanges_are_taken():
    frame = with_books(FRAME)
    expected = as_file(frame)
    table = expected.table()
    options = table["kind"] == "option"
    assert set(table["bid_price"][options]) == {0.0002} and table["open_interest"].max() == (len(frame) - 1) / 8
    assert np.isfinite(table["exchange_delta"][options]).any()
    lists = frame.assign(bids=[[[0.0002, 1.5], [0.0001, 2.0]] if text == BOOK else [] for text in frame["bids"]])
    for other in (frame, pl.from_pandas(frame), pa.Table.from_pandas(frame), frame.to_dict("records"), lists, lists.to_dict("list"),
                  pa.Table.from_pandas(lists), pl.from_arrow(pa.Table.from_pandas(lists))):
        assert_same(poise.Chain(other), expected)


def test_a_chain_as_a_table_is_a_chain_again():
    chain = poise.Chain.read(SAMPLE / "chain.csv")
    expected = chain.table()
    for again in (poise.Chain(chain.to_pandas()), poise.Chain(pl.DataFrame(chain)), poise.Chain(chain.table()),
                  poise.Chain.parse(chain.to_pandas().to_csv(index=False))):
        found = again.table()
        assert again.instruments == chain.instruments
        for name in ("vol", "forward", "mark_price", "open_interest", "exchange_delta", "delta"):
            assert np.array_equal(found[name], expected[name], equal_nan=True), name


def test_published_figures_stand_beside_the_librarys_own_columns():
    columns = {"instrument": ["BTC-27DEC24-70000-C"], "timestamp": [1_711_102_028_463], "underlying_price": [73663.61],
               "vol": [0.705], "open_interest": [3.0], "exchange_delta": [0.6], "exchange_gamma": [1e-5], "exchange_vega": [240.0],
               "exchange_theta": [-30.0]}
    table = poise.Chain(columns).table()
    assert (table["open_interest"][0], table["exchange_delta"][0], table["exchange_theta"][0]) == (3.0, 0.6, -30.0)
    assert np.isnan(table["exchange_rho"][0])


def test_errors_and_remarks_are_about_rows():
    frame = FRAME.copy()
    frame.loc[7, "mark_iv"] = -1.0
    with pytest.raises(poise.InputError) as caught:
        poise.Chain(frame)
    assert (caught.value.row, caught.value.field, caught.value.table, caught.value.line) == (7, "mark_iv", "tickers", None)
    lines = frame.assign(note="two\nlines")
    with pytest.raises(poise.InputError) as caught:
        poise.Chain(lines)
    assert caught.value.row == 7
    doubtful = pd.DataFrame({"instrument_name": ["BTC-27DEC24-70000-C"], "timestamp": [1_711_102_028_463],
                             "underlying_price": [73663.61], "mark_iv": [70.5], "mark_price": [0.3]})
    remarks = poise.Chain(doubtful).remarks
    assert remarks and remarks[0].startswith("tickers: row 0: ") and "mark_iv" in remarks[0]
    assert pickle.loads(pickle.dumps(poise.Chain(doubtful))).remarks == remarks


@pytest.mark.parametrize("kind, good, bad", [
    (poise.Positions, {"book": ["a"], "instrument": ["BTC-PERPETUAL"], "quantity": [1.0]}, "bok"),
    (poise.Positions, {"book": ["a"], "instrument": ["BTC-PERPETUAL"], "size": [1.0]}, "sides"),
    (poise.Positions, {"book": ["a"], "instrument": ["BTC-PERPETUAL"], "quantity": [1.0]}, "exchnge"),
    (poise.Limits, {"underlying": ["BTC"], "greek": ["vega"], "low": [-1.0], "high": [1.0]}, "penalyt"),
    (poise.Limits, {"underlying": ["BTC"], "greek": ["vega"], "low": [-1.0], "high": [1.0]}, "expriy"),
    (poise.Trades, {"book": ["a"], "instrument": ["BTC-PERPETUAL"], "quantity": [1.0], "price": [6e4]}, "fees_usd"),
    (poise.greeks, {"type": ["C"], "spot": [100.0], "strike": [90.0], "years": [1.0], "vol": [0.2]}, "rates"),
    (poise.implied_vol, {"type": ["C"], "spot": [100.0], "strike": [90.0], "years": [1.0], "price": [20.0]}, "divident"),
    (poise.Surface, {"strike": [50e3] * 5, "bid": [0.6] * 5, "ask": [0.62] * 5, "forward": [62e3] * 5, "years": [0.1] * 5}, "wieght"),
])
def test_what_is_nearly_a_column_is_refused(kind, good, bad):
    rows = len(next(iter(good.values())))
    other = dict(good)
    if bad == "bok":
        other.pop("book")
    for make in (dict, pd.DataFrame, pl.DataFrame, pa.table):
        kind(make(good))
        kind(make({**good, "note": ["x"] * rows}))
        with pytest.raises(poise.InputError):
            kind(make({**other, bad: ["1"] * rows}))


def test_positions_say_whose_contracts_they_are():
    table = {"book": ["a"], "instrument": ["BTC-27DEC24-70000-C"], "quantity": [1.0], "exchange": ["deribit"]}
    for make in (dict, pd.DataFrame, pl.DataFrame):
        assert len(poise.Positions(make(table))) == 1
        with pytest.raises(poise.InputError, match="exchange"):
            poise.Positions(make({**table, "exchange": ["nowhere"]}))


def test_limits_of_scenarios_and_infinite_edges():
    table = pd.DataFrame({"underlying": ["BTC"], "greek": ["vega"], "low": [-np.inf], "high": [5.0], "owner": ["me"]})
    plain = table.drop(columns="owner")
    positions, chain = poise.Positions.read(SAMPLE / "positions.csv"), poise.Chain.read(SAMPLE / "chain.csv")
    bands = [poise.Book(chain, positions, limits=poise.Limits(one)).hedge().bands for one in (table, plain)]
    assert bands[0]["low"][0] == bands[1]["low"][0] == -np.inf and bands[0]["high"][0] == 5.0


@pytest.mark.parametrize("kind", ["float16", "decimal32", "decimal64", "decimal256", "dictionary"])
def test_numbers_of_every_width(kind):
    table = pa.table({"type": ["C", "P"], "spot": [100.0, 100.5], "strike": [90.0, 110.25], "years": [1.0, 0.5], "vol": [0.25, 0.5]})
    spot = {"float16": lambda c: pa.array(c.to_numpy().astype(np.float16)), "decimal32": lambda c: c.cast(pa.decimal32(9, 4)),
            "decimal64": lambda c: c.cast(pa.decimal64(18, 6)), "decimal256": lambda c: c.cast(pa.decimal256(40, 6)),
            "dictionary": lambda c: c.dictionary_encode()}[kind](table["spot"])
    other = column(table, "spot", spot)
    if kind == "decimal256":
        with pytest.raises(TypeError, match="spot: expected numbers"):
            poise.greeks(other)
        return
    assert np.array_equal(poise.greeks(other)["price"], poise.greeks(table)["price"])
