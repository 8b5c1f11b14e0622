import numpy as np
import poise
import pytest
from conftest import random_options

GRID = {"vol_rules": {"up": {"relative": 0.5}, "same": {}}, "scenarios": [{"spot": [-0.1, 0, 0.1], "vol": ["up", "same"]}]}


def test_grid():
    grid = poise.Grid(GRID)
    assert len(grid) == 6 and grid.titles[0] == "-10%, vol up" and "6 scenarios" in repr(grid)
    with pytest.raises(poise.InputError) as caught:
        poise.Grid({"scenarios": [{"spot": [-2]}]})
    assert "spot" in caught.value.field


def test_legs_are_revalued():
    """Profits are differences of prices at the moved market."""
    options, grid = random_options(33), poise.Grid(GRID)
    profits = poise.leg_scenarios(grid, **options)
    base = poise.greeks(**options)["price"]
    moves = [(1 + spot, vol) for vol in (1.5, 1) for spot in (-0.1, 0, 0.1)]
    for number, (spot, vol) in enumerate(moves):
        moved = poise.greeks(**dict(options, spot=options["spot"] * spot, vol=options["vol"] * vol))["price"]
        np.testing.assert_allclose(profits[:, number], moved - base, rtol=1e-12, atol=1e-12)
    assert (profits[:, 4] == 0).all()
    out = np.full((33, 8), np.nan)
    assert poise.leg_scenarios(grid, **options, out=out[:, 1:7]).base is out
    assert np.array_equal(out[:, 1:7], profits) and np.isnan(out[:, [0, 7]]).all()
    with pytest.raises(ValueError, match=r"shape \(33, 6\)"):
        poise.leg_scenarios(grid, **options, out=np.empty((33, 5)))
    with pytest.raises(poise.InputError) as caught:
        poise.leg_scenarios(grid, **dict(options, strike=np.full(33, -1.0)))
    assert (caught.value.row, caught.value.field) == (0, "strike")


def test_books_are_sums_of_their_contracts(chain, positions):
    grid = poise.Grid(GRID)
    books = poise.scenarios(chain, positions, grid, by=("book",))
    firm = poise.scenarios(chain, positions, grid, by=("underlying",))
    assert list(books) == ["book", *grid.titles] and len(books["book"]) == 20
    for title in grid.titles:
        assert books[title].sum() == pytest.approx(firm[title].sum(), rel=1e-12)
    assert (books["0%, vol same"] == 0).all()
    # A small move's profit is the delta's.
    small = poise.scenarios(chain, positions, poise.Grid({"scenarios": [{"spot": [-1e-6, 1e-6]}]}), by=("book",))
    delta = (small["+0.0001%, vol same"] - small["-0.0001%, vol same"]) / 2e-6
    np.testing.assert_allclose(delta, poise.exposures(chain, positions, by=("book",))["delta_usd"], rtol=1e-5, atol=50)


def test_equal_titles_are_numbered(chain, positions):
    twice = poise.Grid({"scenarios": [{"spot": 0.1}, {"spot": 0.1, "dampening": 0.5}]})
    profits = poise.scenarios(chain, positions, twice)
    assert list(profits)[2:] == ["+10%, vol same", "+10%, vol same (2)"]
    np.testing.assert_allclose(profits["+10%, vol same (2)"], profits["+10%, vol same"] / 2)
