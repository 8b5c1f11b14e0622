"""Fits of raw SVI by others, on slices that Poise has timed and written (POISE_SLICES of SurfaceFitting).

Each peer gets what it takes: log-moneyness and total variance, or strikes and volatilities. Times are medians of repeated fits of
a slice in one thread, the call from Python in them (about a microsecond; none for Poise, which is timed in Swift). Errors are
those of volatility against the middles, in points. A peer that is not installed, or fails on a slice, says so.
"""
import csv
import math
import statistics
import sys
import time

slices = {}
with open(sys.argv[1]) as file:
    for row in csv.DictReader(file):
        number = {name: float(value) for name, value in row.items() if name != "slice"}
        slices.setdefault(row["slice"], []).append(number)


def svi(k, a, b, rho, m, sigma):
    return a + b * (rho * (k - m) + math.sqrt((k - m) ** 2 + sigma**2))


def timed(fit):
    """The answer, and the median microseconds of calls for a quarter of a second, at least three."""
    times = []
    end = time.perf_counter() + 0.25
    while len(times) < 3 or (time.perf_counter() < end and len(times) < 500):
        start = time.perf_counter()
        answer = fit()
        times.append(1e6 * (time.perf_counter() - start))
    return answer, statistics.median(times)


def flox(quotes):
    import lrvx

    k, w = quotes["k"], quotes["w"]
    found, took = timed(lambda: lrvx.calibrate_svi(k, w))
    return [svi(x, *(found[name] for name in ("a", "b", "rho", "m", "sigma"))) for x in k], took


def quantlib(quotes):
    import QuantLib as ql

    today = ql.Date(1, 1, 2026)
    ql.Settings.instance().evaluationDate = today
    k, w, years, forward = (quotes[name] for name in ("k", "w", "years", "forward"))
    # Its dates are whole days: a year that is as long as the slice keeps total variance.
    option = today + ql.Period(max(1, round(365 * years)), ql.Days)
    length = ql.Actual365Fixed().yearFraction(today, option)
    volatilities = [math.sqrt(x / length) for x in w]
    null = ql.nullDouble()
    atm = min(zip((abs(x) for x in k), volatilities))[1]

    def fit():
        section = ql.SviInterpolatedSmileSection(
            option, forward, quotes["strikes"], False, atm, volatilities,
            null, null, null, null, null, False, False, False, False, False, True,
            ql.EndCriteria(1000, 100, 1e-10, 1e-10, 1e-10), ql.LevenbergMarquardt(),
            ql.Actual365Fixed())
        section.volatility(forward)
        return section

    found, took = timed(fit)
    return [found.volatility(strike) ** 2 * length for strike in quotes["strikes"]], took


def stochastic_rs(quotes):
    import numpy
    import stochastic_rs as rs

    k, w = numpy.array(quotes["k"]), numpy.array(quotes["w"])
    found, took = timed(lambda: rs.SviCalibrator(k, w))
    return [float(found.total_variance(x)) for x in quotes["k"]], took


def columns(rows):
    years, forward = rows[0]["years"], rows[0]["forward"]
    middles = [(row["bid_vol"] + row["ask_vol"]) / 2 for row in rows]
    strikes = [row["strike"] for row in rows]
    return {
        "years": years, "forward": forward, "strikes": strikes, "middles": middles,
        "k": [math.log(strike / forward) for strike in strikes], "w": [x * x * years for x in middles],
    }


print(f"{len(slices)} slices, {sum(map(len, slices.values()))} quotes; fits by middles, one thread")
print(f"{'':16}{'rms':>9}{'worst rms':>11}{'max':>9}{'µs median':>11}{'µs worst':>11}{'× Poise':>9}")


def line(name, results, base=None):
    errors = [[100 * (math.sqrt(max(0, w) / q["years"]) - mid) for w, mid in zip(fit, q["middles"])]
              for q, fit, _ in results]
    def rms(values): return math.sqrt(sum(x * x for x in values) / len(values))
    times = [took for _, _, took in results]
    ratio = "" if base is None else f"{statistics.median(times) / base:9.0f}"
    print(f"{name:16}{rms([x for e in errors for x in e]):9.3f}{max(map(rms, errors)):11.3f}"
          f"{max(abs(x) for e in errors for x in e):9.2f}{statistics.median(times):11.1f}{max(times):11.1f}{ratio}")
    return statistics.median(times)


own = []
for rows in slices.values():
    q = columns(rows)
    own.append((q, [row["fit_vol"] ** 2 * q["years"] for row in rows], rows[0]["microseconds"]))
base = line("Poise", own)
for name, fit in [("FLOX (lrvx)", flox), ("QuantLib", quantlib), ("stochastic-rs", stochastic_rs)]:
    results, failed, reason = [], 0, ""
    for rows in slices.values():
        q = columns(rows)
        try:
            results.append((q, *fit(q)))
        except ImportError as error:
            reason = str(error)
            break
        except Exception as error:
            failed, reason = failed + 1, str(error).splitlines()[0]
    if not results:
        print(f"skipped: {name}: {reason}")
        continue
    line(name, results, base)
    if failed:
        print(f"  {name} failed on {failed} of {len(slices)} slices: {reason}")
