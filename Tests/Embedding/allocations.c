// Counts what the calls that promise to allocate nothing allocate, from the second of a kind on.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <math.h>
#include <poise.h>
#include <stdio.h>
#include <stdlib.h>

static long allocations;

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
void *malloc(size_t size) { return allocations++, __libc_malloc(size); }
void *calloc(size_t count, size_t size) { return allocations++, __libc_calloc(count, size); }
void *realloc(void *old, size_t size) { return allocations++, __libc_realloc(old, size); }
void *aligned_alloc(size_t alignment, size_t size) { return allocations++, __libc_memalign(alignment, size); }
int posix_memalign(void **target, size_t alignment, size_t size) {
    allocations++;
    *target = __libc_memalign(alignment, size);
    return *target == NULL;
}

enum { ROWS = 1003 };
static uint8_t type[2 * ROWS], row_status[ROWS];
static double spot[ROWS], strike[ROWS], years[ROWS], volatility[ROWS], rate[ROWS], out[15][ROWS];
static int failures;

static void report(const char *what, long before) {
    const long made = allocations - before;
    printf("%-44s %ld allocations\n", what, made);
    failures += made != 0;
}
static void check(poise_status status) {
    if (status == POISE_OK) return;
    fprintf(stderr, "%s\n", poise_last_error());
    exit(1);
}

int main(int count, char **arguments) {
    if (count != 4) return 2;
    poise_engine *engine;
    check(poise_engine_create(NULL, &engine));
    for (int i = 0; i < ROWS; i++) {
        type[i] = i & 1, spot[i] = 100, strike[i] = 60 + 0.08 * i, years[i] = 0.5, volatility[i] = 0.4, rate[i] = 0.02;
    }
    const long start = allocations;
    free(malloc(1));
    if (allocations == start) return 3;

    poise_full_form form = {
        .size = sizeof form,
        .count = ROWS,
        .type = {type, 0},
        .spot = {spot, 0},
        .strike = {strike, 0},
        .years = {years, 0},
        .volatility = {volatility, 0},
        .rate = {rate, 0},
        .dividend = {rate, 0}};
    poise_column columns[15];
    for (int i = 0; i < 15; i++) columns[i] = (poise_column){out[i], 0};
    check(poise_greeks(engine, &form, POISE_GREEKS_ALL, columns, 15, NULL));
    check(poise_greeks(engine, &form, POISE_GREEKS_BOOK, columns, 9, row_status));
    long before = allocations;
    check(poise_greeks(engine, &form, POISE_GREEKS_ALL, columns, 15, NULL));
    check(poise_greeks(engine, &form, POISE_GREEKS_BOOK, columns, 9, row_status));
    report("poise_greeks", before);
    form.rate.stride = form.dividend.stride = POISE_BROADCAST;
    check(poise_greeks(engine, &form, POISE_GREEKS_ALL, columns, 15, NULL));
    before = allocations;
    check(poise_greeks(engine, &form, POISE_GREEKS_ALL, columns, 15, NULL));
    report("poise_greeks, strided", before);
    poise_prices prices = {
        .size = sizeof prices,
        .count = ROWS,
        .type = form.type,
        .spot = form.spot,
        .strike = form.strike,
        .years = form.years,
        .price = {out[0], 0},
        .rate = {rate, 0},
        .dividend = {rate, 0}};
    before = allocations;
    check(poise_implied_volatility(engine, &prices, columns[1], row_status));
    check(poise_implied_volatility(engine, &prices, columns[1], NULL));
    report("poise_implied_volatility", before);

    poise_slices *slices;
    const size_t offsets[] = {0, 500, ROWS};
    check(poise_slices_create(engine, 2, offsets, form.type, form.strike, &slices));
    before = allocations;
    check(
        poise_slices_set_market(slices, 0, 2, form.spot, form.years, (poise_values){rate, 0}, (poise_values){rate, 0}));
    check(poise_slices_set_volatility(slices, 0, ROWS, form.volatility));
    check(poise_slices_greeks(slices, 0, 2, POISE_GREEKS_BOOK, columns, 9));
    report("slices: market, volatility, Greeks", before);

    poise_surface *surface;
    double bid[34], ask[34], expiry[34], quoted[34];
    const double forward = 100;
    for (int i = 0; i < 34; i++) {
        const double k = 0.04 * (i % 17 - 8);
        expiry[i] = i < 17 ? 0.1 : 0.5, quoted[i] = 100 * exp(k);
        bid[i] = 0.59 - 0.1 * k + 0.2 * k * k, ask[i] = bid[i] + 0.02;
    }
    poise_smile_quotes quotes = {
        .size = sizeof quotes,
        .count = 34,
        .years = {expiry, 0},
        .forward = {&forward, POISE_BROADCAST},
        .strike = {quoted, 0},
        .bid = {bid, 0},
        .ask = {ask, 0}};
    check(poise_surface_fit(&quotes, &surface));
    check(poise_surface_query(surface, ROWS, form.strike, form.years, 127, columns, 7, NULL));
    before = allocations;
    check(poise_surface_query(surface, ROWS, form.strike, form.years, 127, columns, 7, NULL));
    check(poise_surface_query(surface, ROWS, form.strike, form.years, 1, columns, 1, row_status));
    poise_surface_slice fitted = {.size = sizeof fitted};
    check(poise_surface_slice_at(surface, 1, &fitted));
    report("surface: queries, a slice", before);
    poise_surface_free(surface);

    poise_chain *chain;
    poise_positions *positions;
    poise_limits *limits;
    poise_live *live;
    check(poise_chain_read(arguments[1], &chain));
    check(poise_positions_read(arguments[2], &positions));
    check(poise_limits_read(arguments[3], &limits));
    check(poise_live_create(engine, chain, positions, limits, NULL, &live));
    poise_hedge_result result = {.size = sizeof result};
    check(poise_live_tick(live, 0, 64000, 0));
    check(poise_live_decide(live, 0, &result));
    before = allocations;
    for (int tick = 0; tick < 20; tick++) {
        check(poise_live_tick(live, 0, 64000 + 10 * tick, 0));
        check(poise_live_set_volatility(live, 3, 0.5 + 0.001 * tick));
        check(poise_live_update(live, NULL));
        check(poise_live_exposures(live, POISE_EXPOSURE_VEGA, (poise_column){out[0], 0}));
    }
    report("live desk: 20 ticks", before);
    before = allocations;
    int hedges = 0;
    for (int tick = 0; tick < 20; tick++) {
        check(poise_live_tick(live, 0, 64000 + 10 * tick, 0));
        check(poise_live_decide(live, 0, &result));
        hedges += result.outcome == POISE_HEDGE_OPTIMAL;
    }
    report("live desk: 20 decisions", before);
    if (hedges == 0) return 4;

    poise_margin_model *model;
    poise_margin_account *account;
    poise_positions *held;
    poise_margin *margin;
    poise_live_margin *kept;
    static const char model_text[] =
        "{\"name\": \"g\", \"venue\": \"v\", \"source\": \"s\", \"date\": \"2026-01-31\", \"kind\": \"scan\", "
        "\"grid\": {\"name\": \"g\", \"vol_rules\": {\"up\": {\"relative\": 0.4}, \"same\": {}}, "
        "\"scenarios\": [{\"spot\": [-0.2, -0.1, 0, 0.1, 0.2], \"vol\": [\"up\", \"same\"]}]}}";
    static const char account_text[] = "currency = \"USD\"\ncash = 1000000\n";
    static const char held_text[] =
        "book,instrument,quantity\na,BTC-PERPETUAL,100000\na,BTC-25SEP26-78000-P,-5\na,BTC-25SEP26-81000-C,3\n";
    check(poise_margin_model_parse(model_text, sizeof model_text - 1, NULL, &model));
    check(poise_margin_account_parse(account_text, sizeof account_text - 1, NULL, &account));
    check(poise_positions_parse(held_text, sizeof held_text - 1, NULL, &held));
    check(poise_margin_create(engine, chain, held, account, model, "BTC", &margin));
    check(poise_live_margin_create(margin, &kept));
    static size_t traded[ROWS];
    for (size_t i = 0; i < ROWS; i++) traded[i] = i % poise_live_margin_contract_count(kept);
    const poise_margin_columns after = {
        .size = sizeof after,
        .initial_margin = {out[0], 0},
        .maintenance_margin = {out[1], 0},
        .initial_balance = {out[2], 0},
        .maintenance_balance = {out[3], 0}};
    poise_margin_figures figures = {.size = sizeof figures};
    const size_t option = (size_t)poise_live_margin_find_contract(kept, "BTC-25SEP26-78000-P");
    const size_t perpetual = (size_t)poise_live_margin_find_contract(kept, "BTC-PERPETUAL");
    for (int round = 0; round < 2; round++) {
        before = allocations;
        for (int tick = 0; tick < 20; tick++) {
            check(poise_live_margin_tick(kept, 64000 + 10 * tick, 0));
            check(poise_live_margin_set_index(kept, 64000 + 10 * tick));
            check(poise_live_margin_set_perpetual(kept, perpetual, 64010 + 10 * tick));
            check(poise_live_margin_set_forward(kept, 0, 64020 + 10 * tick));
            check(poise_live_margin_set_volatility(kept, option, 0.5 + 0.001 * tick));
            check(poise_live_margin_update(kept));
            check(poise_live_margin_fill(kept, option, 0.5, 100));
            check(poise_live_margin_totals(kept, &figures));
            check(poise_live_margin_what_if(kept, ROWS, traded, (poise_values){form.volatility.data, 0}, &after));
        }
    }
    report("live margin: 20 ticks, fills and what-ifs", before);
    before = allocations;
    check(poise_margin_totals(margin, &figures));
    check(poise_margin_amounts(margin, POISE_MARGIN_SCENARIOS, POISE_MARGIN_AMOUNT, (poise_column){out[0], 0}));
    report("margin: totals, scenarios", before);
    poise_live_margin_free(kept);
    poise_margin_free(margin);
    poise_positions_free(held);
    poise_margin_account_free(account);
    poise_margin_model_free(model);

    poise_hedger *hedger;
    check(poise_hedger_create(NULL, &hedger));
    poise_hedge_instrument instruments[8];
    poise_hedge_entry entries[16];
    for (int i = 0; i < 8; i++) {
        instruments[i] = (poise_hedge_instrument){
            .cost_buy = 0.1 + 0.01 * i, .cost_sell = 0.1, .impact = 0.01, .maximum_buy = 50, .maximum_sell = 50};
        entries[i] = (poise_hedge_entry){(uint64_t)i, 1};
        entries[8 + i] = (poise_hedge_entry){(uint64_t)i, 0.1 * (i + 1)};
    }
    poise_hedge_band bands[] = {{20, -5, 5, NAN, 0, 0, 8}, {-10, -1, 1, NAN, 0, 8, 8}};
    const poise_hedge_problem problem = {
        .size = sizeof problem,
        .underlying_count = 1,
        .instrument_count = 8,
        .band_count = 2,
        .entry_count = 16,
        .instruments = instruments,
        .bands = bands,
        .entries = entries,
        .margin_limit = INFINITY,
        .cash_budget = INFINITY};
    check(poise_hedger_solve(hedger, &problem, POISE_HEDGE_COLD, columns[0], columns[1], &result));
    before = allocations;
    for (int tick = 0; tick < 20; tick++) {
        bands[0].current = 20 + 0.1 * tick;
        check(poise_hedger_solve(
            hedger, &problem, tick % 4 == 0 ? POISE_HEDGE_COLD : POISE_HEDGE_WARM, columns[0], columns[1], &result));
        if (result.outcome != POISE_HEDGE_OPTIMAL) return 5;
    }
    report("hedger: 20 problems, cold and warm", before);
    poise_hedger_free(hedger);
    poise_live_free(live);
    poise_limits_free(limits);
    poise_positions_free(positions);
    poise_chain_free(chain);
    poise_slices_free(slices);
    poise_engine_free(engine);
    return failures > 0;
}
