"""cryptofeed, which speaks TLS only and checks change ids, on the test exchange: an injected gap makes it connect again.

    SSL_CERT_FILE=CERTIFICATE check_cryptofeed.py https://localhost:PORT CONTROL_URL

CONTROL_URL is the control port's, with its token in the query.
"""

import asyncio
import json
import logging
import sys
import urllib.parse
import urllib.request

from cryptofeed import FeedHandler
from cryptofeed.connection import RestEndpoint, Routes, WebsocketEndpoint
from cryptofeed.defines import FUNDING, L1_BOOK, L2_BOOK, OPEN_INTEREST, TICKER, TRADES
from cryptofeed.exchanges import Deribit

SYMBOLS = ["BTC-USD-PERP", "ETH-USD-PERP"]
counts: dict[str, int] = {}
gaps: list[str] = []


class Gaps(logging.Handler):
    """What cryptofeed says of missing messages."""

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if "Missing sequence number" in text:
            gaps.append(text)


def add_gap(control: str) -> None:
    parts = urllib.parse.urlsplit(control)
    token = urllib.parse.parse_qs(parts.query)["token"][0]
    rule = {"kind": "book_gap", "channel": "book.", "instrument": "BTC-PERPETUAL", "count": 1}
    request = urllib.request.Request(
        f"{parts.scheme}://{parts.netloc}/control/faults",
        json.dumps([rule]).encode(),
        {"Authorization": f"Bearer {token}"},
    )
    urllib.request.urlopen(request, timeout=10).read()


async def main(base: str, control: str) -> None:
    Deribit.websocket_endpoints = [WebsocketEndpoint(base.replace("https", "wss") + "/ws/api/v2")]
    lists = [f"/api/v2/public/get_instruments?currency={currency}" for currency in ("BTC", "ETH", "USDC", "SOL")]
    Deribit.rest_endpoints = [RestEndpoint(base, routes=Routes(lists))]
    logging.getLogger("cryptofeed").addHandler(Gaps())
    snapshots = []

    def counter(name: str):
        async def called(message, _receipt):
            counts[name] = counts.get(name, 0) + 1
            if name == "book":
                # A book that is whole, and never crossed.
                bids, asks = message.book.bids, message.book.asks
                assert bids.index(0)[0] < asks.index(0)[0], message
                if message.delta is None:
                    snapshots.append(message.symbol)

        return called

    channels = {L2_BOOK: "book", TICKER: "ticker", TRADES: "trades", L1_BOOK: "quote", FUNDING: "funding"}
    channels[OPEN_INTEREST] = "open interest"
    handler = FeedHandler()
    handler.add_feed(
        Deribit(
            symbols=SYMBOLS,
            channels=list(channels),
            callbacks={channel: counter(name) for channel, name in channels.items()},
        )
    )
    running = asyncio.ensure_future(handler.run_async(install_signal_handlers=False))

    async def until(condition, what: str) -> None:
        for _ in range(600):
            if condition():
                return
            if running.done():
                await running
            await asyncio.sleep(0.1)
        raise AssertionError(f"{what}: {counts}, {len(snapshots)} snapshots, gaps {gaps}")

    await until(lambda: len(snapshots) >= 2 and counts.get("book", 0) > 20, "books")
    await until(lambda: all(counts.get(name) for name in channels.values()), "every channel")
    assert not gaps, gaps
    add_gap(control)
    await until(lambda: gaps, "the gap is found")
    await until(lambda: len(snapshots) >= 4, "snapshots anew")
    told = counts["book"]
    await until(lambda: counts["book"] > told + 20, "books go on")
    assert len(gaps) == 1, gaps
    running.cancel()
    await asyncio.wait([running], timeout=15)
    import cryptofeed

    version = getattr(cryptofeed, "__version__", "3.0.1")
    told = ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))
    print(f"cryptofeed {version} over TLS: {told}; one gap, found and mended by connecting again")


asyncio.run(main(*sys.argv[1:3]))
