"""Pictures with matplotlib, where it is installed. Each takes axes, or makes some, and returns them."""
from __future__ import annotations

from typing import Any, Optional

import numpy as np

from ._columns import Columns
from ._errors import InputError


def _axes(ax: Any) -> Any:
    if ax is not None:
        return ax
    from matplotlib import pyplot

    return pyplot.subplots(figsize=(8, 5), layout="constrained")[1]


def smiles(table: Columns, underlying: Optional[str], ax: Any) -> Any:
    """The volatilities of each expiry over the strike, of a chain's table."""
    is_option = (table["kind"] == "option") & ~np.isnan(table["vol"])
    coins = sorted(set(table["underlying"][is_option]))
    if underlying is None and len(coins) > 1:
        raise InputError(f"is needed: there are options on {', '.join(coins)}", field="underlying")
    coin = underlying or (coins[0] if coins else "")
    if coin not in coins:
        raise InputError("has no options here", field="underlying", value=coin)
    ax = _axes(ax)
    chosen = is_option & (table["underlying"] == coin)
    for expiry in np.unique(table["expiry"][chosen]):
        rows = np.flatnonzero(chosen & (table["expiry"] == expiry))
        rows = rows[np.argsort(table["strike"][rows], kind="stable")]
        ax.plot(table["strike"][rows], 100 * table["vol"][rows], marker=".", label=str(expiry.astype("M8[D]")))
    ax.set(title=coin, xlabel="strike", ylabel="volatility, %")
    ax.legend()
    return ax


def curves(surface: Any, width: float, ax: Any) -> Any:
    """The curves of a surface over ln(strike/forward)."""
    ax = _axes(ax)
    slices = surface.slices
    moneyness = np.linspace(-width, width, 101)
    for years, forward, usable in zip(slices["years"], slices["forward"], ~np.isnan(slices["a"])):
        if usable:
            ax.plot(moneyness, 100 * surface.vol(forward * np.exp(moneyness), years), label=f"{365 * years:.1f} d")
    ax.set(xlabel="ln(strike/forward)", ylabel="volatility, %")
    ax.legend()
    return ax


def ladder(profits: Any, row: int, ax: Any) -> Any:
    """A group's profit over moves of price, a line for each rule of volatility, time and rate."""
    ax = _axes(ax)
    axes = profits.axes
    rest = list(zip(axes["vol"], axes["days"], axes["rate"]))
    for kind in dict.fromkeys(rest):
        places = np.array([k for k, one in enumerate(rest) if one == kind])
        places = places[np.argsort(axes["spot"][places], kind="stable")]
        parts = [f"vol {kind[0]}" if kind[0] else "", f"{kind[1]:g} d" if kind[1] else "", f"rate {kind[2]:+g}" if kind[2] else ""]
        ax.plot(100 * axes["spot"][places], profits.profits[row, places], marker=".", label=", ".join(filter(None, parts)) or "moves")
    ax.axhline(0, color="0.6", linewidth=0.8)
    ax.set(title=" ".join(str(profits[name][row]) for name in profits.by), xlabel="price, %", ylabel="profit")
    ax.legend()
    return ax


def bands(table: Columns, ax: Any) -> Any:
    """Exposures before and after trades, where 0 and 1 are the edges of their bands; beside a single edge in its own size."""
    if "low" not in table:
        raise InputError("this hedge knows no edges of its bands", field="bands")
    low, high = table["low"], table["high"]
    is_low, is_high = np.isfinite(low), np.isfinite(high)
    width = np.where(is_low & is_high, high - low, np.maximum(np.abs(np.where(is_low, low, high)), 1))
    width = np.where(np.isfinite(width) & (width > 0), width, 1.0)
    start = np.where(is_low, low, np.where(is_high, high - width, 0.0))
    places = np.arange(len(low))[::-1]
    ax = _axes(ax)
    for place, below, above in zip(places, is_low, is_high):
        ax.plot([0, 1], [place, place], color="0.85", linewidth=10, solid_capstyle="butt", zorder=0)
        for edge, is_there in ((0, below), (1, above)):
            if is_there:
                ax.plot([edge, edge], [place - 0.3, place + 0.3], color="0.3", linewidth=1.5)
    before, after = (table["exposure"] - start) / width, (table["after"] - start) / width
    ax.hlines(places, before, after, color="C0", linewidth=1)
    ax.plot(before, places, "o", mfc="none", color="C0", label="before")
    ax.plot(after, places, "o", color="C0", label="after")
    ax.set_xscale("symlog", linthresh=1)
    ax.set_yticks(places, list(table["band"]))
    ax.set(xlabel="exposure, in widths of its band")
    ax.legend()
    return ax


def frontier(policies: Columns, ax: Any) -> Any:
    """Cost against expected shortfall of rehedging policies, with what one standard error is; none is better where a ring is."""
    ax = _axes(ax)
    for family in dict.fromkeys(policies["family"]):
        rows = np.flatnonzero(policies["family"] == family)
        ax.errorbar(
            policies["shortfall95_usd"][rows], policies["mean_cost_usd"][rows],
            xerr=policies["shortfall95_usd_standard_error"][rows], yerr=policies["mean_cost_usd_standard_error"][rows],
            fmt=".", label=str(family))
    best = np.flatnonzero(policies["on_frontier"] != 0)
    ax.plot(policies["shortfall95_usd"][best], policies["mean_cost_usd"][best], "o", mfc="none", color="0.3", label="frontier")
    ax.set(xlabel="expected shortfall 95%, USD", ylabel="mean cost, USD")
    ax.legend()
    return ax
