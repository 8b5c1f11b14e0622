"""Books that live: contracts, books and limits come and go, quotes are refused one by one, processes start anew."""
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import poise
import pytest
from conftest import ROOT, SAMPLE

TIME = 1_772_442_000_000
EXPIRY = 1_772_524_800_000
OPTION = "BTC-3MAR26-60000-C"


def rows(**changes):
    """An option, one of later, and a perpetual."""
    columns = {
        "instrument_name": [OPTION, "BTC-27MAR26-60000-C", "BTC-PERPETUAL"], "timestamp": [TIME] * 3,
        "underlying_price": [60_200.0, 60_400.0, np.nan], "mark_price": [0.012, 0.059, 60_150.0],
        "mark_iv": [50.0, 55.0, np.nan], "index_price": [60_150.0] * 3,
        "bids": [[(0.0115, 50)], [(0.058, 50)], [(60_145, 1e6), (60_000, 1e6)]],
        "asks": [[(0.0125, 50)], [(0.06, 50)], [(60_155, 1e6), (60_300, 1e6)]],
    }
    columns.update(changes)
    return columns


LIMITS = poise.Limits({"underlying": ["BTC", "BTC"], "greek": ["net_delta", "vega"], "low": [-20e3, -150.0], "high": [20e3, 150.0]})


@pytest.fixture
def chain():
    return poise.Chain(rows())


@pytest.fixture
def book(chain):
    positions = poise.Positions(
        {"book": ["rates", "vol"], "instrument": [OPTION, "BTC-27MAR26-60000-C"], "quantity": [-20.0, -5.0]})
    return poise.Book(chain, positions, limits=LIMITS)


def test_listing_settlement_and_cash(book):
    names = list(book.contracts)
    book.list("BTC-24APR26-62000-C", 61_700.0, TIME, vol=0.56, rate=0.01)
    assert book.contracts[: len(names)] == names and book.is_listed("BTC-24APR26-62000-C")
    state = dict(zip(book.slice_states()["slice"], book.slice_states()["price"]))
    assert state["BTC-24APR26"] == 61_700 and book.vol("BTC-24APR26-62000-C") == 0.56
    book.update()
    years = (1_777_017_600_000 - TIME) / (365 * 86_400_000)
    value = poise.greeks(["C"], [61_700.0], [62_000.0], [years], [0.56], [0.01], [0.01], greeks="price")["price"][0]
    assert np.isclose(book.figure("BTC-24APR26-62000-C", "value"), value, rtol=1e-10)
    book.add_book("new", desk="a desk")
    book.fill("new", "BTC-24APR26-62000-C", 3)
    with pytest.raises(poise.InputError, match="new"):
        book.delist("BTC-24APR26-62000-C")
    book.set_position("new", "BTC-24APR26-62000-C", 0)
    book.delist("BTC-24APR26-62000-C")
    assert not book.is_listed("BTC-24APR26-62000-C") and book.books == ["rates", "vol", "new"]

    with pytest.raises(poise.InputError, match="expired"):
        book.settle(OPTION, 61_250.0)
    assert book.expired == []
    book.advance(EXPIRY)
    assert book.expired == [OPTION]
    settled = book.settle(OPTION, 61_250.0)
    assert settled.currency == "BTC" and settled.cash_per_unit == 1_250 / 61_250
    assert settled.payments["book"].tolist() == ["rates"] and settled.payments["quantity"].tolist() == [-20]
    paid = -20 * settled.cash_per_unit
    assert settled.payments["cash"].tolist() == [paid]
    book.add_cash("new", "USDC", 7.5)
    assert book.cash == {("new", "USDC"): 7.5, ("rates", "BTC"): paid}
    assert book.position("rates", OPTION) == 0 and book.position("vol", "BTC-27MAR26-60000-C") == -5
    assert book.positions()["contract"].tolist() == ["BTC-27MAR26-60000-C"]
    with pytest.raises(poise.UnknownNameError, match="listed no more"):
        book.fill("rates", OPTION, 1)
    book.roll_off()
    assert OPTION not in book.contracts
    with pytest.raises(poise.InputError, match="stands"):
        book.advance(EXPIRY - 1)


def test_quotes_are_refused_one_by_one(book):
    errors = book.set_vols({OPTION: 0.51, "BTC-27MAR26-60000-C": -1.0, "no such": 0.5})
    assert [(error.name or error.value) for error in errors] == ["no such", "BTC-27MAR26-60000-C"]
    assert book.vol(OPTION) == 0.51 and book.vol("BTC-27MAR26-60000-C") == 0.55
    errors = book.set_prices({"BTC-27MAR26": 61_000.0, "BTC-PERPETUAL": np.nan}, TIME + 5)
    assert len(errors) == 1 and errors[0].field == "price"
    prices = dict(zip(book.slice_states()["slice"], book.slice_states()["price"]))
    assert prices["BTC-27MAR26"] == 61_000 and prices["BTC-PERPETUAL"] == 60_150
    assert book.set_vols({}) == [] and book.set_vols({OPTION: 0.52}) == []

    later = rows(
        timestamp=[TIME + 10, TIME - 10, TIME + 10], mark_iv=[54.0, 56.0, np.nan], mark_price=[np.nan, np.nan, 60_500.0],
        underlying_price=[60_900.0, 61_100.0, np.nan])
    errors = book.quote(later)
    assert [error.row for error in errors] == [1] and errors[0].field == "timestamp" or errors[0].field == "time"
    assert book.vol(OPTION) == 0.54
    wrong = rows(timestamp=[TIME + 20] * 3, mark_iv=[0.54, 55.0, np.nan])
    errors = book.quote(wrong)
    assert [error.row for error in errors] == [0] and errors[0].field == "mark_iv" and errors[0].value == 0.54
    assert book.vol(OPTION) == 0.54 and book.quote(rows(timestamp=[TIME + 30] * 3)) == []


def test_a_restored_book_goes_on_with_the_same_bits(book, chain):
    book.tick("BTC", 61_000.0, TIME + 60_000)
    other = poise.Book.restore(book.save())
    assert other.hedges == []
    other.set_limits(LIMITS)
    assert other.add_candidates(chain) == 3 and sorted(other.candidates()) == sorted(book.candidates())
    for one in (book, other):
        one.tick("BTC", 61_100.0, TIME + 61_000)
        one.update()
    for name, column in book.exposures().items():
        np.testing.assert_array_equal(column, other.exposures()[name])
    first, second = book.hedge(), other.hedge()
    assert first.outcome == second.outcome == "optimal" and np.isclose(first.cost, second.cost, rtol=1e-9)
    damaged = bytearray(book.save())
    damaged[-9] ^= 1
    with pytest.raises(poise.InputError):
        poise.Book.restore(bytes(damaged))


def test_limits_candidates_and_costs_change(book):
    before = book.hedge()
    assert before.outcome == "optimal" and before.bands["band"].tolist() == ["BTC net delta", "BTC vega"]
    book.set_limit("BTC vega")
    book.set_limit("BTC net delta", -1e9, 1e9)
    assert book.hedge().outcome == "within-limits"
    book.remove_limit("BTC vega")
    assert book.hedge().bands["band"].tolist() == ["BTC net delta"]
    with pytest.raises(poise.UnknownNameError, match="no such band"):
        book.remove_limit("BTC vega")
    book.set_limit("BTC net delta", -20e3, 20e3)

    assert book.choose(classes=["perpetual"]) == ["BTC-PERPETUAL"]
    assert book.choose(names=[]) == [] and book.choose(excluded=["BTC-PERPETUAL"], classes="perpetual".split()) == []
    assert set(book.choose(deltas=(0.01, 1.0), last_expiry=EXPIRY)) == {OPTION, "BTC-PERPETUAL"}
    assert book.choose(underlyings=["ETH"]) == [] and book.choose(least_depth=1e9) == []
    with pytest.raises(poise.InputError, match="classes"):
        book.choose(classes=["bond"])
    book.choose(classes=["perpetual"])

    book.set_fees("class,fee_rate,fee_cap,half_spread_rate,depth_usd\nperpetual,0,,0,0\n")
    book.walk_levels()
    hedge = book.hedge()
    bought = hedge.trades["quantity"][0]
    assert hedge.outcome == "optimal" and 20e3 < bought < 1e6
    # Five dollars of price on a dollar, by its price.
    assert np.isclose(hedge.cost, bought * 5 / 60_150, rtol=1e-9)
    book.set_book("BTC-PERPETUAL", [(60_100, 1e6)], np.array([[60_200, 1e4], [60_400, 1e6]]))
    hedge = book.hedge()
    bought = hedge.trades["quantity"][0]
    assert np.isclose(hedge.cost, (1e4 * 50 + (bought - 1e4) * 250) / 60_150, rtol=1e-9)
    book.walk_levels(False)
    assert book.hedge().cost != hedge.cost
    costs = book.costs()
    assert costs["instrument"].tolist() == ["BTC-PERPETUAL"] and np.isclose(costs["cost_buy"][0], 50 / 60_150, rtol=1e-12)
    for bids, asks, words in [([(60_300, 1)], [(60_200, 1)], "crossed"), ([(1, 2, 3)], [], "price and amount")]:
        with pytest.raises(poise.InputError, match=words):
            book.set_book("BTC-PERPETUAL", bids, asks)
    book.set_holding(5, 0.001)
    assert book.hedge().cost > 0
    book.set_cash_budget(-1e9)
    assert book.hedge().outcome == "infeasible" and book.diagnose().least_cash > -1e9
    book.set_cash_budget(None)
    assert book.hedge().outcome == "optimal"
    book.set_search(node_limit=10, gap=1e-3, seconds=5)
    assert book.hedge().outcome == "optimal"


def test_groups_and_views(book):
    book.update()
    view = book.view()
    deltas = view.exposures["delta_usd"].copy()
    with pytest.raises(ValueError, match="read-only"):
        view.exposures["delta_usd"][0] = 1
    seen = []
    thread = threading.Thread(target=lambda: seen.append(view.exposures["delta_usd"].sum()))
    book.tick("BTC", 70_000.0)
    book.update()
    thread.start()
    thread.join()
    assert seen == [deltas.sum()] and not np.array_equal(book.exposures()["delta_usd"], deltas)
    assert view.positions["quantity"].tolist() == [-20, -5] and view.listed.all() and OPTION in view.contracts
    assert book.exposures()["book"].flags.writeable

    total = book.exposures()["vega_usd_per_point"].sum()
    book.group(["expiry", "book"])
    assert list(book.exposures())[:3] == ["underlying", "expiry", "book"]
    assert np.isclose(book.exposures()["vega_usd_per_point"].sum(), total, rtol=1e-12)
    own = poise.Limits({"book": ["vol"], "underlying": ["BTC"], "greek": ["vega"], "low": [-1.0], "high": [1.0]})
    book.set_limits(own)
    assert book.hedges == ["vol"]
    with pytest.raises(poise.InputError, match="by book"):
        book.group("expiry")


def test_order_books_of_tables_are_those_of_files():
    polars, pandas = pytest.importorskip("polars"), pytest.importorskip("pandas")
    whole = poise.Chain.read(SAMPLE / "chain.csv")
    positions, limits = poise.Positions.read(SAMPLE / "positions.csv"), poise.Limits.read(SAMPLE / "limits.csv")

    def answer(chain):
        hedge = poise.Book(chain, positions, limits=limits).hedge()
        return hedge.outcome, hedge.cost, hedge.trades["quantity"].tolist()

    expected = answer(whole)
    frame = pandas.read_csv(SAMPLE / "chain.csv")
    table = polars.read_csv(SAMPLE / "chain.csv", infer_schema_length=None)
    lists = frame.assign(**{side: [__import__("json").loads(text) for text in frame[side]] for side in ("bids", "asks")})
    for chain in (poise.Chain(frame), poise.Chain(table), poise.Chain(lists), poise.Chain(dict(frame))):
        assert answer(chain) == expected
    with pytest.raises(poise.InputError, match="bids"):
        poise.Chain(rows(bids=["[[1]]", None, None]))


BIG = """
import poise, random, sys, time
random.seed(1)
n = 300
problem = {"instruments": [{"costBuy": 1 + random.random(), "costSell": 1 + random.random(), "maxBuy": 50, "maxSell": 50, "lot": 1,
                            "fixed": 3} for _ in range(n)],
           "bands": [{"current": -5000 * random.random(), "lo": -1, "hi": 1, "idx": list(range(n)), "penalty": 0.5,
                      "coef": [random.uniform(-30, 30) for _ in range(n)]} for _ in range(40)]}
hedger = poise.Hedger(seconds=float(sys.argv[1]))
print("ready", flush=True)
try:
    print(hedger.solve(problem).outcome)
except KeyboardInterrupt:
    print("interrupted")
"""


def test_searches_end_by_the_clock_and_by_signals():
    started = time.monotonic()
    done = subprocess.run([sys.executable, "-c", BIG, "0.2"], stdout=subprocess.PIPE, text=True, check=True, timeout=300)
    assert done.stdout.split()[-1] in ("budget", "uncertified", "optimal")
    process = subprocess.Popen([sys.executable, "-c", BIG, "0"], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=300)[0].strip() == "interrupted", time.monotonic() - started
    with pytest.raises(poise.InputError, match="node_limit"):
        poise.Hedger(-1)


def test_the_example_runs():
    shown = subprocess.run(
        [sys.executable, ROOT / "Examples/python/day.py"], stdout=subprocess.PIPE, text=True, check=True, env=os.environ).stdout
    assert "after the listing: cost" in shown and f"{OPTION}: rates gets -0.4" in shown and "contracts are listed" in shown


def test_variance_and_margin(book):
    book.set_limit("BTC vega")
    book.set_limit("BTC net delta", -1e9, 1e9)
    assert book.choose(classes=["perpetual"]) == ["BTC-PERPETUAL"]
    book.set_candidate("BTC-PERPETUAL", cost_buy=5e-4, cost_sell=5e-4, maximum_buy=1e7, maximum_sell=1e7)
    assert book.hedge().outcome == "within-limits"
    for net, greek in ((False, "delta_usd"), (True, "net_delta_usd")):
        book.set_variance(["BTC"], [[4e-4]], 1e-5, net=net)
        hedge = book.hedge(always=True)
        held = book.exposures()[greek].sum()
        # 2 · 1e-5 · 4e-4 of each dollar that is left is what buying one costs.
        assert hedge.outcome == "optimal" and np.isclose(held + hedge.trades["quantity"][0], -5e-4 / 8e-9, rtol=1e-9)
    for coins, matrix, words in [
        (["BTC"], [[1, 2]], "1 × 1"), (["BTC", "BTC"], np.eye(2), "twice"),
        (["BTC"], [[np.nan]], r"risk\.cov\[0\]\[0\]: \"nan\""),
    ]:
        with pytest.raises(poise.InputError, match=words):
            book.set_variance(coins, matrix, 1e-5)
    book.set_variance(None)
    assert book.hedge(always=True).trades["quantity"].tolist() == [0]

    book.set_book("BTC-PERPETUAL", [(60_100, 1e6)], [(60_200, 1e6)])
    book.set_limit("BTC net delta", -20e3, 20e3)
    bought = book.hedge().trades["quantity"][0]
    book.set_margin("BTC-PERPETUAL", 0.02)
    book.set_margin_limit(0.02 * bought * 0.999)
    assert book.hedge().outcome == "infeasible"
    assert book.costs()["margin"].tolist() == [0.02]
    book.set_margin_limit(0.02 * bought * 1.001)
    assert book.hedge().outcome == "optimal"
    book.set_margin_limit(None)
    with pytest.raises(poise.InputError, match="per_unit"):
        book.set_margin("BTC-PERPETUAL", -1.0)
