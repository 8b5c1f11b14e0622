"""Errors are data: reason, place, field and value as the caller has them, and a sentence made of them."""
import pickle

import numpy as np
import poise
import pytest

GOOD = {"book": ["a", "a"], "instrument": ["BTC-PERPETUAL", "BTC-PERPETUAL"], "quantity": [1.0, 2.0]}


def parts(call, kind=poise.InputError):
    with pytest.raises(kind) as caught:
        call()
    error = caught.value
    return error, {name: part for name in ("reason", "row", "line", "field", "value", "file", "table", "name")
                   if (part := getattr(error, name)) not in (None, "")}


def test_rows_of_columns_have_row_field_and_value():
    error, found = parts(lambda: poise.Positions({**GOOD, "quantity": [1.0, np.inf]}))
    assert found == {"reason": "must be finite", "row": 1, "field": "quantity", "value": np.inf}
    assert str(error) == "row 1: quantity: inf: must be finite" and error.status == "POISE_ERROR_VALUE"
    error, found = parts(lambda: poise.greeks("C", [100.0, 100.0], 100.0, 1.0, [0.5, -0.5]))
    assert found == {"reason": "must be from 0 to 1000000", "row": 1, "field": "vol", "value": -0.5}
    assert str(error) == "row 1: vol: -0.5: must be from 0 to 1000000"


def test_lines_of_texts_have_file_and_line():
    text = "book,instrument,quantity\na,BTC-PERPETUAL,1\na,BTC-PERPETUAL,many\n"
    error, found = parts(lambda: poise.Positions.parse(text, "mine.csv"))
    assert found == {"reason": "is not a number", "line": 3, "field": "quantity", "value": "many", "file": "mine.csv"}
    assert str(error) == 'mine.csv:3: quantity: "many": is not a number'


def test_texts_that_are_refused_come_back_as_they_were():
    error, found = parts(lambda: poise.Positions({**GOOD, "instrument": ["BTC-PERPETUAL", "BTC-27JUNE26"]}))
    assert (found["row"], found["field"], found["value"]) == (1, "instrument", "BTC-27JUNE26")
    assert str(error).startswith('row 1: instrument: "BTC-27JUNE26": ')


def test_a_later_call_names_the_table_and_the_row_in_it(chain, positions):
    lost = poise.Positions({**GOOD, "instrument": ["BTC-PERPETUAL", "DOGE-PERPETUAL"]})
    error, found = parts(lambda: poise.exposures(chain, lost), poise.UnknownNameError)
    assert (found["table"], found["row"], found["value"]) == ("positions", 1, "DOGE-PERPETUAL")
    limits = poise.Limits({"book": ["", "nobody"], "greek": ["vega", "vega"], "low": [-1.0, -1.0], "high": [1.0, 1.0]})
    error, found = parts(lambda: poise.Book(chain, positions, limits=limits), poise.UnknownNameError)
    assert found == {"reason": "holds no positions", "row": 1, "field": "book", "value": "nobody", "table": "limits"}
    assert str(error) == 'limits: row 1: book: "nobody": holds no positions'
    # A file of that very name is one all the same.
    text = "book,underlying,greek,low,high\n,BTC,vega,-1,1\nnobody,BTC,vega,-1,1\n"
    error, found = parts(lambda: poise.Book(chain, positions, limits=poise.Limits.parse(text, "limits")))
    assert (found["file"], found["line"], error.row) == ("limits", 3, None)


def test_percent_stays_percent():
    one = {"instrument_name": ["BTC-27MAR26-60000-C"], "timestamp": [1772443800000], "underlying_price": [64e3]}
    error, found = parts(lambda: poise.Chain({**one, "mark_iv": [-50.0]}))
    assert (found["field"], found["value"]) == ("mark_iv", -50.0) and '"' not in str(error)
    error, found = parts(lambda: poise.Chain({**one, "vol": [-0.5]}))
    assert (found["field"], found["value"]) == ("vol", -0.5)


def test_the_sentence_follows_the_parts():
    error = poise.InputError("must be finite", 2, "vol", np.nan)
    error.row, error.file = 12, "legs.parquet"
    assert str(error) == "legs.parquet: row 12: vol: nan: must be finite"
    copy = pickle.loads(pickle.dumps(error))
    assert str(copy) == str(error) and copy.row == 12


def test_files_that_cannot_be_read_have_their_name(tmp_path):
    error, found = parts(lambda: poise.Chain.read(tmp_path / "nowhere.csv"), poise.HostError)
    assert found["file"] == str(tmp_path / "nowhere.csv") and found["reason"].startswith("cannot read: ")
    assert isinstance(error, FileNotFoundError) and error.errno == 2


def test_what_is_not_a_name_of_a_book_or_contract_is_said(chain, positions):
    book = poise.Book(chain, positions)
    error, found = parts(lambda: book.set_vol("BTC-1JAN30-1-C", 0.5), poise.UnknownNameError)
    assert found == {"reason": "is not there", "field": "contract", "value": "BTC-1JAN30-1-C"}
    error, found = parts(lambda: book.set_vol("BTC-27MAR26-60000-C", -1.0))
    assert (found["name"], found["field"], found["value"]) == ("BTC-27MAR26-60000-C", "vol", -1.0)


def test_the_glossary_has_the_fields_of_problems():
    """docs/glossary.md names each field that a dict may have, beside its name in the arrays."""
    from conftest import ROOT
    from poise import _hedger

    rows = [line.split("|") for line in (ROOT / "docs/glossary.md").read_text().splitlines() if line.startswith("| `")]
    named = {row[1].strip(" `"): row[2].strip(" `") for row in rows if len(row) == 6}
    arrays = {
        "instruments[].": {**{key: name for key, (name, _) in _hedger._INSTRUMENT_FIELDS.items()}, "minTrade": "minimum_trade"},
        "bands[].": {**{key: name for key, (name, _) in _hedger._BAND_FIELDS.items()}, "penalty": "penalty",
                     "penaltyQuad": "penalty_quadratic", "idx": "instrument", "coef": "coefficient"},
        "risk.": {"lam": "risk_aversion", "cov": "covariance", "d0": "dollar_delta", "exposure": "exposure"},
        "": {"marginLimit": "margin_limit", "budget": "cash_budget"},
    }
    assert named == {path + key: name for path, fields in arrays.items() for key, name in fields.items()}
    problem = poise.HedgeProblem({"instruments": [{"costBuy": 1, "costSell": 1, "maxBuy": 1, "maxSell": 1}],
                                  "bands": [{"current": 0, "idx": [0], "coef": [1]}]})
    held = {*problem.instruments.dtype.names, *problem.bands.dtype.names, *problem.entries.dtype.names, *vars(problem)}
    assert set(named.values()) <= held
