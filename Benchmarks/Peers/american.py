"""QuantLib's American prices per second from Python, on the contracts of `scripts/generate-american prices`.

    python american.py TABLE [COUNT]

What is timed is NPV() alone, of an option that is there already, on quotes that are set: the engine's own work and the
call from Python, some microseconds at most. Times are the processor's.
"""
import csv
import sys
import time

import QuantLib as ql

DAYS = ql.Actual365Fixed()
TODAY = ql.Date(1, 1, 2025)
ql.Settings.instance().evaluationDate = TODAY


def main(path, count):
    with open(path) as file:
        rows = list(csv.DictReader(file))[:count]
    quotes = [ql.SimpleQuote(x) for x in (100.0, 0.05, 0.0, 0.2)]
    spot, rate, dividend, volatility = quotes
    handle = ql.QuoteHandle
    process = ql.BlackScholesMertonProcess(
        handle(spot), ql.YieldTermStructureHandle(ql.FlatForward(TODAY, handle(dividend), DAYS)),
        ql.YieldTermStructureHandle(ql.FlatForward(TODAY, handle(rate), DAYS)),
        ql.BlackVolTermStructureHandle(ql.BlackConstantVol(TODAY, ql.NullCalendar(), handle(volatility), DAYS)))
    print(f"QuantLib {ql.__version__} from Python, {len(rows)} of the same contracts")
    scheme = ql.QdFpAmericanEngine
    for name, chosen in (("fast", scheme.fastScheme()), ("accurate", scheme.accurateScheme())):
        engine = scheme(process, chosen)
        total = seconds = 0.0
        for row in rows:
            payoff = ql.PlainVanillaPayoff(
                ql.Option.Put if row["type"] == "P" else ql.Option.Call, float(row["strike"]))
            days = round(float(row["years"]) * 365)
            option = ql.VanillaOption(payoff, ql.AmericanExercise(TODAY, TODAY + days))
            option.setPricingEngine(engine)
            for quote, key in zip(quotes, ("spot", "rate", "dividend", "vol")):
                quote.setValue(float(row[key]))
            start = time.thread_time()
            price = option.NPV()
            seconds += time.thread_time() - start
            total += (price - float(row["price"])) ** 2
        print(f"{name:10s} {len(rows) / seconds:12.3g} prices/s   rms {(total / len(rows)) ** 0.5:.3g}")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 4000)
