// The same sums as libmvec.c, full form, with SLEEF's vector functions (1 ulp; erfc 1.5 ulp) called by hand:
// eight doubles with AVX-512, four with AVX2.
#include <immintrin.h>
#include <sleef.h>
#include <stddef.h>

#ifdef __AVX512F__
typedef __m512d lanes;
enum { WIDTH = 8 };
#define EXP Sleef_expd8_u10avx512f
#define LOG Sleef_logd8_u10avx512f
#define ERFC Sleef_erfcd8_u15avx512f
#define ROOT(x) _mm512_sqrt_pd(x)
#define LOAD(p) _mm512_loadu_pd(p)
#define STORE(p, x) _mm512_storeu_pd(p, x)
#define ALL(x) _mm512_set1_pd(x)
#else
typedef __m256d lanes;
enum { WIDTH = 4 };
#define EXP Sleef_expd4_u10avx2
#define LOG Sleef_logd4_u10avx2
#define ERFC Sleef_erfcd4_u15avx2
#define ROOT(x) _mm256_sqrt_pd(x)
#define LOAD(p) _mm256_loadu_pd(p)
#define STORE(p, x) _mm256_storeu_pd(p, x)
#define ALL(x) _mm256_set1_pd(x)
#endif

/// Every option brings its own market; n is a multiple of 8.
void peer_full_form(
    size_t n, const double *restrict w, const double *restrict S, const double *restrict K, const double *restrict T,
    const double *restrict v, const double *restrict r, const double *restrict q, double *const *outputs) {
    const lanes half = ALL(0.5), one = ALL(1.0), root2 = ALL(-0.70710678118654752440),
                density = ALL(0.39894228040143267794);
    for (size_t i = 0; i < n; i += WIDTH) {
        lanes W = LOAD(w + i), s0 = LOAD(S + i), k = LOAD(K + i), t = LOAD(T + i), vol = LOAD(v + i),
              rate = LOAD(r + i), dividend = LOAD(q + i);
        lanes root = ROOT(t), s = vol * root, is = one / s;
        lanes d1 = (LOG(s0 / k) + (rate - dividend) * t) * is + half * s, d2 = d1 - s;
        lanes eq = EXP(-dividend * t), er = EXP(-rate * t);
        lanes N1 = half * ERFC(W * d1 * root2), N2 = half * ERFC(W * d2 * root2);
        lanes n1 = EXP(-half * d1 * d1) * density;
        lanes a = s0 * eq, b = k * er, en = eq * n1, A = a * n1, iv = one / vol;
        lanes aN = W * a * N1, bN = W * b * N2;
        STORE(outputs[0] + i, aN - bN);
        STORE(outputs[1] + i, W * eq * N1);
        STORE(outputs[2] + i, en * is / s0);
        STORE(outputs[3] + i, A * root);
        STORE(outputs[4] + i, dividend * aN - rate * bN - A * vol * half / root);
        STORE(outputs[5] + i, t * bN);
        STORE(outputs[6] + i, -en * d2 * iv);
        STORE(outputs[7] + i, A * root * d1 * d2 * iv);
        STORE(outputs[8] + i, dividend * W * eq * N1 - en * ((rate - dividend) * is - d2 * half / t));
    }
}
