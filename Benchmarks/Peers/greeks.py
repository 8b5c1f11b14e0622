"""Price and eight Greeks with Python's libraries: `define(NAME, columns)` gives a function that computes all
options once and returns its price and gamma, by which the caller sees that it computes the same thing.

Columns are w (1 call, −1 put), S, K, T, v, r, q.
"""
import numpy as np

ROOT = 0.70710678118654752440
DENSITY = 0.39894228040143267794


def greeks(w, S, K, T, v, r, q, exp, log, sqrt, cdf):
    root = sqrt(T)
    s = v * root
    d1 = (log(S / K) + (r - q) * T) / s + 0.5 * s
    d2 = d1 - s
    eq, er = exp(-q * T), exp(-r * T)
    N1, N2 = cdf(w * d1), cdf(w * d2)
    n1 = exp(-0.5 * d1 * d1) * DENSITY
    a, b, en = S * eq, K * er, eq * n1
    A, aN, bN = a * n1, w * a * N1, w * b * N2
    return (aN - bN, w * eq * N1, en / (s * S), A * root, q * aN - r * bN - A * v / (2 * root), T * bN,
            -en * d2 / v, A * root * d1 * d2 / v, q * w * eq * N1 - en * ((r - q) / s - d2 / (2 * T)))


def numpy_scipy(columns):
    from scipy.special import ndtr
    return lambda: greeks(*columns, np.exp, np.log, np.sqrt, ndtr)


def numba_loop(columns):
    import math

    import numba

    @numba.njit(fastmath=True)
    def loop(w, S, K, T, v, r, q, out):
        for i in range(len(w)):
            root = math.sqrt(T[i])
            s = v[i] * root
            d1 = (math.log(S[i] / K[i]) + (r[i] - q[i]) * T[i]) / s + 0.5 * s
            d2 = d1 - s
            eq, er = math.exp(-q[i] * T[i]), math.exp(-r[i] * T[i])
            N1, N2 = 0.5 * math.erfc(-w[i] * d1 * ROOT), 0.5 * math.erfc(-w[i] * d2 * ROOT)
            n1 = math.exp(-0.5 * d1 * d1) * DENSITY
            a, b, en = S[i] * eq, K[i] * er, eq * n1
            A, aN, bN = a * n1, w[i] * a * N1, w[i] * b * N2
            out[0, i] = aN - bN
            out[1, i] = w[i] * eq * N1
            out[2, i] = en / (s * S[i])
            out[3, i] = A * root
            out[4, i] = q[i] * aN - r[i] * bN - A * v[i] / (2 * root)
            out[5, i] = T[i] * bN
            out[6, i] = -en * d2 / v[i]
            out[7, i] = A * root * d1 * d2 / v[i]
            out[8, i] = q[i] * w[i] * eq * N1 - en * ((r[i] - q[i]) / s - d2 / (2 * T[i]))
        return out

    out = np.empty((9, len(columns[0])))
    return lambda: loop(*columns, out)


def quantlib(columns):
    import QuantLib as ql
    rows = list(zip(*(column.tolist() for column in columns)))

    def run():
        price, gamma = [], []
        for w, S, K, T, v, r, q in rows:
            root, er = T ** 0.5, 2.718281828459045 ** (-r * T)
            black = ql.BlackCalculator(
                ql.PlainVanillaPayoff(ql.Option.Call if w > 0 else ql.Option.Put, K),
                S * 2.718281828459045 ** ((r - q) * T), v * root, er)
            price.append(black.value())
            black.delta(S), black.vega(T), black.theta(S, T), black.rho(T)
            gamma.append(black.gamma(S))
        return price, None, gamma
    return run


def py_vollib_vectorized(columns):
    from py_vollib_vectorized import get_all_greeks, vectorized_black_scholes_merton
    w, S, K, T, v, r, q = columns
    flags = np.where(w > 0, "c", "p")

    def run():
        price = vectorized_black_scholes_merton(flags, S, K, T, r, v, q, return_as="numpy")
        some = get_all_greeks(flags, S, K, T, r, v, q, model="black_scholes_merton", return_as="dict")
        return price, None, some["gamma"]
    return run


def fast_vollib(columns):
    from fast_vollib import fast_black_scholes_merton, get_all_greeks
    w, S, K, T, v, r, q = columns
    flags = np.where(w > 0, "c", "p")

    def run():
        price = fast_black_scholes_merton(flags, S, K, T, r, v, q, return_as="numpy")
        some = get_all_greeks(flags, S, K, T, r, v, q, model="black_scholes_merton", return_as="dict")
        return price, None, some["gamma"]
    return run
