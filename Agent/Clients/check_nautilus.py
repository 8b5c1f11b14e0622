"""nautilus_trader on the test exchange: its start-up reconciliation finds an order and a position that were there before,
and an order lives through its execution client: accepted, modified, cancelled; filled; the position read back.

    check_nautilus.py http://127.0.0.1:PORT CLIENT_ID CLIENT_SECRET
"""

import asyncio
import base64
import json
import sys
import urllib.request
from decimal import Decimal

from nautilus_trader.adapters.deribit import config as deribit, execution, factories
from nautilus_trader.config import (
    InstrumentProviderConfig,
    LiveExecEngineConfig,
    LoggingConfig,
    StrategyConfig,
    TradingNodeConfig,
)
from nautilus_trader.core import nautilus_pyo3
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.enums import BookType, OrderSide, OrderStatus, TimeInForce
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.trading.strategy import Strategy

PERPETUAL = InstrumentId.from_str("BTC-PERPETUAL.DERIBIT")
base, client, secret = sys.argv[1:4]


def call(method: str, **parameters: object) -> dict:
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}).encode()
    token = base64.b64encode(f"{client}:{secret}".encode()).decode()
    request = urllib.request.Request(
        f"{base}/api/v2", body, {"Content-Type": "application/json", "Authorization": f"Basic {token}"}
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)["result"]


class Shim:
    """Its Python execution client has no setting for the WebSocket's address."""

    @staticmethod
    def with_credentials(environment, api_key, api_secret, account_id, proxy_url=None):
        socket = nautilus_pyo3.DeribitWebSocketClient(
            url=base.replace("http", "ws") + "/ws/api/v2",
            api_key=api_key,
            api_secret=api_secret,
            environment=environment,
        )
        socket.set_account_id(account_id)
        return socket


class Pyo3:
    """The module with the shim in it."""

    DeribitWebSocketClient = Shim

    def __getattr__(self, name: str) -> object:
        return getattr(nautilus_pyo3, name)


class Life(Strategy):
    """One order placed, modified and cancelled, then one at the market."""

    def __init__(self, config: StrategyConfig) -> None:
        super().__init__(config)
        self.seen: list[str] = []
        self.deltas = 0
        self.quotes = 0
        self.done = asyncio.Event()

    def on_start(self) -> None:
        self.instrument = self.cache.instrument(PERPETUAL)
        self.subscribe_order_book_deltas(PERPETUAL, book_type=BookType.L2_MBP)
        self.subscribe_quote_ticks(PERPETUAL)

    def on_stop(self) -> None:
        pass

    def on_order_book_deltas(self, deltas) -> None:
        self.deltas += 1

    def on_quote_tick(self, tick) -> None:
        self.quotes += 1
        if self.quotes == 3:
            price = self.instrument.make_price(round(float(tick.bid_price) * 0.985 * 2) / 2)
            self.first = self.order_factory.limit(
                PERPETUAL, OrderSide.BUY, self.instrument.make_qty(100), price, post_only=True
            )
            self.submit_order(self.first)

    def on_order_accepted(self, event) -> None:
        self.seen.append("accepted")
        if event.client_order_id == self.first.client_order_id:
            self.modify_order(self.first, quantity=self.instrument.make_qty(200), price=self.first.price)

    def on_order_updated(self, event) -> None:
        self.seen.append("updated")
        self.cancel_order(self.first)

    def on_order_canceled(self, event) -> None:
        self.seen.append("canceled")
        self.second = self.order_factory.market(
            PERPETUAL, OrderSide.BUY, self.instrument.make_qty(50), time_in_force=TimeInForce.IOC
        )
        self.submit_order(self.second)

    def on_order_filled(self, event) -> None:
        self.seen.append("filled")
        if event.client_order_id == self.second.client_order_id and self.second.is_closed:
            self.done.set()

    def on_order_rejected(self, event) -> None:
        self.seen.append(f"rejected: {event.reason}")
        self.done.set()

    on_order_modify_rejected = on_order_rejected
    on_order_cancel_rejected = on_order_rejected


async def main() -> TradingNode:
    call("private/cancel_all")
    bid = call("public/get_order_book", instrument_name="BTC-PERPETUAL", depth=1)["bids"][0][0]
    before = call("private/buy", instrument_name="BTC-PERPETUAL", amount=1000, type="market")["order"]
    resting = call(
        "private/buy", instrument_name="BTC-PERPETUAL", amount=70, price=round(bid * 0.98 * 2) / 2, label="before"
    )["order"]
    held = call("private/get_position", instrument_name="BTC-PERPETUAL")["size"]
    assert before["order_state"] == "filled"

    execution.nautilus_pyo3 = Pyo3()
    common = {
        "api_key": client,
        "api_secret": secret,
        "base_url_http": f"{base}/api/v2",
        "base_url_ws": base.replace("http", "ws") + "/ws/api/v2",
        "instrument_provider": InstrumentProviderConfig(load_all=True),
        "product_types": (nautilus_pyo3.DeribitProductType.FUTURE,),
    }
    node = TradingNode(
        config=TradingNodeConfig(
            trader_id="PRACTICE-001",
            logging=LoggingConfig(log_level="WARNING"),
            exec_engine=LiveExecEngineConfig(
                reconciliation=True,
                reconciliation_lookback_mins=1440,
                reconciliation_startup_delay_secs=1.0,
                # Its Python client leaves out what its Rust part makes of a fill: this finds it.
                open_check_interval_secs=2.0,
                open_check_open_only=False,
            ),
            data_clients={"DERIBIT": deribit.DeribitDataClientConfig(**common)},
            exec_clients={"DERIBIT": deribit.DeribitExecClientConfig(**common)},
            timeout_connection=30.0,
            timeout_reconciliation=30.0,
            timeout_disconnection=5.0,
        )
    )
    strategy = Life(StrategyConfig(order_id_tag="001"))
    node.trader.add_strategy(strategy)
    node.add_data_client_factory("DERIBIT", factories.DeribitLiveDataClientFactory)
    node.add_exec_client_factory("DERIBIT", factories.DeribitLiveExecClientFactory)
    node.build()
    running = asyncio.ensure_future(node.run_async())
    try:
        await asyncio.wait_for(strategy.done.wait(), 90)
        await asyncio.sleep(1)
        assert strategy.seen[:3] == ["accepted", "updated", "canceled"], strategy.seen
        assert not any(one.startswith("rejected") for one in strategy.seen), strategy.seen
        assert strategy.first.status == OrderStatus.CANCELED and strategy.first.quantity == 200
        assert strategy.second.filled_qty == 50, strategy.second
        # What was there before it came.
        reconciled = [order for order in node.cache.orders_open() if order.venue_order_id.value == resting["order_id"]]
        assert len(reconciled) == 1 and reconciled[0].quantity == 70, node.cache.orders()
        net = node.portfolio.net_position(PERPETUAL)
        assert net == Decimal(str(held + 50)), (net, held)
        theirs = call("private/get_position", instrument_name="BTC-PERPETUAL")["size"]
        assert theirs == held + 50, (theirs, held)
        fills = strategy.seen.count("filled")
        print(
            f"nautilus_trader {nautilus_pyo3.NAUTILUS_VERSION}: an order and {held:g} dollars reconciled at the start; "
            f"accepted, modified, cancelled, filled ({fills} fills); {strategy.deltas} book and {strategy.quotes} quote messages"
        )
    finally:
        await node.stop_async()
        running.cancel()
        await asyncio.wait([running], timeout=10)
        call("private/cancel_all")
    return node


# Disposing of a node stops its loop: nothing may wait in it then.
loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)
loop.run_until_complete(main()).dispose()
