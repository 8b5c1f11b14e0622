"""Every book, trade and ticker message of the test exchange through crypto-msg-parser, a stranger's parser: units of
amounts, and change ids without a gap.

    check_messages.py ws://127.0.0.1:PORT/ws/api/v2 [SECONDS]
"""

import asyncio
import json
import sys

import websockets
from crypto_msg_parser import MarketType, parse_bbo, parse_l2, parse_trade


def read(parsed: object) -> list:
    """Some of its functions answer with a text, some with what it stands for."""
    return json.loads(parsed) if isinstance(parsed, str) else parsed


async def main(address: str, seconds: float) -> None:
    counts = {"book": 0, "trades": 0, "quote": 0}
    last: dict[str, int] = {}
    async with websockets.connect(address) as socket:

        async def call(number: int, method: str, parameters: dict) -> dict:
            await socket.send(json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": parameters}))
            while True:
                reply = json.loads(await socket.recv())
                if reply.get("id") == number:
                    return reply["result"]

        listed = await call(1, "public/get_instruments", {"currency": "BTC", "kind": "option"})
        names = ["BTC-PERPETUAL"] + [one["instrument_name"] for one in listed[:40]]
        channels = [f"{kind}.{name}.100ms" for name in names for kind in ("book", "trades")]
        channels += [f"quote.{name}" for name in names]
        subscribed = await call(2, "public/subscribe", {"channels": channels})
        assert len(subscribed) == len(channels)
        end = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < end:
            try:
                text = await asyncio.wait_for(socket.recv(), 1)
            except asyncio.TimeoutError:
                continue
            message = json.loads(text)
            if message.get("method") != "subscription":
                continue
            kind, name = message["params"]["channel"].split(".")[:2]
            data = message["params"]["data"]
            market = MarketType.inverse_swap if name.endswith("PERPETUAL") else MarketType.european_option
            counts[kind] += 1
            if kind == "book":
                if data["type"] == "change":
                    assert data["prev_change_id"] == last[name], (name, data, last[name])
                last[name] = data["change_id"]
                parsed = read(parse_l2("deribit", market, text))[0]
                assert parsed["seq_id"] == data["change_id"]
                for (price, base, _, *count), (_, listed_price, amount) in zip(parsed["bids"], data["bids"]):
                    assert price == listed_price
                    # Coins for options. Of the perpetual the parser takes amounts of books, which are dollars, for contracts.
                    of_amount = count[0] if market == MarketType.inverse_swap else base
                    assert abs(of_amount - amount) <= 1e-6 * max(1, amount), (parsed, data)
            elif kind == "trades":
                parsed = read(parse_trade("deribit", market, text))
                for trade, ours in zip(parsed, data):
                    assert trade["price"] == ours["price"] and trade["side"] == ours["direction"]
                    of_amount = "quantity_contract" if market == MarketType.inverse_swap else "quantity_base"
                    assert abs(trade[of_amount] - ours["amount"]) < 1e-6 * ours["amount"], (trade, ours)
            elif data["best_bid_amount"] and data["best_ask_amount"]:
                assert read(parse_bbo("deribit", market, text))[0]["bid_price"] == data["best_bid_price"]
    assert counts["book"] > 100 and counts["quote"] > 100, counts
    print(f"crypto-msg-parser: {counts['book']} book, {counts['trades']} trade, {counts['quote']} quote messages")


asyncio.run(main(sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 30))
