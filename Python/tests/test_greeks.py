import math
import os
import signal
import sys
import threading

import numpy as np
import poise
import pytest
from conftest import INPUTS, ROOT, SHARED, random_options, read_csv, same_bits
from hypothesis import given, strategies as st


@pytest.mark.parametrize("path", [ROOT / "Tests/GreeksTests/Fixtures/european.csv", SHARED / "reference/european.csv"])
def test_bits_are_those_of_swift_on_the_reference_file(tool, path):
    if not path.exists():
        pytest.skip("no shared data")
    reference = read_csv(path.read_text())
    swift = read_csv(tool("greeks", "--options", path, "--format", "csv"))
    python = poise.greeks(**{name: reference[name] for name in INPUTS}, greeks="all")
    assert list(python) == list(poise.GREEKS)
    for greek in poise.GREEKS:
        assert np.array_equal(python[greek].view(np.int64), swift[greek].view(np.int64)), greek


def test_reference_file(reference):
    """Relative errors, just above what was measured: 1.4e-15 and 4.4e-12 of prices, 5.4e-16 and 3.8e-14 of all else."""
    result = poise.greeks(**{name: reference[name] for name in INPUTS}, greeks="all")
    for greek in poise.GREEKS:
        error = np.abs(result[greek] - reference[greek]) / np.maximum(np.abs(reference[greek]), 1e-300)
        median, worst = (2e-15, 5e-12) if greek == "price" else (6e-16, 5e-14)
        assert np.median(error) <= median and error.max() <= worst, greek


def cut(values, layout):
    """The same numbers in another layout."""
    if layout == "strided":
        wide = np.zeros((len(values), 3), values.dtype)
        wide[:, 1] = values
        return wide[:, 1]
    if layout == "reversed":
        return values[::-1].copy()[::-1]
    if layout == "misaligned":
        raw = np.zeros(values.nbytes + 1, np.uint8)[1:].view(np.uint8)
        raw[:] = np.frombuffer(values.tobytes(), np.uint8)
        return np.frombuffer(raw.data, values.dtype)
    if layout == "packed":
        records = np.zeros(len(values), np.dtype([("a", "u1"), ("value", values.dtype)]))
        records["value"] = values
        return records["value"]
    if layout == "swapped":
        return values.astype(values.dtype.newbyteorder())
    if layout == "list":
        return values.tolist()
    return values


LAYOUTS = st.sampled_from(["plain", "strided", "reversed", "misaligned", "packed", "swapped", "list"])


@given(count=st.integers(0, 40), seed=st.integers(0, 1000), layouts=st.tuples(*[LAYOUTS] * 7), data=st.data())
def test_any_layout_gives_the_same_bits(count, seed, layouts, data):
    options = random_options(count, seed)
    selection = data.draw(st.sets(st.sampled_from(poise.GREEKS), min_size=1))
    plain = poise.greeks(**options, greeks="all")
    other = poise.greeks(**{n: cut(v, how) for (n, v), how in zip(options.items(), layouts)}, greeks=tuple(selection))
    assert list(other) == [greek for greek in poise.GREEKS if greek in selection]
    assert same_bits({n: plain[n] for n in other}, other)


@given(seed=st.integers(0, 1000), single=st.sets(st.sampled_from(INPUTS)))
def test_numbers_stand_for_all_rows(seed, single):
    options = random_options(11, seed)
    for name in single:
        options[name] = options[name][0]
    full = {name: np.broadcast_to(np.asarray(value), 11).copy() for name, value in options.items()}
    expected, result = poise.greeks(**full), poise.greeks(**options)
    if len(single) == len(INPUTS):
        assert all(isinstance(value, float) for value in result.values())
        assert all(value == expected[name][0] for name, value in result.items())
    else:
        assert same_bits(expected, result)
        assert same_bits(expected, poise.greeks(**{n: np.broadcast_to(np.asarray(v), 11) for n, v in options.items()}))


@given(st.floats(20, 500), st.floats(20, 500), st.floats(0.01, 5), st.floats(0.02, 2), st.floats(-0.1, 0.2), st.floats(-0.1, 0.2))
def test_parity(spot, strike, years, vol, rate, dividend):
    call, put = (poise.greeks(kind, spot, strike, years, vol, rate, dividend) for kind in "CP")
    forward = spot * math.exp(-dividend * years) - strike * math.exp(-rate * years)
    assert call["price"] - put["price"] == pytest.approx(forward, abs=2e-13 * (spot + strike))
    assert call["delta"] - put["delta"] == pytest.approx(math.exp(-dividend * years), rel=1e-14)
    assert call["gamma"] == put["gamma"] and call["vega"] == put["vega"]


def test_memory_is_reused_and_columns_are_read_in_place():
    options = random_options(1000)
    out = poise.greeks(**options)
    addresses = {name: array.ctypes.data for name, array in out.items()}
    expected = {name: array.copy() for name, array in out.items()}
    for array in out.values():
        array[:] = np.nan
    assert poise.greeks(**options, out=out) is out
    assert {name: array.ctypes.data for name, array in out.items()} == addresses
    assert same_bits(expected, out)
    matrix = np.full((1000, 3), np.nan)
    poise.greeks(**options, out={"delta": matrix[:, 0], "vega": matrix[:, 2]})
    assert np.array_equal(matrix[:, 0], expected["delta"]) and np.array_equal(matrix[:, 2], expected["vega"])
    assert np.isnan(matrix[:, 1]).all()


@pytest.mark.parametrize("greeks", ["delta", ["delta"], ("delta",), {"delta"}])
def test_choice(greeks):
    assert list(poise.greeks("C", 100.0, 100.0, 1.0, 0.2, greeks=greeks)) == ["delta"]


def test_types():
    options = random_options(4)
    options["type"] = np.array([0, 1, 1, 0], np.uint8)
    expected = poise.greeks(**options)
    for kinds in ("C P P C".split(), ["call", "put", "Put", "c"], np.array([b"C", b"P", b"P", b"C"]), [0, 1, 1, 0],
                  np.array([0, 1, 1, 0], np.int64), np.array([0, 1, 1, 0], np.int8)):
        options["type"] = kinds
        assert same_bits(expected, poise.greeks(**options)), kinds


@pytest.mark.parametrize(("field", "value"), [
    ("spot", -1.0), ("strike", np.nan), ("years", -0.1), ("vol", np.inf), ("rate", np.nan), ("dividend", 1e300), ("type", 2)])
def test_what_cannot_be_computed_is_named(field, value):
    options = random_options(300)
    options[field][217] = value
    with pytest.raises(poise.InputError) as caught:
        poise.greeks(**options)
    assert (caught.value.row, caught.value.field) == (217, field)
    assert "row 217" in str(caught.value) and isinstance(caught.value, ValueError)
    result = poise.greeks(**options, invalid="status")
    assert poise.ROW_STATUS[result["status"][217]] == field and result["status"].sum() == result["status"][217]
    assert np.isnan(result["price"][217]) and np.isfinite(np.delete(result["price"], 217)).all()


def test_arguments_are_refused():
    options = random_options(4)
    out = poise.greeks(**options)
    frozen = out["price"].copy()
    frozen.flags.writeable = False
    for error, text, wrong in [
        (ValueError, "strike: 3 values where 4 are needed", {"strike": np.ones(3)}),
        (ValueError, "spot: expected a number or one dimension", {"spot": np.ones((4, 1))}),
        (TypeError, "vol: expected numbers", {"vol": ["a", "b", "c", "d"]}),
        (TypeError, "vol: expected numbers, got complex ones", {"vol": np.ones(4) + 1j}),
        (TypeError, "vol: expected numbers, got complex ones", {"vol": 1 + 1j}),
        (ValueError, "'detla' is no Greek", {"greeks": ["detla"]}),
        (ValueError, "model: expected", {"model": "heston"}),
        (ValueError, "invalid: expected", {"invalid": "ignore"}),
        (ValueError, "threads: expected 1 to 1024", {"threads": 0}),
        (TypeError, "has no argument 'volatility'", {"volatility": 1}),
        (TypeError, "out: expected a dict", {"out": np.ones(4)}),
        (ValueError, "expected 4 writable float64", {"out": {"price": np.ones(3)}}),
        (ValueError, "expected 4 writable float64", {"out": {"price": np.ones(4, np.float32)}}),
        (ValueError, "expected 4 writable float64", {"out": {"price": frozen}}),
        (ValueError, "overlaps an input", {"out": {"price": options["spot"]}}),
        (ValueError, "has no column 'delta'", {"out": {"price": np.ones(4)}, "greeks": ["delta"]}),
        (poise.InputError, 'row 1: type: "X": must be C or P', {"type": ["C", "X", "C", "P"]}),
    ]:
        with pytest.raises(error, match=text.replace("[", r"\[")):
            poise.greeks(**{**options, **wrong})
    with pytest.raises(TypeError, match=r"greeks\(\) needs vol"):
        poise.greeks("C", 100.0, 100.0, 1.0)
    with pytest.raises(TypeError, match="twice"):
        poise.greeks("C", 100.0, 100.0, 1.0, 0.2, spot=1.0)
    with pytest.raises(TypeError, match="positional"):
        poise.greeks("C", 100.0, 100.0, 1.0, 0.2, 0.0, 0.0, "all")


@pytest.mark.parametrize("types", [
    ["C", "X", "P"], ["C", None, "P"], [0, 256, 1], [0, -1, 1], np.array([b"C", b"X", b"P"])])
def test_types_that_are_none_have_a_status(types):
    found = poise.greeks(types, 100.0, 100.0, 1.0, 0.2, invalid="status")
    assert [poise.ROW_STATUS[k] for k in found["status"]] == ["ok", "type", "ok"]
    assert np.isnan(found["delta"]).tolist() == [False, True, False]
    with pytest.raises(poise.InputError) as caught:
        poise.greeks(types, 100.0, 100.0, 1.0, 0.2)
    assert (caught.value.row, caught.value.field) == (1, "type")
    implied = poise.implied_vol(types, 100.0, 100.0, 1.0, 10.0)
    assert [poise.VOLATILITY_STATUS[k] for k in implied["status"]] == ["ok", "not-a-number", "ok"]
    assert np.isnan(implied["vol"]).tolist() == [False, True, False]


def test_one_unknown_type():
    assert poise.greeks("X", 100.0, 100.0, 1.0, 0.2, invalid="status")["status"] == poise.ROW_STATUS.index("type")
    with pytest.raises(poise.InputError):
        poise.greeks("X", 100.0, 100.0, 1.0, 0.2)


def test_other_models():
    normal = poise.greeks("C", -3.0, 1.0, 2.0, 5.0, 0.01, 0.01, model="bachelier")
    deviation = 5 * math.sqrt(2)
    d = -4 / deviation
    value = math.exp(-0.02) * (-4 * 0.5 * math.erfc(-d / math.sqrt(2)) + deviation * math.exp(-d * d / 2) / math.sqrt(2 * math.pi))
    assert normal["price"] == pytest.approx(value, rel=1e-14)
    digital = poise.greeks("P", 100.0, 110.0, 0.5, 0.3, 0.02, model="cash-or-nothing")
    d2 = (math.log(100 / 110) + (0.02 - 0.045) * 0.5) / (0.3 * math.sqrt(0.5))
    assert digital["price"] == pytest.approx(math.exp(-0.01) * 0.5 * math.erfc(d2 / math.sqrt(2)), rel=1e-14)


def test_threads_share_a_batch_and_leave_the_bits():
    options = random_options(100_001)
    assert same_bits(poise.greeks(**options), poise.greeks(**options, threads=2))
    if hasattr(os, "fork"):
        child = os.fork()
        if child == 0:
            signal.alarm(30)  # rather than wait for the parent's threads, which are not here
            os._exit(0 if same_bits(poise.greeks(**options), poise.greeks(**options, threads=2)) else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_others_run_meanwhile():
    """With the lock held, this thread would have a moment before and after each call, and none during it."""
    options, turns, begun, done = random_options(1_000_000), 0, threading.Event(), threading.Event()
    out = poise.greeks(**options, greeks="all")

    def compute():
        begun.set()
        for _ in range(5):
            poise.greeks(**options, out=out)
        done.set()

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        thread = threading.Thread(target=compute)
        thread.start()
        begun.wait()
        while not done.is_set():
            turns += 1
        thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert turns > 20_000


@given(st.lists(st.tuples(st.sampled_from("CP"), st.floats(50, 150), st.floats(0.05, 2), st.floats(0.1, 1)), min_size=1, max_size=20))
def test_implied_volatilities_come_back(rows):
    kinds, strikes, years, vols = map(list, zip(*rows))
    prices = poise.greeks(kinds, 100.0, strikes, years, vols, 0.03, 0.01)
    found = poise.implied_vol(kinds, 100.0, strikes, years, prices["price"], 0.03, 0.01)
    solved = found["status"] == 0
    again = poise.greeks(kinds, 100.0, strikes, years, np.where(solved, found["vol"], 1.0), 0.03, 0.01)["price"]
    assert (np.abs(again - prices["price"]) <= 4e-16 * (100 + np.array(strikes)))[solved].all()
    # Deep in the money, the last digits of a price hold none.
    assert set(found["status"][~solved]) <= {1} and (prices["vega"][~solved] < 1e-10).all()
    firm = prices["vega"] > 1
    np.testing.assert_allclose(found["vol"][firm], np.array(vols)[firm], rtol=1e-12)


def test_volatilities_of_other_models():
    for model, vol in (("bachelier", 20.0), ("cash-or-nothing", 0.4)):
        price = poise.greeks(["C", "P"], [100.0, 100.0], 90.0, 1.0, vol, 0.01, greeks="price", model=model)["price"]
        found = poise.implied_vol(["C", "P"], 100.0, 90.0, 1.0, price, 0.01, model=model)
        np.testing.assert_allclose(found["vol"], vol, rtol=1e-12)
        table = {"type": ["C", "P"], "spot": [100.0] * 2, "strike": [90.0] * 2, "years": [1.0] * 2, "price": price, "rate": [0.01] * 2}
        np.testing.assert_array_equal(poise.implied_vol(table, model=model)["vol"], found["vol"])
    # A digital out of the money has two.
    two = poise.implied_vol("C", 90.0, 100.0, 1.0, 0.2, model="cash-or-nothing")
    assert poise.VOLATILITY_STATUS[two["status"]] == "two-volatilities" and np.isnan(two["vol"])
    with pytest.raises(ValueError, match="model: expected black-scholes-merton, bachelier or cash-or-nothing, got 'heston'"):
        poise.implied_vol("C", 90.0, 100.0, 1.0, 0.2, model="heston")


def test_prices_without_a_volatility_have_a_status():
    found = poise.implied_vol("C", 100.0, [100, 80, 80, 80, 80.0], [1, 1, 1, 1, 0.0], [10.0, 19.0, 101.0, np.nan, 21.0])
    assert [poise.VOLATILITY_STATUS[k] for k in found["status"]] == [
        "ok", "below-intrinsic", "above-maximum", "not-a-number", "expired"]
    assert np.isnan(found["vol"][1:]).all()
    assert poise.implied_vol("C", 100.0, 100.0, 1.0, 10.0) == {"vol": found["vol"][0], "status": 0}
