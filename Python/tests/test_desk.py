import csv
import datetime
import json
import math
import pickle
import threading

import numpy as np
import poise
import pytest
from conftest import SAMPLE, SHARED, read_csv


def by_label(columns, *labels):
    return {tuple(str(columns[label][row]) for label in labels): row for row in range(len(columns[labels[0]]))}


def test_exposures_are_those_of_the_command_line(tool, chain, positions):
    swift = read_csv(tool("risk", "--chain", SAMPLE / "chain.csv", "--positions", SAMPLE / "positions.csv", "--format", "csv"))
    python = poise.exposures(chain, positions)
    rows = by_label(python, "book", "underlying")
    for row, key in enumerate(zip(swift["book"], swift["underlying"])):
        if key[0] == "total":
            continue
        for name in list(python)[2:]:
            assert python[name][rows[key]] == swift[name][row], (key, name)
    assert len(rows) == len(swift["book"]) - swift["book"].count("total")


def test_groups_add_up(chain, positions):
    books = poise.exposures(chain, positions, by=("book",))
    firm = poise.exposures(chain, positions, by=("underlying",))
    for name in list(books)[1:]:
        assert books[name].sum() == pytest.approx(firm[name].sum(), rel=1e-12, abs=1e-9)
    assert list(poise.exposures(chain, positions, by="instrument", numeraire="coin"))[:2] == ["instrument", "value_coin"]


def test_columns_make_what_files_make(chain, positions):
    rows = read_csv((SAMPLE / "chain.csv").read_text().replace(",,", ",nan,").replace(",,", ",nan,"))
    names = ["instrument_name", "timestamp", "underlying_price", "mark_iv", "mark_price", "interest_rate", "underlying_index"]
    columns = {name: rows[name] for name in names}
    columns["timestamp"] = columns["timestamp"].astype(np.int64)
    for name in ("underlying_price", "mark_iv", "interest_rate", "mark_price"):
        columns[name] = np.array([float(value or "nan") for value in columns[name]])
    table = read_csv((SAMPLE / "positions.csv").read_text())
    expected = poise.exposures(chain, positions)
    for own in (columns, dict(columns, timestamp=columns["timestamp"].astype("datetime64[ms]"))):
        found = poise.exposures(poise.Chain(own), poise.Positions(table))
        for name in list(expected)[2:]:
            np.testing.assert_allclose(found[name], expected[name], rtol=1e-12, atol=1e-9, err_msg=name)
    pa = pytest.importorskip("pyarrow")
    own = pa.table(dict(columns, mark_iv=pa.array(columns["mark_iv"], from_pandas=True)))
    halves = pa.concat_tables([pa.table(table).slice(0, 100), pa.table(table).slice(100)])
    found = poise.exposures(poise.Chain(own), poise.Positions(halves))
    np.testing.assert_allclose(found["vega_usd_per_point"], expected["vega_usd_per_point"], rtol=1e-12)


def test_exchanges_tables_are_chains_as_they_are(chain, positions):
    """Perpetuals have no underlying_index."""
    path, expected = SAMPLE / "chain.csv", poise.exposures(chain, positions)
    pandas, polars, duckdb = map(pytest.importorskip, ("pandas", "polars", "duckdb"))
    frame = pandas.read_csv(path)
    index = frame["underlying_index"]
    only = frame[index.isna()]
    stamps = pandas.to_datetime(frame["timestamp"], unit="ms", utc=True)
    for name, table in {
        "pandas": frame, "None": frame.assign(underlying_index=index.astype(object).where(index.notna(), None)),
        "NA": frame.assign(underlying_index=index.astype("string")),
        "category": frame.assign(underlying_index=index.astype("category")),
        "dict": {column: frame[column].tolist() for column in frame}, "polars": polars.read_csv(path, infer_schema_length=None),
        "duckdb": duckdb.sql(f"from '{path}'"), "pyarrow": pytest.importorskip("pyarrow.csv").read_csv(path),
        "UTC": frame.assign(timestamp=stamps), "Berlin": frame.assign(timestamp=stamps.dt.tz_convert("Europe/Berlin")),
        "datetimes": frame.assign(timestamp=stamps.astype(object)), "naive": frame.assign(timestamp=stamps.dt.tz_localize(None)),
    }.items():
        found = poise.exposures(poise.Chain(table), positions)
        assert all(np.array_equal(found[column], expected[column]) for column in expected), name
    nulls = polars.DataFrame({"instrument_name": only["instrument_name"].tolist(), "timestamp": only["timestamp"].tolist(),
                              "mark_price": only["mark_price"].tolist(), "mark_iv": [None] * len(only),
                              "underlying_index": [None] * len(only)})
    assert nulls["underlying_index"].dtype == polars.Null
    for table in (nulls, nulls.to_pandas(), only):
        assert poise.Chain(table).instruments == only["instrument_name"].tolist()
    for table in (frame.assign(instrument_name=frame["instrument_name"].where(frame.index != 3)),
                  frame.assign(timestamp=stamps.where(frame.index != 3)),
                  frame.assign(timestamp=stamps.where(frame.index != 3).astype(object))):
        with pytest.raises(poise.InputError) as caught:
            poise.Chain(table)
        assert caught.value.row == 3
    with pytest.raises(poise.InputError, match="row 3: instrument_name: is missing"):
        names = frame["instrument_name"].astype(object).where(frame.index != 3, None)
        poise.Chain(polars.from_pandas(frame.assign(instrument_name=names)))


def test_limits_take_nulls_for_all_together(chain, positions):
    table = {"underlying": ["BTC", None], "book": [None, None], "greek": ["vega", "delta"], "high": [1e9, 1e9]}
    polars = pytest.importorskip("polars")
    bands = [poise.Book(chain, positions, limits=poise.Limits(own)).hedge().bands["band"].tolist()
             for own in (table, polars.DataFrame(table), {**table, "underlying": ["BTC", ""], "book": ["", "*"]})]
    assert bands[0] == bands[1] == bands[2] == ["BTC vega", "all delta"]


def test_errors_call_columns_as_the_caller_does():
    one = {"instrument_name": ["BTC-PERPETUAL", "BTC-27MAR26-60000-C"], "timestamp": [1772443800000] * 2,
           "mark_price": [64e3, 0.1], "underlying_price": [64e3] * 2, "mark_iv": [np.nan, 50.0],
           "best_bid_price": [63e3, 0.09]}
    own = {name: values for name, values in one.items() if name != "mark_iv"}
    with pytest.raises(poise.InputError, match="vol: stands beside mark_iv"):
        poise.Chain({**one, "vol": [np.nan, 0.5]})
    for column, value in (("mark_iv", -1.0), ("interest_rate", np.inf), ("best_bid_amount", -1.0), ("bid_amount", -2.0),
                          ("vol", -0.5), ("underlying_price", -1.0)):
        with pytest.raises(poise.InputError, match=f"^tickers: row 1: {column}: {value}: (must be|is not a number)") as caught:
            poise.Chain({**(own if column == "vol" else one), column: [np.nan, value]})
        assert (caught.value.row, caught.value.field, caught.value.value) == (1, column, value)
    with pytest.raises(poise.InputError) as caught:
        poise.Chain({**one, "instrument_name": ["BTC-PERPETUAL", "X"]})
    assert (caught.value.row, caught.value.field) == (1, "instrument_name")
    with pytest.raises(TypeError, match="mark_price: expected numbers, got complex"):
        poise.Chain({**one, "mark_price": [1j, 1.0]})


def test_contradicting_rows_are_both_named():
    one = {"instrument": ["BTC-PERPETUAL"] * 3, "timestamp": [1772443800000, 1772443900000, 1772443900000],
           "mark_price": [64e3, 64e3, 65e3]}
    with pytest.raises(poise.InputError, match=r'an earlier row of the same instrument and time has "64000.0" \(row 1\)$') as caught:
        poise.Chain(one)
    assert (caught.value.row, caught.value.earlier_row, caught.value.field) == (2, 1, "mark_price")
    option = {"instrument": ["BTC-27MAR26-60000-C"] * 2, "timestamp": [1772443800000] * 2, "underlying_price": [64e3] * 2}
    for name, values in (("vol", [0.5, 0.25]), ("mark_iv", [50.0, 25.0])):
        with pytest.raises(poise.InputError, match=f'{name}: {values[1]}: an earlier row .* has "{values[0]}"') as caught:
            poise.Chain({**option, name: values})
        assert (caught.value.value, caught.value.earlier_row) == (values[1], 0)


def test_names_that_several_exchanges_have(tmp_path):
    columns = {"instrument": ["BTC-27MAR26-60000-C"], "timestamp": [1772443800000], "underlying_price": [64e3], "vol": [0.5],
               "mark_price": [5000.0]}
    with pytest.raises(poise.InputError, match="is it in dollars"):
        poise.Chain(columns)
    text = ",".join(columns) .replace("instrument", "instrument_name").replace("vol", "mark_iv") + "\n"
    text += "BTC-27MAR26-60000-C,1772443800000,64000,50,5000\n"
    path = tmp_path / "chain.csv"
    path.write_text(text)
    held = poise.Positions({"book": ["a"], "instrument": ["BTC-27MAR26-60000-C"], "quantity": [1.0]})
    chains = [poise.Chain(columns, exchange="bybit"), poise.Chain({**columns, "exchange": ["bybit"]}),
              poise.Chain.read(path, exchange="bybit"), poise.Chain.read([path], "bybit"), poise.Chain.parse(text, exchange="bybit")]
    for one in chains:
        found = poise.exposures(one, held)
        assert found["net_delta_usd"][0] == found["delta_usd"][0]  # The premium is not in coin.
    with pytest.raises(poise.InputError, match='exchange: "?nasdaq'):
        poise.Chain.parse(text, exchange="nasdaq")


def test_what_chains_leave_out():
    text = ("instrument_name,timestamp,underlying_price,mark_iv,mark_price\nBTC-27MAR26-60000-C,1772443800000,64000,,0.08\n"
            "BTC-FS-27MAR26_PERP,1772443800000,,,1\n")
    chain = poise.Chain.parse(text)
    assert chain.left_out == 1 and chain.remarks == [
        "left out 1 row of combinations and other kinds: BTC-FS-27MAR26_PERP",
        "volatility of 1 row found from the mark price, for lack of one"]


def test_lots_of_an_instrument_list(chain, positions, tmp_path):
    limits = poise.Limits({"greek": ["delta"], "underlying": ["BTC"], "low": [-70000.0], "high": [70000.0]})
    perpetual = {"instrument_name": "BTC-PERPETUAL", "kind": "future", "contract_size": 7777, "min_trade_amount": 7777,
                 "tick_size": 0.5, "quote_currency": "USD", "settlement_currency": "BTC"}
    text = json.dumps({"result": [perpetual]})
    path = tmp_path / "instruments.json"
    path.write_text(text)
    for listed in (chain.with_instruments(path), chain.with_instruments(text=text)):
        trades = poise.Book(listed, positions, limits=limits, lots=True).hedge().trades
        traded = trades["quantity"][trades["instrument"] == "BTC-PERPETUAL"]
        assert len(traded) == 1 and traded[0] % 7777 == 0
    with pytest.raises(FileNotFoundError):
        chain.with_instruments(tmp_path / "none.json")


@pytest.mark.parametrize("time", [
    1772532000000, np.int64(1772532000000), datetime.datetime(2026, 3, 3, 10),
    datetime.datetime(2026, 3, 3, 11, tzinfo=datetime.timezone(datetime.timedelta(hours=1))), np.datetime64("2026-03-03T10:00"),
    np.datetime64("2026-03-03T10:00:00.000000000")])
def test_times(chain, positions, time):
    expected = poise.Book(chain, positions)
    expected.advance(1772532000000)
    expected.update()
    slices = expected.slices
    for move in (lambda book: book.advance(time), lambda book: [book.set_price(name, 64e3, time) for name in slices],
                 lambda book: [book.tick(name, 64e3, time) for name in book.underlyings]):
        book = poise.Book(chain, positions)
        before = book.exposures()["theta_usd_per_day"]
        move(book)
        assert book.update() > 0 and not np.array_equal(book.exposures()["theta_usd_per_day"], before)
    book = poise.Book(chain, positions)
    book.advance(time)
    book.update()
    assert np.array_equal(book.exposures()["value_usd"], expected.exposures()["value_usd"])
    for wrong in ("soon", float("nan"), np.datetime64("NaT")):
        with pytest.raises(poise.InputError) as caught:
            book.advance(wrong)
        assert caught.value.field == "time"


def test_groupings_of_books(chain, positions):
    for by, names in (((), ["underlying"]), ("book", ["underlying", "book"]),
                      (("book", "expiry"), ["underlying", "expiry", "book"])):
        found = poise.Book(chain, positions, by=by).exposures()
        assert list(found)[:-10] == names
        groups = list(zip(*(found[name] for name in names)))
        assert len(set(groups)) == len(groups) == len(found["value_usd"])
    for call in (lambda: poise.exposures(chain, positions, by=()),
                 lambda: poise.scenarios(chain, positions, poise.Grid({"scenarios": [{"spot": [0.1]}]}), by=())):
        with pytest.raises(poise.InputError, match="by: expected at least one of book") as caught:
            call()
        assert caught.value.field == "by"


def test_a_book_keeps_current(chain, positions):
    book = poise.Book(chain, positions)
    assert set(book.underlyings) == {"BTC", "ETH"} and len(book.contracts) == len(chain)
    first = book.exposures()
    assert list(first)[:2] == ["underlying", "book"]
    book.tick("BTC", 70_000.0, datetime.datetime(2026, 3, 2, 12))
    assert book.update() > 5 and book.update() == 0
    moved = book.exposures()
    is_moved = moved["value_usd"] != first["value_usd"]
    assert is_moved.any() and (moved["underlying"][is_moved] == "BTC").all()
    contract = next(name for name in book.contracts if name.endswith("-C") and name.startswith("ETH"))
    before = book.figure(contract, "value")
    book.set_vol(contract, 2.5)
    assert book.update() == 1 and book.figure(contract, "value") > before
    held = book.exposures()
    book.fill("book-02", contract, 10.0)
    row = by_label(held, "underlying", "book")["ETH", "book-02"]
    gained = book.exposures()["value_usd"][row] - held["value_usd"][row]
    assert gained == pytest.approx(10 * book.figure(contract, "value"), rel=1e-9)


def test_hedges_of_books(tool, chain, positions):
    limits = poise.Limits.read(SAMPLE / "limits.csv")
    book = poise.Book(chain, positions, limits=limits)
    assert book.hedges == ["", "book-01"]
    hedge = book.hedge()
    assert hedge.outcome == "optimal" and 0 < hedge.cost and hedge.gap < 1e-9
    table = read_csv((SAMPLE / "limits.csv").read_text())
    columns = {name: np.array([float(v or "nan") for v in table[name]]) if name in ("low", "high", "penalty") else table[name]
               for name in table}
    again = poise.Book(chain, positions, limits=poise.Limits(columns)).hedge()
    assert again.cost == pytest.approx(hedge.cost, rel=1e-9)
    book.book_trades("", "book-01")
    after = book.hedge()
    assert after.outcome in ("within-limits", "optimal") and after.cost < 1e-3 * hedge.cost + 1e-3
    # Shadow prices are the cost's derivatives: of a band that is held at its upper limit, −price.
    bands = dict(zip(hedge.bands["band"], hedge.bands["shadow_price"]))
    name = "BTC net delta"
    row = next(k for k in range(len(columns["greek"])) if columns["greek"][k] == "net_delta" and columns["underlying"][k] == "BTC"
               and not columns["book"][k])
    moved = dict(columns, high=columns["high"].copy())
    moved["high"][row] += 1000
    cheaper = poise.Book(chain, positions, limits=poise.Limits(moved)).hedge()
    assert (cheaper.cost - hedge.cost) / 1000 == pytest.approx(bands[name], rel=0.05)


def test_a_hedge_by_hand():
    """One instrument, one band: −4 of it, at 2 a unit and 0.5 x²."""
    problem = {"instruments": [{"costBuy": 3, "costSell": 2, "impact": 0.5, "maxBuy": 10, "maxSell": 10}],
               "bands": [{"current": 5, "lo": -1, "hi": 1, "idx": [0], "coef": [1]}]}
    hedger = poise.Hedger()
    for warm in (False, True):
        hedge = hedger.solve(problem, warm=warm)
        assert hedge.outcome == "optimal"
        assert hedge.trades["quantity"] == pytest.approx([-4]) and hedge.cost == pytest.approx(16)
        assert hedge.bands["shadow_price"] == pytest.approx([-6])
    own = poise.HedgeProblem(problem)
    own.bands["current"] = 0.5
    assert hedger.solve(own).cost == 0
    own.instruments["maximum_sell"] = 1
    own.bands["current"] = 5
    assert hedger.solve(own).outcome == "infeasible"
    problem["instruments"][0].update(lot=3.0)
    assert hedger.solve(problem).trades["quantity"] == pytest.approx([-6])


def test_unknown_names_in_problems():
    one = {"id": "a", "type": "future", "comment": "", "costBuy": 1, "costSell": 1, "maxBuy": 10, "maxSell": 10}
    band = {"current": -100, "lo": -20, "hi": 20, "greek": "delta", "u": 0, "comment": "", "idx": [], "coef": []}
    remarks = {"comment": "", "kind": "", "n": 1, "seed": 2, "spot": 3, "expected": {}}
    poise.HedgeProblem({"instruments": [one], "bands": [band], "risk": {"comment": ""}, **remarks})
    for where, problem in {
        "bands[0].low": {"bands": [dict(band, low=-20)]}, "instruments[0].cost_buy": {"instruments": [dict(one, cost_buy=1)]},
        "marginlimit": {"marginlimit": 5}, "risk.lambda": {"risk": {"lambda": 1}},
    }.items():
        for call in (poise.HedgeProblem, poise.Hedger().solve, poise.Hedger().diagnose):
            with pytest.raises(poise.InputError, match="is unknown; known are .*(hi|costBuy|marginLimit|lam)") as caught:
                call(problem)
            assert caught.value.field == where and str(caught.value).startswith(where)
    with pytest.raises(poise.InputError, match=r"bands\[0\]: expected a dict, got int"):
        poise.HedgeProblem({"bands": [3]})


def test_fields_of_a_problem_that_are_missing_or_no_numbers_are_named():
    one = {"costBuy": 1, "costSell": 1}
    band = {"idx": [0], "coef": [1], "current": 8, "lo": -1, "hi": 1}
    answer = poise.Hedger().solve(poise.HedgeProblem({"instruments": [one], "bands": [band]}))
    assert answer.outcome == "optimal" and answer.trades["quantity"] == pytest.approx([-7])    # without limits of its trades
    for problem, field in (
        ({"bands": [{**band, "penalty": -1}]}, "bands[0].penalty"),
        ({"bands": [{**band, "penalty": math.nan}]}, "bands[0].penalty"),
        ({"bands": [{**band, "penaltyQuad": math.inf}]}, "bands[0].penaltyQuad"),
        ({"risk": {"lam": 1, "d0": [0], "exposure": [1]}}, "risk.cov"),
        ({"risk": {"lam": 1, "cov": [[1]], "exposure": [1]}}, "risk.d0"),
        ({"risk": {"lam": 1, "cov": [[1]], "d0": [0]}}, "risk.exposure"),
        ({"risk": {"lam": 1, "cov": "x", "d0": [0], "exposure": [1]}}, "risk.cov"),
    ):
        with pytest.raises(poise.InputError) as caught:
            poise.HedgeProblem({"instruments": [one], **problem})
        assert caught.value.field == field


def test_bands_with_a_penalty_are_soft():
    """Unless told: 80 units are traded at 1, or stay outside at 0.01 each."""
    one = {"costBuy": 1, "costSell": 1, "maxBuy": 1000, "maxSell": 1000}
    for given, cost in (({"penalty": 0.01}, 0.8), ({"penaltyQuad": 0.001}, 3.2), ({"penalty": 0.01, "hard": None}, 0.8),
                        ({"penalty": 0.01, "hard": True}, 80), ({"penalty": 0}, 80), ({}, 80), ({"hard": False}, 0)):
        band = {"current": 100, "lo": -20, "hi": 20, "idx": [0], "coef": [1], **given}
        hedge = poise.Hedger().solve({"instruments": [one], "bands": [band]})
        assert hedge.cost == pytest.approx(cost, abs=1e-9) and hedge.outcome == "optimal", given
    with pytest.raises(poise.InputError) as caught:
        poise.HedgeProblem({"bands": [{"current": 1, "hard": "no"}]})
    assert caught.value.field == "bands[0].hard"


def test_smallest_trades():
    """3 would do, but nothing below 5 is traded."""
    problem = {"instruments": [{"costBuy": 1, "costSell": 1, "impact": 0.01, "maxBuy": 10, "maxSell": 10}],
               "bands": [{"current": 5, "lo": -2, "hi": 2, "idx": [0], "coef": [1]}]}
    hedger = poise.Hedger()
    assert hedger.solve(problem).trades["quantity"] == pytest.approx([-3])
    problem["instruments"][0]["minTrade"] = 5
    assert hedger.solve(problem).trades["quantity"] == pytest.approx([-5])
    own = poise.HedgeProblem(problem)
    own.minimum_trade[0] = -1
    with pytest.raises(poise.InputError) as caught:
        hedger.solve(own)
    assert caught.value.field == "instruments[0].minTrade"
    own.minimum_trade = np.zeros(2)
    with pytest.raises(ValueError, match="minimum_trade"):
        hedger.solve(own)


def test_a_diagnosis_by_hand():
    """10 of the 30 that are too many can be sold: the band of width 20 stays one width above."""
    one = {"costBuy": 1, "costSell": 1, "impact": 0.01, "maxBuy": 10, "maxSell": 10}
    problem = {"instruments": [dict(one, id="a"), dict(one, id="b")],
               "bands": [{"label": "near", "current": 5, "lo": -2, "hi": 2, "idx": [1], "coef": [1]},
                         {"label": "far", "current": 40, "lo": -10, "hi": 10, "idx": [0], "coef": [1]}]}
    hedger = poise.Hedger()
    assert hedger.solve(problem).outcome == "infeasible"
    found = hedger.diagnose(problem)
    assert found.is_infeasible and found.first_band == "far" and found.first_price == pytest.approx(-1)
    assert found.total_violation == pytest.approx(1) and found.worst_violation == pytest.approx(1) and found.gap < 1e-9
    assert found.trades["quantity"] == pytest.approx([-10, -3]) and list(found.trades["instrument"]) == ["a", "b"]
    assert found.bands["violation"] == pytest.approx([0, 1]) and np.isnan(found.least_cash)
    assert found.bands["shadow_price"] == pytest.approx([0, -1])
    problem["bands"][1]["current"] = 15
    found = hedger.diagnose(problem)
    assert not found.is_infeasible and found.first_band is None and not found.trades["quantity"].any()


def test_candidates_of_a_book(chain, positions):
    book = poise.Book(chain, positions, limits=poise.Limits.read(SAMPLE / "limits.csv"))
    before = book.hedge()
    assert before.outcome == "optimal" and list(before.trades["instrument"]) == book.candidates()
    traded = before.trades["instrument"][np.abs(before.trades["quantity"]).argmax()]
    book.set_candidate(traded, cost_buy=1e3, cost_sell=1e3, maximum_buy=0, maximum_sell=0)
    after = book.hedge()
    assert after.trades["quantity"][book.candidates().index(traded)] == 0 and after.cost > before.cost
    for contract in book.candidates():
        book.set_candidate(contract, cost_buy=1, cost_sell=1, maximum_buy=0, maximum_sell=0)
    assert book.hedge().outcome == "infeasible"
    found = book.diagnose()
    outside = np.abs(found.bands["violation"])
    assert found.is_infeasible and outside.sum() == pytest.approx(found.total_violation)
    assert outside.max() == pytest.approx(found.worst_violation) and found.first_band in found.bands["band"]
    with pytest.raises(poise.UnknownNameError):
        book.set_candidate("BTC-1JAN30-5-C", cost_buy=1, cost_sell=1, maximum_buy=1, maximum_sell=1)
    with pytest.raises(poise.InputError, match="minimum"):
        book.set_candidate(traded, cost_buy=1, cost_sell=1, maximum_buy=1, maximum_sell=1, minimum_trade=float("nan"))


def test_desks_tenors_and_moneyness_are_those_of_the_command_line(tool, chain, positions):
    desks = {row["book"]: row["desk"] for row in csv.DictReader((SAMPLE / "desks.csv").open())}
    ours = poise.exposures(chain, positions, by=("desk", "tenor", "moneyness"), desks=desks, tenor_days=[10, 100])
    theirs = read_csv(tool("risk", "--chain", SAMPLE / "chain.csv", "--positions", SAMPLE / "positions.csv", "--by",
                           "desk,tenor,moneyness", "--desks", SAMPLE / "desks.csv", "--tenors", "10,100", "--format", "csv"))
    rows, met = by_label(ours, "desk", "tenor", "moneyness"), 0
    for row, key in enumerate(zip(theirs["desk"], theirs["tenor"], theirs["moneyness"])):
        if key in rows:
            met += 1
            for name in list(ours)[3:]:
                assert ours[name][rows[key]] == theirs[name][row], (key, name)
    assert met == len(rows) > 10
    with pytest.raises(poise.InputError) as caught:
        poise.exposures(chain, positions, by="tenor", tenor_days=[5, 5])
    assert caught.value.field == "tenor_days"
    with pytest.raises(ValueError, match="by:"):
        poise.scenarios(chain, positions, poise.Grid({"scenarios": [{"spot": [0.1]}]}), by=("desk",))


def test_certified_problems():
    path = SHARED / "hedge/problems.json"
    if not path.exists():
        pytest.skip("no shared data")
    hedger = poise.Hedger()
    for problem in json.loads(path.read_text()):
        hedge, expected = hedger.solve(problem), problem["expected"]
        assert hedge.outcome == expected["status"], problem["name"]
        if expected["status"] == "optimal":
            assert hedge.cost == pytest.approx(expected["objective"], rel=1e-7, abs=1e-7), problem["name"]


def test_what_is_refused(chain, positions):
    book = poise.Book(chain, positions)
    one = {"book": ["a", "b"], "instrument": ["BTC-PERPETUAL", "BTC-PERPETUAL"], "quantity": [1.0, 2.0]}
    for error, field, call in [
        (poise.UnknownNameError, "underlying", lambda: book.tick("DOGE", 1.0)),
        (poise.InputError, "price", lambda: book.tick("BTC", -1.0)),
        (poise.UnknownNameError, "contract", lambda: book.set_vol("BTC-1JAN30-1-C", 0.5)),
        (poise.UnknownNameError, "book", lambda: book.hedge()),
        (poise.InputError, "quantity", lambda: poise.Positions(dict(one, quantity=[1.0, np.nan]))),
        (poise.InputError, "instrument", lambda: poise.Positions(dict(one, instrument=["BTC-PERPETUAL", "X"]))),
        (poise.InputError, "book", lambda: poise.Positions(dict(one, book=["a", None]))),
        (poise.InputError, "greek", lambda: poise.Limits({"greek": ["delta", "speed"], "low": [0.0, 0.0]})),
        (poise.InputError, "instrument", lambda: poise.Chain({"timestamp": [0]})),
        (poise.InputError, "instruments[0].costBuy", lambda: poise.Hedger().solve({"instruments": [{}]})),
        (poise.InputError, "bands[0].idx[0]", lambda: poise.HedgeProblem({"bands": [{"current": 1, "idx": [3], "coef": [1]}]})),
    ]:
        with pytest.raises(error) as caught:
            call()
        assert caught.value.field == field, caught.value
        assert caught.value.row == (1 if field in ("quantity", "greek", "book") and caught.value.row is not None
                                    or field == "instrument" and caught.value.row == 1 else None), caught.value
    with pytest.raises(poise.UnknownNameError):
        poise.exposures(chain, poise.Positions(dict(one, instrument=["BTC-PERPETUAL", "BTC-1JAN30-5-C"])))
    with pytest.raises(poise.HostError, match="nowhere"):
        poise.Chain.read("/nowhere")
    with pytest.raises(poise.InputError):
        poise.Chain.parse("no chain at all")
    with pytest.raises(ValueError, match="by:"):
        poise.exposures(chain, positions, by=("trader",))
    with pytest.raises(ValueError, match="numeraire"):
        poise.exposures(chain, positions, numeraire="eur")


def test_files_that_are_not_there(tmp_path):
    path = tmp_path / "nowhere.csv"
    with pytest.raises(FileNotFoundError) as caught:
        poise.Chain.read(path)
    error = caught.value
    assert isinstance(error, poise.HostError) and error.status == "POISE_ERROR_SYSTEM"
    assert (error.errno, error.strerror, str(error.filename)) == (2, "No such file or directory", str(path))
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    with pytest.raises(IsADirectoryError):
        poise.Grid.read(tmp_path)


def test_chains_and_positions_are_shared_among_threads(chain, positions):
    expected, wrong = poise.exposures(chain, positions)["vega_usd_per_point"], []

    def work():
        for _ in range(20):
            if not np.array_equal(poise.exposures(chain, positions)["vega_usd_per_point"], expected):
                wrong.append(1)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_book_that_two_threads_use_says_so(chain, positions):
    book, errors = poise.Book(chain, positions), []

    def work(price):
        for step in range(3000):
            try:
                book.tick("BTC", price + step)
                book.update()
            except RuntimeError as error:
                errors.append(str(error))

    threads = [threading.Thread(target=work, args=(60_000.0 + 1000 * k,)) for k in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(errors) == {"another thread is using this object: one at a time"}
    book.tick("BTC", 64_000.0)
    book.update()
    alone = poise.Book(chain, positions)
    alone.tick("BTC", 64_000.0)
    alone.update()
    np.testing.assert_allclose(book.exposures()["delta_usd"], alone.exposures()["delta_usd"], rtol=1e-6)
