"""What takes long ends when a signal says so, shows how far it is, and pictures say what they are about."""
import io
import signal
import sys

import numpy as np
import poise
import pytest
from conftest import ROOT, SAMPLE


class Stop(Exception):
    pass


@pytest.fixture
def soon():
    """A signal as Ctrl-C's, a tenth of a second from now."""
    def stop(number, frame):
        raise Stop

    earlier = signal.signal(signal.SIGALRM, stop)
    yield lambda: signal.setitimer(signal.ITIMER_REAL, 0.1)
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, earlier)


HISTORY = {"BTC": SAMPLE / "btc-1d.csv", "ETH": SAMPLE / "eth-1d.csv"}


@pytest.mark.parametrize("call", ["greeks", "implied_vol", "legs", "value_at_risk"])
def test_long_calls_end_with_a_signal(call, soon, chain, positions):
    # Far more than a tenth of a second's work; where pieces are short, memory stays small: all but one column is one value.
    strike = np.linspace(50e3, 70e3, 1 << 25)
    grid = poise.Grid({"vol_rules": {"same": {}}, "scenarios": [{"spot": np.linspace(-0.5, 0.5, 16).tolist(), "vol": ["same"]}]})
    soon()
    with pytest.raises(Stop):
        if call == "greeks":
            poise.greeks("C", 60e3, strike, 0.1, 0.5, greeks="price")
        elif call == "implied_vol":
            poise.implied_vol("C", 60e3, strike, 0.1, 5_000.0)
        elif call == "legs":
            poise.leg_scenarios(grid, "C", 60e3, strike[:1 << 23], 0.1, 0.5)
        else:
            poise.value_at_risk(chain, positions, HISTORY, method="monte-carlo", scenarios=1 << 20)


def test_pieces_change_nothing():
    strike = np.linspace(50e3, 70e3, (1 << 21) + 1_000)
    types = np.zeros(len(strike), np.uint8)
    types[::3] = 1
    whole = poise.greeks(types, 60e3, strike, 0.1, 0.5, greeks=("price", "delta"))
    tail = slice(1 << 21, None)
    part = poise.greeks(types[tail], 60e3, strike[tail], 0.1, 0.5, greeks=("price", "delta"))
    assert all(np.array_equal(whole[name][tail], part[name]) for name in part)
    vols = poise.implied_vol(types, 60e3, strike, 0.1, whole["price"])
    assert np.allclose(vols["vol"], 0.5, rtol=1e-9) and not vols["status"].any()
    strike[-1] = -5.0
    for call in (lambda: poise.greeks(types, 60e3, strike, 0.1, 0.5, greeks="price"),):
        with pytest.raises(poise.InputError, match=f"row {len(strike) - 1}: strike: -5.0") as caught:
            call()
        assert caught.value.row == len(strike) - 1
    assert poise.greeks(types, 60e3, strike, 0.1, 0.5, greeks="price", invalid="status")["status"].nonzero()[0].tolist() == [
        len(strike) - 1]


def test_progress_is_shown_where_tqdm_is(monkeypatch):
    pytest.importorskip("tqdm")
    shown = io.StringIO()
    monkeypatch.setattr(sys, "stderr", shown)
    simulation = poise.simulate(ROOT / "Examples/simulate/calm.toml", paths=16, progress=True)
    assert simulation.complete and "paths" in shown.getvalue() and "16/16" in shown.getvalue()


def test_bands_have_edges_and_a_picture(chain, positions):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    hedge = poise.Book(chain, positions, limits=poise.Limits.read(SAMPLE / "limits.csv")).hedge()
    bands = hedge.bands
    slack = 1e-6 * (1 + np.abs(bands["after"]))
    hard = bands["band"] != "all theta"
    assert np.all((bands["after"] >= bands["low"] - slack)[hard]) and np.all((bands["after"] <= bands["high"] + slack)[hard])
    assert not np.all((bands["exposure"] >= bands["low"]) & (bands["exposure"] <= bands["high"]))
    assert bands["low"][0] == -250_000 and bands["high"][0] == 250_000
    ax = hedge.plot()
    assert [label.get_text() for label in ax.get_yticklabels()] == bands["band"].tolist()
    own = poise.Hedger().solve({
        "instruments": [{"id": "P", "u": 0, "costBuy": 1, "costSell": 1, "maxBuy": 9, "maxSell": 9}],
        "bands": [{"label": "delta", "current": 5, "lo": -1, "hi": 1, "idx": [0], "coef": [1]}]})
    assert (own.bands["low"][0], own.bands["high"][0]) == (-1, 1) and abs(own.bands["after"][0] - 1) < 1e-9
    own.plot()
