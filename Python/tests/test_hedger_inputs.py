"""What a hedge problem is made of is checked, in dicts and in arrays that were put in place of others."""
import copy

import numpy as np
import poise
import pytest

PROBLEM = {
    "underlyings": ["A", "B"],
    "instruments": [{"id": "x", "u": 0, "costBuy": 1, "costSell": 1}, {"id": "y", "u": 1, "costBuy": 1, "costSell": 2}],
    "bands": [{"label": "b", "idx": [0, 1], "coef": [1, 0.5], "current": 5, "lo": -1, "hi": 1}],
    "risk": {"lam": 0.1, "cov": [[0.04, 0.01], [0.01, 0.09]], "d0": [1, 0], "exposure": [1, 1]},
}


def solved(change=lambda problem: None):
    problem = poise.HedgeProblem(copy.deepcopy(PROBLEM))
    change(problem)
    return poise.Hedger().solve(problem, warm=False)


def change(name, make):
    return lambda problem: setattr(problem, name, make(getattr(problem, name)))


@pytest.mark.parametrize("name, make", [
    ("instruments", lambda a: np.repeat(a, 2)[::2]), ("instruments", lambda a: a[::-1][::-1]),
    ("covariance", np.asfortranarray), ("covariance", lambda a: a.tolist()), ("minimum_trade", lambda a: np.repeat(a, 2)[::2]),
    ("exposure", lambda a: a.astype(np.int64)),
])
def test_other_layouts_are_the_same_problem(name, make):
    assert solved(change(name, make)).cost == solved().cost


def test_single_precision_is_converted():
    assert solved(change("covariance", lambda a: a.astype("f4"))).cost == pytest.approx(solved().cost, rel=1e-6)


@pytest.mark.parametrize("name, make, message", [
    ("entries", lambda a: np.zeros(20), "entries: expected records of instrument, coefficient"),
    ("instruments", lambda a: np.zeros(20), "instruments: expected records of underlying"),
    ("instruments", lambda a: a[["underlying", "cost_buy"]], "instruments: expected records"),
    ("instruments", lambda a: [1, 2], "instruments: expected records .* got list"),
    ("bands", lambda a: a.reshape(1, -1), "bands: expected records .* in one dimension"),
    ("bands", lambda a: a.astype(a.dtype.newbyteorder(">")), "bands: expected records"),
    ("ids", lambda a: a[:1], "ids: 1 values where 2 are needed"), ("labels", lambda a: [], "labels: 0 values where 1"),
    ("margin_limit", lambda a: "x", "margin_limit: .*must be a number"),
    ("risk_aversion", lambda a: True, "risk_aversion: .*must be a number"),
])
def test_arrays_of_another_kind_are_refused(name, make, message):
    with pytest.raises(poise.InputError, match=message):
        solved(change(name, make))


@pytest.mark.parametrize("part, name, value, field", [
    *[("instruments", "u", value, "instruments[0].u") for value in (float("inf"), 1e300, 2**64, -1, 0.5, True, "0")],
    *[("instruments", "costBuy", value, "instruments[0].costBuy") for value in ("1", True, [1], None)],
    *[("bands", "coef", [value, 1], "bands[0].coef[0]") for value in ("x", None, True, [1])],
    *[("bands", "idx", [value, 1], "bands[0].idx[0]") for value in (True, "0", 7, -1)],
])
def test_numbers_of_dicts_are_numbers(part, name, value, field):
    problem = copy.deepcopy(PROBLEM)
    problem[part][0][name] = value
    with pytest.raises(poise.InputError) as caught:
        poise.Hedger().solve(problem)
    assert caught.value.field == field


def test_underlyings_are_a_list():
    with pytest.raises(poise.InputError, match="underlyings: .*expected a list of texts"):
        poise.HedgeProblem({**PROBLEM, "underlyings": "AB"})


@pytest.mark.parametrize("limit", [-1, 2**70, 1.5, "x", True])
def test_node_limits_are_whole_numbers(limit):
    with pytest.raises(poise.InputError, match="node_limit: .*must be a whole number"):
        poise.Hedger(limit)
