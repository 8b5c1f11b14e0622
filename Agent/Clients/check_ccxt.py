"""ccxt, unchanged but for its addresses, trades on the test exchange: markets, books, orders, fills, positions.

    check_ccxt.py http://127.0.0.1:PORT CLIENT_ID CLIENT_SECRET
"""

import asyncio
import sys

import ccxt
import ccxt.pro

PERPETUAL = "BTC/USD:BTC"


def rest(base: str, client: str, secret: str) -> None:
    venue = ccxt.deribit({"apiKey": client, "secret": secret, "options": {"adjustForTimeDifference": False}})
    venue.urls["api"]["rest"] = base
    markets = venue.load_markets()
    options = [market for market in markets.values() if market["option"]]
    assert PERPETUAL in markets and len(options) > 100, len(markets)
    assert abs(venue.fetch_time() - venue.milliseconds()) < 10_000
    assert venue.fetch_status()["status"] == "ok"
    book = venue.fetch_order_book(PERPETUAL)
    bid, ask = book["bids"][0][0], book["asks"][0][0]
    assert bid < ask
    ticker = venue.fetch_ticker(PERPETUAL)
    assert ticker["bid"] and ticker["ask"] and ticker["markPrice"]
    tickers = venue.fetch_tickers(params={"currency": "BTC"})
    assert len(tickers) > 50
    symbols = {market["symbol"] for market in options}
    dear = next(one for one in tickers.values() if one["symbol"] in symbols and (one["ask"] or 0) > 0.01)
    assert venue.fetch_ticker(options[0]["symbol"])["markPrice"]
    before = venue.fetch_balance()["BTC"]["total"]
    assert before > 0

    price = round(bid * 0.985 * 2) / 2
    order = venue.create_order(PERPETUAL, "limit", "buy", 100, price, {"label": "first"})
    assert order["status"] == "open" and order["price"] == price, order
    assert [one["id"] for one in venue.fetch_open_orders(PERPETUAL)] == [order["id"]]
    edited = venue.edit_order(order["id"], PERPETUAL, "limit", "buy", 200, price + 0.5)
    assert edited["id"] == order["id"] and edited["amount"] == 200, edited
    cancelled = venue.cancel_order(order["id"], PERPETUAL)
    assert cancelled["status"] == "canceled", cancelled
    assert venue.fetch_order(order["id"], PERPETUAL)["status"] == "canceled"

    held = sum(one["contracts"] * (1 if one["side"] == "long" else -1) for one in venue.fetch_positions([PERPETUAL]))
    bought = venue.create_order(PERPETUAL, "market", "buy", 1000)
    assert bought["filled"] == 1000, bought
    position = venue.fetch_position(PERPETUAL)
    assert position["contracts"] == held + 1000 and position["side"] == "long", position
    trades = venue.fetch_my_trades(PERPETUAL)
    assert sum(trade["amount"] for trade in trades if trade["order"] == bought["id"]) == 1000
    sold = venue.create_order(PERPETUAL, "limit", "sell", 1000, price, {"reduce_only": True, "timeInForce": "IOC"})
    assert sold["filled"] > 0, sold
    try:
        # ccxt rounds prices to ticks; the method behind it does not.
        venue.private_get_buy({"instrument_name": "BTC-PERPETUAL", "amount": 100, "price": price + 0.1})
        raise AssertionError("a price between ticks was taken")
    except ccxt.BaseError:
        pass
    try:
        venue.create_order(dear["symbol"], "limit", "buy", 90_000, dear["ask"])
        raise AssertionError("an order without funds was taken")
    except ccxt.InsufficientFunds:
        pass
    print(f"ccxt {ccxt.__version__} rest: {len(markets)} markets, {len(trades)} own trades")


async def streams(base: str, client: str, secret: str) -> None:
    venue = ccxt.pro.deribit({"apiKey": client, "secret": secret})
    venue.urls["api"]["rest"] = base
    venue.urls["api"]["ws"] = base.replace("http", "ws") + "/ws/api/v2"
    seen = []

    async def watch(name: str, *arguments: object, **named: object) -> object:
        result = await asyncio.wait_for(getattr(venue, f"watch_{name}")(*arguments, **named), 60)
        seen.append(name)
        return result

    async def trade(name: str, *arguments: object) -> object:
        """What a channel says when something is bought; bought again until it does."""
        watching = asyncio.ensure_future(watch(name, *arguments))
        for _ in range(10):
            await asyncio.sleep(1)
            if not watching.done():
                await venue.create_order(PERPETUAL, "market", "buy", 10)
            if watching.done():
                break
        return await watching

    try:
        for _ in range(5):
            book = await watch("order_book", PERPETUAL)
            assert book["bids"][0][0] < book["asks"][0][0]
        both = await watch("order_book_for_symbols", [PERPETUAL, "ETH/USD:ETH"])
        assert both["bids"] and both["asks"]
        ticker = await watch("ticker", PERPETUAL)
        assert ticker["bid"] and ticker["markPrice"]
        assert PERPETUAL in await watch("tickers", [PERPETUAL])
        best = (await watch("bids_asks", [PERPETUAL]))[PERPETUAL]
        assert best["bid"] < best["ask"], best
        trades = await trade("trades", PERPETUAL)
        assert trades[-1]["symbol"] == PERPETUAL and trades[-1]["amount"] > 0
        own = await trade("my_trades", PERPETUAL)
        assert own[-1]["fee"]["currency"] == "BTC" and own[-1]["takerOrMaker"] == "taker", own[-1]
        candle = (await trade("ohlcv", PERPETUAL, "1m"))[-1]
        assert candle[2] >= candle[4] >= candle[3], candle
        balance = await trade("balance")
        # It keeps what a currency's message says under the currency, as a balance of its own.
        assert balance["BTC"]["total"]["BTC"] > 0, balance["BTC"]
        watching = asyncio.ensure_future(watch("orders"))
        await asyncio.sleep(1)
        order = await venue.create_order(PERPETUAL, "limit", "buy", 50, round(book["bids"][0][0] * 0.985 * 2) / 2)
        orders = await watching
        assert orders[-1]["id"] == order["id"] and orders[-1]["status"] == "open", orders
        await venue.edit_order(order["id"], PERPETUAL, "limit", "buy", 60, order["price"])
        await venue.cancel_order(order["id"], PERPETUAL)
        while (await watch("orders"))[-1]["status"] != "canceled":
            pass
        candles = await venue.fetch_ohlcv(PERPETUAL, "1m", limit=5)
        assert candles and candles[-1][5] > 0, candles
        print(f"ccxt {ccxt.__version__} streams: {', '.join(sorted(set(seen)))}")
    finally:
        await venue.close()


rest(*sys.argv[1:4])
asyncio.run(streams(*sys.argv[1:4]))
