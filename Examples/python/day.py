"""A day of a desk, from Python: a listing, an expiry, a restart. See docs/live.md.

    python day.py
"""
import poise

COLUMNS = "instrument_name", "timestamp", "underlying_price", "mark_price", "mark_iv", "index_price", "bids", "asks"
MORNING = [
    ("BTC-3MAR26-60000-C", 1772442000000, 60200.0, 0.012, 50.0, 60150.0, [(0.0115, 50)], [(0.0125, 50)]),
    ("BTC-27MAR26-60000-C", 1772442000000, 60400.0, 0.059, 55.0, 60150.0, [(0.058, 50)], [(0.06, 50)]),
    ("BTC-PERPETUAL", 1772442000000, None, 60150.0, None, 60150.0, [(60145, 2e6)], [(60155, 2e6)]),
]
NOON = [("BTC-24APR26-62000-C", 1772452800000, 61700.0, 0.0795, 56.0, 61000.0, [(0.078, 50)], [(0.081, 50)])]


def chain_of(rows):
    return poise.Chain(dict(zip(COLUMNS, map(list, zip(*rows)))))


def hedge_now(book, moment):
    hedge = book.hedge()
    if hedge.outcome != "optimal":
        print(f"{moment}: nothing to trade")
        return
    print(f"{moment}: cost {hedge.cost:.0f} USD")
    for name, trade in zip(hedge.trades["instrument"], hedge.trades["quantity"]):
        if trade != 0:
            print(f"    {'buy ' if trade > 0 else 'sell'} {abs(trade):.5g} {name}")
    book.book_trades(book="vol")


positions = poise.Positions(
    {"book": ["rates", "vol"], "instrument": ["BTC-3MAR26-60000-C", "BTC-27MAR26-60000-C"], "quantity": [-20.0, -5.0]})
limits = poise.Limits({"underlying": ["BTC", "BTC"], "greek": ["net_delta", "vega"], "low": [-20e3, -150.0], "high": [20e3, 150.0]})
morning, noon = chain_of(MORNING), chain_of(NOON)
book = poise.Book(morning, positions, limits=limits)
hedge_now(book, "in the morning")

# Noon: a new expiry is listed. Nothing else stops.
book.tick("BTC", 61_000.0, 1772452800000)
book.list("BTC-24APR26-62000-C", 61_700.0, 1772452800000, vol=0.56)
book.add_candidates(noon)
hedge_now(book, "after the listing")

# Midnight: the process ends, and another one begins.
book = poise.Book.restore(book.save())
book.set_limits(limits)
book.add_candidates(morning)
book.add_candidates(noon)
hedge_now(book, "after the restart")

# Eight in the morning: the first expiry is delivered, and its cash is there.
book.advance(1772524800000)
for contract in book.expired:
    settled = book.settle(contract, 61_250.0)
    for payer, cash in zip(settled.payments["book"], settled.payments["cash"]):
        print(f"{contract}: {payer} gets {cash:.6f} {settled.currency}")
hedge_now(book, "after the expiry")
book.roll_off()
print(f"{len(book.contracts)} contracts are listed; cash:")
for (name, currency), amount in book.cash.items():
    print(f"    {name}: {amount:.6f} {currency}")
