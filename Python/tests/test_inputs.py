"""What counts as a number, a type and a time, whoever holds it; what NumPy would convert silently is refused."""
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

import numpy as np
import pandas as pd
import poise
import pyarrow as pa
import pytest

OPTION = {"type": "C", "spot": 100.0, "strike": 90.0, "years": 1.0, "vol": 0.2}
CALL, PUT = 0.8622471826, -0.1377528174
STAMP = 1_711_102_028_463


def delta(**columns):
    return poise.greeks(**{**OPTION, **columns})["delta"]


@pytest.mark.parametrize("types", [
    True, np.True_, [True, False], np.array([True, False]), np.array([True, False], object),
    np.array([0, True], object), pd.Series([True, False]),
])
def test_booleans_are_no_types(types):
    with pytest.raises(TypeError, match="type: expected codes or texts, got bool"):
        delta(type=types)


def test_booleans_are_no_types_of_tables():
    columns = {name: [value] * 2 for name, value in OPTION.items()}
    for table in (pd.DataFrame({**columns, "type": [True, False]}), pa.table({**columns, "type": [True, False]})):
        with pytest.raises(TypeError, match="type: expected codes or texts, got bool"):
            poise.greeks(table)


@pytest.mark.parametrize("years", [
    True, np.array([True]), np.array([30], "m8[D]"), np.array(["2024-01-01"], "M8[D]"), pd.Series(pd.to_timedelta([30], unit="D")),
    np.array(["1.0"]), np.array([b"1.0"]), np.array(["1.0"], object), "1.0", [timedelta(30)], {"a": 1.0}, np.zeros(1, "V8"),
])
def test_what_is_no_number_is_refused(years):
    with pytest.raises(TypeError, match="years: expected numbers, got "):
        delta(years=years)


def test_decimals_are_numbers():
    whole = delta(spot=np.array([100.25, 0.1]))
    decimals = [Decimal("100.25"), Decimal("0.1")]
    assert np.array_equal(delta(spot=decimals), whole)
    assert np.array_equal(delta(spot=pd.Series(decimals)), whole)
    for kind in (pa.decimal128(12, 4), pa.decimal128(38, 30)):
        table = pa.table({name: [value] * 2 for name, value in OPTION.items()})
        table = table.set_column(1, "spot", pa.array(decimals, kind))
        assert np.array_equal(poise.greeks(table)["delta"], whole)
    long = Decimal("-0.12345678901234567890123456789")
    table = pa.table({"type": ["C"], "spot": pa.array([-long * 1000], pa.decimal128(38, 26)), "strike": [90.0], "years": [1.0],
                      "vol": [0.2]})
    assert poise.greeks(table)["delta"][0] == delta(spot=float(-long * 1000))


def test_what_is_masked_is_missing():
    spot = np.ma.masked_array([100.0, 9e9], [False, True])
    with pytest.raises(poise.InputError, match="row 1") as caught:
        delta(spot=spot)
    assert caught.value.row == 1
    assert np.array_equal(delta(spot=np.ma.masked_array([100.0, 101.0], [False, False])), delta(spot=np.array([100.0, 101.0])))
    status = poise.greeks(**{**OPTION, "spot": np.ma.masked_array([100, 101], [False, True])}, invalid="status")["status"]
    assert status[0] == 0 and status[1] != 0
    with pytest.raises(poise.InputError, match="row 0: type: .*must be C or P"):
        delta(type=np.ma.masked_array([0, 1], [True, False]))


def test_rows_that_are_null_are_refused():
    columns = [pa.array([value] * 3) for value in OPTION.values()]
    rows = pa.StructArray.from_arrays(columns, list(OPTION), mask=pa.array([False, False, True]))
    with pytest.raises(poise.InputError, match="row 2: is null"):
        poise.greeks(rows)


def test_nulls_of_a_dictionary_hide_nothing():
    hidden = pa.Array.from_buffers(
        pa.string(), 2, [pa.py_buffer(b"\x01"), pa.py_buffer(np.array([0, 1, 2], "i4").tobytes()), pa.py_buffer(b"CP")])
    table = pa.table({name: [value] * 2 for name, value in OPTION.items()})
    table = table.set_column(0, "type", pa.DictionaryArray.from_arrays(pa.array([0, 1], pa.int8()), hidden))
    with pytest.raises(poise.InputError, match="row 1"):
        poise.greeks(table)


def test_outputs_that_overlap_are_refused():
    spot = np.linspace(90, 110, 8)
    block = np.empty(9)
    for gamma in (block[:8], block[1:]):
        with pytest.raises(ValueError, match="overlaps another output"):
            poise.greeks("C", spot, 100.0, 1.0, 0.2, greeks=["delta", "gamma"], out={"delta": block[:8], "gamma": gamma})
    matrix = np.empty((8, 2))
    out = {"delta": matrix[:, 0], "gamma": matrix[:, 1]}
    poise.greeks("C", spot, 100.0, 1.0, 0.2, greeks=["delta", "gamma"], out=out)
    assert np.array_equal(out["delta"], poise.greeks("C", spot, 100.0, 1.0, 0.2)["delta"])


def chain(timestamp):
    return {
        "instrument": ["BTC-27DEC24-70000-C"], "timestamp": timestamp, "underlying_price": [73663.61], "vol": [0.705],
    }


def price(timestamp):
    held = poise.Positions({"book": ["a"], "instrument": ["BTC-27DEC24-70000-C"], "quantity": [1.0]})
    return poise.exposures(poise.Chain(chain(timestamp)), held, by="book")["value_usd"][0]


@pytest.mark.parametrize("timestamp", [
    [STAMP], [STAMP // 1000 + 0.463], [STAMP * 1000], [STAMP * 1_000_000], np.array([float(STAMP)]), [STAMP * 1000.0],
    ["2024-03-22T10:07:08.463Z"], ["2024-03-22 10:07:08.463"], ["2024-03-22T11:07:08.463000001+01:00"], [str(STAMP)],
    [datetime(2024, 3, 22, 10, 7, 8, 463000)], [datetime(2024, 3, 22, 10, 7, 8, 463000, timezone.utc)],
    np.array(["2024-03-22T10:07:08.463"], "M8[ns]"), pd.Series(pd.to_datetime(["2024-03-22T10:07:08.463Z"])),
])
def test_a_time_is_the_same_in_every_form(timestamp):
    assert price(timestamp) == price(np.array([STAMP]))


@pytest.mark.parametrize("column", [
    pa.array([STAMP]), pa.array([float(STAMP)]), pa.array(["2024-03-22T10:07:08.463Z"]), pa.array([STAMP * 1000]),
    pa.array(["2024-03-22T10:07:08.463Z"]).dictionary_encode(), pa.array([STAMP * 1000], pa.timestamp("us")),
    pa.array([STAMP], pa.timestamp("ms", "UTC")), pa.array([str(STAMP)], pa.large_string()), pa.array([STAMP / 1000]),
])
def test_a_time_is_the_same_in_every_arrow_column(column):
    held = poise.Positions({"book": ["a"], "instrument": ["BTC-27DEC24-70000-C"], "quantity": [1.0]})
    tickers = poise.Chain(pa.table({**chain([0]), "timestamp": column}))
    assert poise.exposures(tickers, held, by="book")["value_usd"][0] == price([STAMP])


def test_a_day_is_a_time():
    days = [date(2024, 3, 22)], ["2024-03-22"], np.array(["2024-03-22"], "M8[D]")
    midnight = price([1_711_065_600_000])
    assert all(price(day) == midnight for day in days)
    table = pa.table({**chain([0]), "timestamp": pa.array([date(2024, 3, 22)])})
    assert len(poise.Chain(table)) == 1


@pytest.mark.parametrize("timestamp, message", [
    ([np.nan], "row 0: timestamp: is missing"), ([None], "row 0: timestamp: is missing"),
    (np.array(["NaT"], "M8[ms]"), "row 0: timestamp: is missing"), (["yesterday"], 'row 0: timestamp: "yesterday": is no time'),
    ([True], "timestamp: expected times, got bool"), (np.array([5], "m8[s]"), "timestamp: expected times, got timedelta64"),
    (np.ma.masked_array([STAMP], [True]), "row 0: timestamp: is missing"), ([20240322], "20240322"),
])
def test_what_is_no_time_is_refused(timestamp, message):
    with pytest.raises(poise.InputError, match=message):
        poise.Chain(chain(timestamp))


def test_impossible_prices_name_their_side():
    prices = np.array([5.0, -1.0, 100.1, np.inf, -np.inf, np.nan])
    status = poise.implied_vol("C", 100.0, 90.0, 1.0, prices)["status"]
    assert [poise.VOLATILITY_STATUS[code] for code in status] == [
        "below-intrinsic", "below-intrinsic", "above-maximum", "above-maximum", "below-intrinsic", "not-a-number"]


def test_masked_and_boolean_columns_of_chains_are_refused():
    for values in (np.array([True]), np.array([30], "m8[D]"), ["1"]):
        with pytest.raises(TypeError, match="underlying_price: expected numbers"):
            poise.Chain({**chain([STAMP]), "underlying_price": values})
    with pytest.raises(poise.InputError, match="underlying_price"):
        poise.Chain({**chain([STAMP]), "underlying_price": np.ma.masked_array([1.0], [True])})


def test_an_exchanges_positions_are_positions():
    tickers = poise.Chain({
        "instrument": ["BTC-PERPETUAL", "ETH-PERPETUAL"], "timestamp": [STAMP, STAMP], "mark_price": [65000.0, 3000.0]})
    reply = pd.DataFrame({
        "instrument_name": ["BTC-PERPETUAL", "ETH-PERPETUAL"], "direction": ["sell", "buy"], "size": [-50000, 2000]})
    held = {"book": ["a", "a"], "instrument": ["BTC-PERPETUAL", "ETH-PERPETUAL"], "quantity": [-50000.0, 2000.0]}
    expected = poise.exposures(tickers, poise.Positions(held), by="instrument")["delta_usd"]
    for table in (reply, pa.Table.from_pandas(reply), reply.assign(size=[50000, 2000]), reply.drop(columns="direction")):
        found = poise.exposures(tickers, poise.Positions(table, book="a"), by="instrument")["delta_usd"]
        assert np.array_equal(found, expected)
    with pytest.raises(poise.InputError, match="book: the table has no such column"):
        poise.Positions(reply)
    with pytest.raises(poise.InputError, match="row 1: quantity: -2000.0: contradicts buy"):
        poise.Positions(reply.assign(size=[50000, -2000]), book="a")
    with pytest.raises(poise.InputError, match='row 0: direction: "up": is neither'):
        poise.Positions(reply.assign(direction="up"), book="a")
