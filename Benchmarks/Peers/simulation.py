"""The hedging experiment of SimulationThroughput as a careful Python programmer writes it: paths from numpy's
generator, Black-Scholes by numba over scalars or by numpy over all paths of a block, only what the experiment needs:
price and delta. Prints seconds (median of three), mean cost, deviation of profit, mean trades."""
import statistics
import sys
import time

import numpy as np

kind, paths, steps = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
dt = 1 / (365 * 24)
sigma = 0.6
strike = np.array([80 + 2.0 * i for i in range(20)])
expiry = np.array([(30.0 if i < 10 else 60.0) / 365 for i in range(20)])
put = np.array([i % 2 == 1 for i in range(20)])
quantity = np.array([1.0 if i % 3 == 0 else -1.0 for i in range(20)])
cost_rate = 5e-4
width = 0.1


def block(generator, count):
    normal = generator.standard_normal((steps, count))
    moves = np.cumsum((-0.5 * sigma**2) * dt + sigma * np.sqrt(dt) * normal, axis=0)
    return 100 * np.exp(np.vstack([np.zeros(count), moves]))


if kind == "numba":
    import math

    import numba

    @numba.njit(fastmath=True, error_model="numpy")
    def value(spot, left, option):
        price, delta = 0.0, 0.0
        if left > 1e-12:
            deviation = sigma * math.sqrt(left)
            d1 = math.log(spot / strike[option]) / deviation + 0.5 * deviation
            n1 = 0.5 * math.erfc(-d1 * 0.7071067811865476)
            n2 = 0.5 * math.erfc(-(d1 - deviation) * 0.7071067811865476)
            price = spot * n1 - strike[option] * n2
            delta = n1
        elif spot > strike[option]:
            price, delta = spot - strike[option], 1.0
        if put[option]:
            price += strike[option] - spot
            delta -= 1
        return price, delta

    @numba.njit(fastmath=True, error_model="numpy")
    def hedge(spots, costs, profits, trades):
        times, count = spots.shape
        for path in range(count):
            position, cash, cost, traded = 0.0, 0.0, 0.0, 0
            first = 0.0
            for step in range(times):
                spot = spots[step, path]
                price, delta = 0.0, 0.0
                for option in range(20):
                    left = expiry[option] - step * dt
                    p, d = value(spot, left if left > 0 else 0.0, option)
                    price += quantity[option] * p
                    if left > 1e-12:
                        delta += quantity[option] * d
                if step == 0:
                    first = price
                if step == times - 1:
                    profits[path] = price - first + cash + position * spot - cost
                    break
                net = delta + position
                change = 0.0
                if net > width:
                    change = width - net
                elif net < -width:
                    change = -width - net
                if change != 0.0:
                    position += change
                    cash -= change * spot
                    cost += abs(change) * spot * cost_rate
                    traded += 1
            costs[path] = cost
            trades[path] = traded

else:
    from scipy.special import ndtr

    def hedge(spots, costs, profits, trades):
        times, count = spots.shape
        position = np.zeros(count)
        cash = np.zeros(count)
        first = None
        for step in range(times):
            spot = spots[step]
            price = np.zeros(count)
            delta = np.zeros(count)
            for option in range(20):
                left = max(0.0, expiry[option] - step * dt)
                if left > 1e-12:
                    deviation = sigma * np.sqrt(left)
                    d1 = np.log(spot / strike[option]) / deviation + 0.5 * deviation
                    n1 = ndtr(d1)
                    p = spot * n1 - strike[option] * ndtr(d1 - deviation)
                    d = n1
                else:
                    p = np.maximum(spot - strike[option], 0)
                    d = 0.0
                if put[option]:
                    p = p + strike[option] - spot
                    d = d - 1 if left > 1e-12 else 0.0
                price += quantity[option] * p
                delta += quantity[option] * d
            if step == 0:
                first = price
            if step == times - 1:
                profits[:] = price - first + cash + position * spot - costs
                break
            net = delta + position
            change = np.clip(net, -width, width) - net
            position += change
            cash -= change * spot
            costs += np.abs(change) * spot * cost_rate
            trades += change != 0


def run():
    generator = np.random.default_rng(1)
    costs, profits, trades = np.zeros(paths), np.zeros(paths), np.zeros(paths)
    # Blocks that stay in the cache.
    size = 256
    for start in range(0, paths, size):
        part = slice(start, min(start + size, paths))
        hedge(block(generator, part.stop - start), costs[part], profits[part], trades[part])
    return costs.mean(), profits.std(ddof=1), trades.mean()


if kind == "numba":
    hedge(block(np.random.default_rng(0), 8), np.zeros(8), np.zeros(8), np.zeros(8))
times = []
for _ in range(3 if kind == "numba" else 1):
    start = time.perf_counter()
    answer = run()
    times.append(time.perf_counter() - start)
print(statistics.median(times), *answer)
