"""Hedges under a margin."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, List, Optional

import numpy as np

from . import _native
from ._columns import Columns
from ._desk import Hedge, hedge_of
from ._margin_inputs import MarginFigures, figures_of

# Of poise_margin_holding.
_HOLDINGS = ("held", "elsewhere", "without-rule")


@dataclass(frozen=True)
class MarginHedge:
    """A hedge under a venue's margin: the trades, and what they do to the account.

    Amounts of margin are in the account's currency, costs and prices in dollars (of a case, in its currency).

    Attributes
    ----------
    hedge : Hedge
        Trades, bands and costs. "infeasible" where no trades keep the bands, or none leave the buffer: see
        `largest_headroom`.
    accounts : Columns, one row per instrument that may be traded (n,)
        instrument : text. holding : "held"; "elsewhere", traded beside the account; "without-rule", not traded, as the model has
        no rule for it. quantity : float64, the trade. headroom : float64, by how much it changes, beside all others and its
        cost aside, what is left over initial margin: below 0 where it takes margin.
    before, after : MarginFigures
        The rule itself, of the account before and after the trades.
    liquidation_before, liquidation_after : (float, float)
        Prices below and above the index, between a tenth and ten times of it, at which nothing is left of maintenance; NaN
        where there are none.
    scenario_prices : Columns
        scenario : text. price : float64, what one more unit lost in it costs; those that are paid for, dearest first.
    required : float
        Initial margin after the trades as the optimiser took it; NaN where the margin was reported alone.
    overstatement : float
        How much that is above the rule's own, for `notes`.
    margin_cost : float
        The price of the initial margin after the trades, beside `hedge.cost`.
    headroom_price : float
        What one more unit of headroom costs.
    largest_headroom : float or None
        Where no trades leave the buffer: the most that any leave. `hedge.trades` are those.
    margin_gap : float
        No trades are cheaper, their margin included, than (1 − margin_gap) of these.
    planes, problems : int
        Planes that were added, and problems that were solved.
    notes : list of str
        What stands in for parts of the rule that are not convex.
    """

    hedge: Hedge
    accounts: Columns
    before: MarginFigures
    after: MarginFigures
    liquidation_before: Any
    liquidation_after: Any
    scenario_prices: Columns
    required: float
    overstatement: float
    margin_cost: float
    headroom_price: float
    largest_headroom: Optional[float]
    margin_gap: float
    planes: int
    problems: int
    notes: List[str]

    @classmethod
    def of(cls, handle: object) -> MarginHedge:
        """What a handle of the C library says."""
        result, fields = _native.margin_hedge_totals(handle)
        (
            instruments, holdings, quantity, headroom, bands, exposures, prices, outcomes, outcome_prices, notes,
        ) = _native.margin_hedge_tables(handle)
        names = np.array(instruments, dtype=object)
        states = [_native.margin_hedge_account(handle, after) for after in (False, True)]
        if np.isnan(fields["largest_headroom"]):
            fields["largest_headroom"] = None
        return cls(
            hedge=hedge_of(
                result, Columns(instrument=names, quantity=quantity),
                Columns(band=np.array(bands, dtype=object), exposure=exposures, shadow_price=prices)),
            accounts=Columns(
                instrument=names, holding=np.array(_HOLDINGS, dtype=object)[holdings.astype(np.int64)],
                quantity=quantity, headroom=headroom),
            before=figures_of(states[0][0])[0], after=figures_of(states[1][0])[0],
            liquidation_before=states[0][1:], liquidation_after=states[1][1:],
            scenario_prices=Columns(scenario=np.array(outcomes, dtype=object), price=outcome_prices), notes=notes,
            **fields)
