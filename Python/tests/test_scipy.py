"""Exposures and scenarios against Black's formulas in scipy and products of matrices in numpy.

Nothing of Poise's is used but its answers: contracts are taken apart and priced from the chain's own columns.
"""
import csv
import datetime
from collections import defaultdict

import numpy as np
import poise
import pytest
from conftest import SAMPLE, SHARED

special = pytest.importorskip("scipy.special")
SCENARIOS = [(move, vol) for vol in (-0.25, 0, 0.5) for move in (-0.5, -0.16, -0.04, 0, 0.01, 0.16, 0.6)]
GRID = {
    "vol_rules": {str(vol): {"relative": vol} for vol in (-0.25, 0, 0.5)},
    "scenarios": [{"spot": move, "vol": str(vol)} for move, vol in SCENARIOS],
}


class Market:
    """What a chain says of inverse options, and of futures, by the name of the contract."""

    def __init__(self, path, names=None):
        latest = {}
        with open(path) as file:
            for row in csv.DictReader(file):
                known = latest.get(row["instrument_name"])
                if known is None or int(row["timestamp"]) >= int(known["timestamp"]):
                    latest[row["instrument_name"]] = row
        self.names = [name for name in names or latest if name in latest]
        rows = [latest[name] for name in self.names]
        parts = [name.split("-") for name in self.names]
        self.is_option = np.array([len(part) == 4 for part in parts])
        self.sign = np.array([-1.0 if part[-1] == "P" else 1.0 for part in parts])
        self.strike = np.array([float(part[2]) if len(part) == 4 else 0 for part in parts])
        quote = ["underlying_price" if option else "mark_price" for option in self.is_option]
        self.forward = np.array([float(row[name]) for row, name in zip(rows, quote)])
        self.vol = np.array([float(row["mark_iv"] or 0) / 100 for row in rows])
        self.rate = np.array([float(row["interest_rate"] or 0) for row in rows])
        stamps = np.array([int(row["timestamp"]) for row in rows])
        expiries = np.array([self.expiry(part[1]) if len(part) > 1 else 0 for part in parts])
        # Half an hour before expiry the delivery price begins to be averaged.
        assert (~self.is_option | (expiries - stamps > 1_800_000)).all()
        self.years = np.where(self.is_option, (expiries - stamps) / 31_536_000_000, 0)

    @staticmethod
    def expiry(text):
        if text == "PERPETUAL":
            return 0
        day = datetime.datetime.strptime(text.zfill(7), "%d%b%y")
        return int(day.replace(hour=8, tzinfo=datetime.timezone.utc).timestamp() * 1000)

    def terms(self, move=0.0, vol=0.0):
        forward = self.forward * (1 + move)
        with np.errstate(divide="ignore", invalid="ignore"):
            deviation = self.vol * (1 + vol) * np.sqrt(self.years)
            d1 = np.log(forward / self.strike) / deviation + deviation / 2
        return forward, deviation, d1, d1 - deviation

    def values(self, move=0.0, vol=0.0):
        """In dollars per coin, futures without."""
        forward, _, d1, d2 = self.terms(move, vol)
        w = self.sign
        value = w * np.exp(-self.rate * self.years) * (
            forward * special.ndtr(w * d1) - self.strike * special.ndtr(w * d2))
        return np.where(self.is_option, value, 0)

    def greeks(self):
        """(contracts, figures) in dollars, per unit of quantity."""
        forward, deviation, d1, d2 = self.terms()
        discount = np.exp(-self.rate * self.years)
        bell = discount * np.exp(-d1 * d1 / 2) / np.sqrt(2 * np.pi)
        root = np.sqrt(self.years)
        value = self.values()
        delta = self.sign * discount * special.ndtr(self.sign * d1) * forward
        with np.errstate(divide="ignore", invalid="ignore"):
            figures = {
                "value_usd": value,
                "delta_usd": delta,
                "net_delta_usd": delta - value,
                "gamma_usd_per_percent": bell * forward / deviation / 100,
                "vega_usd_per_point": forward * bell * root / 100,
                "volga_usd_per_point_squared": forward * bell * root * d1 * d2 / (self.vol * 1e4),
            }
        # An inverse future's quantity is dollars.
        futures = {"delta_usd": 1.0, "net_delta_usd": 1.0}
        return {name: np.where(self.is_option, own, futures.get(name, 0)) for name, own in figures.items()}


def books_of(path, market):
    """Labels, and the matrix books × contracts."""
    with open(path) as file:
        rows = list(csv.DictReader(file))
    labels = sorted({row["book"] for row in rows})
    places = {name: place for place, name in enumerate(market.names)}
    quantities = np.zeros((len(labels), len(places)))
    for row in rows:
        quantities[labels.index(row["book"]), places[row["instrument"]]] += float(row["quantity"])
    return labels, quantities


def real_books(folder):
    """The exchange's chains of one day in one file, all of their options in twenty books."""
    paths = [SHARED / f"data/deribit-options-2021-02-11-{coin}.csv" for coin in ("btc", "eth")]
    if not all(path.exists() for path in paths):
        pytest.skip("no real chains on this machine")
    rows = [row for path in paths for row in csv.DictReader(open(path))]
    chain = folder / "chain.csv"
    with open(chain, "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    assert len(rows) == 976 + 996
    rng = np.random.default_rng(20)
    positions = folder / "positions.csv"
    text = defaultdict(list)
    for name in sorted({row["instrument_name"] for row in rows}):
        for book in rng.choice(20, 4, replace=False):
            text[book].append(f"book-{book:02},{name},{rng.integers(-50, 50)}\n")
    positions.write_text("book,instrument,quantity\n" + "".join("".join(text[book]) for book in sorted(text)))
    return chain, positions


@pytest.fixture(params=["sample", "real chains"])
def desk(request, tmp_path):
    files = (SAMPLE / "chain.csv", SAMPLE / "positions.csv") if request.param == "sample" else real_books(tmp_path)
    held = [row["instrument"] for row in csv.DictReader(open(files[1]))]
    market = Market(files[0], dict.fromkeys(held))
    labels, quantities = books_of(files[1], market)
    return poise.Chain.read(files[0]), poise.Positions.read(files[1]), market, labels, quantities


def worst(found, expected, scale):
    return float(np.max(np.abs(found - expected) / scale))


def test_exposures_are_a_product(desk):
    """Books × contracts times contracts × Greeks: errors over the sum of magnitudes, which is what a sum may lose."""
    chain, positions, market, labels, quantities = desk
    found = poise.exposures(chain, positions, by=("book",))
    assert list(found["book"]) == labels
    errors = {}
    for name, figures in market.greeks().items():
        scale = np.abs(quantities) @ np.maximum(np.abs(figures), 1e-300)
        errors[name] = worst(found[name], quantities @ figures, scale + (scale == 0))
    assert max(errors.values()) < 1.1e-15, errors  # measured: 9.6e-16


def test_scenarios_are_revaluations(desk):
    """Every contract at the moved price and volatility, by books; errors over what the legs are written on."""
    chain, positions, market, labels, quantities = desk
    found = poise.scenarios(chain, positions, poise.Grid(GRID), by=("book",))
    assert list(found["book"]) == labels
    columns = list(found)[1:]
    assert len(columns) == len(SCENARIOS)
    now = market.values()
    errors = []
    for name, (move, vol) in zip(columns, SCENARIOS):
        gains = np.where(market.is_option, market.values(move, vol) - now, move)
        notional = np.where(market.is_option, market.forward * max(1, 1 + move), 1)
        errors.append(worst(found[name], quantities @ gains, np.abs(quantities) @ notional))
    assert max(errors) < 1.1e-16  # measured: 9.5e-17


def test_legs_are_revaluations():
    rng = np.random.default_rng(3)
    count = 5000
    spot, years, vol = rng.uniform(50, 60_000, count), rng.uniform(0.003, 2, count), rng.uniform(0.2, 1.2, count)
    strike = spot * np.exp(rng.uniform(-2.5, 2.5, count) * vol * np.sqrt(years))
    put, rate, dividend = rng.integers(0, 2, count).astype(np.uint8), rng.uniform(0, 0.08, count), rng.uniform(0, 0.04, count)
    found = poise.leg_scenarios(
        poise.Grid(GRID), type=put, spot=spot, strike=strike, years=years, vol=vol, rate=rate, dividend=dividend)

    def value(move, change):
        w, deviation = 1.0 - 2 * put, vol * (1 + change) * np.sqrt(years)
        a, b = spot * (1 + move) * np.exp(-dividend * years), strike * np.exp(-rate * years)
        d1 = np.log(a / b) / deviation + deviation / 2
        return w * (a * special.ndtr(w * d1) - b * special.ndtr(w * (d1 - deviation)))

    expected = np.stack([value(*scenario) for scenario in SCENARIOS], axis=1) - value(0, 0)[:, None]
    error = worst(found, expected, np.maximum(spot, strike)[:, None])
    assert error < 8e-16  # measured: 7.3e-16
