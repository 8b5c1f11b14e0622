// QuantLib's BlackCalculator, option by option: price, delta, gamma, vega, theta and rho (it has no vanna, volga
// or charm: those columns stay as they are).
#include <cmath>
#include <cstddef>
#include <ql/pricingengines/blackcalculator.hpp>

extern "C" void peer_full_form(
    size_t n, const double *w, const double *S, const double *K, const double *T, const double *v, const double *r,
    const double *q, double *const *outputs) {
    for (size_t i = 0; i < n; i++) {
        double discount = std::exp(-r[i] * T[i]), forward = S[i] * std::exp((r[i] - q[i]) * T[i]);
        QuantLib::BlackCalculator black(
            w[i] > 0 ? QuantLib::Option::Call : QuantLib::Option::Put, K[i], forward, v[i] * std::sqrt(T[i]), discount);
        outputs[0][i] = black.value();
        outputs[1][i] = black.delta(S[i]);
        outputs[2][i] = black.gamma(S[i]);
        outputs[3][i] = black.vega(T[i]);
        outputs[4][i] = black.theta(S[i], T[i]);
        outputs[5][i] = black.rho(T[i]);
    }
}
