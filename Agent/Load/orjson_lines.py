"""orjson on the messages that agent-load wrote.

    orjson_lines.py MESSAGES
"""

import sys
import time

import orjson

with open(sys.argv[1], "rb") as file:
    lines = file.read().splitlines()
start = time.thread_time()
keys = sum(len(orjson.loads(line)) for line in lines)
spent = time.thread_time() - start
print(f"orjson {orjson.__version__}, Python objects: {len(lines) / spent:.0f} a second ({keys})")
