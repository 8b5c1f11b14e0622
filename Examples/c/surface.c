/* Fits a volatility surface to quotes and asks it for a strike and time between them.
 *
 *     gcc surface.c $(pkg-config --cflags --libs poise) -lm -o surface && ./surface
 */
#include <math.h>
#include <poise.h>
#include <stdio.h>

enum { STRIKES = 9, EXPIRIES = 2, ROWS = STRIKES * EXPIRIES };

static int fail(void) {
    fprintf(stderr, "%s\n", poise_last_error());
    return 1;
}

int main(void) {
    double years[ROWS], strike[ROWS], bid[ROWS], ask[ROWS];
    const double forward = 64000, expiries[EXPIRIES] = {0.1, 0.5};
    for (int row = 0; row < ROWS; row++) {
        const double k = 0.08 * (row % STRIKES - STRIKES / 2);
        const double middle = 0.55 - 0.1 * k + 0.4 * k * k;
        years[row] = expiries[row / STRIKES];
        strike[row] = forward * exp(k);
        bid[row] = middle - 0.005;
        ask[row] = middle + 0.005;
    }
    poise_smile_quotes quotes = {
        .size = sizeof quotes,
        .count = ROWS,
        .years = {years, 0},
        .forward = {&forward, POISE_BROADCAST},
        .strike = {strike, 0},
        .bid = {bid, 0},
        .ask = {ask, 0}};
    poise_surface *surface;
    if (poise_surface_fit(&quotes, &surface) != POISE_OK) return fail();
    for (size_t i = 0; i < poise_surface_count(surface); i++) {
        poise_surface_slice slice = {.size = sizeof slice};
        if (poise_surface_slice_at(surface, i, &slice) != POISE_OK) return fail();
        printf(
            "%.2f years: status %d, %.0f%% inside bid and ask, least g %.3f\n", slice.years, (int)slice.status,
            100 * slice.inside, slice.least_g);
    }
    const double asked[] = {60000, 64000, 70000}, when = 0.25;
    double volatility[3], slope[3];
    const poise_column columns[] = {{volatility, 0}, {slope, 0}}; /* in the order of the bits */
    if (poise_surface_query(
            surface, 3, (poise_values){asked, 0}, (poise_values){&when, POISE_BROADCAST},
            1u << POISE_SURFACE_VOLATILITY | 1u << POISE_SURFACE_SLOPE, columns, 2, NULL) != POISE_OK)
        return fail();
    for (int i = 0; i < 3; i++)
        printf("%.0f in %.2f years: volatility %.4f, slope %.4f\n", asked[i], when, volatility[i], slope[i]);
    poise_surface_free(surface);
    return 0;
}
