"""The exchange's own API description, and its known faults: what real messages have and it forbids."""

import gzip
import json
import re

import jsonschema
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

# Faults of the description: real messages have what it forbids. A place in a reply, and what is wrong.
KNOWN_FAULTS = [
    (r"tick_size_steps", "is a list"),
    (r"(quote|base|counter|settlement)_currency", "is not of three currencies only"),
    (r"settlement_period", "is also a day"),
    (r"contract_size", "is a fraction for linear contracts"),
    (r"(^|\.)fees", "is a list"),
    (r"self_trading_extended_to_subaccounts", "is a boolean"),
    (r"underlying_index", "is a text"),
    (r"(reduce_only|post_only)", "is a boolean"),
    (r"matching_id", "is null"),
    (r"referrer_id", "is null"),
    (r"instrument_type|price_index", "has more values than are listed"),
    (r"fee_currency|\.currency", "has more values than are listed"),
    (r"(stats\.|result\.\d+\.)(high|low|price_change)$", "is null where nothing was traded"),
    (r"(last|last_price)$", "is null where nothing was traded"),
    (r"(bid|ask|mid)_price$", "is null in summaries where nobody quotes"),
    (r"continuation$", "is null where nothing follows"),
    (r"block_rfq_self_match_prevention$", "is a boolean"),
    (r"estimated_liquidation_price$", "is left out where there is none"),
    (r"^currency$", "is written in capitals in portfolios"),
    (r"^result\.\d+$", "index names are texts where nothing more was asked for"),
    (r"^result$", "expirations of any currency are by kind, without the currency above"),
    (r"^id$", "may be a text, which is sent back as it came"),
    (r"open_orders_margin$", "is not in positions any more"),
]

# Notifications that the description has a schema for, by the first words of their channel; lists where it says so.
NOTIFICATIONS = [
    (r"ticker\.", "TickerNotification", False),
    (r"trades\.", "public_trade", True),
    (r"user\.orders\..*\.raw$", "order", False),
    (r"user\.orders\.", "order", True),
    (r"user\.trades\.", "user_trade", True),
    (r"user\.changes\.", "user_change", False),
    (r"user\.portfolio\.", "currency_portfolio", False),
]


class Description:
    """Checks replies and notifications. What has the same shape as what was checked before is not checked again."""

    def __init__(self, path: str) -> None:
        with gzip.open(path) as file:
            self.api = json.load(file)
        self.registry = Registry().with_resource("urn:api", Resource(contents=self.api, specification=DRAFT4))
        self.validators: dict[str, jsonschema.Draft4Validator] = {}
        self.seen: set[tuple] = set()
        self.faults: list[str] = []
        self.checked = 0
        self.known: set[str] = set()

    def reply(self, method: str, reply: dict) -> None:
        """Checks a reply that is not a fault against the schema of its method."""
        path = self.api["paths"].get("/" + method)
        if path is None:
            self.faults.append(f"{method}: the description has no such method")
            return
        verb = next(iter(path))
        response = path[verb]["responses"]["200"]
        place = response.get("$ref", f"#/paths/~1{method.replace('/', '~1')}/{verb}/responses/200")
        self._check(method, f"{place}/content/application~1json/schema", reply)

    def notification(self, channel: str, data: object) -> bool:
        """Checks what a channel says; whether there is a schema for it."""
        for pattern, schema, is_list in NOTIFICATIONS:
            if re.match(pattern, channel):
                for part in data if is_list else [data]:
                    kind = ".".join(channel.split(".")[:2]) if channel.startswith("user") else channel.split(".")[0]
                    self._check(kind, f"#/components/schemas/{schema}", part)
                return True
        return False

    def _check(self, name: str, place: str, message: object) -> None:
        self.checked += 1
        thin = thinned(message)
        key = (place, json.dumps(shape(thin)))
        if key in self.seen:
            return
        self.seen.add(key)
        validator = self.validators.get(place)
        if validator is None:
            validator = jsonschema.Draft4Validator({"$ref": f"urn:api{place}"}, registry=self.registry)
            self.validators[place] = validator
        for error in validator.iter_errors(thin):
            spot = ".".join(str(part) for part in error.absolute_path)
            missing = re.match(r"'(\w+)' is a required property", error.message)
            spot = f"{spot}.{missing[1]}" if missing else spot
            known = next((why for pattern, why in KNOWN_FAULTS if re.search(pattern, spot)), None)
            if known is None:
                self.faults.append(f"{name}: {spot}: {error.message[:160]}")
            else:
                self.known.add(known)


def shape(value: object) -> object:
    """What matters to a schema: keys, types, signs, and texts that may be words of a list."""
    if isinstance(value, dict):
        return {key: shape(part) for key, part in sorted(value.items())}
    if isinstance(value, list):
        return [shape(part) for part in value]
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, (int, float)):
        return type(value).__name__ + ("-" if value < 0 else "0" if value == 0 else "+")
    return value if re.fullmatch(r"[A-Za-z_]{1,24}", value) else "text"


def thinned(value: object) -> object:
    """The same with one element of each shape in its lists."""
    if isinstance(value, dict):
        return {key: thinned(part) for key, part in value.items()}
    # A level of a book is a list of numbers, each with a place of its own.
    if not isinstance(value, list) or not all(isinstance(part, (dict, list)) for part in value):
        return value
    kept = {json.dumps(shape(part)): part for part in (thinned(part) for part in value)}
    return list(kept.values())
