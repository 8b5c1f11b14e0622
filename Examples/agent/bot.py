"""A market maker of thirty lines: quotes the perpetual a little outside the best prices, holds its position near nothing.

    pip install ccxt
    scripts/agent exchange --port 8080
    python Examples/agent/bot.py http://127.0.0.1:8080 alice secret-of-alice 60
"""

import sys
import time

import ccxt

address, client, secret, seconds = sys.argv[1:5]
symbol, size, most = "BTC/USD:BTC", 500, 3000
venue = ccxt.deribit({"apiKey": client, "secret": secret})
venue.urls["api"]["rest"] = address
venue.cancel_all_orders(symbol)
started, placed, late = time.time(), 0, 0
while time.time() - started < float(seconds):
    book = venue.fetch_order_book(symbol, 5)
    position = venue.fetch_position(symbol)
    held = (position["contracts"] or 0) * (1 if position["side"] == "long" else -1)
    for side, levels in (("buy", book["bids"]), ("sell", book["asks"])):
        if (held if side == "buy" else -held) < most:
            try:
                venue.create_order(symbol, "limit", side, size, levels[0][0], {"post_only": True})
                placed += 1
            except ccxt.InvalidOrder:  # the other side has come to this price meanwhile
                late += 1
    time.sleep(0.5)
    venue.cancel_all_orders(symbol)
trades = venue.fetch_my_trades(symbol, int(started * 1000))
bought = sum(trade["amount"] * (1 if trade["side"] == "buy" else -1) for trade in trades)
print(f"{placed} orders placed, {late} too late, {len(trades)} trades, {bought:+} dollars held")
