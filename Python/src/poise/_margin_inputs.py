"""What margins are made of: a venue's rule and parameters, an account, and what is required of it."""
from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Tuple, Union

from . import _native
from ._desk import Path, _Readable
from ._errors import InputError


class _Parameters(_Readable):
    """What is data in JSON or TOML: its text is kept, so that it can be pickled."""

    _text: Union[str, bytes]
    _source: str

    @classmethod
    def read(cls, path: Path) -> Any:
        """One of a file, JSON or TOML, as the command line takes it."""
        made = super().read(path)
        with open(path, "rb") as file:
            made._text, made._source = file.read(), os.fspath(path)
        return made

    @classmethod
    def parse(cls, text: Union[str, bytes], name: str = "text") -> Any:
        """One of such a text; `name` is what errors call it."""
        made = super().parse(text, name)
        made._text, made._source = text, name
        return made

    def _take(self, fields: Mapping[str, Any], name: str) -> None:
        try:
            self._text, self._source = json.dumps(fields, allow_nan=False), name
        except (TypeError, ValueError) as error:
            raise InputError(f"is no JSON: {error}", field=name) from None
        self._handle = type(self)._from_text(self._text, name)

    def __reduce__(self) -> Tuple[Any, ...]:
        return type(self).parse, (self._text, self._source)


class MarginModel(_Parameters):
    """A venue's margin as data: a rule and its parameters; never changes, and threads may share it.

    Parameters
    ----------
    model : dict with the fields of `poise margin --model` (docs/margin.md), or its text in JSON or TOML
        `Examples/margin` has files, for `MarginModel.read`.

    Attributes
    ----------
    name, venue, source : str
    date : str
        The day that the parameters held, "2026-03-26".
    kind : str
        The rule: "scan", "derive-standard", "deribit-pm", "deribit-cross", "standard-option", "span-array", "rates".
    omitted : list of str
        Terms of the venue's margin that the model leaves out.

    Raises
    ------
    poise.InputError
        Without a source or date, for an unknown kind or field, for a parameter out of range; with the line.
    """

    _from_file = staticmethod(_native.margin_model_read)
    _from_text = staticmethod(_native.margin_model_parse)

    def __init__(self, model: Union[Mapping[str, Any], str, bytes]) -> None:
        if isinstance(model, (str, bytes)):
            self._text, self._source = model, "model"
            self._handle = _native.margin_model_parse(model, "model")
        else:
            self._take(model, "model")

    def _fact(self, place: int) -> str:
        return str(_native.margin_model_facts(self._handle)[place])

    name = property(lambda self: self._fact(0))
    venue = property(lambda self: self._fact(1))
    source = property(lambda self: self._fact(2))
    date = property(lambda self: self._fact(3))
    kind = property(lambda self: self._fact(4))

    @property
    def omitted(self) -> List[str]:
        """Terms of the venue's margin that the model leaves out."""
        return _native.margin_model_facts(self._handle)[5]

    def __repr__(self) -> str:
        return f"MarginModel({self.name!r}, {self.date})"


class MarginAccount(_Parameters):
    """What an account has beside positions; never changes, and threads may share it.

    Parameters
    ----------
    currency : str
        Of cash and of all figures; a coin under models in coin.
    cash : float
    stable_price : float
        Dollars per unit of that currency.
    collateral : list of dicts
        asset : text. quantity : coins. price : dollars, else the chain's index. maintenance_haircut, initial_haircut :
        shares, else the model's. moves_with_spot : bool. confidence : 0 to 1.
    confidence : dict by coin
        Of the venue's feeds, 0 to 1: spot, perpetual, forward, rate, vol.
    other_initial : dict
        Amounts that initial margin has beside positions, by name.

    `MarginAccount.read` takes the files of `poise margin --account` (TOML or JSON).
    """

    _from_file = staticmethod(_native.margin_account_read)
    _from_text = staticmethod(_native.margin_account_parse)

    def __init__(
        self, currency: str, cash: float, *, stable_price: float = 1.0,
        collateral: Optional[Sequence[Mapping[str, Any]]] = None,
        confidence: Optional[Mapping[str, Mapping[str, float]]] = None,
        other_initial: Optional[Mapping[str, float]] = None,
    ) -> None:
        fields: Dict[str, Any] = {"currency": currency, "cash": cash, "stable_price": stable_price}
        if collateral:
            fields["collateral"] = [dict(piece) for piece in collateral]
        if confidence:
            fields["confidence"] = {name: dict(feeds) for name, feeds in confidence.items()}
        if other_initial:
            fields["other_initial"] = dict(other_initial)
        self._take(fields, "account")

    @property
    def currency(self) -> str:
        """Of its cash, and of all figures of its margin."""
        return _native.margin_account_currency(self._handle)

    def __repr__(self) -> str:
        return f"MarginAccount({self.currency})"


@dataclass(frozen=True)
class MarginFigures:
    """What is required and what is left, in the account's currency.

    Attributes
    ----------
    initial_margin, maintenance_margin : float
        What is required, positive.
    mark_to_market : float
        The account's worth now, cash included.
    initial_balance, maintenance_balance : float
        What is left once the requirement is met: below 0 is a call.
    """

    initial_margin: float
    maintenance_margin: float
    mark_to_market: float
    initial_balance: float
    maintenance_balance: float


def figures_of(found: Dict[str, Any]) -> Tuple[MarginFigures, int]:
    worst = int(found.pop("worst_scenario"))
    return MarginFigures(**found), worst


@dataclass(frozen=True)
class ExactMargin:
    """A margin in whole numbers of 1e-8 of the account's currency, the same on every machine.

    Attributes
    ----------
    initial_margin, maintenance_margin, mark_to_market : int
    scenario_losses : dict
        What is lost in each scenario, by the venue's key.
    transcript : str
        Inputs, losses and results as JSON, which `scripts/check-margin-transcript` computes anew.
    """

    initial_margin: int
    maintenance_margin: int
    mark_to_market: int
    scenario_losses: Dict[str, int]
    transcript: str


def exact_of(found: Tuple[List[str], List[str], List[str], str]) -> ExactMargin:
    figures, scenarios, losses, transcript = found
    initial, maintenance, worth = map(int, figures)
    return ExactMargin(initial, maintenance, worth, dict(zip(scenarios, map(int, losses))), transcript)
