// The loop a careful C programmer writes: Black-Scholes-Merton price and eight Greeks, structure of
// arrays, restrict pointers, left to gcc -O3 -ffast-math and glibc's vector library (libmvec).
//
// w is +1 for a call and -1 for a put. Outputs in the order of `outputs`.
#include <math.h>
#include <stddef.h>

#define RECIPROCAL_ROOT_2 0.70710678118654752440
#define RECIPROCAL_ROOT_2_PI 0.39894228040143267794

enum { PRICE, DELTA, GAMMA, VEGA, THETA, RHO, VANNA, VOLGA, CHARM };

#define OUTPUTS                                                                                                      \
    double *restrict price = outputs[PRICE], *restrict delta = outputs[DELTA], *restrict gamma = outputs[GAMMA],     \
                     *restrict vega = outputs[VEGA], *restrict theta = outputs[THETA], *restrict rho = outputs[RHO], \
                     *restrict vanna = outputs[VANNA], *restrict volga = outputs[VOLGA],                             \
                     *restrict charm = outputs[CHARM];

/// Every option brings its own market.
void peer_full_form(
    size_t n, const double *restrict w, const double *restrict S, const double *restrict K, const double *restrict T,
    const double *restrict v, const double *restrict r, const double *restrict q, double *const *outputs) {
    OUTPUTS
#pragma GCC ivdep
    for (size_t i = 0; i < n; i++) {
        double root = sqrt(T[i]), s = v[i] * root, is = 1 / s;
        double d1 = (log(S[i] / K[i]) + (r[i] - q[i]) * T[i]) * is + 0.5 * s, d2 = d1 - s;
        double eq = exp(-q[i] * T[i]), er = exp(-r[i] * T[i]);
        double N1 = 0.5 * erfc(-w[i] * d1 * RECIPROCAL_ROOT_2), N2 = 0.5 * erfc(-w[i] * d2 * RECIPROCAL_ROOT_2);
        double n1 = exp(-0.5 * d1 * d1) * RECIPROCAL_ROOT_2_PI;
        double a = S[i] * eq, b = K[i] * er, en = eq * n1, A = a * n1;
        double aN = w[i] * a * N1, bN = w[i] * b * N2;
        price[i] = aN - bN;
        delta[i] = w[i] * eq * N1;
        gamma[i] = en * is / S[i];
        vega[i] = A * root;
        theta[i] = -A * v[i] / (2 * root) - r[i] * bN + q[i] * aN;
        rho[i] = T[i] * bN;
        vanna[i] = -en * d2 / v[i];
        volga[i] = A * root * d1 * d2 / v[i];
        charm[i] = q[i] * w[i] * eq * N1 - en * ((r[i] - q[i]) * is - d2 / (2 * T[i]));
    }
}

/// One underlying and expiry; ln K is stored.
void peer_slice_form(
    size_t n, double S, double T, double r, double q, const double *restrict w, const double *restrict K,
    const double *restrict logK, const double *restrict v, double *const *outputs) {
    OUTPUTS
    double root = sqrt(T), halfReciprocalT = 1 / (2 * T), er = exp(-r * T);
    double logF = log(S) + (r - q) * T, a = S * exp(-q * T), reciprocalS = 1 / S;
#pragma GCC ivdep
    for (size_t i = 0; i < n; i++) {
        double s = v[i] * root, is = 1 / s;
        double d1 = (logF - logK[i]) * is + 0.5 * s, d2 = d1 - s;
        double N1 = 0.5 * erfc(-w[i] * d1 * RECIPROCAL_ROOT_2), N2 = 0.5 * erfc(-w[i] * d2 * RECIPROCAL_ROOT_2);
        double n1 = exp(-0.5 * d1 * d1) * RECIPROCAL_ROOT_2_PI;
        double b = K[i] * er, A = a * n1, en = A * reciprocalS, reciprocalV = root * is;
        double aN = w[i] * a * N1, bN = w[i] * b * N2;
        price[i] = aN - bN;
        delta[i] = aN * reciprocalS;
        gamma[i] = en * is * reciprocalS;
        vega[i] = A * root;
        theta[i] = -A * s * halfReciprocalT - r * bN + q * aN;
        rho[i] = T * bN;
        vanna[i] = -en * d2 * reciprocalV;
        volga[i] = A * root * d1 * d2 * reciprocalV;
        charm[i] = q * aN * reciprocalS - en * ((r - q) * is - d2 * halfReciprocalT);
    }
}
