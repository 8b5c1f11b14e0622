/* DAQP from tick to tick, timed where it runs: what its update of all numbers takes, and what its iterations take.
   Compiled with DAQP's own sources by scripts/bench-peers; hedge.py calls it. */
#include "api.h"
#include "utils.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return 1e6 * (double)t.tv_sec + 1e-3 * (double)t.tv_nsec;
}

/* `count` problems of n variables, all with bounds, and m rows, one after another; microseconds and values of each.
   The first one sets up, without times. Returns 0, or the first flag that is no optimum. */
int ticks(
    int count, int n, int m, double *H, double *f, double *A, double *upper, double *lower, double *update,
    double *solve, double *value) {
    DAQPWorkspace work;
    DAQPResult result;
    memset(&work, 0, sizeof work);
    memset(&result, 0, sizeof result);
    result.x = malloc((size_t)n * sizeof(double));
    result.lam = malloc((size_t)(n + m) * sizeof(double));
    int *sense = calloc((size_t)(n + m), sizeof(int));
    DAQPProblem qp;
    memset(&qp, 0, sizeof qp);
    qp.n = n, qp.m = n + m, qp.ms = n, qp.sense = sense;
    int wrong = 0;
    for (int k = 0; k < count; k++) {
        qp.H = H + (size_t)k * n * n, qp.f = f + (size_t)k * n, qp.A = A + (size_t)k * m * n;
        qp.bupper = upper + (size_t)k * (n + m), qp.blower = lower + (size_t)k * (n + m);
        double start = now();
        int flag = k == 0
                       ? setup_daqp(&qp, &work, NULL)
                       : daqp_update_ldp(DAQP_UPDATE_Rinv | DAQP_UPDATE_M | DAQP_UPDATE_v | DAQP_UPDATE_d, &work, &qp);
        double middle = now();
        if (flag >= 0) {
            daqp_solve(&result, &work);
            flag = result.exitflag;
        }
        update[k] = middle - start, solve[k] = now() - middle, value[k] = result.fval;
        if (flag <= 0 && wrong == 0) wrong = flag ? flag : -100;
    }
    free_daqp_workspace(&work);
    free_daqp_ldp(&work);
    free(sense), free(result.x), free(result.lam);
    return wrong;
}
