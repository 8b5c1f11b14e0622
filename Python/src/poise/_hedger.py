"""Hedge problems of one's own: what may be traded, the bands, and the cheapest trades."""
from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from numbers import Real
from typing import Any, List, Tuple

import numpy as np

from . import _native
from ._columns import Columns, numbers
from ._desk import Diagnosis, Hedge, diagnosis_of, hedge_of
from ._errors import InputError

_INSTRUMENT = np.dtype(
    [("underlying", "u8")]
    + [(name, "f8") for name in "cost_buy cost_sell impact fixed_cost lot maximum_buy maximum_sell margin cash".split()]
)
_BAND = np.dtype(
    [(name, "f8") for name in "current low high penalty penalty_quadratic".split()]
    + [("first_entry", "u8"), ("entry_count", "u8")]
)
_ENTRY = np.dtype([("instrument", "u8"), ("coefficient", "f8")])
_NOTHING = np.empty(0)

# Fields of problems in JSON: those of `poise hedge --problem`. None: must be given.
_INSTRUMENT_FIELDS = {
    "u": ("underlying", 0), "costBuy": ("cost_buy", None), "costSell": ("cost_sell", None), "impact": ("impact", 0),
    "fixed": ("fixed_cost", 0), "lot": ("lot", 0), "maxBuy": ("maximum_buy", math.inf), "maxSell": ("maximum_sell", math.inf),
    "margin": ("margin", 0), "cash": ("cash", 0),
}
_BAND_FIELDS = {"current": ("current", None), "lo": ("low", -math.inf), "hi": ("high", math.inf)}
# The names that objects may have, remarks behind the others.
_KNOWN = {
    "problem": "name underlyings instruments bands risk marginLimit budget comment kind n seed spot expected".split(),
    "instrument": [*_INSTRUMENT_FIELDS, "minTrade", "id", "comment", "type"],
    "band": "label idx coef current lo hi hard penalty penaltyQuad comment u greek".split(),
    "risk": "lam cov d0 exposure comment".split(),
}


class HedgeProblem:
    """Trades x minimise Σ cost_buy max(x, 0) + cost_sell max(−x, 0) + impact x² + fixed_cost [x ≠ 0] + penalties + risk.

    All costs are in one currency, the problem's own; x counts units of an instrument, above 0 buys.

    Parameters
    ----------
    problem : dict with the fields of `poise hedge --problem` (JSON); other names raise InputError
        instruments : list of dicts
            costBuy, costSell : currency per unit. Must be given. maxBuy, maxSell : units; None, no limit.
            impact : currency per unit². fixed : currency per trade. lot, minTrade : units; 0, any. margin, cash :
            currency per unit. u : place of its underlying. id : text.
        bands : list of dicts
            current : exposure before the trades. Must be given.
            lo, hi : in its unit; None, no such limit. idx : places of instruments. coef : what a unit of each adds.
            penalty : currency per unit outside. penaltyQuad : of s²/2, s units outside. label : text.
            hard : whether it must hold whatever it costs; unless told, where neither penalty is above 0.
        risk : dict
            lam : λ, per currency; 0, no risk term. cov : (u, u), variances of returns. d0 : (u,), currency per return.
            exposure : (n,), currency per return and unit.
        marginLimit, budget : currency, of margin and of cash; None, none.
        underlyings, name : texts.

    Attributes
    ----------
    instruments, bands, entries, … : arrays, to be changed in place from tick to tick
        instruments : (n,) records: underlying, cost_buy, cost_sell, impact, fixed_cost, lot, maximum_buy, maximum_sell,
        margin, cash.
        bands : (m,) records: current, low, high, penalty (NaN: must hold), penalty_quadratic, first_entry, entry_count.
        entries : (e,) records: instrument, coefficient; of band r first_entry to first_entry + entry_count − 1.
        covariance : (u, u) float64. dollar_delta : (u,). exposure : (n,). The risk term is λ dᵀ covariance d.
        minimum_trade : (n,) float64.
    margin_limit, cash_budget : float; infinity where there is none
    risk_aversion : float, λ
    """

    def __init__(self, problem: Mapping[str, Any]) -> None:
        _require_known(problem, "problem", "")
        self.name = str(problem.get("name", ""))
        underlyings = problem.get("underlyings") or [""]
        if isinstance(underlyings, str):
            raise InputError("expected a list of texts", field="underlyings", value=underlyings)
        self.underlyings: List[str] = [str(name) for name in underlyings]
        instruments, bands = problem.get("instruments") or [], problem.get("bands") or []
        for k, one in enumerate(instruments):
            _require_known(one, "instrument", f"instruments[{k}]")
        for k, one in enumerate(bands):
            _require_known(one, "band", f"bands[{k}]")
        self.ids = [str(one.get("id", f"instrument-{k + 1}")) for k, one in enumerate(instruments)]
        self.labels = [str(one.get("label", f"band-{k + 1}")) for k, one in enumerate(bands)]
        self.instruments = np.zeros(len(instruments), _INSTRUMENT)
        for k, one in enumerate(instruments):
            _fill(self.instruments[k], one, _INSTRUMENT_FIELDS, f"instruments[{k}]")
        self.minimum_trade = np.array([_number(one, "minTrade", 0, f"instruments[{k}]") for k, one in enumerate(instruments)])
        self.bands = np.zeros(len(bands), _BAND)
        entries: List[Tuple[int, float]] = []
        for k, one in enumerate(bands):
            path, record = f"bands[{k}]", self.bands[k]
            _fill(record, one, _BAND_FIELDS, path)
            linear, quadratic = _number(one, "penalty", 0, path), _number(one, "penaltyQuad", 0, path)
            for field, value in (("penalty", linear), ("penaltyQuad", quadratic)):
                if not 0 <= value < math.inf:
                    raise InputError("must be at least 0 and finite", field=f"{path}.{field}", value=value)
            hard = one.get("hard")
            if hard is None:
                hard = linear == 0 and quadratic == 0
            elif not isinstance(hard, (bool, np.bool_)):
                raise InputError("must be true or false", field=f"{path}.hard", value=hard)
            record["penalty"], record["penalty_quadratic"] = (math.nan, 0) if hard else (linear, quadratic)
            places, coefficients = one.get("idx") or [], one.get("coef") or []
            if len(places) != len(coefficients):
                raise InputError(f"{len(coefficients)} values for {len(places)} of idx", field=f"{path}.coef")
            record["first_entry"], record["entry_count"] = len(entries), len(places)
            for at, (place, coefficient) in enumerate(zip(places, coefficients)):
                if not (isinstance(place, (int, np.integer)) and not isinstance(place, bool) and 0 <= place < len(instruments)):
                    raise InputError("is no instrument's index", field=f"{path}.idx[{at}]", value=place)
                entries.append((int(place), _real(coefficient, f"{path}.coef[{at}]")))
        self.entries = np.array(entries, _ENTRY)
        self.margin_limit = _number(problem, "marginLimit", math.inf, "")
        self.cash_budget = _number(problem, "budget", math.inf, "")
        risk = problem.get("risk") or {}
        _require_known(risk, "risk", "risk")
        self.risk_aversion = _number(risk, "lam", 0, "risk")
        given = self.risk_aversion != 0
        self.covariance, self.dollar_delta, self.exposure = (
            _numbers(risk, name) if given else _NOTHING for name in ("cov", "d0", "exposure")
        )

    def _native(self) -> Tuple[Any, ...]:
        """The arrays as C reads them, whatever has been put in their place since."""
        records = [
            _records(getattr(self, name), kind, name)
            for name, kind in (("instruments", _INSTRUMENT), ("bands", _BAND), ("entries", _ENTRY))
        ]
        for name, count in (("ids", len(records[0])), ("labels", len(records[1]))):
            if len(getattr(self, name)) != count:
                raise InputError(f"{len(getattr(self, name))} values where {count} are needed", field=name)
        columns = [
            np.ascontiguousarray(numbers(getattr(self, name), name))
            for name in ("covariance", "dollar_delta", "exposure", "minimum_trade")
        ]
        amounts = [
            _real(getattr(self, name), name) for name in ("margin_limit", "cash_budget", "risk_aversion")
        ]
        return (*records, len(self.underlyings), *amounts, *columns)


def _records(array: Any, kind: np.dtype[Any], field: str) -> Any:
    if not isinstance(array, np.ndarray) or array.dtype != kind or array.ndim != 1:
        found = f"{array.dtype} of shape {array.shape}" if isinstance(array, np.ndarray) else type(array).__name__
        names = ", ".join(kind.names or ())
        raise InputError(f"expected records of {names} in one dimension, got {found}", field=field)
    return np.ascontiguousarray(array)


def _real(value: Any, field: str) -> float:
    """A number; texts and booleans are none."""
    is_number = isinstance(value, (Real, Decimal)) or isinstance(value, np.ndarray) and value.ndim == 0
    if isinstance(value, (bool, np.bool_)) or not is_number:
        raise InputError("must be a number", field=field, value=None if value is None else str(value))
    return float(value)


def _require_known(fields: Any, kind: str, path: str) -> None:
    if not isinstance(fields, Mapping):
        raise InputError(f"expected a dict, got {type(fields).__name__}", field=path or kind)
    for name in fields:
        if name not in _KNOWN[kind]:
            where = f"{path}.{name}" if path else str(name)
            raise InputError(f"is unknown; known are {', '.join(sorted(_KNOWN[kind]))}", field=where)


def _number(fields: Mapping[str, Any], name: str, standard: Any, path: str) -> float:
    value = fields.get(name)
    if value is None:
        value = standard
    where = f"{path}.{name}" if path else name
    if value is None:
        raise InputError("is missing", field=where)
    return _real(value, where)


def _numbers(fields: Mapping[str, Any], name: str) -> Any:
    if fields.get(name) is None:
        raise InputError("is missing", field=f"risk.{name}")
    try:
        return np.array(numbers(fields[name], name))
    except (TypeError, ValueError):
        raise InputError("must be numbers", field=f"risk.{name}", value=str(fields[name])) from None


def _fill(record: Any, fields: Mapping[str, Any], names: Mapping[str, Any], path: str) -> None:
    for name, (column, standard) in names.items():
        number = _number(fields, name, standard, path)
        if column == "underlying" and not (0 <= number < 2**31 and number == int(number)):
            raise InputError("must be a whole number, the place of an underlying", field=f"{path}.{name}", value=number)
        record[column] = number


class Hedger:
    """Solves hedge problems one after another. One thread at a time.

    Parameters
    ----------
    node_limit : int
        Searches over lots and fixed costs: nodes at most. 0: the library's own.
    gap : float
        The gap that ends such a search. 0: the library's own.
    seconds : float
        Of any problem: seconds at most, after which the outcome is "budget" or "uncertified". 0: no limit.

    Ctrl-C ends a search and raises KeyboardInterrupt.
    """

    def __init__(self, node_limit: int = 0, gap: float = 0.0, seconds: float = 0.0) -> None:
        if isinstance(node_limit, bool) or not isinstance(node_limit, (int, np.integer)) or not 0 <= node_limit < 2**32:
            raise InputError("must be a whole number from 0 to 4294967295", field="node_limit", value=str(node_limit))
        self._handle = _native.hedger_create(node_limit, gap)
        _native.hedger_set_search(self._handle, 0, node_limit, gap, seconds)

    def solve(self, problem: Any, warm: bool = True) -> Hedge:
        """The cheapest trades.

        Parameters
        ----------
        problem : HedgeProblem, or a dict that makes one
        warm : bool
            Whether to start from which limits held in the last answer; where the shape has changed, it starts anew.

        That there are no such trades is an answer: see `Hedge.outcome`.
        """
        if not isinstance(problem, HedgeProblem):
            problem = HedgeProblem(problem)
        result, trades, prices = _native.hedger_solve(self._handle, problem._native(), warm)
        bands, entries = problem.bands, problem.entries
        places = np.repeat(np.arange(len(bands)), bands["entry_count"].astype(np.int64))
        moved = entries["coefficient"] * trades[entries["instrument"].astype(np.int64)]
        return hedge_of(
            result,
            Columns(instrument=np.array(problem.ids, dtype=object), quantity=trades),
            Columns(
                band=np.array(problem.labels, dtype=object), exposure=bands["current"].copy(), shadow_price=prices,
                low=bands["low"].copy(), high=bands["high"].copy(),
                after=bands["current"] + np.bincount(places, moved, len(bands)),
            ),
        )

    def diagnose(self, problem: Any) -> Diagnosis:
        """Why a problem (HedgeProblem, or a dict that makes one) is infeasible, and how near one can get."""
        if not isinstance(problem, HedgeProblem):
            problem = HedgeProblem(problem)
        found, trades, violations, prices = _native.hedger_diagnose(self._handle, problem._native())
        return diagnosis_of(found, problem.ids, trades, problem.labels, violations, prices)
