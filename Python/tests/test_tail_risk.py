"""Value at risk and explained profits have the command's digits."""
import csv
import io

import numpy as np
import pandas as pd
import poise
import pytest
from conftest import ROOT, SAMPLE

HISTORY = {"BTC": SAMPLE / "btc-1d.csv", "ETH": SAMPLE / "eth-1d.csv"}


def table(text):
    return list(csv.DictReader(io.StringIO(text)))


def command_var(tool, *more):
    return _command_var(tool, *more) + (_command_var(tool, "--totals", *more) if "--save-gains" not in more else [])


def _command_var(tool, *more):
    return table(tool(
        "var", "--chain", SAMPLE / "chain.csv", "--positions", SAMPLE / "positions.csv", "--history", f"BTC={HISTORY['BTC']}",
        "--history", f"ETH={HISTORY['ETH']}", "--format", "csv", *more))


def compare(found, rows, by):
    books = [row for row in rows if not row[by[0]].startswith("total")]
    totals = [row for row in rows if row[by[0]].startswith("total")]
    assert len(books) == len(found.books[by[0]]) and len(totals) == len(found.totals["total"])
    for name, column in found.books.items():
        expected = [row[name] for row in books]
        assert list(column) == (expected if name in by else [float(value) for value in expected]), name
    assert list(found.totals["total"]) == [row[by[0]] for row in totals]
    for name, column in list(found.totals.items())[1:]:
        assert list(column) == [float(row[name]) for row in totals], name


@pytest.mark.parametrize("options, more", [
    ({}, ()),
    ({"by": ("underlying", "book"), "numeraire": "coin"}, ("--by", "underlying,book", "--numeraire", "coin")),
    ({"by": "tenor", "tenor_days": [10, 40]}, ("--by", "tenor", "--tenors", "10,40")),
    ({"levels": (0.9, 0.975), "horizon": 48, "stride": 2, "time_passes": True, "volatility": "none"},
     ("--levels", "0.9,0.975", "--horizon", "48", "--stride", "2", "--time-passes", "--volatility", "none")),
    ({"method": "delta-gamma-vega", "scenarios": 5000, "seed": 9, "covariance": "ledoit-wolf"},
     ("--method", "delta-gamma-vega", "--scenarios", "5000", "--seed", "9", "--covariance", "ledoit-wolf")),
    ({"method": "monte-carlo", "scenarios": 300, "covariance": "sample", "shrinkage": 0.2, "decay": 0.9, "term_power": 0.25},
     ("--method", "monte-carlo", "--scenarios", "300", "--covariance", "sample", "--shrinkage", "0.2", "--decay", "0.9",
      "--term-power", "0.25")),
    ({"volatility_history": HISTORY},
     ("--volatility-history", f"BTC={HISTORY['BTC']}", "--volatility-history", f"ETH={HISTORY['ETH']}")),
])
def test_value_at_risk_is_the_commands(tool, chain, positions, options, more):
    found = poise.value_at_risk(chain, positions, HISTORY, **options)
    by = options.get("by", ("book",))
    compare(found, command_var(tool, *more), (by,) if isinstance(by, str) else by)


def test_gains_are_the_commands(tool, chain, positions, tmp_path):
    path = tmp_path / "gains.csv"
    command_var(tool, "--save-gains", path)
    rows = table(path.read_text())
    found = poise.value_at_risk(chain, positions, HISTORY)
    assert found.gains.shape == (len(found.books["book"]), len(rows))
    for book, gains in zip(found.books["book"], found.gains):
        assert gains.tolist() == [float(row[f"{book} usd"]) for row in rows]
    assert found.starts.astype(np.int64).tolist() == [int(row["start"]) for row in rows]
    # The figures follow from the gains: the quantile as NumPy has it.
    total = found.gains.sum(axis=0)
    assert found.totals["var_95_usd"][0] == pytest.approx(-np.quantile(total, 0.05), rel=1e-12)
    books, totals = found.at(0.9)
    assert books["var_90_usd"][0] == pytest.approx(-np.quantile(found.gains[0], 0.1), rel=1e-12)
    assert totals["es_90_usd"][0] == pytest.approx(books["component_es_90_usd"].sum(), rel=1e-12)


def test_candles_come_in_files_texts_and_frames(chain, positions):
    whole = poise.value_at_risk(chain, positions, HISTORY).gains
    frames = {coin: pd.read_csv(path) for coin, path in HISTORY.items()}
    halves = {coin: [path] for coin, path in HISTORY.items()}
    times = {coin: frame.assign(timestamp=pd.to_datetime(frame["timestamp"], unit="ms")) for coin, frame in frames.items()}
    for history in (frames, halves, times, {coin: frame.to_dict("list") for coin, frame in frames.items()}):
        assert np.array_equal(poise.value_at_risk(chain, positions, history).gains, whole)


def test_what_value_at_risk_refuses(chain, positions):
    with pytest.raises(poise.InputError, match="ETH"):
        poise.value_at_risk(chain, positions, {"BTC": HISTORY["BTC"]})
    with pytest.raises(FileNotFoundError):
        poise.value_at_risk(chain, positions, {"BTC": "nowhere.csv", "ETH": HISTORY["ETH"]})
    for options, field in (({"method": "x"}, "method"), ({"horizon": 0}, "horizon"), ({"horizon": 5}, "horizon"), ({"decay": 1}, "decay"),
                           ({"levels": [0.3]}, "level"), ({"numeraire": "coin"}, "numeraire"), ({"by": "x"}, "by"),
                           ({"volatility_history": {"DOGE": "x"}}, "volatility_history")):
        with pytest.raises(poise.InputError) as caught:
            poise.value_at_risk(chain, positions, HISTORY, **options)
        assert field in str(caught.value), options


@pytest.fixture(scope="module")
def later(tmp_path_factory):
    import subprocess

    folder = tmp_path_factory.mktemp("later")
    subprocess.run([ROOT / "scripts/generate-sample", folder, "--later", "1440"], check=True, stdout=subprocess.DEVNULL)
    return folder / "chain.csv"


TRADES = {"book": ["book-01", "book-02"], "instrument": ["BTC-PERPETUAL", "ETH-PERPETUAL"], "quantity": [1000.0, -500.0],
          "price": [64_000.0, 3_300.0], "fee_usd": [0.5, np.nan]}


@pytest.mark.parametrize("options, more", [
    ({}, ()),
    ({"by": "underlying", "numeraire": "coin", "smile_parts": True},
     ("--by", "underlying", "--numeraire", "coin", "--smile-parts")),
    ({"by": ("expiry",), "funding": 0.0001}, ("--by", "expiry", "--funding", "0.0001")),
])
def test_an_explanation_is_the_commands(tool, chain, positions, later, tmp_path, options, more):
    path = tmp_path / "trades.csv"
    path.write_text("book,instrument,quantity,price,fee_usd\nbook-01,BTC-PERPETUAL,1000,64000,0.5\nbook-02,ETH-PERPETUAL,-500,3300,\n")
    rows = table(tool(
        "explain", "--from", SAMPLE / "chain.csv", "--to", later, "--positions", SAMPLE / "positions.csv", "--trades", path,
        "--format", "csv", *more))
    rows = [row for row in rows if not next(iter(row.values())).startswith("total")]
    end = poise.Chain.read(later)
    for trades in (poise.Trades.read(path), poise.Trades(TRADES), poise.Trades(pd.DataFrame(TRADES))):
        assert len(trades) == 2
        found = poise.explain(chain, end, positions, trades, **options).profits
        assert list(found) == list(rows[0])
        for name, column in found.items():
            expected = [row[name] for row in rows]
            assert list(column) == (expected if column.dtype == object else [float(value) for value in expected]), name


def test_parts_add_up_and_expired_contracts_are_settled(chain, positions):
    expired = sorted({name.rsplit("-", 2)[0] for name in chain.instruments if name.endswith("-C") and name.startswith("BTC-")})
    assert expired
    parts = poise.explain(chain, chain, positions).profits
    assert np.allclose(sum(parts[f"{name}_usd"] for name in poise.PROFIT_PARTS[1:]), parts["profit_usd"], atol=1e-6)
    with pytest.raises(poise.UnknownNameError, match="no contract of that name"):
        poise.explain(chain, chain, positions, delivery={"BTC-1JAN20": 5.0})
    with pytest.raises(poise.InputError, match="row 0: price"):
        poise.Trades({"book": ["a"], "instrument": ["BTC-PERPETUAL"], "quantity": [1.0], "price": [0.0]})
    with pytest.raises(poise.InputError, match="price"):
        poise.Trades({"book": ["a"], "instrument": ["BTC-PERPETUAL"], "quantity": [1.0]})
