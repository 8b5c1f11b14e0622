#!/usr/bin/env python3
"""Kills a running agent at random moments, and looks whether anything was lost or done twice.

    crashes.py AGENT EXCHANGE COUNT [SEED]

AGENT and EXCHANGE are programs. A test exchange runs throughout; the agent trades on it and is killed (kill -9) COUNT times, at
moments that a generator draws between its first record and a few seconds later; every fifth time it is stopped in its tracks
(SIGSTOP) first, until the venue has taken its orders back. At the end it is let run, ended as a person would end it, and its
journal is held against itself and against the venue: orders, trades, positions, open orders, the transaction log.
Ends with status 1 where anything differs.
"""

import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time

AGENT, EXCHANGE, COUNT = sys.argv[1], sys.argv[2], int(sys.argv[3])
SEED = int(sys.argv[4]) if len(sys.argv) > 4 else 1
SPEED = 4
LONGEST = float(os.environ.get("POISE_CRASH_SECONDS", "4"))

EXCHANGE_SETTINGS = """
strikes_per_side = 2
volatility = 4.0

[[accounts]]
name = "desk"
client_id = "desk"
client_secret = "secret-of-desk"
deposits = {{ BTC = 100, ETH = 10, USDC = 10000 }}
options = {{ btc_usd = -4.0 }}
"""

AGENT_SETTINGS = """
name = "crash"

[venue]
url = "{url}"
clock_speed = {speed}
review_seconds = 3

[journal]
file = "{folder}/desk.sqlite"
snapshot_minutes = 0.2

[[limits]]
underlying = "BTC"
greek = "delta"
low = -3000
high = 3000
landing = 0.2

[[limits]]
underlying = "BTC"
greek = "vega"
low = -600
high = 600
landing = 0.8

[candidates]
option_expiries = 1

[execution]
cross_after_ms = 8000

[guards]
order_notional_usd = 3000000
repeated_orders = 100000
orders_per_second = 20
loss_usd = 100000000
refusals_in_a_row = 100000
"""


def start_exchange(folder, log):
    path = os.path.join(folder, "exchange.toml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(EXCHANGE_SETTINGS.format())
    process = subprocess.Popen(
        [EXCHANGE, "--config", path, "--port", "0", "--speed", str(SPEED), "--seed", str(SEED)],
        stdout=subprocess.PIPE, stderr=log, text=True)
    address = None
    for line in process.stdout:
        found = re.search(r"ws://\S+", line)
        address = found.group(0) if found else address
        if line.startswith("market"):
            break
    if address is None:
        raise SystemExit("crashes: the exchange did not start")
    return process, address


def start_agent(settings, log):
    environment = dict(os.environ, POISE_CLIENT_ID="desk", POISE_CLIENT_SECRET="secret-of-desk")
    return subprocess.Popen([AGENT, "run", "--config", settings], stdout=log, stderr=log, env=environment)


def main():
    draw = random.Random(SEED)
    folder = tempfile.mkdtemp(prefix="poise-crashes-")
    settings = os.path.join(folder, "desk.toml")
    journal = os.path.join(folder, "desk.sqlite")
    with open(os.path.join(folder, "log"), "w", encoding="utf-8") as log:
        exchange, url = start_exchange(folder, log)
        try:
            with open(settings, "w", encoding="utf-8") as file:
                file.write(AGENT_SETTINGS.format(url=url, folder=folder, speed=SPEED))
            for kill in range(COUNT):
                agent = start_agent(settings, log)
                # The first one has to take over the account's books, or there is nothing to lose.
                time.sleep(draw.uniform(0.02, LONGEST) if kill else 6)
                if agent.poll() is not None:
                    raise SystemExit(f"crashes: the agent ended by itself with {agent.returncode}: {folder}/log")
                if kill % 5 == 4:
                    agent.send_signal(signal.SIGSTOP)
                    time.sleep(draw.uniform(0.1, 2))
                agent.kill()
                agent.wait()
                if exchange.poll() is not None:
                    raise SystemExit("crashes: the exchange is gone")
                print(f"\r{kill + 1} of {COUNT} kills", end="", flush=True)
            print()
            agent = start_agent(settings, log)
            time.sleep(20)
            agent.terminate()
            ended = agent.wait(timeout=60)
            log.flush()
            environment = dict(os.environ, POISE_CLIENT_ID="desk", POISE_CLIENT_SECRET="secret-of-desk")
            checked = subprocess.run(
                [AGENT, "verify", journal, "--config", settings], capture_output=True, text=True,
                env=environment, check=False)
            print(checked.stdout, end="")
            print(checked.stderr, end="", file=sys.stderr)
        finally:
            exchange.terminate()
            exchange.wait()
    with open(os.path.join(folder, "log"), encoding="utf-8") as log:
        lines = log.readlines()
    print(next((line for line in reversed(lines) if line.startswith("ended")), "the agent did not say how it ended\n"), end="")
    mismatches = sum("  mismatch  " in line for line in lines)
    print(f"{mismatches} mismatches were confirmed on the way")
    if ended or checked.returncode:
        raise SystemExit(f"crashes: something differs: {folder}")
    print(f"seed {SEED}: {COUNT} kills, nothing lost, nothing twice")


main()
