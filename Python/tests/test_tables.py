import numpy as np
import poise
import pytest
from conftest import random_options, same_bits
from hypothesis import given, strategies as st

pa = pytest.importorskip("pyarrow")


def table_of(options, batches=1):
    """An Arrow table in so many batches, types as texts."""
    columns = dict(options, type=["CP"[kind] for kind in options["type"]])
    table = pa.table(columns)
    if batches == 1:
        return table
    edges = np.linspace(0, table.num_rows, batches + 1).astype(int)
    return pa.concat_tables([table.slice(a, b - a) for a, b in zip(edges, edges[1:])])


def address(column):
    """Where an Arrow column of one batch lies."""
    chunk = column.chunk(0) if isinstance(column, pa.ChunkedArray) else column
    return chunk.buffers()[1].address + 8 * chunk.offset


@given(count=st.integers(0, 50), seed=st.integers(0, 100), batches=st.integers(1, 5))
def test_arrow_gives_the_bits_of_numpy(count, seed, batches):
    options = random_options(count, seed)
    assert same_bits(poise.greeks(**options), poise.greeks(table_of(options, batches)))
    options["price"] = poise.greeks(**options)["price"]
    del options["vol"]
    assert same_bits(poise.implied_vol(**options), poise.implied_vol(table_of(options, batches)))


def test_every_kind_of_table():
    options = random_options(100)
    expected, table = poise.greeks(**options), table_of(options)
    tables = {"record batch": table.to_batches()[0], "reader": table.to_reader(), "dict": options,
              "columns": poise.Columns(options)}
    for name in ("polars", "duckdb", "pandas"):
        try:
            module = __import__(name)
        except ImportError:
            continue
        tables[name] = {"polars": lambda: module.from_arrow(table), "pandas": table.to_pandas,
                        "duckdb": lambda: module.sql("select * from options")}[name] if name != "duckdb" else None
        if name == "duckdb":
            connection = module.connect()
            connection.register("options", table)
            tables[name] = connection.sql("select * from options")
        else:
            tables[name] = tables[name]()
    for name, given_table in tables.items():
        assert same_bits(expected, poise.greeks(given_table)), name


def test_results_go_out_in_place():
    result = poise.greeks(**random_options(1000))
    addresses = {name: array.ctypes.data for name, array in result.items()}
    table = pa.table(result)
    assert table.column_names == list(result)
    assert {name: address(table[name]) for name in result} == addresses
    batch = pa.record_batch(result)
    assert {name: address(batch.column(name)) for name in result} == addresses
    streamed = pa.RecordBatchReader.from_stream(result).read_all()
    assert {name: address(streamed[name]) for name in result} == addresses
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame(result)
    assert {n: frame[n].to_numpy(allow_copy=False).ctypes.data for n in result} == addresses
    del result  # the memory belongs to the table now
    assert np.isfinite(table["price"].to_numpy()).all()


def test_columns_come_in_in_place():
    from poise import _tables

    options = random_options(1000)
    table = table_of(options).slice(100, 800)
    (batch,) = _tables.batches(table, {**{name: "f" for name in options if name != "type"}, "type": "t"})
    for name in options:
        if name != "type":
            assert batch[name].ctypes.data == address(table[name]) and not batch[name].flags.writeable
    polars = pytest.importorskip("polars")
    frame = polars.from_arrow(table)
    (batch,) = _tables.batches(frame, {"spot": "f"})
    assert batch["spot"].ctypes.data == frame["spot"].to_numpy(allow_copy=False).ctypes.data
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"spot": options["spot"]})
    (batch,) = _tables.batches(frame, {"spot": "f"})
    assert batch["spot"].ctypes.data == frame["spot"].to_numpy().ctypes.data


@pytest.mark.parametrize("kind", ["string", "large_string", "string_view", "dictionary", "int8", "uint8", "int64"])
def test_types_in_every_form(kind):
    options = random_options(50)
    codes = options["type"]
    texts = pa.array(["call" if code == 0 else "Put" for code in codes])
    column = {"string": texts, "large_string": texts.cast(pa.large_string()), "string_view": pa.array(texts.to_pylist(), pa.string_view()),
              "dictionary": texts.dictionary_encode(),
              "int8": pa.array(codes.astype(np.int8)), "uint8": pa.array(codes), "int64": pa.array(codes.astype(np.int64))}[kind]
    table = table_of(options).set_column(0, "type", column)
    assert same_bits(poise.greeks(**options), poise.greeks(table))
    sliced = poise.greeks(table.slice(7, 30))
    assert same_bits({n: v[7:37] for n, v in poise.greeks(**options).items()}, sliced)


def test_structs_are_tables():
    """A struct array that begins in the middle of its columns, with a column that begins in the middle of its memory."""
    options = random_options(50)
    table = table_of(options)
    columns = [table[name].chunk(0) for name in table.column_names]
    columns[1] = pa.concat_arrays([pa.array([1.0, 2.0]), columns[1]]).slice(2)
    struct = pa.StructArray.from_arrays(columns, table.column_names).slice(7, 30)
    assert same_bits({n: v[7:37] for n, v in poise.greeks(**options).items()}, poise.greeks(struct))


def test_other_numbers_are_converted():
    options = random_options(20)
    options["strike"] = np.round(options["strike"])
    options["spot"] = options["spot"].astype(np.float32)
    table = table_of(options).set_column(2, "strike", pa.array(options["strike"].astype(np.int32)))
    assert same_bits(poise.greeks(**dict(options, spot=options["spot"].astype(float))), poise.greeks(table))


def test_bad_tables_are_refused():
    options = random_options(20)
    table = table_of(options, 4)
    vols = options["vol"].tolist()
    vols[13] = None
    with_null = table.set_column(4, "vol", pa.chunked_array([vols[:9], vols[9:]]))
    with pytest.raises(poise.InputError, match="row 13: vol: is null") as caught:
        poise.greeks(with_null)
    assert (caught.value.row, caught.value.field) == (13, "vol")
    assert poise.greeks(with_null, invalid="status")["status"].tolist() == [5 if row == 13 else 0 for row in range(20)]
    vols[13] = -1.0
    with pytest.raises(poise.InputError, match="row 13: vol: -1.0: must be") as caught:
        poise.greeks(table.set_column(4, "vol", pa.chunked_array([vols[:9], vols[9:]])))
    assert (caught.value.row, caught.value.field, caught.value.value) == (13, "vol", -1)
    with pytest.raises(poise.InputError, match="row 11: type: must be C"):
        poise.greeks(table.set_column(0, "type", pa.chunked_array([["C"] * 9, ["C", "P", "", "C"] + ["P"] * 7])))
    for nothing in (pa.table({}), {}, pa.table({"x": pa.array([], pa.float64())})):
        for takes in (poise.greeks, poise.implied_vol, poise.Chain, poise.Positions, poise.Limits):
            with pytest.raises(poise.InputError, match="the table has no such column|is missing"):
                takes(nothing)
    with pytest.raises(poise.InputError, match="vol: the table has no such column"):
        poise.greeks(table.drop_columns(["vol"]))
    with pytest.raises(TypeError, match='spot: expected numbers, got Arrow\'s format "u"'):
        poise.greeks(table.set_column(1, "spot", table["spot"].cast(pa.string())))
    with pytest.raises(TypeError, match="expected a table"):
        poise.greeks(42)
    used = table.to_reader()
    assert len(poise.greeks(used)["price"]) == 20
    assert len(poise.greeks(table.slice(0, 0))["price"]) == 0


def test_a_table_or_columns():
    polars, duckdb = pytest.importorskip("polars"), pytest.importorskip("duckdb")
    options = random_options(5)
    arrow, grid = table_of(options), poise.Grid({"scenarios": [{"spot": [-0.1, 0.1]}]})
    relation, frame, expected = duckdb.sql("from arrow"), polars.from_arrow(arrow), poise.leg_scenarios(grid, **options)
    for own in (arrow, arrow.to_batches()[0], frame, arrow.to_pandas(), options, relation):
        assert np.array_equal(poise.leg_scenarios(grid, own), expected)
    assert np.array_equal(poise.leg_scenarios(grid, pa.concat_tables([arrow.slice(0, 2), arrow.slice(2)])), expected)
    less = arrow.drop_columns(["rate", "dividend"])
    assert np.array_equal(poise.leg_scenarios(grid, less), poise.leg_scenarios(grid, **dict(options, rate=0.0, dividend=0.0)))
    for own in (arrow, arrow.to_reader(), frame, frame.lazy(), arrow.to_pandas(), options, relation):
        for call in (lambda: poise.greeks(own, vol=0.2), lambda: poise.implied_vol(own, price=0.2),
                     lambda: poise.leg_scenarios(grid, own, rate=0.2)):
            with pytest.raises(TypeError, match="a table or columns, not both"):
                call()
    for call in (lambda: poise.greeks(frame.lazy()), lambda: poise.leg_scenarios(grid, frame.lazy()),
                 lambda: poise.Positions(frame.lazy())):
        with pytest.raises(TypeError, match=r"LazyFrame: collect\(\) first"):
            call()
    with pytest.raises(TypeError, match=r"leg_scenarios\(\) needs vol"):
        poise.leg_scenarios(grid, "C", 1.0, 1.0, 1.0)


def test_columns_that_are_there_twice():
    table = table_of(random_options(5))
    twice = table.append_column("spot", table["strike"])
    for own in (twice, twice.to_batches()[0], twice.to_pandas()):
        with pytest.raises(poise.InputError, match="spot: the table has more than one such column") as caught:
            poise.greeks(own)
        assert caught.value.field == "spot"


@pytest.mark.parametrize("types", [
    pa.array(["C", "X", None]), pa.array(["C", "", None]).dictionary_encode(), pa.array([0, 7, None]),
    pa.array([0, 7, None], pa.uint8()), pa.array([0, -1, None], pa.int8()), pa.array(["C", "X", None], pa.string_view())])
def test_types_that_are_none(types):
    table = pa.table({"type": types, "spot": [1.0] * 3, "strike": [1.0] * 3, "years": [1.0] * 3, "vol": [0.2] * 3})
    tables = [table, pa.concat_tables([table.slice(0, 1), table.slice(1)])]
    if pa.types.is_string(types.type) or pa.types.is_dictionary(types.type):
        tables.append(table.to_pandas())
    for own in tables:
        assert poise.greeks(own, invalid="status")["status"].tolist() == [0, 1, 1]
        with pytest.raises(poise.InputError, match="type"):
            poise.greeks(own)
    prices = table.rename_columns(["type", "spot", "strike", "years", "price"])
    columns = {name: prices[name].to_numpy() for name in prices.column_names[1:]}
    assert same_bits(poise.implied_vol(prices), poise.implied_vol(np.array([0, 255, 255], np.uint8), **columns))


def test_batches_write_to_given_memory():
    options = random_options(30)
    out = poise.Columns(delta=np.full(30, np.nan))
    assert poise.greeks(table_of(options, 3), out=out) is out
    assert np.array_equal(out["delta"], poise.greeks(**options)["delta"])


def test_texts_go_out():
    columns = poise.Columns(book=np.array(["a", "", "ü"], dtype=object), value=np.arange(3.0))
    assert pa.table(columns).to_pydict() == {"book": ["a", "", "ü"], "value": [0.0, 1.0, 2.0]}
    assert repr(columns) == "Columns(3 rows: book, value)"
