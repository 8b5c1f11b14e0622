// Revaluation as a careful C programmer writes it, left to gcc -O3 -ffast-math and glibc's vector library: prices of
// n options in every scenario, where the price moves to S·factor and volatilities to v·multiple. w is +1 for a call
// and -1 for a put.
#include <math.h>
#include <stddef.h>

#define RECIPROCAL_ROOT_2 0.70710678118654752440

/// One call of a pricing loop per scenario: what scenarios share is computed anew.
void peer_scenarios(
    size_t n, size_t scenarios, const double *restrict factor, const double *restrict multiple,
    const double *restrict w, const double *restrict S, const double *restrict K, const double *restrict T,
    const double *restrict v, const double *restrict r, double *restrict prices) {
    for (size_t j = 0; j < scenarios; j++) {
        double f = factor[j], m = multiple[j];
        double *restrict price = prices + j * n;
#pragma GCC ivdep
        for (size_t i = 0; i < n; i++) {
            double s = v[i] * m * sqrt(T[i]), F = S[i] * f;
            double d1 = log(F / K[i]) / s + 0.5 * s, d2 = d1 - s;
            double N1 = 0.5 * erfc(-w[i] * d1 * RECIPROCAL_ROOT_2), N2 = 0.5 * erfc(-w[i] * d2 * RECIPROCAL_ROOT_2);
            price[i] = w[i] * exp(-r[i] * T[i]) * (F * N1 - K[i] * N2);
        }
    }
}

/// What does not depend on the scenario is computed once per option: ln(S/K), σ√T, the discounted prices.
void peer_scenarios_shared(
    size_t n, size_t scenarios, const double *restrict factor, const double *restrict multiple,
    const double *restrict w, const double *restrict a, const double *restrict b, const double *restrict logMoneyness,
    const double *restrict deviation, double *restrict prices) {
    for (size_t j = 0; j < scenarios; j++) {
        double f = factor[j], m = multiple[j], move = log(f);
        double *restrict price = prices + j * n;
#pragma GCC ivdep
        for (size_t i = 0; i < n; i++) {
            double s = deviation[i] * m;
            double d1 = (logMoneyness[i] + move) / s + 0.5 * s, d2 = d1 - s;
            double N1 = 0.5 * erfc(-w[i] * d1 * RECIPROCAL_ROOT_2), N2 = 0.5 * erfc(-w[i] * d2 * RECIPROCAL_ROOT_2);
            price[i] = w[i] * (a[i] * f * N1 - b[i] * N2);
        }
    }
}
