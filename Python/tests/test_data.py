"""Objects that are data: tables, pickles, numeric axes, pictures; and the tool's answers."""
import copy
import pickle
import subprocess
import sys
import textwrap

import numpy as np
import pandas as pd
import poise
import polars as pl
import pyarrow as pa
import pytest
from conftest import ROOT, SAMPLE, SHARED, read_csv

GRID = {"vol_rules": {"up": {"relative": 0.5}, "same": {}}, "scenarios": [{"spot": [-0.1, 0, 0.1], "vol": ["up", "same"], "days": 1}]}


def test_a_chain_is_a_table(chain, tool):
    table = chain.table()
    assert list(table["instrument"]) == chain.instruments and set(table["kind"]) <= {"option", "future", "perpetual", "spot"}
    rows = read_csv((SAMPLE / "chain.csv").read_text())
    assert np.array_equal(table["mark_price"], rows["mark_price"], equal_nan=True)
    assert np.array_equal(table["timestamp"].astype(np.int64), rows["timestamp"].astype(np.int64))
    options = np.flatnonzero(table["kind"] == "option")
    assert np.allclose(100 * table["vol"][options], [float(rows["mark_iv"][k]) for k in options], rtol=1e-14)
    strikes = [float(table["instrument"][k].split("-")[2]) for k in options]
    assert table["strike"][options].tolist() == strikes
    assert [name[-1] for name in table["instrument"][options]] == list(table["type"][options])
    others = np.flatnonzero(table["kind"] != "option")
    assert len(others) and np.isnan(table["strike"][others]).all()
    priced = others[~np.isnan(table["forward"][others])]
    assert len(priced) > 10 and np.allclose(table["delta"][priced], 1, rtol=1e-12)
    assert np.array_equal(table["price"][others], table["mark_price"][others], equal_nan=True)
    # The Greeks of the command, unit by unit.
    given = read_csv(tool("greeks", "--chain", SAMPLE / "chain.csv", "--format", "csv"))
    place = {name: k for k, name in enumerate(given["instrument_name"])}
    chosen = [place[name] for name in table["instrument"][options]]
    assert np.allclose(table["delta"][options], given["delta"][chosen], rtol=1e-12)
    assert np.allclose(table["vega"][options], given["vega"][chosen], rtol=1e-12)


def test_a_chain_is_every_kind_of_table(chain):
    table = chain.table("all")
    frame = chain.to_pandas()
    assert frame["expiry"].dtype.kind == "M" and frame["expiry"].isna().sum() == np.isnat(table["expiry"]).sum() > 0
    arrow, polars = pa.table(chain), pl.DataFrame(chain)
    assert arrow.schema.field("timestamp").type == pa.timestamp("ms") and arrow["expiry"].null_count == np.isnat(table["expiry"]).sum()
    assert polars["expiry"].null_count() == arrow["expiry"].null_count
    assert np.array_equal(polars["strike"].to_numpy(), frame["strike"], equal_nan=True)
    assert arrow["timestamp"].to_numpy().astype("M8[ms]").tolist() == table["timestamp"].tolist()
    assert set(poise.GREEKS) <= set(table) and not set(poise.GREEKS) & set(chain.table(greeks=()))
    # And what came out goes in.
    again = poise.Chain(frame.assign(timestamp=frame["timestamp"]))
    assert again.instruments == chain.instruments


def test_records_make_a_chain(chain):
    rows = pd.read_csv(SAMPLE / "chain.csv")
    records = [{name: value for name, value in row.items() if value == value} for row in rows.to_dict("records")]
    records[0]["comment"] = "is left out"
    assert poise.Chain(records).instruments == chain.instruments
    with pytest.raises(poise.InputError, match="timestamp"):
        poise.Chain([{"instrument_name": "BTC-PERPETUAL"}])


SUMMARY = [
    {"instrument_name": "BTC-27DEC24-240000-C", "creation_timestamp": 1711102028463, "underlying_price": 73663.61, "mark_iv": 84.25,
     "mark_price": 0.03988742, "estimated_delivery_price": 65383.75, "bid_price": 0.038, "ask_price": None, "interest_rate": 0.0},
    {"instrument_name": "BTC-27DEC24-240000-P", "creation_timestamp": 1711102028463, "underlying_price": 73663.61, "mark_iv": 84.25,
     "mark_price": 2.298, "estimated_delivery_price": 65383.75, "bid_price": None, "ask_price": None, "interest_rate": 0.0},
]


def test_replies_that_files_may_have_are_chains_in_every_table():
    import json

    read = poise.Chain.parse(json.dumps({"result": SUMMARY}))
    held = poise.Positions({"book": ["a", "b"], "instrument": read.instruments, "quantity": [1.0, 2.0]})
    wanted = poise.exposures(read, held)["value_usd"].tolist()
    frame = pd.DataFrame(SUMMARY)
    for table in (SUMMARY, frame, pl.from_pandas(frame), pa.Table.from_pandas(frame), frame.to_dict("list")):
        made = poise.Chain(table)
        assert poise.exposures(made, held)["value_usd"].tolist() == wanted
        assert poise.exposures(pickle.loads(pickle.dumps(made)), held)["value_usd"].tolist() == wanted
    with pytest.raises(poise.InputError, match="row 1: mark_iv: -5.0: must be") as caught:
        poise.Chain(frame.assign(mark_iv=[84.25, -5.0]))
    assert caught.value.row == 1 and caught.value.table == "tickers"


def test_a_summary_is_a_chain_in_every_form():
    summary = SHARED / "field/F08-book-summary-as-table/summary.csv"
    if not summary.exists():
        pytest.skip("needs the shared cases")
    frame = pd.read_csv(summary)
    read = poise.Chain.read(summary)
    records = [{name: value for name, value in row.items() if value == value} for row in frame.to_dict("records")]
    for made in (read, poise.Chain(frame), poise.Chain(pl.from_pandas(frame)), poise.Chain(records)):
        held = poise.Positions({"book": ["a", "b"], "instrument": made.instruments, "quantity": [1.0, 1.0]})
        found = poise.exposures(made, held, by="instrument")
        order = {name: k for k, name in enumerate(found["instrument"])}
        call, put = (order[f"BTC-27DEC24-240000-{kind}"] for kind in "CP")
        values = found["value_usd"]
        assert values[call] == pytest.approx(2163.99, abs=0.01) and values[put] == pytest.approx(168500.38, abs=0.01)


@pytest.mark.parametrize("make", [dict, pd.DataFrame, pl.DataFrame, pa.table, lambda columns: poise.Columns(columns)])
def test_columns_are_found_in_any_case(chain, make):
    plain = {"book": ["a", "b"], "instrument": ["BTC-PERPETUAL"] * 2, "quantity": [1000.0, 500.0], "side": ["sell", "buy"]}
    expected = poise.exposures(chain, poise.Positions(make(plain)))["delta_usd"]
    assert expected[0] < 0 < expected[1]
    spelt = make({name.title(): values for name, values in plain.items()})
    assert np.array_equal(poise.exposures(chain, poise.Positions(spelt))["delta_usd"], expected)
    # Of two that differ by case alone, the one that is asked for counts.
    both = make({**plain, "Side": ["buy", "sell"]})
    assert np.array_equal(poise.exposures(chain, poise.Positions(both))["delta_usd"], expected)
    options = {"type": ["C"], "spot": [100.0], "strike": [90.0], "years": [0.5], "vol": [0.6]}
    capitals = poise.greeks(make({name.upper(): values for name, values in options.items()}))
    assert np.array_equal(capitals["price"], poise.greeks(make(options))["price"])


def test_order_books_of_frames_hedge_as_those_of_files():
    path = SHARED / "data/deribit-options-2021-02-11-btc.csv"
    if not path.exists():
        pytest.skip("needs the shared data")
    frame = pd.read_csv(path)
    read = poise.Chain.read(path)
    names = read.instruments
    rng = np.random.default_rng(3)
    held = poise.Positions({
        "book": ["a"] * 60, "instrument": [names[k] for k in rng.integers(0, len(names), 60)], "quantity": rng.normal(0, 20, 60)})
    limits = poise.Limits({"greek": ["net_delta", "vega"], "underlying": ["BTC", "BTC"], "low": [-1e4, -500.0], "high": [1e4, 500.0]})
    wanted = poise.Book(read, held, limits=limits).hedge()
    for table in (frame, pl.from_pandas(frame), pa.Table.from_pandas(frame), frame.to_dict("list")):
        found = poise.Book(poise.Chain(table), held, limits=limits).hedge()
        assert found.cost == wanted.cost and np.array_equal(found.trades["quantity"], wanted.trades["quantity"])


def test_own_volatilities_are_the_commands(tool, chain, positions):
    given = read_csv(tool(
        "risk", "--chain", SAMPLE / "chain.csv", "--positions", SAMPLE / "positions.csv", "--surface", "own", "--format", "csv"))
    own = chain.with_own_volatilities()
    found = poise.exposures(own, positions)
    count = len(found["book"])
    for name in ("value_usd", "vega_usd_per_point", "gamma_usd_per_percent"):
        assert found[name].tolist() == given[name][:count].tolist()
    assert not np.array_equal(found["value_usd"], poise.exposures(chain, positions)["value_usd"])


@pytest.mark.parametrize("made", [
    "chain", "positions", "table", "own", "limits", "grid", "frame_positions", "frame_limits", "trades", "surface"])
def test_what_is_data_is_pickled(chain, positions, made):
    objects = {
        "chain": lambda: chain, "positions": lambda: positions,
        "table": lambda: poise.Chain(pd.read_csv(SAMPLE / "chain.csv")), "own": chain.with_own_volatilities,
        "limits": lambda: poise.Limits.read(SAMPLE / "limits.csv"), "grid": lambda: poise.Grid(GRID),
        "frame_positions": lambda: poise.Positions(pd.read_csv(SAMPLE / "positions.csv")),
        "frame_limits": lambda: poise.Limits({"greek": ["vega"], "low": [-1.0], "high": [1.0]}),
        "trades": lambda: poise.Trades({"book": ["a"], "instrument": ["BTC-PERPETUAL"], "quantity": [1.0], "price": [6e4]}),
        "surface": lambda: poise.Surface(
            strike=[50e3, 55e3, 60e3, 65e3, 70e3], bid=[0.60, 0.57, 0.55, 0.545, 0.55], ask=[0.62, 0.58, 0.56, 0.555, 0.57],
            years=0.1, forward=62e3),
    }
    one = objects[made]()
    for again in (pickle.loads(pickle.dumps(one)), pickle.loads(pickle.dumps(pickle.loads(pickle.dumps(one)))), copy.deepcopy(one)):
        assert type(again) is type(one) and again is not one
        if isinstance(one, poise.Chain):
            assert again.instruments == one.instruments
            assert poise.exposures(again, positions)["value_usd"].tolist() == poise.exposures(one, positions)["value_usd"].tolist()
        elif isinstance(one, poise.Positions):
            assert poise.exposures(chain, again)["value_usd"].tolist() == poise.exposures(chain, one)["value_usd"].tolist()
        elif isinstance(one, poise.Limits):
            assert poise.Book(chain, positions, limits=again).hedges == poise.Book(chain, positions, limits=one).hedges
        elif isinstance(one, poise.Grid):
            assert again.titles == one.titles
        elif isinstance(one, poise.Surface):
            assert again.vol(60e3, 0.1) == one.vol(60e3, 0.1)
        else:
            assert len(again) == len(one)


def test_a_file_that_has_changed_is_not_pickled(tmp_path):
    path = tmp_path / "positions.csv"
    path.write_text("book,instrument,quantity\na,BTC-PERPETUAL,1\n")
    held = poise.Positions.read(path)
    path.write_text("book,instrument,quantity\na,BTC-PERPETUAL,1\na,BTC-PERPETUAL,2\n")
    with pytest.raises(pickle.PicklingError, match="has changed since it was read"):
        pickle.dumps(held)


def test_memory_that_changes_afterwards_does_not_matter(chain):
    quantity = np.array([1.0, 2.0])
    held = poise.Positions({"book": ["a", "b"], "instrument": chain.instruments[:2], "quantity": quantity})
    quantity[:] = 99
    again = pickle.loads(pickle.dumps(held))
    assert poise.exposures(chain, again)["value_usd"].tolist() == poise.exposures(chain, held)["value_usd"].tolist()


def test_results_have_numbers_for_axes(chain, positions):
    found = poise.scenarios(chain, positions, poise.Grid(GRID))
    axes = found.axes
    assert sorted(set(axes["spot"])) == [-0.1, 0, 0.1] and set(axes["vol"]) == {"up", "same"} and set(axes["days"]) == {1}
    assert set(axes["stickiness"]) == {"strike"} and set(axes["dampening"]) == {1}
    for k, title in enumerate(poise.Grid(GRID).titles):
        assert found[title].tolist() == found.profits[:, k].tolist()
        assert title.startswith(f"{100 * axes['spot'][k]:+.0f}%" if axes["spot"][k] else "0%") and axes["vol"][k] in title
    frame = found.to_pandas(numeric=True)
    assert frame.index.names == ["book", "underlying"] and frame.columns.names == ["spot", "vol"]
    assert frame.loc[(found["book"][2], found["underlying"][2]), (-0.1, "up")] == found["-10%, vol up, 1 day"][2]
    assert list(found.to_pandas().columns) == list(found)
    again = pickle.loads(pickle.dumps(found))
    assert np.array_equal(again.profits, found.profits) and again.by == found.by and list(again) == list(found)


def test_results_have_dimensions(chain, positions):
    pytest.importorskip("xarray")
    found = poise.scenarios(chain, positions, poise.Grid(GRID))
    cube = found.to_xarray()
    assert cube.dims == ("group", "spot", "vol") and cube.shape == (len(found["book"]), 3, 2)
    name = f"{found['book'][1]} {found['underlying'][1]}"
    assert float(cube.sel(group=name, spot=0.1, vol="same")) == found["+10%, vol same, 1 day"][1]
    odd = {"vol_rules": GRID["vol_rules"], "scenarios": [{"spot": [-0.1, 0.1], "vol": ["up"]}, {"spot": [0.5], "vol": ["same"]}]}
    flat = poise.scenarios(chain, positions, poise.Grid(odd)).to_xarray()
    assert flat.dims == ("group", "scenario") and flat["spot"].values.tolist() == [-0.1, 0.1, 0.5]


def test_pictures_are_drawn(chain, positions):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    with pytest.raises(poise.InputError, match="underlying: is needed"):
        chain.plot()
    ax = chain.plot("BTC")
    table = chain.table(greeks=())
    expiries = np.unique(table["expiry"][(table["kind"] == "option") & (table["underlying"] == "BTC")])
    assert len(ax.lines) == len(expiries) and ax.lines[0].get_label() == str(expiries[0].astype("M8[D]"))
    found = poise.scenarios(chain, positions, poise.Grid(GRID))
    ax = found.plot(3)
    lines = {line.get_label(): line for line in ax.lines}
    assert {"vol up, 1 d", "vol same, 1 d"} <= set(lines)
    shown = [found[f"{spot}, vol up, 1 day"][3] for spot in ("-10%", "0%", "+10%")]
    assert lines["vol up, 1 d"].get_ydata().tolist() == shown
    assert lines["vol up, 1 d"].get_xdata().tolist() == [-10, 0, 10]
    surface = poise.Surface(
        strike=[50e3, 55e3, 60e3, 65e3, 70e3], bid=[0.60, 0.57, 0.55, 0.545, 0.55], ask=[0.62, 0.58, 0.56, 0.555, 0.57],
        years=0.1, forward=62e3)
    line = surface.plot().lines[0]
    assert line.get_ydata()[50] == pytest.approx(100 * surface.vol(62e3, 0.1), rel=1e-12)
    matplotlib.pyplot.close("all")


def test_commands_answer(tool):
    answer = poise.command(
        "hedge", chain=SAMPLE / "chain.csv", positions=SAMPLE / "positions.csv", limits=SAMPLE / "limits.csv")
    assert answer.status == 0
    with pytest.raises(poise.InputError, match="nowhere.csv"):
        poise.command("risk", chain="nowhere.csv", positions=SAMPLE / "positions.csv")
    with pytest.raises(poise.InputError, match="poise risk: .*--spot"):
        poise.command("risk", spot=1, chain=SAMPLE / "chain.csv", positions=SAMPLE / "positions.csv")


def test_simulations_are_the_commands(tool):
    config = ROOT / "Examples/simulate/calm.toml"
    rows = read_csv(tool("simulate", "--config", config, "--paths", "32", "--format", "csv"))
    found = poise.simulate(config, paths=32)
    assert found.complete and found.policies["mean_cost_usd"].tolist() == rows["mean_cost_usd"].tolist()
    assert list(found.policies["policy"]) == list(rows["policy"])
    if sys.version_info >= (3, 11):
        import tomllib

        given = tomllib.loads(config.read_text())
        assert poise.simulate(given, paths=32).policies["mean_cost_usd"].tolist() == rows["mean_cost_usd"].tolist()


def test_a_frontier_is_drawn(tool):
    pytest.importorskip("matplotlib").use("Agg")
    found = poise.simulate(ROOT / "Examples/simulate/calm.toml", paths=16)
    shown = [text.get_text() for text in found.plot().get_legend().get_texts()]
    assert set(shown) == {*found.policies["family"], "frontier"}


def test_a_simulation_is_interrupted(tool):
    code = textwrap.dedent(f"""
        import os, signal, threading
        import poise
        threading.Timer(1.0, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
        try:
            poise.simulate({str(ROOT / "Examples/simulate/calm.toml")!r}, paths=1_000_000)
        except KeyboardInterrupt:
            print("interrupted")
    """)
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert done.stdout == "interrupted\n"
