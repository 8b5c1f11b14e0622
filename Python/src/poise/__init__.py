"""Poise: Greeks, implied volatilities, exposures, scenarios, margins and hedges of option books.

    >>> import numpy as np, poise
    >>> risk = poise.greeks("C", spot=64_250.0, strike=np.array([60e3, 64e3, 70e3]), years=0.1, vol=0.52)
    >>> risk["delta"].round(4)
    array([0.6909, 0.5422, 0.3303])

Columns are NumPy arrays or Arrow tables, read where they are. Natural units throughout: volatility 0.6 is 60%, rates
are continuously compounded, years are ACT/365, and nothing is divided by 100 or 365 unless its name says so.
"""
import os

from . import _native
from ._book import Book, BookView, Settlement
from ._columns import Columns
from ._command import Answer, Simulation, command, simulate
from ._desk import Chain, Diagnosis, Hedge, Limits, Positions, exposures
from ._errors import HostError, InputError, PoiseError, UnknownNameError, UnsupportedError
from ._explain import PROFIT_PARTS, Explanation, Trades, explain
from ._hedger import HedgeProblem, Hedger
from ._live_margin import LiveMargin
from ._margin import Margin, MarginCases
from ._margin_hedge import MarginHedge
from ._margin_inputs import ExactMargin, MarginAccount, MarginFigures, MarginModel
from ._native import EXPOSURES, GREEKS, greeks, implied_vol, instruction_set, version as __version__
from ._scenarios import Grid, ScenarioProfits, leg_scenarios, scenarios
from ._slices import Slices
from ._surface import FIT_STATUS, Surface
from ._tail_risk import TailRisk, value_at_risk

#: What a row's `status` of `greeks(…, invalid="status")` means, by its number.
ROW_STATUS = ("ok", "type", "spot", "strike", "years", "vol", "rate", "dividend")
#: What a row's `status` of `implied_vol` means, by its number.
VOLATILITY_STATUS = ("ok", "below-intrinsic", "above-maximum", "not-a-number", "expired", "two-volatilities")

__all__ = [
    "Answer", "Book", "BookView", "Chain", "Columns", "Diagnosis", "EXPOSURES", "ExactMargin", "Explanation", "FIT_STATUS", "GREEKS",
    "Grid", "Hedge", "HedgeProblem", "Hedger", "HostError", "InputError", "Limits", "LiveMargin", "Margin", "MarginAccount",
    "MarginCases", "MarginFigures", "MarginHedge", "MarginModel", "PROFIT_PARTS", "PoiseError", "Positions", "ROW_STATUS",
    "ScenarioProfits", "Settlement", "Simulation", "Slices", "Surface", "TailRisk", "Trades", "UnknownNameError",
    "UnsupportedError", "VOLATILITY_STATUS", "__version__", "command", "explain", "exposures", "greeks", "implied_vol",
    "instruction_set", "leg_scenarios", "scenarios", "simulate", "value_at_risk",
]

os.register_at_fork(after_in_child=_native.forget_engines)
