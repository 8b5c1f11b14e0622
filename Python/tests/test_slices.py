"""The slice form: what options of one underlying and expiry share is computed once."""
import numpy as np
import poise
import pytest
from conftest import random_options

OFFSETS = np.array([0, 3, 3, 300, 700])


def same_bits(one, other):
    return one.tobytes() == other.tobytes()


def make(seed=7):
    options = random_options(700, seed)
    market = {name: options[name][:4] for name in ("spot", "years", "rate", "dividend")}
    spread = {name: np.repeat(values, np.diff(OFFSETS)) for name, values in market.items()}
    strikes = spread["spot"] * np.linspace(0.5, 1.8, 700)
    slices = poise.Slices(OFFSETS, options["type"], strikes)
    slices.set_market(**market)
    slices.set_vol(options["vol"])
    return slices, poise.greeks(options["type"], strike=strikes, vol=options["vol"], **spread, greeks="all")


def test_values_are_those_of_the_full_form():
    """To rounding; measured: at most 6.1e-16 of the largest value."""
    slices, full = make()
    result = slices.greeks("all")
    assert list(result) == list(poise.GREEKS) and len(slices) == 4
    for name, values in result.items():
        scale = np.abs(full[name]).max()
        assert np.abs(values - full[name]).max() <= 7e-16 * scale, name
    assert not same_bits(slices.greeks("vega")["vega"], slices.greeks("delta")["delta"])


def test_ranges_and_memory():
    slices, _ = make()
    whole = slices.greeks()
    assert list(whole) == ["price", "delta", "gamma", "vega", "theta", "rho", "vanna", "volga", "charm"]
    part = slices.greeks(("vega", "delta"), first=2, count=1)
    assert list(part) == ["delta", "vega"]
    assert same_bits(part["vega"], whole["vega"][3:300])
    assert slices.greeks(first=1, count=1)["price"].shape == (0,)
    wide = np.full((700, 2), np.nan)
    out = {"vega": wide[:, 1]}
    assert slices.greeks("vega", out=out) is out and same_bits(wide[:, 1], whole["vega"])
    assert np.isnan(wide[:, 0]).all()
    slices.set_vol(0.5, first=300)
    slices.set_market(100.0, 0.5, first=3)
    changed = slices.greeks("price")["price"]
    assert same_bits(changed[:300], whole["price"][:300]) and not np.array_equal(changed[300:], whole["price"][300:])


def test_what_is_refused():
    slices, _ = make()
    before = slices.greeks("price")["price"]
    with pytest.raises(poise.InputError) as caught:
        slices.set_vol(np.array([0.2, np.nan]), first=5)
    assert (caught.value.row, caught.value.field) == (1, "vol")
    with pytest.raises(poise.InputError) as caught:
        slices.set_market([100.0, -1.0], 0.5)
    assert (caught.value.row, caught.value.field) == (1, "spot")
    assert same_bits(slices.greeks("price")["price"], before)
    with pytest.raises(poise.InputError) as caught:
        poise.Slices([0, 2], ["C", "P"], [1.0, -1.0])
    assert (caught.value.row, caught.value.field) == (1, "strike")
    for call in (
        lambda: poise.Slices([0, 3], ["C", "P"], [1.0, 1.0]), lambda: poise.Slices([0, 2, 1], ["C"], [1.0]),
        lambda: poise.Slices([], [], []), lambda: slices.set_vol(np.ones(701)), lambda: slices.set_vol(np.ones(3), first=699),
        lambda: slices.set_market([1.0, 2.0], [1.0, 2.0, 3.0]), lambda: slices.greeks("omega"),
        lambda: slices.greeks("vega", out={}), lambda: slices.greeks("vega", out={"vega": np.ones(3)}),
        lambda: slices.set_vol(0.1, first=-1),
    ):
        with pytest.raises(ValueError):
            call()
    for first, count in ((0, 5), (-1, 1), (3, -1), (5, None)):
        with pytest.raises(IndexError):
            slices.greeks(first=first, count=count)
