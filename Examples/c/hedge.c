// Keeps a desk within its limits, tick by tick, from C.
//
//     cc -O2 hedge.c $(pkg-config --cflags --libs poise) -lm -o hedge
//     ./hedge chain.csv positions.csv limits.csv
#include <math.h>
#include <poise.h>
#include <stdio.h>
#include <stdlib.h>

static void check(poise_status status) {
    if (status == POISE_OK) return;
    fprintf(stderr, "%s: %s\n", poise_status_name(status), poise_last_error());
    exit(1);
}

int main(int count, char **arguments) {
    if (count != 4) {
        fprintf(stderr, "usage: hedge CHAIN POSITIONS LIMITS\n");
        return 2;
    }
    poise_engine *engine;
    poise_chain *chain;
    poise_positions *positions;
    poise_limits *limits;
    poise_live *desk;
    check(poise_engine_create(NULL, &engine));
    check(poise_chain_read(arguments[1], &chain));
    check(poise_positions_read(arguments[2], &positions));
    check(poise_limits_read(arguments[3], &limits));
    check(poise_live_create(engine, chain, positions, limits, NULL, &desk));
    // The desk has taken over what it needs of them.
    poise_limits_free(limits);
    poise_positions_free(positions);
    poise_chain_free(chain);
    poise_engine_free(engine);

    // Hedge 0 is that of all books together. Its trades go to the book of the first group.
    const size_t candidates = poise_live_candidate_count(desk, 0), bands = poise_live_band_count(desk, 0);
    const char *book = poise_live_label(desk, 0, poise_live_grouping_count(desk) - 1);
    double *trades = malloc(candidates * sizeof *trades), *exposures = malloc(bands * sizeof *exposures);
    double price = 64250;
    uint64_t state = 7;
    for (int tick = 0; tick < 200; tick++) {
        // A random walk of a basis point or so stands for the market.
        state = state * 6364136223846793005u + 1442695040888963407u;
        price *= 1 + 4e-4 * ((double)(state >> 11) / 9007199254740992.0 - 0.5);
        poise_hedge_result result = {.size = sizeof result};
        check(poise_live_tick(desk, 0, price, 0));
        check(poise_live_decide(desk, 0, &result));
        if (result.outcome == POISE_HEDGE_WITHIN_LIMITS) continue;
        if (result.outcome != POISE_HEDGE_OPTIMAL) {
            printf("tick %3d: no trades keep the limits\n", tick);
            continue;
        }
        check(poise_live_trades(desk, 0, (poise_column){trades, 0}));
        printf(
            "tick %3d, price %.2f: cost %.2f USD, gap %.0e\n", tick, price, result.linear_cost + result.impact_cost,
            result.gap);
        for (size_t i = 0; i < candidates; i++)
            if (trades[i] != 0)
                printf(
                    "    %s %g %s\n", trades[i] > 0 ? "buy " : "sell", fabs(trades[i]),
                    poise_live_contract(desk, (size_t)poise_live_candidate(desk, 0, i)));
        check(poise_live_book_trades(desk, 0, book));
    }
    check(poise_live_decide(desk, 0, NULL));
    check(poise_live_bands(desk, 0, (poise_column){exposures, 0}, (poise_column){NULL, 0}));
    for (size_t i = 0; i < bands; i++) printf("%s %.17g\n", poise_live_band(desk, 0, i), exposures[i]);
    free(trades);
    free(exposures);
    poise_live_free(desk);
    return 0;
}
