"""Margins: figures by hand, the command line's bits, published cases, live margins, hedges, and what is refused."""
import json
import math
import pickle
import re
import subprocess
import sys

import numpy as np
import poise
import pytest
from conftest import ROOT, SAMPLE, SHARED

MODELS = ROOT / "Examples/margin"
FACTS = {"venue": "v", "source": "s", "date": "2026-01-31"}
RATES = {"name": "r", **FACTS, "omitted": ["what is not public"], "kind": "rates", "initial_rate": 0.1, "maintenance_rate": 0.05}
SCAN = {
    "name": "g", **FACTS, "kind": "scan", "discounted": False,
    "grid": {"name": "g", "scenarios": [{"spot": [-0.1, 0, 0.1]}]}, "factors": {"maintenance": 0.5, "initial": 1}}
PERPETUAL, OPTION, FUTURE = "BTC_USDC-PERPETUAL", "BTC_USDC-27MAR26-60000-C", "BTC_USDC-27MAR26"
#: 27 March 2026, 08:00, less 20 days.
TIME = 1_774_598_400_000 - 20 * 86_400_000


def market():
    return poise.Chain({
        "instrument": [OPTION, FUTURE, PERPETUAL], "timestamp": [TIME] * 3, "underlying_price": [60e3, math.nan, math.nan],
        "vol": [0.6, math.nan, math.nan], "mark_price": [3300.0, 60e3, 60e3], "index_price": [60e3] * 3,
        "bid_price": [math.nan, math.nan, 59_995.0], "bid_amount": [0.0, 0.0, 10.0],
        "ask_price": [math.nan, 70e3, 60_005.0], "ask_amount": [0.0, 1e-6, 10.0], "underlying_index": [FUTURE, "", ""]})


def account(cash=20_000.0):
    return poise.MarginAccount("USD", cash)


def margin(model=RATES, held=((PERPETUAL, 3.0),), cash=20_000.0):
    names, quantities = zip(*held)
    positions = poise.Positions({"book": ["b"] * len(held), "instrument": list(names), "quantity": list(quantities)})
    return poise.Margin(market(), positions, account(cash), poise.MarginModel(model))


def wide():
    return poise.Limits({"underlying": ["BTC"], "greek": ["delta"], "low": [-1e8], "high": [1e8]})


def call(forward, vol=0.6, years=20 / 365):
    return poise.greeks("C", forward, 60e3, years, vol, greeks="price")["price"]


def command(tool, *arguments):
    return json.loads(tool("margin", *arguments, "--format", "json"))


@pytest.fixture(scope="module")
def sample(chain, positions):
    return poise.Margin(
        chain, positions, poise.MarginAccount.read(MODELS / "account-btc.toml"),
        poise.MarginModel.read(MODELS / "deribit-pm-btc.json"), "BTC")


@pytest.fixture
def said(tool):
    """What the command line says of the sample."""
    return command(
        tool, "--chain", SAMPLE / "chain.csv", "--positions", SAMPLE / "positions.csv", "--underlying", "BTC", "--account",
        MODELS / "account-btc.toml", "--model", MODELS / "deribit-pm-btc.json")["models"][0]


def test_by_hand():
    found = margin()
    assert (found.initial_margin, found.maintenance_margin) == pytest.approx((18_000, 9_000), rel=1e-12)
    assert (found.mark_to_market, found.initial_balance, found.maintenance_balance) == pytest.approx((20_000, 2_000, 11_000))
    assert found.worst_scenario is None and len(found.scenarios["loss"]) == 0
    assert found.parts["initial"].sum() == pytest.approx(18_000)
    assert found.by_contract["contract"].tolist() == [PERPETUAL] and found.by_contract["quantity"].tolist() == [3]
    assert found.underlyings == {"BTC": 60e3} and found.figures.initial_margin == found.initial_margin
    # 20,000 + 3 (P − 60,000) = 0.05 · 3 P.
    assert found.liquidation("BTC") == pytest.approx([160_000 / 2.85], rel=1e-11)
    assert found.liquidation() == pytest.approx([160_000 / 2.85 / 60e3], rel=1e-11)
    assert found.liquidation("BTC", (0.95, 2)).tolist() == []
    after = found.what_if({"instrument": [PERPETUAL, PERPETUAL], "quantity": [1.0, -1.0]})
    assert after["initial_margin"] == pytest.approx([24_000, 12_000])
    assert after["maintenance_balance"] == pytest.approx([8_000, 14_000])


def test_scenarios_by_hand():
    found = margin(SCAN, ((PERPETUAL, 3.0), (OPTION, -2.0)))
    losses = [-(3 * 60e3 * move - 2 * (call(60e3 * (1 + move)) - call(60e3))) for move in (-0.1, 0, 0.1)]
    assert found.scenarios["loss"] == pytest.approx(losses, abs=1e-8)
    assert found.scenarios["scenario"].tolist() == ["0", "1", "2"] and found.worst_scenario == "0"
    assert found.initial_margin == pytest.approx(max(losses)) and "-10%" in found.scenarios["title"][0]
    assert found.by_expiry["expiry"].tolist() == [FUTURE]


def test_sample_is_the_commands(sample, said):
    for name, mine in [
        ("initial_margin", sample.initial_margin), ("maintenance_margin", sample.maintenance_margin),
        ("initial_margin_balance", sample.initial_balance), ("maintenance_margin_balance", sample.maintenance_balance),
        ("mark_to_market", sample.mark_to_market), ("worst_scenario", sample.worst_scenario),
    ]:
        assert said[name] == mine, name
    scenarios = sample.scenarios
    assert dict(zip(scenarios["scenario"], scenarios["loss"].tolist())) == said["scenario_losses"]
    assert len(scenarios["loss"]) == 35
    for table, name in [(sample.parts, "parts"), (sample.by_expiry, "by_expiry"), (sample.by_contract, "contributions")]:
        rows = [dict(zip(table, row)) for row in zip(*(column.tolist() for column in table.values()))]
        assert rows == said[name] and rows
    for name, value in sample.other_figures.items():
        assert said[name] == value
    for table, name, label in [(sample.vectors, "vectors", "name"), (sample.contract_vectors, "by_contract", "contract")]:
        for key, wanted in said[name].items():
            for title in ("standard", "extended"):
                rows = (table[label] == key) & (table["title"] == title)
                assert table["value"][rows].tolist() == wanted[title]
    model = poise.MarginModel.read(MODELS / "deribit-pm-btc.json")
    assert (model.name, model.venue, model.source, model.date) == tuple(
        said[name] for name in ("model", "venue", "source", "date"))
    assert model.omitted == said["left_out"] and model.kind == "deribit-pm"


def test_liquidation_is_the_commands(chain, positions, tool, tmp_path):
    path, models = tmp_path / "account.toml", MODELS / "deribit-pm-btc.json"
    path.write_text('currency = "BTC"\ncash = 3\n')
    said = command(
        tool, "--chain", SAMPLE / "chain.csv", "--positions", SAMPLE / "positions.csv", "--underlying", "BTC", "--account", path,
        "--model", models)["models"][0]["liquidation"][0]["prices"]
    short = poise.Margin(chain, positions, poise.MarginAccount.read(path), poise.MarginModel.read(models), "BTC")
    assert said and short.liquidation("BTC").tolist() == said


def test_what_ifs_are_the_commands(sample, tool, tmp_path):
    rng = np.random.default_rng(5)
    names = rng.choice(["BTC-PERPETUAL", "BTC-25SEP26-78000-P", "BTC-3MAR26-63000-C", "BTC-24APR26"], 300)
    quantity = rng.uniform(-50, 50, 300)
    path = tmp_path / "trades.csv"
    path.write_text("instrument,quantity\n" + "".join(f"{name},{float(x)!r}\n" for name, x in zip(names, quantity)))
    wanted = command(
        tool, "--chain", SAMPLE / "chain.csv", "--positions", SAMPLE / "positions.csv", "--underlying", "BTC", "--account",
        MODELS / "account-btc.toml", "--model", MODELS / "deribit-pm-btc.json", "--candidates", path)["models"][0]["candidates"]
    after = sample.what_if({"instrument": names, "quantity": quantity})
    assert after["initial_margin"].tolist() == [row["initial_margin"] for row in wanted]
    assert after["maintenance_balance"].tolist() == [row["maintenance_margin_balance"] for row in wanted]
    frame = pytest.importorskip("polars").DataFrame({"instrument": names, "quantity": quantity})
    again = sample.what_if(frame)
    assert all(again[name].tobytes() == after[name].tobytes() for name in after)
    assert pytest.importorskip("pyarrow").table(after).num_rows == 300


FIXTURE = ROOT / "Tests/MarginTests/Fixtures/cases.json"


def answer(case, one):
    """What the command line would say of a case."""
    said = {
        "initial_margin": one.initial_margin, "maintenance_margin": one.maintenance_margin,
        "initial_margin_balance": one.initial_balance, "maintenance_margin_balance": one.maintenance_balance,
        "mark_to_market": one.mark_to_market, **one.other_figures}
    if len(one.scenarios["loss"]):
        said["worst_scenario"] = one.worst_scenario
        said["scenario_losses"] = dict(zip(one.scenarios["scenario"], one.scenarios["loss"].tolist()))
    for name, table, label in [("vectors", one.vectors, "name"), ("by_contract", one.contract_vectors, "contract")]:
        for key in dict.fromkeys(table[label]):
            rows = {title: (table[label] == key) & (table["title"] == title) for title in ("standard", "extended")}
            said.setdefault(name, {})[key] = {title: table["value"][chosen].tolist() for title, chosen in rows.items()}
    if "liquidation" in case:
        said["liquidation_prices"] = one.liquidation(case["liquidation"]["underlying"]).tolist()
    return said


def test_cases_are_the_references():
    """Those of the project's second implementation, in plain Python."""
    cases, found = json.loads(FIXTURE.read_text()), poise.MarginCases.read(FIXTURE)
    assert list(found) == [case["name"] for case in cases]
    for case in cases:
        if "auction" in case:
            with pytest.raises(poise.InputError, match="auction"):
                found[case["name"]]
            continue
        mine, wanted = answer(case, found[case["name"]]), case["expected"]
        losses = wanted.get("scenario_losses", {})
        size = max(1e-6, *(abs(value) for value in wanted.values() if isinstance(value, (int, float))), *losses.values())
        for name, value in wanted.items():
            if isinstance(value, (int, float)) and name in mine:
                assert mine[name] == pytest.approx(value, rel=0, abs=1e-12 * size), (case["name"], name)
        for key, loss in losses.items():
            assert mine["scenario_losses"][key] == pytest.approx(loss, rel=0, abs=1e-12 * size), (case["name"], key)
        if "liquidation_prices" in wanted:
            assert mine["liquidation_prices"] == pytest.approx(wanted["liquidation_prices"], rel=1e-10), case["name"]


@pytest.mark.parametrize("name", [
    "cases-derive-pmrm2-dev", "cases-derive-pmrm1-dev", "cases-derive-standard-dev", "deribit-vectors", "span-array",
    "standard-short-option", "generated-dev", "liquidation-price"])
def test_published_cases(name, tmp_path):
    path, judge = SHARED / f"margin/{name}.json", SHARED / "margin/check.py"
    if not path.exists() or not judge.exists():
        pytest.skip("needs the venues' cases")
    found, judged, answers = poise.MarginCases.read(path), tmp_path / "cases.json", tmp_path / "answers.json"
    # Two rows of one contract are margined apart in that one, and netted here.
    cases = [case for case in json.loads(path.read_text()) if case["name"] != "liquidation-standard-option-10"]
    judged.write_text(json.dumps(cases))
    answers.write_text(json.dumps({case["name"]: answer(case, found[case["name"]]) for case in cases}))
    done = subprocess.run([sys.executable, judge, judged, answers], stdout=subprocess.PIPE, text=True)
    assert done.returncode == 0, done.stdout


def test_cases_are_the_commands(tool):
    said, found = command(tool, "--cases", FIXTURE), poise.MarginCases.read(FIXTURE)
    for case in json.loads(FIXTURE.read_text()):
        if "auction" not in case:
            mine = answer(case, found[case["name"]])
            assert {name: said[case["name"]][name] for name in mine} == mine


def test_time_ahead_is_the_commands(sample, tool):
    said = command(
        tool, "--chain", SAMPLE / "chain.csv", "--positions", SAMPLE / "positions.csv", "--underlying", "BTC", "--account",
        MODELS / "account-btc.toml", "--model", MODELS / "deribit-pm-btc.json", "--ahead", "60")["models"][0]["ahead"]
    steps = sample.ahead(60)
    rows = [dict(zip(steps, row)) for row in zip(*(column.tolist() for column in steps.values()))]
    for row in rows:
        row["maintenance_margin_balance_after"] = row.pop("maintenance_balance_after")
    assert rows == said and {"expiry", "averaging", "power"} == set(steps["cause"])
    assert len(sample.ahead(0)["cause"]) == len(sample.ahead(0)["seconds"]) == 0
    for days in (-1, math.nan, 4000):
        with pytest.raises(ValueError, match="days"):
            sample.ahead(days)


def test_time_ahead_by_hand():
    held = margin(SCAN, ((PERPETUAL, 3.0), (OPTION, -2.0))).ahead(21)
    assert held["cause"].tolist() == ["averaging", "expiry"] and held["expiry"].tolist() == [FUTURE] * 2
    assert held["seconds"].tolist() == [20 * 86_400 - 1_800, 20 * 86_400]
    # The call, at the money, settles at nothing; the perpetuals stay.
    assert held["initial_after"][1] == held["initial_day_later"][1] == pytest.approx(18_000)
    assert held["maintenance_after"][1] == pytest.approx(9_000) and held["maintenance_before"][1] < 9_000
    assert held["maintenance_balance_after"][1] == pytest.approx(11_000)


def test_whole_numbers(tmp_path):
    found = margin(SCAN, ((PERPETUAL, 3.0),)).exact()
    assert (found.initial_margin, found.maintenance_margin, found.mark_to_market) == (18_000 * 10**8, 9_000 * 10**8, 20_000 * 10**8)
    assert found.scenario_losses == {"0": 18_000 * 10**8, "1": 0, "2": -18_000 * 10**8}
    path = tmp_path / "transcript.json"
    path.write_text(found.transcript)
    done = subprocess.run(
        [sys.executable, ROOT / "scripts/check-margin-transcript", path], stdout=subprocess.PIPE, text=True)
    assert done.returncode == 0, done.stdout
    with pytest.raises(poise.InputError, match="only scans"):
        margin().exact()
    assert pickle.loads(pickle.dumps(found)) == found


def test_whole_numbers_are_the_commands(chain, tool, tmp_path):
    model, account = MODELS / "derive-pmrm2-eth.json", tmp_path / "account.toml"
    account.write_text('currency = "USD"\ncash = 250000\n')
    # The venue of these rules has no dated futures.
    lines = (SAMPLE / "positions.csv").read_text().splitlines()
    held = tmp_path / "positions.csv"
    held.write_text("\n".join(lines[:1] + [line for line in lines if re.search(",ETH-(.*-[CP]|PERPETUAL),", line)]))
    positions = poise.Positions.read(held)
    said = command(
        tool, "--chain", SAMPLE / "chain.csv", "--positions", held, "--underlying", "ETH", "--account", account,
        "--model", model, "--exact")["models"][0]["exact"]
    found = poise.Margin(
        chain, positions, poise.MarginAccount.read(account), poise.MarginModel.read(model), "ETH").exact()
    assert {name: str(loss) for name, loss in found.scenario_losses.items()} == said["scenario_losses"]
    for name in ("initial_margin", "maintenance_margin", "mark_to_market"):
        assert str(getattr(found, name)) == said[name]


AUCTION = {
    "name": "auction", "auction": {
        "parameters": {
            "buffer": 0.25, "discount": {"start": 0.9, "fast_end": 0.5, "fast_seconds": 100, "slow_seconds": 1000},
            "insolvent_seconds": 100},
        "lower_bound": -500, "steps": [
            {"time": 50, "mark_to_market": 100, "maintenance_margin_balance": -40, "want": 1},
            {"time": 60, "mark_to_market": -10, "maintenance_margin_balance": -40, "want": 0.125}]}}


def test_auctions():
    account = {
        "name": "rates", "currency": "USD", "model": {name: RATES[name] for name in ("kind", "initial_rate", "maintenance_rate")},
        "market": {"underlyings": {"X": {"spot": 100}}, "contracts": {}}, "cash": 1, "positions": []}
    cases = poise.MarginCases(json.dumps([AUCTION, account]))
    bids = cases.auction("auction")
    # B = −40 + 0.25 (−40 − 100) = −75, half way down at 0.7: 75 / (75 + 70) of the account at 70.
    share = 75 / 145
    assert bids["buffer_balance"].tolist() == pytest.approx([-75, -47.5])
    assert bids["largest_share"].tolist() == pytest.approx([share, 0])
    assert bids["share"].tolist() == pytest.approx([share, 0.125 / (1 - share)])
    assert bids["bid"][0] == pytest.approx(70 * share) and math.isnan(bids["bid"][1])
    assert math.isnan(bids["payout"][0]) and bids["payout"][1] == pytest.approx(500 * 0.125 * 0.6)
    assert bids["mark_to_market_after"][0] == pytest.approx(100 * (1 - share) + 70 * share)
    assert bids["maintenance_balance_after"][0] == pytest.approx(-40 * (1 - share) + 70 * share)
    with pytest.raises(ValueError, match="rates is no auction"):
        cases.auction("rates")
    with pytest.raises(KeyError):
        cases.auction("none")


def test_auctions_are_the_commands(tool):
    said, found, auctions = command(tool, "--cases", FIXTURE), poise.MarginCases.read(FIXTURE), 0
    names = {
        "bid": "bid", "payout": "payout", "share": "share", "largest_share": "largest_share",
        "buffer_margin_balance": "buffer_balance", "mark_to_market_after": "mark_to_market_after",
        "maintenance_margin_balance_after": "maintenance_balance_after"}
    for case in json.loads(FIXTURE.read_text()):
        if "auction" in case:
            bids, auctions = found.auction(case["name"]), auctions + 1
            for row, step in enumerate(said[case["name"]]["steps"]):
                assert {name: bids[names[name]][row] for name in step} == step
    assert auctions


def test_live():
    live = poise.LiveMargin(margin(SCAN, ((PERPETUAL, 3.0), (OPTION, -2.0))))
    assert sorted(live.contracts) == sorted([PERPETUAL, OPTION]) and live.expiries == [FUTURE]

    def required(price, perpetuals=3, calls=-2, vol=0.6, years=20 / 365):
        gains = [call(price * (1 + move), vol, years) - call(price, vol, years) for move in (-0.1, 0.1)]
        return max(0, *(-(perpetuals * price * move + calls * gain) for move, gain in zip((-0.1, 0.1), gains)))

    assert live.figures.initial_margin == pytest.approx(required(60e3), rel=1e-12)
    live.tick(54e3, np.datetime64(TIME + 5 * 86_400_000, "ms"))
    live.update()
    assert live.figures.initial_margin == pytest.approx(required(54e3, years=15 / 365), rel=1e-12)
    assert live.figures.mark_to_market == pytest.approx(20_000 - 18_000 - 2 * call(54e3, years=15 / 365), rel=1e-9)
    live = poise.LiveMargin(margin(SCAN, ((PERPETUAL, 3.0), (OPTION, -2.0))))
    after = live.what_if([OPTION, PERPETUAL], [5.0, -1.0])
    assert after["initial_margin"] == pytest.approx([required(60e3, calls=3), required(60e3, perpetuals=2)], rel=1e-12)
    places = np.array([live.place(OPTION), live.place(PERPETUAL)])
    again = live.what_if(places, [5.0, -1.0])
    assert all(again[name].tobytes() == after[name].tobytes() for name in after)
    live.fill(OPTION, 5.0, 5 * call(60e3) + 10)
    assert live.figures.initial_margin == pytest.approx(after["initial_margin"][0], rel=1e-12)
    assert live.figures.initial_balance == pytest.approx(after["initial_balance"][0] - 10, rel=1e-9)
    live.set_forward(FUTURE, 66e3)
    live.set_vol(OPTION, 0.8)
    live.set_perpetual(PERPETUAL, 61e3)
    live.set_index(60.5e3)
    live.update()
    worth = 20_000 + 3_000 - 5 * call(60e3) - 10 + 3 * call(66e3, 0.8)
    assert live.figures.mark_to_market == pytest.approx(worth, rel=1e-9)
    with pytest.raises(poise.UnknownNameError):
        live.place(FUTURE)
    with pytest.raises(poise.InputError, match="contracts"):
        live.what_if([0, 9], 1.0)
    with pytest.raises(poise.InputError, match="no grid of scenarios"):
        poise.LiveMargin(margin())


def test_live_requirement():
    positions = poise.Positions({"book": ["b"], "instrument": [PERPETUAL], "quantity": [3.0]})
    limits = poise.Limits({"underlying": ["BTC"], "greek": ["delta"], "low": [-60e3], "high": [60e3]})
    book = poise.Book(market(), positions, limits=limits)
    assert book.choose(classes=["perpetual"]) == [PERPETUAL]
    book.set_candidate(PERPETUAL, cost_buy=65.0, cost_sell=65.0, maximum_buy=10.0, maximum_sell=10.0)
    live = poise.LiveMargin(margin(SCAN))
    # A coin ties up 6,000 of 20,000 dollars: 20,000 − 6,000 (3 − x) − 65 x = 16,000.
    book.set_requirement(live, buffer=16_000.0)
    hedge = book.hedge()
    assert hedge.outcome == "optimal" and hedge.trades["quantity"] == pytest.approx([-14_000 / 5_935])
    found = book.requirement()
    assert found["required"] == pytest.approx(6_000 * (3 - 14_000 / 5_935)) and math.isnan(found["largest_headroom"])
    assert found["headroom_price"] == pytest.approx(65 / 5_935, rel=1e-6)
    book.set_requirement(live, buffer=19_900.0)
    assert book.hedge().outcome == "infeasible"
    assert book.requirement()["largest_headroom"] == pytest.approx(19_805)
    for price, trade in ((0.0109, -3), (0.0108, -2)):
        book.set_requirement(live, price=price)
        assert book.hedge().trades["quantity"] == pytest.approx([trade], rel=1e-6)
        assert book.requirement()["margin_cost"] == pytest.approx(price * book.requirement()["required"], abs=1e-6)
    with pytest.raises(poise.InputError, match="price"):
        book.set_requirement(live, price=-1.0)
    book.set_requirement(None)
    assert book.hedge().trades["quantity"] == pytest.approx([-2]) and math.isnan(book.requirement()["required"])


def test_hedges():
    found = margin().hedge(wide(), buffer=10_000.0)
    assert found.hedge.outcome == "optimal" and found.after.initial_balance == pytest.approx(10_000, abs=1e-4)
    assert found.before.initial_margin == pytest.approx(18_000) and found.largest_headroom is None
    sold = -found.hedge.trades["quantity"].sum()
    marginal = (found.hedge.linear_cost + 2 * found.hedge.impact_cost) / sold
    assert found.headroom_price == pytest.approx(marginal / (6_000 - marginal), rel=1e-6)
    assert found.accounts["headroom"].sum() == pytest.approx(8_000 + found.hedge.cost, rel=1e-6)
    assert set(found.accounts["holding"]) <= {"held", "without-rule"}
    most = margin().hedge(wide(), buffer=30_000.0)
    assert most.hedge.outcome == "infeasible" and most.largest_headroom == pytest.approx(most.after.initial_balance)
    paid = margin().hedge(wide(), price=0.05)
    assert paid.after.initial_balance > paid.before.initial_balance + 1_000
    alone = margin().hedge(wide())
    assert alone.hedge.cost == 0 and math.isnan(alone.required) and alone.scenario_prices["price"].size == 0
    again = pickle.loads(pickle.dumps(found))
    assert again.after == found.after and again.accounts["headroom"].tobytes() == found.accounts["headroom"].tobytes()


def test_hedges_are_the_commands(sample, tool):
    limits = poise.Limits.read(SAMPLE / "limits.csv")
    found = sample.hedge(limits, buffer=sample.initial_balance + 0.1, price=1e-5)
    said = tool(
        "hedge", "--chain", SAMPLE / "chain.csv", "--positions", SAMPLE / "positions.csv", "--limits", SAMPLE / "limits.csv",
        "--margin", MODELS / "deribit-pm-btc.json", "--account", MODELS / "account-btc.toml", "--margin-underlying", "BTC",
        "--margin-buffer", repr(sample.initial_balance + 0.1), "--margin-price", "1e-5", "--no-levels", "--format", "json",
        statuses=(0, 3))
    said = next(iter(json.loads(said).values()))
    if "trades" in said:
        mine = dict(zip(found.hedge.trades["instrument"], found.hedge.trades["quantity"].tolist()))
        assert {name: x for name, x in mine.items() if x != 0} == said["trades"]
    margins = said["margin"]
    for when, state in (("before", found.before), ("after", found.after)):
        assert margins[when]["initial_margin"] == state.initial_margin
        assert margins[when]["maintenance_margin_balance"] == state.maintenance_balance
    assert margins["costOfMargin"] == found.margin_cost and margins["priceOfHeadroom"] == found.headroom_price
    assert margins["largestHeadroom"] == found.largest_headroom and margins["notes"] == found.notes
    assert margins["pricesByScenario"] == dict(
        zip(found.scenario_prices["scenario"], found.scenario_prices["price"].tolist()))
    by_name = dict(zip(found.accounts["instrument"], found.accounts["headroom"].tolist()))
    for row in margins["trades"]:
        assert by_name[row["instrument"]] == row["headroom"]


def test_hedge_cases():
    path = SHARED / "margin/hedge-margin-dev.json"
    if not path.exists():
        pytest.skip("needs the reference's hedges")
    cases, found = json.loads(path.read_text()), poise.MarginCases.read(path)
    for case in cases:
        wanted, terms = case["expected"], case["hedge"]
        one = found.hedge(case["name"])
        if wanted["status"] != "optimal":
            assert one.hedge.outcome == wanted["status"], case["name"]
            continue
        objective = one.hedge.cost + (terms.get("margin_price") or 0) * one.after.initial_margin
        assert objective == pytest.approx(wanted["objective"], rel=1e-8, abs=1e-8), case["name"]


def test_data_is_pickled():
    for one in (poise.MarginModel(RATES), poise.MarginModel.read(MODELS / "paradex.json")):
        again = pickle.loads(pickle.dumps(one))
        assert (again.name, again.date, again.omitted) == (one.name, one.date, one.omitted)
    for one in (account(), poise.MarginAccount.read(MODELS / "account-usd.toml")):
        assert pickle.loads(pickle.dumps(one)).currency == one.currency == "USD"


def test_accounts_are_their_files():
    whole = poise.MarginAccount(
        "USD", 1.5, stable_price=0.999, collateral=[{"asset": "ETH", "quantity": 2.0, "price": 3000.0, "confidence": 0.9}],
        confidence={"ETH": {"spot": 0.98}}, other_initial={"open_orders": 0.1})
    assert whole.currency == "USD"
    # The digits of a number are its own: 0.1 + 0.2.
    cash = 0.1 + 0.2
    assert margin(cash=cash).mark_to_market == cash


def test_refusals(chain, positions):
    with pytest.raises(poise.InputError) as error:
        poise.MarginModel({**RATES, "date": "lately"})
    assert (error.value.field, error.value.value, error.value.file) == ("date", '"lately"', "model")
    with pytest.raises(poise.InputError) as error:
        poise.MarginModel({**RATES, "kind": "magic"})
    assert error.value.field == "kind"
    with pytest.raises(poise.InputError) as error:
        poise.MarginAccount("USD", 1.0, collateral=[{"asset": "ETH", "quantity": -1.0}])
    assert error.value.field == "collateral[0].quantity"
    with pytest.raises(poise.InputError):
        poise.MarginAccount("USD", math.nan)
    with pytest.raises(poise.InputError) as error:
        poise.MarginAccount("USD", 1.0, confidence={"ETH": {"spot": 1.5}})
    assert error.value.field == "confidence.ETH.spot"
    with pytest.raises(FileNotFoundError):
        poise.MarginModel.read("/nowhere")
    with pytest.raises(poise.InputError) as error:
        poise.Margin(chain, positions, poise.MarginAccount("USD", 1.0), poise.MarginModel(RATES), "SOL")
    assert error.value.value == "SOL"
    with pytest.raises(poise.UnknownNameError):
        margin().liquidation("ETH")
    with pytest.raises(poise.InputError) as error:
        margin().what_if({"instrument": [PERPETUAL, OPTION], "quantity": [1.0, 1.0]})
    assert error.value.row == 1 and error.value.field == "instrument"
    with pytest.raises(poise.InputError):
        margin().liquidation("BTC", (2, 3))
    with pytest.raises(KeyError):
        poise.MarginCases("[]")["nobody"]
    with pytest.raises(poise.UnknownNameError):
        margin().hedge(wide(), book="b")
