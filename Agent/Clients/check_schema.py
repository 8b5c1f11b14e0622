"""Every reply of the test exchange against the exchange's own API description, its known faults left aside.

    check_schema.py http://127.0.0.1:PORT CLIENT_ID CLIENT_SECRET deribit-openapi.json.gz
"""

import base64
import json
import sys
import urllib.error
import urllib.request

from description import Description


def main(base: str, client: str, secret: str, description: str) -> None:
    api = Description(description)
    token = base64.b64encode(f"{client}:{secret}".encode()).decode()

    def call(method: str, **parameters: object) -> dict:
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}).encode()
        request = urllib.request.Request(
            f"{base}/api/v2", body, {"Content-Type": "application/json", "Authorization": f"Basic {token}"}
        )
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as fault:
            raise SystemExit(f"{method}: {fault.read().decode()}") from None

    def check(method: str, **parameters: object) -> dict:
        reply = call(method, **parameters)
        api.reply(method, reply)
        return reply["result"]

    perpetual = "BTC-PERPETUAL"
    check("public/get_time")
    check("public/test")
    check("public/hello", client_name="check", client_version="1")
    check("public/status")
    check("public/get_currencies")
    for currency in ("BTC", "ETH", "USDC"):
        check("public/get_instruments", currency=currency)
    options = [one for one in check("public/get_instruments", currency="BTC", kind="option")]
    option = options[len(options) // 2]["instrument_name"]
    for name in (perpetual, option):
        check("public/get_instrument", instrument_name=name)
        check("public/ticker", instrument_name=name)
        check("public/get_order_book", instrument_name=name, depth=5)
        check("public/get_book_summary_by_instrument", instrument_name=name)
        check("public/get_last_trades_by_instrument", instrument_name=name)
    check("public/get_book_summary_by_currency", currency="BTC")
    check("public/get_index_price", index_name="btc_usd")
    check("public/get_last_trades_by_currency", currency="BTC")
    check("public/auth", grant_type="client_credentials", client_id=client, client_secret=secret)

    ticker = call("public/ticker", instrument_name=perpetual)["result"]
    low = round(ticker["best_bid_price"] * 0.985 * 2) / 2
    resting = check("private/buy", instrument_name=perpetual, amount=100, price=low, label="schema")["order"]
    check("private/edit", order_id=resting["order_id"], amount=200, price=low + 0.5)
    check("private/get_open_orders")
    check("private/get_open_orders_by_currency", currency="BTC")
    check("private/get_open_orders_by_instrument", instrument_name=perpetual)
    check("private/get_order_state", order_id=resting["order_id"])
    check("private/get_order_state_by_label", currency="BTC", label="schema")
    check("private/cancel", order_id=resting["order_id"])
    check("private/cancel_by_label", label="schema")
    check("private/cancel_all")
    bought = check("private/buy", instrument_name=perpetual, amount=100, type="market")["order"]
    check("private/buy", instrument_name=option, amount=1, type="market")
    stop = {"type": "stop_market", "trigger": "mark_price", "trigger_price": low}
    check("private/sell", instrument_name=perpetual, amount=100, reduce_only=True, **stop)
    check("private/cancel_all_by_instrument", instrument_name=perpetual)
    check("private/get_positions", currency="BTC")
    check("private/get_position", instrument_name=perpetual)
    check("private/get_account_summary", currency="BTC", extended=True)
    check("private/get_account_summaries")
    check("private/get_user_trades_by_currency", currency="BTC")
    check("private/get_user_trades_by_instrument", instrument_name=perpetual)
    check("private/get_user_trades_by_order", order_id=bought["order_id"])
    check("private/get_order_history_by_currency", currency="BTC")
    check("public/get_contract_size", instrument_name=perpetual)
    check("public/get_expirations", currency="any", kind="any")
    check("public/get_index_price_names")
    span = {"start_timestamp": ticker["timestamp"] - 600_000, "end_timestamp": ticker["timestamp"] + 600_000}
    check("public/get_tradingview_chart_data", instrument_name=perpetual, resolution="1", **span)
    protection = {"index_name": "eth_usd", "interval": 5, "frozen_time": 5, "max_quote_quantity": 10}
    check("private/set_mmp_config", quantity_limit=5, **protection)
    check("private/get_mmp_config", index_name="eth_usd")
    check("private/get_mmp_status")
    check("private/reset_mmp", index_name="eth_usd")
    check("private/set_mmp_config", **{**protection, "interval": 0})
    check("private/set_self_trading_config", mode="cancel_maker", extended_to_subaccounts=False)
    check("private/get_margins", instrument_name=perpetual, amount=100, price=low)
    check("private/get_transaction_log", currency="BTC", start_timestamp=0, end_timestamp=9_999_999_999_999)
    check("private/sell", instrument_name=perpetual, amount=100, type="market")
    for fault in api.faults:
        print(fault)
    print(f"schema: {api.checked} replies, {len(api.faults)} faults beyond those known of the description")
    sys.exit(1 if api.faults else 0)


main(*sys.argv[1:5])
