"""Every reply and notification of a run that the exchange wrote down (`--record`): valid under the exchange's own API
description, its known faults aside, and with the keys and types of recorded messages of the same kind.

    check_run.py RUN DESCRIPTION [RECORDED]

RECORDED is a folder of messages of a real venue; without it their keys are not compared.
"""

import gzip
import json
import pathlib
import re
import sys
from collections import Counter

from description import Description

# Where the exchange differs from recorded messages, and why.
KNOWN_DIFFERENCES = [
    (r"order\.price is str", "an order at the market has the words market_price"),
    (r"(_map|_map\.\w+) is never there", "maps name the indices that an account has a position in"),
    (r"summaries\[\]\.fees", "an account's own fees are not told here: those of the instrument are its fees"),
    (r"(guaranteed|max)_quotes", "quotes are not served here"),
    (r"settlement_price is never there", "there is none before the first settlement"),
    (r"combo_trade_id", "combinations are not served here"),
]
# Files of recorded messages by the method whose reply, or the channel whose message, they are.
RECORDED = {
    "private/buy": ["ws_order_buy_response"],
    "private/sell": ["ws_order_sell_response"],
    "private/cancel": ["ws_order_cancel_response"],
    "private/get_account_summaries": ["http_get_account_summaries"],
    "public/get_order_book": ["http_get_order_book"],
    "public/get_time": ["http_get_time"],
    "public/test": ["http_test"],
    "public/get_tradingview_chart_data": ["http_get_tradingview_chart_data"],
    "public/get_last_trades_by_instrument": ["http_get_last_trades"],
    "channel ticker": ["ws_ticker"],
    "channel quote": ["ws_quote"],
    "channel trades": ["ws_trades"],
}


def paths(value: object, place: str = "", found: dict | None = None) -> dict[str, set[str]]:
    """Types by the keys that lead to them; elements of lists together."""
    found = {} if found is None else found
    if isinstance(value, dict):
        for key, part in value.items():
            paths(part, f"{place}.{key}" if place else key, found)
    elif isinstance(value, list):
        for part in value:
            paths(part, place + "[]", found)
    else:
        kind = "number" if isinstance(value, (int, float)) and not isinstance(value, bool) else type(value).__name__
        found.setdefault(place, set()).add(kind)
    return found


def content(message: dict) -> object:
    return message["params"]["data"] if "params" in message else message.get("result")


def recorded(folder: pathlib.Path) -> dict[str, list]:
    found: dict[str, list] = {}
    for kind, names in RECORDED.items():
        for name in names:
            file = folder / "nautilus" / f"{name}.json"
            if file.exists():
                found.setdefault(kind, []).append(content(json.loads(file.read_text())))
    captures = folder / "captures" / "cryptofeed-ws-20210722.jsonl.gz"
    if captures.exists():
        with gzip.open(captures, "rt") as file:
            for line in file:
                text = line[line.index("{") :] if "{" in line and "<-" in line else ""
                message = json.loads(text) if text else {}
                if message.get("params", {}).get("channel", "").startswith("book."):
                    found.setdefault("channel book", []).append(content(message))
    return found


def main(run: str, description: str, folder: str | None) -> None:
    api = Description(description)
    methods: dict[tuple, str] = {}
    counts: Counter = Counter()
    faults_told: Counter = Counter()
    unschemed: Counter = Counter()
    ours: dict[str, dict[str, set[str]]] = {}
    pending: str | None = None

    def reply(method: str, message: dict) -> None:
        if "error" in message:
            error = message["error"]
            assert isinstance(error["code"], int) and isinstance(error["message"], str), message
            faults_told[error["code"]] += 1
            return
        counts["replies"] += 1
        api.reply(method, message)
        if method in RECORDED:
            paths(message["result"], "", ours.setdefault(method, {}))

    with open(run, encoding="utf-8") as file:
        for number, line in enumerate(file):
            if number == 0 or not line.endswith("\n"):
                continue
            entry = json.loads(line)
            if "in" in entry and isinstance(entry["text"], str):
                try:
                    request = json.loads(entry["text"])
                    methods[entry["in"], json.dumps(request["id"])] = request["method"].lstrip("/")
                except (ValueError, KeyError, TypeError):
                    continue
            elif "http" in entry:
                request = entry["http"]
                pending = request["method"]
                if not pending and isinstance(request["body"], str):
                    try:
                        pending = json.loads(request["body"])["method"]
                    except (ValueError, KeyError, TypeError):
                        pending = ""
                pending = (pending or "").lstrip("/")
            elif "reply" in entry:
                if pending:
                    reply(pending, json.loads(entry["text"]))
                pending = None
            elif "out" in entry:
                message = json.loads(entry["text"])
                if message.get("method") == "subscription":
                    counts["notifications"] += 1
                    channel, data = message["params"]["channel"], message["params"]["data"]
                    kind = "channel " + channel.split(".")[0]
                    if not api.notification(channel, data):
                        unschemed[kind] += 1
                    if kind in RECORDED or kind == "channel book":
                        # Books of levels and intervals are of another kind.
                        if not (kind == "channel book" and len(channel.split(".")) != 3):
                            paths(data, "", ours.setdefault(kind, {}))
                elif message.get("method") == "heartbeat":
                    counts["heartbeats"] += 1
                else:
                    method = methods.pop((entry["out"], json.dumps(message.get("id"))), None)
                    if method:
                        reply(method, message)
    differences = []
    compared = 0
    for kind, samples in (recorded(pathlib.Path(folder)) if folder else {}).items():
        if kind not in ours:
            continue
        compared += 1
        there = paths(samples[0], "", {})
        always = set(there)
        for sample in samples[1:]:
            more = paths(sample, "", {})
            always &= set(more)
            for place, types in more.items():
                there.setdefault(place, set()).update(types)
        for place in sorted(always - set(ours[kind])):
            differences.append(f"{kind}: {place} is never there")
        for place, types in sorted(ours[kind].items()):
            odd = types - there[place] - {"NoneType"} if place in there else set()
            # What a recorded message has as null may have a value.
            if odd and there[place] != {"NoneType"}:
                differences.append(f"{kind}: {place} is {', '.join(sorted(odd))} where a real one is {there[place]}")
    known = [text for text in differences if any(re.search(pattern, text) for pattern, _ in KNOWN_DIFFERENCES)]
    differences = [text for text in differences if text not in known]
    for text in api.faults + differences:
        print(text)
    told = ", ".join(f"{code} {count}x" for code, count in sorted(faults_told.items()))
    print(
        f"run: {counts['replies']} replies and {counts['notifications']} notifications, "
        f"{len(api.faults)} faults beyond {len(api.known)} known of the description; faults told: {told or 'none'}"
    )
    if unschemed:
        print("  without a schema: " + ", ".join(f"{kind} {count}x" for kind, count in sorted(unschemed.items())))
    if folder:
        print(f"  keys and types of {compared} kinds as recorded, {len(differences)} differences beyond {len(known)} known")
    sys.exit(1 if api.faults or differences else 0)


main(sys.argv[1], sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else None)
