"""What legs are multiplied by, and the batch function."""
from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Dict, List, Optional

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .._columns import Columns
from .._desk import Chain, Positions, exposure_columns, exposures
from .._errors import InputError
from .._scenarios import Grid, scenarios

_COLUMNS = ("book", "instrument", "quantity")


class Market:
    """A chain and a grid of scenarios; the figures of each contract, computed once however many legs hold it.

    Parameters
    ----------
    chain : poise.Chain, or a table that makes one
    grid : poise.Grid, optional
    """

    def __init__(self, chain: Any, grid: Optional[Grid] = None) -> None:
        self.chain = chain if isinstance(chain, Chain) else Chain(chain)
        self.grid = grid
        #: The columns of results: exposures, then `pnl_usd_01` …, one per scenario.
        self.names: List[str] = [*exposure_columns("usd"), *grid_columns(grid)]
        self._places: Dict[str, int] = {}
        #: A row per name, a column per contract that has been asked for.
        self._figures = np.empty((len(self.names), 0))

    def places(self, instruments: Iterable[Optional[str]]) -> Any:
        """The columns of contracts in `figures`; −1 for null. Computes those that were not asked for before."""
        names = list(instruments)
        new = [name for name in dict.fromkeys(names) if name is not None and name not in self._places]
        if new:
            try:
                unit = Positions({"book": ["1"] * len(new), "instrument": new, "quantity": np.ones(len(new))})
                rows = self._rows(unit, "instrument")
            except InputError as error:
                if error.row is not None:
                    error.row = names.index(new[error.row])
                raise
            order = {name: row for row, name in enumerate(rows["instrument"])}
            chosen = np.array([order[name] for name in new])
            found = np.stack([rows[name][chosen] for name in self.names])
            self._figures = np.concatenate([self._figures, found], axis=1)
            for name in new:
                self._places[name] = len(self._places)
        return np.array([-1 if name is None else self._places[name] for name in names], np.int64)

    @property
    def instruments(self) -> List[str]:
        """The contracts that have been asked for, in the order of their columns."""
        return list(self._places)

    @property
    def figures(self) -> Any:
        """(names, contracts) float64 per unit of quantity."""
        return self._figures

    def sums(self, positions: Positions) -> Columns:
        """Exposures and profits of books."""
        return self._rows(positions, "book")

    def _rows(self, positions: Positions, by: str) -> Columns:
        rows = exposures(self.chain, positions, by=(by,))
        if self.grid is not None:
            profits = scenarios(self.chain, positions, self.grid, by=(by,))
            order = {label: row for row, label in enumerate(profits[by])}
            chosen = np.array([order[label] for label in rows[by]], np.int64)
            for name, column in zip(grid_columns(self.grid), list(profits.values())[1:]):
                rows[name] = column[chosen]
        return rows


def grid_columns(grid: Optional[Grid]) -> List[str]:
    """`pnl_usd_01` …; what they mean stands in the columns' metadata and in the manifest."""
    return [f"pnl_usd_{number:02}" for number in range(1, (0 if grid is None else len(grid)) + 1)]


def schema(market: Market, by: str) -> pa.Schema:
    """Of what `revalue` (by "leg") and `net` (by "book") make."""
    text = pa.dictionary(pa.int32(), pa.string())
    titles = [] if market.grid is None else market.grid.titles
    plain = len(market.names) - len(titles)
    fields = [pa.field("book", text if by == "leg" else pa.string())]
    if by == "leg":
        fields += [pa.field("instrument", text), pa.field("quantity", pa.float64())]
    fields += [pa.field(name, pa.float64()) for name in market.names[:plain]]
    fields += [
        pa.field(name, pa.float64(), metadata={"scenario": title}) for name, title in zip(market.names[plain:], titles)
    ]
    return pa.schema(fields)


def _legs(batch: pa.RecordBatch, market: Market, first_row: int) -> Any:
    """Books and instruments as dictionaries, the contract of each leg, quantities. Refuses nulls and what is not finite."""
    columns = []
    for name in _COLUMNS:
        place = batch.schema.get_field_index(name)
        if place < 0:
            raise InputError("the legs have no such column", field=name)
        column = batch.column(place)
        if pa.types.is_dictionary(column.type) and column.dictionary.null_count:
            column = column.dictionary_decode()
        if column.null_count:
            row = first_row + pc.index(pc.is_null(column), True).as_py()
            raise InputError("is null", row, name)
        columns.append(column)
    texts = []
    for name, column in zip(_COLUMNS, columns[:2]):
        kind = _value_type(column)
        if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
            raise InputError(f"expected texts, got {column.type}", field=name)
        if not pa.types.is_dictionary(column.type):
            column = column.dictionary_encode()
        # Names that differ in their Unicode form alone are one name, as everywhere.
        composed = pc.utf8_normalize(column.dictionary, "NFC")
        if not composed.equals(column.dictionary):
            column = pa.DictionaryArray.from_arrays(column.indices, composed).dictionary_decode().dictionary_encode()
        indices = column.indices.cast(pa.int32())
        texts.append(pa.DictionaryArray.from_arrays(indices, column.dictionary.cast(pa.string())))
    books, instruments = texts
    is_empty = books.indices.to_numpy() == pc.index(books.dictionary, "").as_py()
    if is_empty.any():
        row = first_row + int(np.argmax(is_empty))
        raise InputError("is empty", row, "book")
    kind = _value_type(columns[2])
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
        raise InputError(f"expected numbers, got {columns[2].type}", field="quantity")
    quantities = columns[2].cast(pa.float64(), safe=False).to_numpy()
    finite = np.isfinite(quantities)
    if not finite.all():
        row = int(np.argmin(finite))
        value = float(quantities[row])
        raise InputError("must be finite", first_row + row, "quantity", value)
    indices = instruments.indices.to_numpy()
    used = np.zeros(len(instruments.dictionary), bool)
    used[indices] = True
    names = [name if is_used else None for name, is_used in zip(instruments.dictionary.to_pylist(), used.tolist())]
    try:
        places = market.places(names)
    except InputError as error:
        if error.row is not None:
            move(error, first_row + int(np.argmax(indices == error.row)))  # the first leg that holds it
        raise
    return books, instruments, places[indices], quantities


def _value_type(column: pa.Array) -> pa.DataType:
    """Of a dictionary's values, or a plain column's."""
    return column.type.value_type if pa.types.is_dictionary(column.type) else column.type


def move(error: InputError, row: int) -> None:
    """Makes an error one about another row."""
    error.row, error.table = row, ""


def revalue(legs: pa.RecordBatch, market: Market, first_row: int = 0) -> pa.RecordBatch:
    """The legs with their exposures in dollars, and their profit in every scenario.

    Parameters
    ----------
    legs : pyarrow.RecordBatch
        book, instrument (texts, plain or dictionaries), quantity: above 0 is long, in coins, or in dollars of inverse
        futures and perpetuals. Other columns are left out.
    first_row : int
        What errors call the first row.

    Returns
    -------
    pyarrow.RecordBatch
        book, instrument, quantity, and float64 `market.names`: quantity times the figure of the contract, row by row, so
        that neither the other legs nor how they are cut into batches matter.
    """
    books, instruments, places, quantities = _legs(legs, market, first_row)
    columns = [books, instruments, pa.array(quantities)]
    # One piece of memory: the kernel clears its pages faster than those of many small ones.
    block: Any = np.empty((len(market.names), len(places)))
    for figure, column in zip(market.figures, block):
        figure.take(places, out=column, mode="clip")
        with np.errstate(over="ignore"):  # who writes a file refuses what no number holds
            column *= quantities
        columns.append(pa.array(column))
    return pa.RecordBatch.from_arrays(columns, schema=schema(market, "leg"))


def net(batches: Iterable[pa.RecordBatch], market: Market) -> pa.RecordBatch:
    """The exposures and profits of books: legs are netted by book and contract, in their order, and then summed.

    What errors call rows counts on from batch to batch.

    Returns
    -------
    pyarrow.RecordBatch
        book, and float64 `market.names`; a row per book, sorted.
    """
    held: Dict[str, Any] = {}
    row = 0
    for batch in batches:
        books, _, places, quantities = _legs(batch, market, row)
        row += len(quantities)
        names = books.dictionary.to_pylist()
        contracts = market.figures.shape[1]
        cells = books.indices.to_numpy().astype(np.int64) * contracts + places
        amounts: Any = np.bincount(cells, quantities, len(names) * contracts).reshape(len(names), contracts)
        for name, own in zip(names, amounts):
            known = held.get(name)
            if known is not None:
                own[: len(known)] += known
            held[name] = own
    # By name, not by place: the order in which a market came to know its contracts must not decide how sums round.
    names, instruments = sorted(held), market.instruments
    order = sorted(range(len(instruments)), key=instruments.__getitem__)
    matrix: Any = np.zeros((len(names), len(instruments)))
    for own, name in zip(matrix, names):
        own[: len(held[name])] = held[name]
    matrix = matrix[:, order]
    shown = matrix != 0
    if len(names):
        shown[:, 0] |= ~shown.any(axis=1)  # a book whose legs cancel out has a row of zeros
    book, contract = np.nonzero(shown)
    if not len(book):
        return pa.RecordBatch.from_pylist([], schema=schema(market, "book"))
    positions = pa.table({
        "book": pa.array(names, pa.string()).take(pa.array(book)),
        "instrument": pa.array(instruments, pa.string()).take(pa.array(np.array(order)[contract])),
        "quantity": matrix[book, contract],
    })
    try:
        sums = market.sums(Positions(positions))
    except InputError as error:
        if error.row is not None:  # of what legs add up to
            error.name = f"book {names[book[error.row]]}, {instruments[order[contract[error.row]]]}"
            error.row = None
        raise
    columns = [pa.array(sums["book"].tolist()), *(pa.array(sums[name]) for name in market.names)]
    return pa.RecordBatch.from_arrays(columns, schema=schema(market, "book"))
