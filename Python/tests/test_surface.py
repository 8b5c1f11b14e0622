"""Surfaces: fits of columns, queries, what is refused. Curves are written here, derivatives come from differences."""
import datetime
import json

import numpy as np
import poise
import pytest
from conftest import SHARED
from scipy import integrate

NEAR = (0.004, 0.06, -0.3, 0.02, 0.1)
FAR = (0.02, 0.09, -0.3, 0.03, 0.15)
T = {0.1: NEAR, 0.5: FAR}


def variance(curve, k):
    a, b, rho, m, sigma = curve
    return a + b * (rho * (k - m) + np.sqrt((k - m) ** 2 + sigma**2))


def quotes(spread=0.005):
    years = np.repeat(list(T), 17)
    k = np.tile(np.linspace(-0.3, 0.3, 17), 2)
    mid = np.array([np.sqrt(variance(T[t], x) / t) for t, x in zip(years, k)])
    return {"strike": 100 * np.exp(k), "bid": mid - spread, "ask": mid + spread, "years": years, "forward": np.full(34, 100.0)}


def same_bits(one, other):
    return np.asarray(one).tobytes() == np.asarray(other).tobytes()


def test_parameters_come_back():
    slices = poise.Surface(**quotes(), loss="mid").slices
    for i, curve in enumerate(T.values()):
        assert [slices[name][i] for name in ("a", "b", "rho", "m", "sigma")] == pytest.approx(curve, rel=1e-5)
    assert list(slices["status"]) == ["ok", "ok"] and list(slices["repair"]) == ["none", "none"]
    assert list(slices["quotes"]) == [17, 17] and list(slices["dropped"]) == [0, 0]
    assert slices["inside"].tolist() == [1, 1] and np.abs(slices["rms"]).max() < 1e-7
    k = np.linspace(-3, 3, 6001)
    assert slices["least_gap"][0] == pytest.approx((variance(FAR, k) - variance(NEAR, k)).min(), abs=1e-6)
    assert np.isnan(slices["least_gap"][1])


def test_every_table_gives_the_same_bits():
    columns = quotes()
    surface = poise.Surface(**columns)
    grid = np.linspace(60, 160, 41), 0.3
    tables = [columns, {name: list(values) for name, values in columns.items()}]
    for module in ("pandas", "polars"):
        frame = pytest.importorskip(module)
        tables.append(frame.DataFrame(columns))
    tables.append(pytest.importorskip("pyarrow").table(columns))
    for table in tables:
        other = poise.Surface(table)
        assert same_bits(surface.vol(*grid), other.vol(*grid)), type(table)


def test_expiries():
    columns = quotes()
    years = columns.pop("years")
    now = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
    expiry = np.datetime64("2026-01-01", "ms") + (years * 365 * 86_400_000).round().astype("timedelta64[ms]")
    surface = poise.Surface(**columns, expiry=expiry, now=now)
    assert surface.slices["years"] == pytest.approx([0.1, 0.5], rel=1e-12)
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame({**columns, "expiry": expiry})
    assert same_bits(poise.Surface(frame, now="2026-01-01T00:00:00Z").vol(90.0, [0.2, 0.3]), surface.vol(90.0, [0.2, 0.3]))
    for bad in ({"expiry": expiry}, {"expiry": expiry, "years": years, "now": now}, {"years": years, "now": now}, {}):
        with pytest.raises(poise.InputError):
            poise.Surface(**columns, **bad)


def test_queries_by_differences():
    surface = poise.Surface(**quotes(), spot=99.0)
    for years in (0.03, 0.2, 0.9):
        forward = surface.forward(years)
        k, h = np.linspace(-0.4, 0.4, 9), 1e-4
        strike = forward * np.exp(k)
        low, mid, high = (surface.vol(strike * np.exp(x), years) for x in (-h, 0, h))
        assert surface.slope(strike, years) == pytest.approx((high - low) / (2 * h), abs=1e-6)
        assert surface.curvature(strike, years) == pytest.approx((high - 2 * mid + low) / h**2, abs=1e-5)
        # The density is 1 in all, and the forward its mean.
        density = lambda x: surface.density(forward * np.exp(x), years)
        assert integrate.quad(density, -8, 8, limit=400, points=[-0.5, 0, 0.5])[0] == pytest.approx(1, abs=1e-6)
        assert integrate.quad(lambda x: np.exp(x) * density(x), -8, 8, limit=400, points=[-0.5, 0, 0.5])[0] == pytest.approx(
            1, abs=1e-4)
        # Local variance: ∂w/∂T at equal k, over g of Dupire's formula in w.
        def w(x, t):
            return surface.query(surface.forward(t) * np.exp(x), t, "variance")["variance"]
        e = 1e-6
        wt = (w(k, years + e) - w(k, years - e)) / (2 * e)
        w0, w1, w2 = w(k, years), (w(k + h, years) - w(k - h, years)) / (2 * h), 0
        w2 = (w(k + h, years) - 2 * w0 + w(k - h, years)) / h**2
        g = (1 - k * w1 / (2 * w0)) ** 2 - w1**2 / 4 * (1 / w0 + 0.25) + w2 / 2
        assert surface.local_variance(strike, years) == pytest.approx(wt / g, rel=1e-4)


def test_shapes():
    surface = poise.Surface(**quotes())
    strikes, years = np.array([[90.0, 100, 110]]), np.array([[0.1], [0.4]])
    whole = surface.query(strikes, years)
    assert whole["vol"].shape == (2, 3) and list(whole) == [
        "vol", "slope", "curvature", "variance", "density", "local_variance", "forward"]
    assert whole["vol"][1, 2] == surface.vol(110.0, 0.4) and isinstance(surface.vol(110.0, 0.4), float)
    assert surface.vol([], 0.1).shape == (0,) and len(surface) == 2
    large = np.linspace(50, 200, 5001)
    assert same_bits(surface.vol(large, 0.2)[::100], surface.vol(large[::100], 0.2))


def test_what_is_refused():
    columns = quotes()
    for name in ("strike", "forward", "years"):
        bad = {**columns, name: columns[name].copy()}
        bad[name][7] = -1
        with pytest.raises(poise.InputError) as caught:
            poise.Surface(**bad)
        assert (caught.value.row, caught.value.field) == (7, name)
    with pytest.raises(poise.InputError, match="strike"):
        poise.Surface({"bid": [1.0]})
    with pytest.raises(ValueError, match="loss"):
        poise.Surface(**columns, loss="both")
    with pytest.raises(ValueError, match="arbitrage"):
        poise.Surface(**columns, arbitrage="some")
    with pytest.raises(TypeError, match="beside"):
        poise.Surface(columns, years=0.1)
    surface = poise.Surface(**columns)
    with pytest.raises(poise.InputError) as caught:
        surface.vol([100.0, np.nan], 0.2)
    assert (caught.value.row, caught.value.field) == (1, "strike")
    found = surface.query([100.0, np.nan], 0.2, "vol", invalid="nan")["vol"]
    assert found[0] > 0 and np.isnan(found[1])
    with pytest.raises(ValueError, match="quantities"):
        surface.query(100.0, 0.1, "gamma")
    # A side alone, nobody at all, crossed: each has its place in the counts.
    spoilt = {**columns, "bid": columns["bid"].copy(), "ask": columns["ask"].copy()}
    spoilt["bid"][0], spoilt["bid"][1], spoilt["ask"][1], spoilt["bid"][2] = np.nan, np.nan, np.nan, 3.0
    slices = poise.Surface(**spoilt).slices
    assert list(slices["status"]) == ["bad-quotes", "ok"] and list(slices["dropped"]) == [2, 0]
    few = poise.Surface(**{name: values[:4] for name, values in columns.items()})
    assert few.slices["status"][0] == "too-few-quotes" and np.isnan(few.slices["a"][0])
    with pytest.raises(poise.InputError, match="no slice"):
        few.vol(100.0, 0.1)


def test_the_tool_has_the_same_slices(tool, tmp_path):
    columns = quotes()
    rows = ["slice,years,forward,strike,bid_vol,ask_vol"]
    for i, years in enumerate(columns["years"]):
        cells = (years, columns["forward"][i], columns["strike"][i], columns["bid"][i], columns["ask"][i])
        rows.append(",".join([f"X-{years}", *(repr(float(cell)) for cell in cells)]))
    path = tmp_path / "quotes.csv"
    path.write_text("\n".join(rows) + "\n")
    told = json.loads(tool("surface", "--quotes", path, "--format", "json"))["slices"]
    slices = poise.Surface(**columns).slices
    for i, slice in enumerate(told):
        for name in ("a", "b", "rho", "m", "sigma"):
            assert slice[name] == slices[name][i], name


@pytest.mark.skipif(not (SHARED / "surface/spx.csv").exists(), reason="needs the reference smiles")
def test_real_quotes():
    rows = np.genfromtxt(SHARED / "surface/smiles-dev.csv", delimiter=",", names=True, dtype=None, encoding=None)
    names = rows["slice"]
    picked = rows[[name.startswith(names[0].split("-")[0]) for name in names]]
    surface = poise.Surface(
        strike=picked["strike"], bid=picked["bid_vol"], ask=picked["ask_vol"], years=picked["years"],
        forward=picked["forward"])
    assert (surface.slices["least_g"] >= 0).all()
