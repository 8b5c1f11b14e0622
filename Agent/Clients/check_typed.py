"""typed-deribit, which checks every reply and notification against its own types, on the test exchange.

    check_typed.py http://127.0.0.1:PORT CLIENT_ID CLIENT_SECRET
"""

import asyncio
import sys
from datetime import datetime, timedelta, timezone

from typed_deribit import Deribit

PERPETUAL = "BTC-PERPETUAL"


def connect(base: str, client: str, secret: str, http_auth: str) -> Deribit:
    venue = Deribit.new(client_id=client, client_secret=secret, http_auth=http_auth)
    object.__setattr__(venue.rpc_client, "base_url", base + "/api/v2")
    venue.ws_client.conn.url = base.replace("http", "ws") + "/ws/api/v2"
    venue.ws_client.conn.heartbeat_interval = 30
    return venue


async def methods(venue: Deribit, transport: str) -> int:
    on = {"transport": transport}
    data, trading, account = venue.market_data, venue.trading, venue.account
    instruments = await data.get_instruments("BTC", **on)
    option = next(one["instrument_name"] for one in instruments if one["kind"] == "option")
    assert len(instruments) > 50
    for name in (PERPETUAL, option):
        # Its type of an option's `underlying_index` is a number, real replies have a name.
        unless = {"validate": False} if name == option else {}
        await data.ticker(name, **unless, **on)
        await data.get_order_book(name, depth=10, **unless, **on)
        await data.get_last_trades_by_instrument(name, **on)
    await data.get_book_summary_by_currency("BTC", validate=False, **on)
    await data.get_index_price("btc_usd", **on)
    await venue.supporting.get_time(**on)
    await venue.supporting.status(**on)
    bid = (await data.get_order_book(PERPETUAL, depth=1, **on))["bids"][0][0]
    price = round(bid * 0.985 * 2) / 2
    label = f"typed {transport}"
    order = (
        await trading.buy(
            {"instrument_name": PERPETUAL, "amount": 100, "type": "limit", "price": price, "label": label}, **on
        )
    )["order"]
    assert order["order_state"] == "open", order
    edited = await trading.edit(order["order_id"], amount=200, price=price + 0.5, **on)
    assert edited["order"]["amount"] == 200
    assert [one["order_id"] for one in await trading.get_open_orders(**on)] == [order["order_id"]]
    assert (await trading.get_order_state_by_label(currency="BTC", label=label, **on))[0]["order_state"] == "open"
    assert (await trading.cancel(order["order_id"], **on))["order_state"] == "cancelled"
    assert (await trading.get_order_state(order["order_id"], **on))["order_state"] == "cancelled"
    bought = await trading.buy({"instrument_name": PERPETUAL, "amount": 50, "type": "market"}, **on)
    assert sum(trade["amount"] for trade in bought["trades"]) == 50
    await trading.get_user_trades_by_currency(currency="BTC", **on)
    await trading.get_margins(PERPETUAL, amount=100, price=bid, **on)
    await account.get_positions(**on)
    assert (await account.get_position(PERPETUAL, **on))["size"] >= 50
    now = datetime.now(timezone.utc)
    await account.get_transaction_log(
        currency="BTC", start_timestamp=now - timedelta(days=400), end_timestamp=now + timedelta(days=4000), **on
    )
    # Its type of `fees` is an object, real replies have a list: the one method that is read unchecked.
    await account.get_account_summary("BTC", extended=True, validate=False, **on)
    assert await trading.cancel_all(**on) == 0
    return 21


async def streams(venue: Deribit) -> int:
    data, user = venue.streams.market_data, venue.streams.user
    wanted = {
        "book": data.book(PERPETUAL, interval="100ms"),
        "ticker": data.ticker(PERPETUAL, interval="100ms"),
        "quote": data.quote(PERPETUAL),
        "price index": data.price_index("btc_usd"),
        "marks": data.mark_price_options("btc_usd"),
        "perpetual": data.perpetual(PERPETUAL, interval="100ms"),
        "orders": user.orders_by_instrument_raw(PERPETUAL),
        "trades": user.trades_by_instrument(PERPETUAL, interval="raw"),
        "changes": user.changes_by_instrument(PERPETUAL, interval="raw"),
        "portfolio": user.portfolio("BTC"),
    }
    seen = {}

    async def watch(name, manager):
        async with manager as stream:
            async for message in stream:
                seen[name] = message
                return

    watching = [asyncio.ensure_future(watch(name, manager)) for name, manager in wanted.items()]
    await asyncio.sleep(1)
    await venue.trading.buy({"instrument_name": PERPETUAL, "amount": 10, "type": "market"}, transport="ws")
    await asyncio.wait_for(asyncio.gather(*watching), 60)
    assert seen["orders"]["instrument_name"] == PERPETUAL
    return len(seen)


async def run(base: str, client: str, secret: str) -> None:
    for http_auth in ("token", "hmac"):
        async with connect(base, client, secret, http_auth) as venue:
            count = await methods(venue, "http")
            print(f"typed-deribit http ({http_auth}): {count} methods")
            if http_auth == "token":
                await venue.session.enable_cancel_on_disconnect("connection", transport="ws")
                print(f"typed-deribit ws: {await methods(venue, 'ws')} methods, {await streams(venue)} streams")


asyncio.run(run(*sys.argv[1:4]))
