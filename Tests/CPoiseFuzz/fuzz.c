#include "poise_fuzz.h"

#include <math.h>
#include <poise.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM = 1200, MARGIN = 4 * ROOM, SPAN = 2 * MARGIN, COLUMNS = 16, HANDLES = 4 };

typedef struct {
    uint64_t state;
    poise_fuzz_outcome outcome;
    // Inputs: columns with room on both sides for strides of either sign.
    double inputs[8][SPAN];
    uint8_t types[SPAN];
    int32_t books[SPAN];
    int64_t times[SPAN];
    double outputs[COLUMNS][SPAN];
    uint8_t row_status[ROOM];
    poise_engine *engines[HANDLES];
    poise_slices *slices[HANDLES];
    size_t slice_counts[HANDLES];
    poise_chain *chains[HANDLES];
    poise_positions *positions[HANDLES];
    poise_exposures *exposures[HANDLES];
    poise_limits *limits[HANDLES];
    poise_live *lives[HANDLES];
    poise_hedger *hedgers[HANDLES];
    poise_grid *grids[HANDLES];
    poise_scenario_profits *profits[HANDLES];
    poise_surface *surfaces[HANDLES];
    poise_margin_model *models[HANDLES];
    poise_margin_account *accounts[HANDLES];
    poise_margin_cases *cases[HANDLES];
    poise_margin *margins[HANDLES];
    poise_live_margin *live_margins[HANDLES];
    poise_margin_hedge *margin_hedges[HANDLES];
} fuzz;

static uint64_t next(fuzz *f) {
    uint64_t z = (f->state += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}
static size_t below(fuzz *f, size_t n) { return (size_t)(next(f) % n); }
// Whether a thing that happens in one of n cases does.
static int rarely(fuzz *f, size_t n) { return below(f, n) == 0; }
static double uniform(fuzz *f, double low, double high) {
    return low + (high - low) * ((double)(next(f) >> 11) / 9007199254740992.0);
}

static double odd_number(fuzz *f) {
    static const double odd[] = {0,      -0.0, -1,   1e-300, 5e-324,   1e300,  1.7976931348623157e308,
                                 -1e300, 1e6,  1e12, 350,    2.2e-308, 9.3e75, 1e100};
    switch (below(f, 3)) {
    case 0:
        return NAN;
    case 1:
        return rarely(f, 2) ? INFINITY : -INFINITY;
    default:
        return odd[below(f, sizeof odd / sizeof *odd)];
    }
}
static double number(fuzz *f, double low, double high) { return rarely(f, 40) ? odd_number(f) : uniform(f, low, high); }

static void broken(fuzz *f, const char *what, const char *call) {
    if (f->outcome.broken++ < 20) fprintf(stderr, "broken: %s: %s (%s)\n", call, what, poise_last_error());
}

static poise_status note(fuzz *f, poise_status status, const char *call) {
    if (status == POISE_OK) {
        f->outcome.succeeded++;
        return status;
    }
    f->outcome.failed++;
    if ((unsigned)status > 10) {
        broken(f, "no such status", call);
        return status;
    }
    f->outcome.statuses[status]++;
    if (poise_last_error()[0] == 0) broken(f, "no message", call);
    if (poise_last_error_reason()[0] == 0) broken(f, "no reason", call);
    poise_place_kind kind = poise_last_error_place_kind();
    if ((kind == POISE_PLACE_LINE || kind == POISE_PLACE_ROW) != (poise_last_error_row() >= 0))
        broken(f, "a row without its kind", call);
    if (poise_status_name(status)[0] != 'P') broken(f, "no name", call);
    return status;
}

static size_t count(fuzz *f) {
    static const size_t counts[] = {
        0, 1, 7, 8, 9, 31, 255, 256, 257, 511, 512, 513, 1000, 2147483648u, 4294967296u, (size_t)-1, (size_t)1 << 63};
    return rarely(f, 8) ? counts[below(f, sizeof counts / sizeof *counts)] : below(f, rarely(f, 4) ? ROOM : 40);
}
static size_t size(fuzz *f, size_t right) {
    return rarely(f, 30) ? (rarely(f, 2) ? below(f, 400) : (size_t)next(f)) : right;
}
static ptrdiff_t stride(fuzz *f) {
    static const ptrdiff_t strides[] = {8, 16, -8, 24, -24, 32, POISE_BROADCAST, 4, 7, -1, 12};
    return rarely(f, 4) ? strides[below(f, sizeof strides / sizeof *strides - (rarely(f, 8) ? 0 : 4))] : 0;
}
// A place in the middle of a column; now and then none, or a misaligned one.
static double *place(fuzz *f, double *column) {
    if (rarely(f, 60)) return NULL;
    double *middle = column + MARGIN;
    return rarely(f, 60) ? (double *)((char *)middle + 1 + below(f, 7)) : middle;
}
static poise_values values(fuzz *f, int column, double low, double high) {
    for (int i = 0; i < 50; i++) f->inputs[column][MARGIN - ROOM + below(f, 2 * ROOM)] = uniform(f, low, high);
    if (rarely(f, 10)) f->inputs[column][MARGIN + below(f, 40)] = odd_number(f);
    if (rarely(f, 3))
        for (int i = 0; i < SPAN; i++) f->inputs[column][i] = uniform(f, low, high);
    return (poise_values){place(f, f->inputs[column]), stride(f)};
}
static poise_bytes types(fuzz *f) {
    for (int i = 0; i < 50; i++) f->types[below(f, SPAN)] = (uint8_t)(next(f) & 1);
    if (rarely(f, 20)) f->types[MARGIN + below(f, 40)] = (uint8_t)next(f);
    return (poise_bytes){
        rarely(f, 60) ? NULL : f->types + MARGIN,
        rarely(f, 6) ? (ptrdiff_t[]){1, 2, -1, 3, POISE_BROADCAST}[below(f, 5)] : 0};
}

// Outputs are filled with a mark before a call; after it, only the rows of the column may differ.
static const double mark = -7.25e77;
static poise_column column(fuzz *f, int number) {
    for (int i = 0; i < SPAN; i++) f->outputs[number][i] = mark;
    poise_column made = {place(f, f->outputs[number]), stride(f)};
    return made;
}
static void check_column(fuzz *f, int number, poise_column made, size_t rows, size_t width, const char *call) {
    const ptrdiff_t step = made.stride == 0 ? (ptrdiff_t)width : made.stride / 8;
    static _Thread_local unsigned char is_row[SPAN];
    memset(is_row, 0, sizeof is_row);
    if (rows <= ROOM && made.data == f->outputs[number] + MARGIN && made.stride % 8 == 0 &&
        made.stride != POISE_BROADCAST)
        for (size_t i = 0; i < rows; i++)
            for (size_t j = 0; j < width; j++) {
                const ptrdiff_t at = MARGIN + (ptrdiff_t)i * step + (ptrdiff_t)j;
                if (at >= 0 && at < SPAN) is_row[at] = 1;
            }
    for (int i = 0; i < SPAN; i++)
        if (!is_row[i] && f->outputs[number][i] != mark) {
            broken(f, "wrote outside of the column", call);
            return;
        }
}

static poise_full_form full_form(fuzz *f, size_t rows) {
    poise_full_form form = {
        .size = size(f, sizeof form),
        .count = rows,
        .model = rarely(f, 20) ? (poise_model)next(f) : (poise_model)(rarely(f, 4) ? below(f, 3) : 0),
        .type = types(f),
        .spot = values(f, 0, 50, 150),
        .strike = values(f, 1, 50, 150),
        .years = values(f, 2, 0, 2),
        .volatility = values(f, 3, 0, 2),
        .rate = values(f, 4, -0.1, 0.2),
        .dividend = values(f, 5, -0.1, 0.2)};
    return form;
}

static poise_greek_set greek_set(fuzz *f) {
    switch (below(f, 6)) {
    case 0:
        return POISE_GREEKS_PRICE;
    case 1:
        return POISE_GREEKS_BOOK;
    case 2:
        return POISE_GREEKS_ALL;
    case 3:
        return rarely(f, 8) ? (poise_greek_set)next(f) : 0;
    default:
        return (poise_greek_set)(next(f) & POISE_GREEKS_ALL);
    }
}
static size_t bits(poise_greek_set set) { return (size_t)__builtin_popcount(set); }

#define PICK(pool) (rarely(f, 40) ? NULL : f->pool[below(f, HANDLES)])
// Makes a handle in place of another.
#define REPLACE(pool, type, free, call)                                                           \
    do {                                                                                          \
        const size_t at = below(f, HANDLES);                                                      \
        type *made = (type *)(uintptr_t)1;                                                        \
        type **target = rarely(f, 40) ? NULL : &made;                                             \
        const poise_status status = note(f, call, #call);                                         \
        if (target != NULL && (status == POISE_OK) != (made != NULL)) broken(f, "handle", #call); \
        if (target != NULL && status == POISE_OK) {                                               \
            free(f->pool[at]);                                                                    \
            f->pool[at] = made;                                                                   \
        }                                                                                         \
    } while (0)

static const char chain_text[] =
    "instrument_name,timestamp,underlying_price,underlying_index,mark_iv,mark_price,interest_rate,index_price,"
    "best_bid_price,best_bid_amount,best_ask_price,best_ask_amount\n"
    "BTC-27JUN25-60000-C,1740000000000,61000,BTC-27JUN25,60,0.08,0.01,60500,0.079,10,0.081,12\n"
    "BTC-27JUN25-60000-P,1740000000000,61000,BTC-27JUN25,61,0.065,0.01,60500,0.064,10,0.066,12\n"
    "BTC-27JUN25-70000-C,1740000000500,61000,BTC-27JUN25,63,0.04,0.01,60500,0.039,10,0.041,12\n"
    "BTC-26SEP25-65000-C,1740000000700,62000,BTC-26SEP25,64,0.09,0.01,60500,0.088,5,0.092,7\n"
    "BTC-PERPETUAL,1740000000800,,,,60510,,60500,60505,200000,60515,200000\n"
    "ETH-27JUN25-3000-P,1740000000000,3100,ETH-27JUN25,70,0.07,0,3080,0.069,100,0.071,120\n"
    "ETH-PERPETUAL,1740000000000,,,,3081,,3080,3080.5,90000,3081.5,90000\n";
static const char positions_text[] =
    "book,instrument,quantity\na,BTC-27JUN25-60000-C,10\na,BTC-PERPETUAL,-50000\nb,BTC-26SEP25-65000-C,-4\n"
    "b,ETH-27JUN25-3000-P,30\nb,BTC-27JUN25-60000-P,2.5\n";
static const char limits_text[] =
    "book,underlying,expiry,greek,low,high,penalty\n,BTC,,net_delta,-20000,20000,\n,BTC,,vega,-500,500,\n"
    "a,BTC,,net_delta,-10000,10000,\nb,ETH,,delta,-5000,5000,0.1\n";
static const char grid_text[] =
    "{\"name\": \"g\", \"vol_rules\": {\"up\": {\"relative\": 0.4, \"short_term_power\": 0.3}, \"same\": {}},\n"
    " \"scenarios\": [{\"spot\": [-0.16, 0, 0.16], \"vol\": [\"up\", \"same\"], \"days\": [0, 1]}]}";

static const char rates_text[] =
    "{\"name\": \"r\", \"venue\": \"v\", \"source\": \"s\", \"date\": \"2026-01-31\", \"kind\": \"rates\",\n"
    " \"omitted\": [\"much\"], \"initial_rate\": 0.1, \"maintenance_rate\": 0.05}";
static const char scan_text[] =
    "{\"name\": \"g\", \"venue\": \"v\", \"source\": \"s\", \"date\": \"2026-01-31\", \"kind\": \"scan\",\n"
    " \"grid\": {\"name\": \"g\", \"vol_rules\": {\"up\": {\"relative\": 0.4}}, \"scenarios\": [{\"spot\": [-0.2, 0, 0.2],\n"
    " \"vol\": [\"up\"]}]}, \"haircuts\": {\"BTC\": {\"maintenance\": 0.1, \"initial\": 0.05}}}";
static const char account_text[] =
    "currency = \"USD\"\ncash = 200000\n[[collateral]]\nasset = \"BTC\"\nquantity = 2\n[confidence.BTC]\nspot = 0.9\n";
static const char plain_account_text[] = "currency = \"USD\"\ncash = 200000\n";
static const char cases_text[] =
    "[{\"name\": \"c\", \"currency\": \"USD\", \"model\": {\"kind\": \"rates\", \"initial_rate\": 0.5, \"maintenance_rate\": 0.1},\n"
    " \"market\": {\"underlyings\": {\"X\": {\"spot\": 100}}, \"contracts\": {\"BTC-PERPETUAL\": {\"kind\": \"perpetual\",\n"
    " \"underlying\": \"X\", \"price\": 100}}}, \"cash\": 200, \"positions\": [{\"contract\": \"BTC-PERPETUAL\", \"quantity\": 5}],\n"
    " \"hedge\": {\"instruments\": [{\"name\": \"BTC-PERPETUAL\", \"costBuy\": 1, \"costSell\": 1, \"maxBuy\": 9, \"maxSell\": 9}],\n"
    " \"bands\": [], \"initial_margin_at_least\": 0, \"margin_price\": 0}}]";

// A text, now and then damaged: bytes changed, cut off.
static const char *damaged(fuzz *f, const char *text, size_t length, char *copy, size_t *cut) {
    memcpy(copy, text, length);
    *cut = length;
    if (rarely(f, 3))
        for (size_t i = below(f, 6); i > 0; i--)
            copy[below(f, length)] = (char)(rarely(f, 2) ? next(f) : (uint64_t)" ,-0\"{9e.\n"[below(f, 10)]);
    if (rarely(f, 10)) *cut = below(f, length);
    return rarely(f, 40) ? NULL : copy;
}

static const char *const names[] = {
    "BTC-27JUN25-60000-C",
    "BTC-27JUN25-70000-C",
    "BTC-PERPETUAL",
    "ETH-PERPETUAL",
    "BTC-27JUN25-60000-P",
    "BTC-26SEP25-65000-C",
    "ETH-27JUN25-3000-P",
    "a",
    "b",
    "",
    "nobody",
    "BTC",
    "BTC-27JUN25",
    "*",
    "BTC-31FEB25-1-C",
    "\xff\xfe",
    "2025-06-27",
    NULL};
enum { NAMES = sizeof names / sizeof *names };

static poise_texts texts(fuzz *f, const char **strings, size_t rows, size_t first, size_t end) {
    for (size_t i = 0; i < rows; i++)
        strings[i] = rarely(f, 60) ? names[below(f, NAMES)] : names[first + below(f, end - first)];
    if (rarely(f, 8)) {
        // As Arrow has them; sometimes not ascending.
        static _Thread_local char bytes[ROOM * 24];
        static _Thread_local int32_t narrow[ROOM + 1];
        static _Thread_local int64_t wide[ROOM + 1];
        size_t used = 0;
        for (size_t i = 0; i < rows; i++) {
            const char *name = strings[i] ? strings[i] : "";
            memcpy(bytes + used, name, strlen(name));
            narrow[i] = (int32_t)used;
            wide[i] = (int64_t)used;
            used += strlen(name);
            narrow[i + 1] = (int32_t)used;
            wide[i + 1] = (int64_t)used;
        }
        if (rows > 1 && rarely(f, 4)) narrow[rows / 2] = wide[rows / 2] = -1;
        poise_texts made = {NULL, rarely(f, 40) ? NULL : bytes, NULL, NULL};
        if (rarely(f, 2))
            made.offsets32 = narrow;
        else
            made.offsets64 = wide;
        return made;
    }
    return (poise_texts){rarely(f, 40) ? NULL : strings, NULL, NULL, NULL};
}

static void greeks(fuzz *f) {
    const size_t rows = count(f);
    poise_full_form form = full_form(f, rows);
    const poise_greek_set set = greek_set(f);
    const size_t width = rarely(f, 40) ? below(f, COLUMNS + 1) : bits(set);
    poise_column columns[32];
    for (size_t i = 0; i < 32; i++) columns[i] = (poise_column){0};
    for (size_t i = 0; i < width && i < COLUMNS; i++) columns[i] = column(f, (int)i);
    uint8_t *row_status = rarely(f, 2) && rows <= ROOM ? f->row_status : NULL;
    const poise_status status = note(
        f,
        poise_greeks(
            PICK(engines), rarely(f, 60) ? NULL : &form, set, rarely(f, 60) ? NULL : columns, width, row_status),
        "poise_greeks");
    for (size_t i = 0; i < width && i < COLUMNS; i++) {
        check_column(f, (int)i, columns[i], rows, 1, "poise_greeks");
        if (status != POISE_OK || rows > ROOM) continue;
        const ptrdiff_t step = columns[i].stride == 0 ? 1 : columns[i].stride / 8;
        for (size_t row = 0; row < rows; row++) {
            const double got = columns[i].data[(ptrdiff_t)row * step];
            const int is_bad = row_status != NULL && row_status[row] != 0;
            if (isnan(got) != is_bad) {
                broken(f, is_bad ? "a number for a bad row" : "NaN for a good row", "poise_greeks");
                break;
            }
        }
    }
}

static void implied_volatility(fuzz *f) {
    const size_t rows = count(f);
    poise_prices prices = {
        .size = size(f, sizeof prices),
        .model = (poise_model)(rarely(f, 3) ? below(f, 4) : 0),
        .count = rows,
        .type = types(f),
        .spot = values(f, 0, 50, 150),
        .strike = values(f, 1, 50, 150),
        .years = values(f, 2, 0, 2),
        .price = values(f, 3, 0, 60),
        .rate = values(f, 4, -0.1, 0.2),
        .dividend = values(f, 5, -0.1, 0.2)};
    poise_column target = column(f, 0);
    uint8_t *row_status = rarely(f, 2) && rows <= ROOM ? f->row_status : NULL;
    const poise_status status = note(
        f, poise_implied_volatility(PICK(engines), rarely(f, 60) ? NULL : &prices, target, row_status),
        "poise_implied_volatility");
    check_column(f, 0, target, rows, 1, "poise_implied_volatility");
    if (status == POISE_OK && row_status != NULL)
        for (size_t row = 0; row < rows; row++)
            if (isnan(target.data[(ptrdiff_t)row * (target.stride == 0 ? 1 : target.stride / 8)]) !=
                (row_status[row] != 0)) {
                broken(f, "status and volatility differ", "poise_implied_volatility");
                break;
            }
}

static void slices(fuzz *f) {
    static _Thread_local size_t offsets[64];
    switch (below(f, 5)) {
    case 0: {
        const size_t rows = rarely(f, 20) ? count(f) : below(f, 40);
        if (rows > 60 && rows < 2147483648u) return;
        size_t end = 0;
        for (size_t i = 0; i < 64; i++) {
            offsets[i] = end;
            end += below(f, 20);
        }
        if (rarely(f, 20)) offsets[below(f, 64)] = (size_t)next(f) >> below(f, 64);
        // Offsets that ascend must be of rows that are there.
        int is_ascending = 1;
        for (size_t i = 0; rows < 64 && i < rows; i++) is_ascending = is_ascending && offsets[i] <= offsets[i + 1];
        if (rows < 64 && is_ascending && offsets[rows] > ROOM && offsets[rows] <= 2147483647u) return;
        const size_t at = below(f, HANDLES);
        poise_slices *made = NULL;
        if (note(
                f,
                poise_slices_create(
                    PICK(engines), rows, rarely(f, 60) ? NULL : offsets, types(f), values(f, 1, 50, 150),
                    rarely(f, 60) ? NULL : &made),
                "poise_slices_create") == POISE_OK &&
            made != NULL) {
            poise_slices_free(f->slices[at]);
            f->slices[at] = made;
            f->slice_counts[at] = rows;
        }
        return;
    }
    case 1: {
        const size_t at = below(f, HANDLES), first = below(f, f->slice_counts[at] + 2), rows = below(f, 20);
        note(
            f,
            poise_slices_set_market(
                f->slices[at], first, rarely(f, 20) ? count(f) : rows, values(f, 0, 50, 150), values(f, 2, 0, 2),
                values(f, 4, -0.1, 0.2), values(f, 5, -0.1, 0.2)),
            "poise_slices_set_market");
        return;
    }
    case 2: {
        const size_t at = below(f, HANDLES), all = poise_slices_count(f->slices[at]);
        note(
            f,
            poise_slices_set_volatility(
                f->slices[at], below(f, all + 2), rarely(f, 20) ? count(f) : below(f, 60), values(f, 3, 0, 2)),
            "poise_slices_set_volatility");
        return;
    }
    default: {
        const size_t at = below(f, HANDLES), first = rarely(f, 2) ? 0 : below(f, f->slice_counts[at] + 2);
        const size_t rows = rarely(f, 20) ? count(f) : rarely(f, 2) ? f->slice_counts[at] : below(f, 20);
        const poise_greek_set set = greek_set(f);
        poise_column columns[32] = {{0}};
        for (size_t i = 0; i < bits(set) && i < COLUMNS; i++) columns[i] = column(f, (int)i);
        note(
            f,
            poise_slices_greeks(
                rarely(f, 40) ? NULL : f->slices[at], first, rows, set, rarely(f, 60) ? NULL : columns, bits(set)),
            "poise_slices_greeks");
        for (size_t i = 0; i < bits(set) && i < COLUMNS; i++)
            check_column(f, (int)i, columns[i], poise_slices_count(f->slices[at]), 1, "poise_slices_greeks");
        return;
    }
    }
}

static void surface(fuzz *f) {
    if (rarely(f, 8)) {
        // Few rows: a fit takes longer than all else here.
        const size_t rows = rarely(f, 20) ? count(f) : below(f, 20);
        if (rows > 60 && rows < 2147483648u) return;
        poise_smile_quotes quotes = {
            .size = size(f, sizeof quotes),
            .count = rows,
            .years = values(f, 2, 0.1, 0.1),
            .forward = values(f, 0, 100, 100),
            .strike = values(f, 1, 60, 150),
            .bid = values(f, 3, 0.3, 0.6),
            .ask = values(f, 4, 0.5, 0.8),
            .weight = rarely(f, 3) ? values(f, 5, 0, 2) : (poise_values){0},
            .loss = (poise_smile_loss)(rarely(f, 30) ? next(f) : below(f, 2)),
            .arbitrage = (poise_arbitrage)(rarely(f, 30) ? next(f) : 1 + below(f, 2)),
            .spot = rarely(f, 4) ? number(f, 90, 110) : 0};
        REPLACE(surfaces, poise_surface, poise_surface_free, poise_surface_fit(rarely(f, 60) ? NULL : &quotes, target));
        return;
    }
    const poise_surface *asked = PICK(surfaces);
    const size_t slices = poise_surface_count(asked);
    if (rarely(f, 4)) {
        poise_surface_slice slice = {.size = size(f, sizeof slice)};
        note(
            f, poise_surface_slice_at(asked, below(f, slices + 2), rarely(f, 60) ? NULL : &slice),
            "poise_surface_slice_at");
        double gap[2];
        note(
            f, poise_surface_gap(asked, below(f, slices + 2), rarely(f, 9) ? NULL : gap, rarely(f, 9) ? NULL : gap + 1),
            "poise_surface_gap");
        return;
    }
    const size_t rows = count(f);
    const uint32_t quantities = rarely(f, 20) ? (uint32_t)next(f) : (uint32_t)(next(f) & 127);
    const size_t width = rarely(f, 40) ? below(f, COLUMNS + 1) : bits(quantities);
    poise_column columns[32] = {{0}};
    for (size_t i = 0; i < width && i < COLUMNS; i++) columns[i] = column(f, (int)i);
    uint8_t *row_status = rarely(f, 2) && rows <= ROOM ? f->row_status : NULL;
    note(
        f,
        poise_surface_query(
            asked, rows, values(f, 1, 50, 150), values(f, 2, 0.01, 2), quantities, rarely(f, 60) ? NULL : columns,
            width, row_status),
        "poise_surface_query");
    for (size_t i = 0; i < width && i < COLUMNS; i++)
        check_column(f, (int)i, columns[i], rows, 1, "poise_surface_query");
}

static poise_exposure_options exposure_options(fuzz *f) {
    poise_exposure_options options = {
        .size = size(f, sizeof options),
        .numeraire = (poise_numeraire)(rarely(f, 30) ? next(f) : below(f, 2)),
        .grouping_count = (uint32_t)below(f, 4)};
    const uint64_t known = rarely(f, 4) ? 7 : 4; // the last three need buckets
    if (rarely(f, 30)) options.grouping_count = (uint32_t)next(f);
    for (int i = 0; i < POISE_MAXIMUM_GROUPINGS; i++)
        options.groupings[i] = (poise_grouping)(rarely(f, 30) ? next(f) : below(f, known));
    return options;
}

static poise_status exposures_in_buckets(
    fuzz *f, const poise_engine *engine, const poise_chain *chain, const poise_positions *positions,
    const poise_exposure_options *options, poise_exposures **target) {
    static const char *const desks[] = {"one", "two", "", NULL};
    double edges[2][4];
    const char *books[4], *desk[4];
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < 4; i++) edges[k][i] = rarely(f, 30) ? odd_number(f) : (i + 1) * uniform(f, 0.9, 1);
    for (int i = 0; i < 4; i++) {
        books[i] = names[below(f, NAMES)];
        desk[i] = desks[rarely(f, 20) ? below(f, 4) : below(f, 2)];
    }
    poise_buckets buckets = {
        .size = size(f, sizeof buckets),
        .tenor_days = rarely(f, 4) ? NULL : edges[0],
        .tenor_count = below(f, 5),
        .moneyness = rarely(f, 4) ? NULL : edges[1],
        .moneyness_count = below(f, 5),
        .desk_count = rarely(f, 2) ? 0 : below(f, 3),
        .book = {.strings = rarely(f, 30) ? NULL : books},
        .desk = {.strings = rarely(f, 30) ? NULL : desk}};
    if (rarely(f, 60)) buckets.tenor_count = (size_t)next(f) | 1u << 20;
    if (rarely(f, 60)) buckets.desk_count = (size_t)next(f) | 1ull << 40;
    return poise_exposures_create_in_buckets(
        engine, chain, positions, options, rarely(f, 10) ? NULL : &buckets, target);
}

static void market(fuzz *f) {
    static _Thread_local char copy[2048];
    static _Thread_local const char *strings[4][ROOM];
    size_t cut;
    switch (below(f, 12)) {
    case 0: {
        const char *text = damaged(f, chain_text, sizeof chain_text - 1, copy, &cut);
        static const char *const exchanges[] = {NULL, "deribit", "okx", "bybit", "", "nasdaq"};
        poise_source sources[2] = {
            {.size = size(f, sizeof *sources), .text = text, .length = cut, .exchange = exchanges[below(f, 6)]},
            {.size = sizeof *sources, .text = chain_text, .length = sizeof chain_text - 1}};
        if (rarely(f, 3)) {
            REPLACE(
                chains, poise_chain, poise_chain_free,
                poise_chain_load(rarely(f, 40) ? NULL : sources, below(f, 3), target));
            return;
        }
        if (rarely(f, 8)) {
            const poise_chain *chain = f->chains[below(f, HANDLES)];
            REPLACE(chains, poise_chain, poise_chain_free, poise_chain_with_instruments(chain, sources, target));
            return;
        }
        REPLACE(chains, poise_chain, poise_chain_free, poise_chain_parse(text, cut, names[below(f, NAMES)], target));
        return;
    }
    case 1: {
        const char *text = damaged(f, positions_text, sizeof positions_text - 1, copy, &cut);
        REPLACE(positions, poise_positions, poise_positions_free, poise_positions_parse(text, cut, NULL, target));
        return;
    }
    case 2: {
        const char *text = damaged(f, limits_text, sizeof limits_text - 1, copy, &cut);
        REPLACE(limits, poise_limits, poise_limits_free, poise_limits_parse(text, cut, NULL, target));
        return;
    }
    case 3: {
        const char *text = damaged(f, grid_text, sizeof grid_text - 1, copy, &cut);
        REPLACE(grids, poise_grid, poise_grid_free, poise_grid_parse(text, cut, NULL, target));
        return;
    }
    case 4: {
        const size_t rows = rarely(f, 10) ? count(f) : below(f, 12), filled = rows < ROOM ? rows : 0;
        for (size_t i = 0; i < ROOM; i++)
            f->times[i] = rarely(f, 100) ? (int64_t)next(f) : 1740000000000 + (int64_t)below(f, 4);
        poise_tickers tickers = {
            .size = size(f, sizeof tickers),
            .count = rows,
            .instrument = texts(f, strings[0], filled, 0, 7),
            .timestamp = {rarely(f, 40) ? NULL : f->times, 0},
            .underlying_price = values(f, 0, 50000, 70000),
            .mark_volatility = values(f, 1, 0.2, 2),
            .mark_price = values(f, 2, 0, 5),
            .interest_rate = values(f, 3, -0.1, 0.1),
            .index_price = values(f, 4, 50000, 70000),
            .bid_price = values(f, 5, 0.01, 0.1),
            .bid_amount = values(f, 6, 0, 10),
            .ask_price = values(f, 7, 0.1, 0.2),
            .ask_amount = values(f, 6, 0, 10),
            .open_interest = values(f, 6, 0, 10),
            .exchange_delta = values(f, 7, -1, 1)};
        if (rarely(f, 2)) tickers.underlying_index = texts(f, strings[1], filled, 12, 13);
        if (rarely(f, 20)) tickers.exchange = texts(f, strings[2], filled, 0, 7);
        REPLACE(chains, poise_chain, poise_chain_free, poise_chain_create(rarely(f, 40) ? NULL : &tickers, target));
        return;
    }
    case 5: {
        const size_t rows = rarely(f, 10) ? count(f) : below(f, 12), filled = rows < ROOM ? rows : 0;
        poise_texts books = texts(f, strings[0], filled, 7, 9), held = texts(f, strings[1], filled, 0, 7);
        REPLACE(
            positions, poise_positions, poise_positions_free,
            poise_positions_create(rows, books, held, values(f, 0, -10, 10), target));
        return;
    }
    case 6: {
        const size_t rows = rarely(f, 10) ? count(f) : 1 + below(f, 4), filled = rows < ROOM ? rows : 0;
        static _Thread_local uint8_t measures[ROOM];
        for (size_t i = 0; i < ROOM; i++) measures[i] = (uint8_t)(rarely(f, 100) ? next(f) : below(f, 10));
        poise_limit_columns columns = {
            .size = size(f, sizeof columns),
            .count = rows,
            .underlying = texts(f, strings[0], filled, 11, 12),
            .exposure = {measures, 0},
            .low = values(f, 0, -1000, 0),
            .high = values(f, 1, 0, 1000)};
        if (rarely(f, 2)) columns.book = texts(f, strings[1], filled, 7, 10);
        if (rarely(f, 4)) columns.expiry = texts(f, strings[2], filled, 16, 17);
        if (rarely(f, 2)) columns.penalty = values(f, 2, 0, 1);
        if (rarely(f, 2)) columns.penalty_quadratic = values(f, 3, 0, 1);
        REPLACE(limits, poise_limits, poise_limits_free, poise_limits_create(rarely(f, 40) ? NULL : &columns, target));
        return;
    }
    case 7: {
        poise_volatility_rule rules[3];
        poise_scenario scenarios[20];
        for (int i = 0; i < 3; i++)
            rules[i] = (poise_volatility_rule){number(f, -0.5, 0.5), number(f, -0.1, 0.1), number(f, -0.1, 0.1),
                                               number(f, 0, 0.5),    number(f, 0, 0.5),    number(f, 0, 10),
                                               number(f, 0, 0.5)};
        for (int i = 0; i < 20; i++)
            scenarios[i] = (poise_scenario){
                number(f, -0.5, 0.5),
                number(f, 0, 10),
                number(f, -0.1, 0.1),
                number(f, 0, 1),
                (uint32_t)below(f, rarely(f, 20) ? 5 : 3),
                (poise_stickiness)(rarely(f, 30)   ? next(f)
                                   : rarely(f, 10) ? below(f, 3)
                                                   : 0)};
        const size_t rule_count = rarely(f, 20) ? (rarely(f, 2) ? 0 : (size_t)next(f) | 1u << 20) : 3;
        const size_t rows = rarely(f, 20) ? (rarely(f, 2) ? 0 : (size_t)next(f) | 1u << 20) : 1 + below(f, 20);
        REPLACE(
            grids, poise_grid, poise_grid_free,
            poise_grid_create(
                rarely(f, 40) ? NULL : rules, rule_count, rarely(f, 40) ? NULL : scenarios, rows, target));
        return;
    }
    case 8: {
        poise_exposure_options options = exposure_options(f);
        if (rarely(f, 2)) {
            REPLACE(
                exposures, poise_exposures, poise_exposures_free,
                exposures_in_buckets(
                    f, PICK(engines), PICK(chains), PICK(positions), rarely(f, 4) ? NULL : &options, target));
            return;
        }
        REPLACE(
            exposures, poise_exposures, poise_exposures_free,
            poise_exposures_create(
                PICK(engines), PICK(chains), PICK(positions), rarely(f, 2) ? NULL : &options, target));
        return;
    }
    case 9: {
        poise_exposures *some = PICK(exposures);
        poise_column target = column(f, 0);
        note(
            f, poise_exposures_values(some, (poise_exposure)below(f, rarely(f, 10) ? 4000000000u : 10), target),
            "poise_exposures_values");
        check_column(f, 0, target, poise_exposures_count(some), 1, "poise_exposures_values");
        const size_t group = below(f, 20);
        if ((poise_exposures_label(some, group, 0) != NULL) != (group < poise_exposures_count(some)))
            broken(f, "labels", "poise_exposures_label");
        return;
    }
    case 10: {
        poise_exposure_options options = exposure_options(f);
        REPLACE(
            profits, poise_scenario_profits, poise_scenario_profits_free,
            poise_scenario_profits_create(
                PICK(engines), PICK(chains), PICK(positions), PICK(grids), rarely(f, 2) ? NULL : &options, target));
        return;
    }
    default: {
        poise_engine_options options = {
            size(f, sizeof options), (poise_instruction_set)(rarely(f, 20) ? next(f) : below(f, 4)),
            (uint32_t)(rarely(f, 20) ? next(f) | 2048 : below(f, 3))};
        REPLACE(engines, poise_engine, poise_engine_free, poise_engine_create(rarely(f, 3) ? NULL : &options, target));
        return;
    }
    }
}

static void scenarios(fuzz *f) {
    poise_grid *grid = PICK(grids);
    const size_t width = poise_grid_count(grid);
    const size_t room = width > 0 ? ROOM / width : 0, rows = rarely(f, 10) ? count(f) : below(f, room + 1);
    if (rows > room && rows < 2147483648u) return;
    poise_full_form form = full_form(f, rows);
    // Rows must not be written on top of each other for the check that follows; some are.
    poise_column target = column(f, 0);
    if (rarely(f, 3) && width > 0)
        target.stride = (ptrdiff_t)(8 * width);
    else
        target.stride = rarely(f, 10) ? 4 : 0;
    const poise_rows profits = {target.data, target.stride};
    const poise_numeraire numeraire = (poise_numeraire)(rarely(f, 30) ? next(f) : below(f, 2));
    size_t written = rows;
    if (rarely(f, 2)) {
        note(
            f, poise_scenario_legs(PICK(engines), grid, rarely(f, 60) ? NULL : &form, numeraire, profits),
            "poise_scenario_legs");
    } else {
        const size_t books = rarely(f, 20) ? count(f) : below(f, room + 1);
        if (books > room && books < 2147483648u) return;
        for (int i = 0; i < SPAN; i++) f->books[i] = (int32_t)below(f, books > 0 && books < 100000 ? books : 1);
        if (rarely(f, 20)) f->books[below(f, 10)] = (int32_t)next(f);
        written = books;
        note(
            f,
            poise_scenario_books(
                PICK(engines), grid, rarely(f, 60) ? NULL : &form, values(f, 6, -10, 10),
                rarely(f, 60) ? NULL : f->books, books, numeraire, profits),
            "poise_scenario_books");
    }
    check_column(f, 0, target, written, width, "poise_scenario");
    poise_scenario_profits *made = PICK(profits);
    if (poise_scenario_profits_count(made) <= 8) {
        poise_column whole = column(f, 1);
        whole.stride = 0;
        note(f, poise_scenario_profits_values(made, (poise_rows){whole.data, 0}), "poise_scenario_profits_values");
    }
}

static void live(fuzz *f) {
    poise_live *desk = PICK(lives);
    const size_t hedge = below(f, 4);
    switch (below(f, 14)) {
    case 0: {
        poise_live_options options = {
            .size = size(f, sizeof options),
            .holding_days = number(f, 0, 5),
            .funding_rate = number(f, -0.001, 0.001),
            .cash_budget = rarely(f, 4) ? number(f, 1e5, 1e7) : 0,
            .uses_lots = rarely(f, 6)};
        if (rarely(f, 3)) options.exposures = exposure_options(f);
        poise_limits *limits = rarely(f, 2) ? NULL : PICK(limits);
        REPLACE(
            lives, poise_live, poise_live_free,
            poise_live_create(
                PICK(engines), PICK(chains), PICK(positions), limits, rarely(f, 2) ? NULL : &options, target));
        return;
    }
    case 1:
    case 2:
        note(
            f,
            poise_live_tick(
                desk, below(f, 3), number(f, 50000, 70000),
                rarely(f, 3) ? (int64_t)(rarely(f, 20) ? next(f) : 1740000000000u + below(f, 1u << 31)) : 0),
            "poise_live_tick");
        return;
    case 3:
        note(f, poise_live_set_price(desk, below(f, 8), number(f, 50000, 70000), 0), "poise_live_set_price");
        return;
    case 4:
        note(f, poise_live_set_rate(desk, below(f, 8), number(f, -0.1, 0.1)), "poise_live_set_rate");
        return;
    case 5:
        note(f, poise_live_set_volatility(desk, below(f, 10), number(f, 0.2, 2)), "poise_live_set_volatility");
        return;
    case 6:
        note(
            f, poise_live_advance(desk, (int64_t)(rarely(f, 20) ? next(f) : 1740000000000u + below(f, 1u << 31))),
            "poise_live_advance");
        return;
    case 7:
        note(
            f,
            poise_live_fill(
                desk, names[rarely(f, 10) ? below(f, NAMES) : 7 + below(f, 2)], below(f, 10), number(f, -10, 10)),
            "poise_live_fill");
        return;
    case 8: {
        size_t stale = 0;
        note(f, poise_live_update(desk, rarely(f, 3) ? NULL : &stale), "poise_live_update");
        return;
    }
    case 9: {
        poise_column target = column(f, 0);
        if (poise_live_group_count(desk) > ROOM) return;
        note(
            f, poise_live_exposures(desk, (poise_exposure)below(f, rarely(f, 10) ? 4000000000u : 10), target),
            "poise_live_exposures");
        check_column(f, 0, target, poise_live_group_count(desk), 1, "poise_live_exposures");
        return;
    }
    case 10: {
        poise_hedge_result result = {.size = size(f, sizeof result)};
        note(f, poise_live_decide(desk, hedge, rarely(f, 4) ? NULL : &result), "poise_live_decide");
        return;
    }
    case 11: {
        poise_column target = column(f, 0), bands = column(f, 1), prices = column(f, 2);
        note(f, poise_live_trades(desk, hedge, target), "poise_live_trades");
        check_column(f, 0, target, poise_live_candidate_count(desk, hedge), 1, "poise_live_trades");
        note(f, poise_live_bands(desk, hedge, bands, prices), "poise_live_bands");
        check_column(f, 1, bands, poise_live_band_count(desk, hedge), 1, "poise_live_bands");
        check_column(f, 2, prices, poise_live_band_count(desk, hedge), 1, "poise_live_bands");
        poise_column low = column(f, 0), high = column(f, 1), after = column(f, 2);
        note(f, poise_live_band_edges(desk, hedge, low, high, after), "poise_live_band_edges");
        check_column(f, 0, low, poise_live_band_count(desk, hedge), 1, "poise_live_band_edges");
        check_column(f, 1, high, poise_live_band_count(desk, hedge), 1, "poise_live_band_edges");
        check_column(f, 2, after, poise_live_band_count(desk, hedge), 1, "poise_live_band_edges");
        return;
    }
    case 12: {
        poise_hedge_instrument instrument = {
            0, number(f, 0, 1), number(f, 0, 1), number(f, 0, 1e-4), 0, 0, number(f, 0, 100), number(f, 0, 100), 0, 0};
        note(
            f, poise_live_set_candidate(desk, hedge, below(f, 10), rarely(f, 30) ? NULL : &instrument),
            "poise_live_set_candidate");
        note(
            f, poise_live_set_minimum_trade(desk, hedge, below(f, 10), rarely(f, 2) ? 0 : number(f, 0, 10)),
            "poise_live_set_minimum_trade");
        if (rarely(f, 4)) {
            poise_column trades = column(f, 0), violations = column(f, 1), prices = column(f, 2);
            poise_hedge_diagnosis diagnosis = {.size = size(f, sizeof diagnosis)};
            note(
                f, poise_live_diagnose(desk, hedge, trades, violations, prices, rarely(f, 30) ? NULL : &diagnosis),
                "poise_live_diagnose");
            check_column(f, 0, trades, poise_live_candidate_count(desk, hedge), 1, "poise_live_diagnose");
            check_column(f, 1, violations, poise_live_band_count(desk, hedge), 1, "poise_live_diagnose");
            check_column(f, 2, prices, poise_live_band_count(desk, hedge), 1, "poise_live_diagnose");
        }
        return;
    }
    default: {
        double value;
        note(
            f, poise_live_figure(desk, below(f, 12), (poise_exposure)below(f, 11), rarely(f, 30) ? NULL : &value),
            "poise_live_figure");
        note(f, poise_live_book_trades(desk, hedge, names[below(f, NAMES)]), "poise_live_book_trades");
        const char *name = names[below(f, NAMES)];
        const int64_t contract = poise_live_find_contract(desk, name);
        if (contract >= 0 && strcmp(poise_live_contract(desk, (size_t)contract), name) != 0)
            broken(f, "found another", "poise_live_find_contract");
        poise_live_find_slice(desk, name);
        poise_live_find_underlying(desk, name);
        poise_live_candidate(desk, hedge, below(f, 12));
        poise_live_band(desk, hedge, below(f, 6));
        poise_live_hedge_book(desk, hedge);
        poise_live_label(desk, below(f, 12), below(f, 5));
        poise_live_slice(desk, below(f, 12));
        poise_live_grouping(desk, below(f, 5));
        return;
    }
    }
}

static poise_margin_columns margin_columns(fuzz *f) {
    poise_margin_columns columns = {.size = size(f, sizeof columns)};
    columns.initial_margin = column(f, 0);
    if (rarely(f, 2)) columns.maintenance_margin = column(f, 1);
    if (rarely(f, 2)) columns.initial_balance = column(f, 2);
    if (rarely(f, 2)) columns.maintenance_balance = column(f, 3);
    return columns;
}

static void check_margin_columns(fuzz *f, const poise_margin_columns *made, size_t rows, const char *call) {
    const poise_column columns[] = {
        made->initial_margin, made->maintenance_margin, made->initial_balance, made->maintenance_balance};
    for (int i = 0; i < 4; i++)
        if (columns[i].data != NULL) check_column(f, i, columns[i], rows, 1, call);
}

// What margins are made of.
static void margin_inputs(fuzz *f) {
    char copy[1024];
    size_t length;
    const char *name = rarely(f, 3) ? NULL : "fuzz";
    switch (below(f, 3)) {
    case 0: {
        const char *text = rarely(f, 2) ? damaged(f, rates_text, sizeof rates_text - 1, copy, &length)
                                        : damaged(f, scan_text, sizeof scan_text - 1, copy, &length);
        REPLACE(
            models, poise_margin_model, poise_margin_model_free,
            poise_margin_model_parse(text, text ? length : 9, name, target));
        poise_margin_model *model = PICK(models);
        const poise_margin_fact fact = (poise_margin_fact)(rarely(f, 20) ? next(f) : below(f, 6));
        if ((poise_margin_model_fact(model, fact) != NULL) != (model != NULL && fact < 5))
            broken(f, "facts", "poise_margin_model_fact");
        (void)poise_margin_model_omitted(model, below(f, 3));
        return;
    }
    case 1: {
        const char *text = rarely(f, 2) ? damaged(f, account_text, sizeof account_text - 1, copy, &length)
                                        : damaged(f, plain_account_text, sizeof plain_account_text - 1, copy, &length);
        REPLACE(
            accounts, poise_margin_account, poise_margin_account_free,
            poise_margin_account_parse(text, text ? length : 9, name, target));
        poise_margin_account *account = PICK(accounts);
        if ((poise_margin_account_currency(account) != NULL) != (account != NULL))
            broken(f, "currency", "poise_margin_account_currency");
        return;
    }
    default: {
        const char *text = damaged(f, cases_text, sizeof cases_text - 1, copy, &length);
        REPLACE(
            cases, poise_margin_cases, poise_margin_cases_free,
            poise_margin_cases_parse(text, text ? length : 9, name, target));
        if (rarely(f, 10))
            note(f, poise_margin_model_read(rarely(f, 2) ? NULL : "/nowhere", NULL), "poise_margin_model_read");
        return;
    }
    }
}

/** Steps ahead of a margin, or of an auction; freed at once. */
static void margin_steps(fuzz *f, const poise_margin *asked) {
    if (rarely(f, 4)) {
        poise_margin_auction *auction = (poise_margin_auction *)f;
        const poise_status status = poise_margin_auction_of_case(
            PICK(cases), rarely(f, 4) ? next(f) : below(f, 3), rarely(f, 60) ? NULL : &auction);
        note(f, status, "poise_margin_auction_of_case");
        if (auction == (poise_margin_auction *)f) return;
        const size_t rows = poise_margin_auction_count(auction);
        if (rows <= ROOM) {
            poise_column target = column(f, 0);
            const poise_margin_bid figure = (poise_margin_bid)(rarely(f, 8) ? next(f) : below(f, 7));
            note(f, poise_margin_auction_amounts(auction, figure, target), "poise_margin_auction_amounts");
            check_column(f, 0, target, rows, 1, "poise_margin_auction_amounts");
        }
        poise_margin_auction_free(auction);
        return;
    }
    poise_margin_ahead *ahead = (poise_margin_ahead *)f;
    const poise_status status = poise_margin_ahead_create(asked, number(f, 0, 60), rarely(f, 60) ? NULL : &ahead);
    note(f, status, "poise_margin_ahead_create");
    if (ahead == (poise_margin_ahead *)f) return;
    const size_t rows = poise_margin_ahead_count(ahead), row = below(f, rows + 2);
    const poise_margin_label label = (poise_margin_label)(rarely(f, 8) ? next(f) : below(f, 4));
    if (poise_margin_ahead_text(ahead, row, label) != NULL && row >= rows)
        broken(f, "labels", "poise_margin_ahead_text");
    if (rows <= ROOM) {
        poise_column target = column(f, 0);
        const poise_margin_step figure = (poise_margin_step)(rarely(f, 8) ? next(f) : below(f, 7));
        note(f, poise_margin_ahead_amounts(ahead, figure, target), "poise_margin_ahead_amounts");
        check_column(f, 0, target, rows, 1, "poise_margin_ahead_amounts");
    }
    poise_margin_ahead_free(ahead);
}

/** A margin in whole numbers; freed at once. */
static void margin_exact(fuzz *f, const poise_margin *asked) {
    poise_margin_exact *exact = (poise_margin_exact *)f;
    const poise_status status = poise_margin_exact_create(asked, rarely(f, 60) ? NULL : &exact);
    note(f, status, "poise_margin_exact_create");
    if (exact == (poise_margin_exact *)f) return;
    const size_t rows = poise_margin_exact_count(exact), row = below(f, rows + 2);
    if ((poise_margin_exact_loss(exact, row) != NULL) != (row < rows) ||
        (poise_margin_exact_scenario(exact, row) != NULL) != (row < rows))
        broken(f, "scenarios", "poise_margin_exact_loss");
    const size_t figure = rarely(f, 8) ? (size_t)(uint32_t)next(f) : below(f, 3);
    if ((poise_margin_exact_figure(exact, (poise_margin_whole)figure) != NULL) != (exact != NULL && figure < 3))
        broken(f, "figures", "poise_margin_exact_figure");
    if ((poise_margin_exact_transcript(exact) != NULL) != (exact != NULL))
        broken(f, "transcripts", "poise_margin_exact_transcript");
    poise_margin_exact_free(exact);
}

static void margin(fuzz *f) {
    const poise_margin *asked = PICK(margins);
    switch (below(f, 9)) {
    case 0:
        REPLACE(
            margins, poise_margin, poise_margin_free,
            poise_margin_create(
                PICK(engines), PICK(chains), PICK(positions), PICK(accounts), PICK(models),
                rarely(f, 3) ? names[below(f, NAMES)] : "BTC", target));
        return;
    case 1:
        REPLACE(
            margins, poise_margin, poise_margin_free,
            poise_margin_of_case(PICK(engines), PICK(cases), rarely(f, 10) ? next(f) : 0, target));
        return;
    case 2: {
        poise_margin_figures figures = {.size = size(f, sizeof figures)};
        note(f, poise_margin_totals(asked, rarely(f, 60) ? NULL : &figures), "poise_margin_totals");
        const size_t underlyings = poise_margin_underlying_count(asked), at = below(f, 3);
        if ((poise_margin_underlying(asked, at) != NULL) != (at < underlyings))
            broken(f, "names", "poise_margin_underlying");
        if ((poise_margin_index(asked, at) > 0) != (at < underlyings)) broken(f, "indices", "poise_margin_index");
        return;
    }
    case 3:
    case 4: {
        const poise_margin_table table = (poise_margin_table)(rarely(f, 20) ? next(f) : below(f, 7));
        const size_t rows = poise_margin_count(asked, table), row = below(f, rows + 2);
        const char *text =
            poise_margin_text(asked, table, row, (poise_margin_label)(rarely(f, 20) ? next(f) : below(f, 4)));
        if (text != NULL && row >= rows) broken(f, "labels", "poise_margin_text");
        if (rows > ROOM) return;
        poise_column target = column(f, 0);
        note(
            f, poise_margin_amounts(asked, table, (poise_margin_amount)(rarely(f, 20) ? next(f) : below(f, 4)), target),
            "poise_margin_amounts");
        check_column(f, 0, target, rows, 1, "poise_margin_amounts");
        return;
    }
    case 7:
        if (rarely(f, 4)) margin_steps(f, asked);
        return;
    case 8:
        if (rarely(f, 4)) margin_exact(f, asked);
        return;
    case 5: {
        if (!rarely(f, 8)) return;
        poise_column target = column(f, 0);
        size_t found, capacity = rarely(f, 8) ? count(f) : below(f, ROOM);
        if (capacity > ROOM && capacity < 2147483648u) return;
        note(
            f,
            poise_margin_liquidation(
                asked, rarely(f, 8) ? (int64_t)next(f) : (int64_t)below(f, 2) - 1,
                rarely(f, 2) ? number(f, 0.1, 0.9) : 0, rarely(f, 2) ? number(f, 1.1, 9) : 0, target, capacity,
                rarely(f, 40) ? NULL : &found),
            "poise_margin_liquidation");
        check_column(f, 0, target, capacity, 1, "poise_margin_liquidation");
        return;
    }
    default: {
        const size_t rows = rarely(f, 10) ? count(f) : below(f, 9), filled = rows < ROOM ? rows : 0;
        if (rows > ROOM && rows < 2147483648u) return;
        const char *strings[ROOM];
        const poise_texts instruments = texts(f, strings, filled, 0, 7);
        const poise_values quantities = values(f, 0, -5, 5);
        poise_margin_columns columns = margin_columns(f);
        note(
            f, poise_margin_what_if(asked, rows, instruments, quantities, rarely(f, 60) ? NULL : &columns),
            "poise_margin_what_if");
        check_margin_columns(f, &columns, rows, "poise_margin_what_if");
        return;
    }
    }
}

static void live_margin(fuzz *f) {
    poise_live_margin *live = PICK(live_margins);
    const size_t contracts = poise_live_margin_contract_count(live), at = below(f, contracts + 2);
    switch (below(f, 10)) {
    case 0:
        REPLACE(
            live_margins, poise_live_margin, poise_live_margin_free, poise_live_margin_create(PICK(margins), target));
        return;
    case 1:
        if ((poise_live_margin_contract(live, at) != NULL) != (at < contracts))
            broken(f, "names", "poise_live_margin_contract");
        (void)poise_live_margin_expiry(live, below(f, poise_live_margin_expiry_count(live) + 2));
        (void)poise_live_margin_find_contract(live, names[below(f, NAMES)]);
        (void)poise_live_margin_find_expiry(live, names[below(f, NAMES)]);
        return;
    case 2:
        note(
            f,
            poise_live_margin_tick(
                live, number(f, 40000, 80000), rarely(f, 3) ? (int64_t)(1740000000000 + below(f, 86400000)) : 0),
            "poise_live_margin_tick");
        return;
    case 3:
        note(f, poise_live_margin_set_index(live, number(f, 40000, 80000)), "poise_live_margin_set_index");
        return;
    case 4:
        note(f, poise_live_margin_set_perpetual(live, at, number(f, 40000, 80000)), "poise_live_margin_set_perpetual");
        return;
    case 5:
        note(
            f, poise_live_margin_set_forward(live, below(f, 3), number(f, 40000, 80000)),
            "poise_live_margin_set_forward");
        return;
    case 6:
        note(f, poise_live_margin_set_volatility(live, at, number(f, 0.1, 2)), "poise_live_margin_set_volatility");
        return;
    case 7:
        note(f, poise_live_margin_fill(live, at, number(f, -5, 5), number(f, -10, 10)), "poise_live_margin_fill");
        return;
    case 8: {
        note(f, poise_live_margin_update(live), "poise_live_margin_update");
        poise_margin_figures figures = {.size = size(f, sizeof figures)};
        note(f, poise_live_margin_totals(live, rarely(f, 60) ? NULL : &figures), "poise_live_margin_totals");
        return;
    }
    default: {
        const size_t rows = count(f);
        size_t places[ROOM];
        for (int i = 0; i < ROOM; i++) places[i] = rarely(f, 200) ? next(f) : below(f, contracts ? contracts : 1);
        const poise_values quantities = values(f, 0, -5, 5);
        poise_margin_columns columns = margin_columns(f);
        note(
            f,
            poise_live_margin_what_if(
                live, rows, rarely(f, 60) ? NULL : places, quantities, rarely(f, 60) ? NULL : &columns),
            "poise_live_margin_what_if");
        check_margin_columns(f, &columns, rows, "poise_live_margin_what_if");
        return;
    }
    }
}

static void margin_hedge(fuzz *f) {
    poise_margin_hedge *hedge = PICK(margin_hedges);
    if (rarely(f, 4)) {
        poise_margin_hedge_options options = {
            .size = size(f, sizeof options),
            .book = rarely(f, 3) ? names[below(f, NAMES)] : NULL,
            .has_buffer = rarely(f, 2),
            .uses_lots = rarely(f, 6),
            .buffer = number(f, -1e5, 1e5),
            .price = rarely(f, 2) ? number(f, 0, 0.01) : 0,
            .holding_days = rarely(f, 2) ? number(f, 0, 5) : 0,
            .funding_rate = rarely(f, 2) ? number(f, -0.001, 0.001) : 0,
            .cash_budget = rarely(f, 4) ? number(f, 1e5, 1e7) : 0,
            .seconds = 1,
            .node_limit = 20};
        if (rarely(f, 2)) {
            REPLACE(
                margin_hedges, poise_margin_hedge, poise_margin_hedge_free,
                poise_margin_hedge_create(PICK(margins), PICK(limits), rarely(f, 4) ? NULL : &options, target));
        } else {
            REPLACE(
                margin_hedges, poise_margin_hedge, poise_margin_hedge_free,
                poise_margin_hedge_of_case(PICK(engines), PICK(cases), rarely(f, 10) ? next(f) : 0, target));
        }
        return;
    }
    poise_hedge_result result = {.size = size(f, sizeof result)};
    poise_margin_hedge_answer answer = {.size = size(f, sizeof answer)};
    note(
        f, poise_margin_hedge_totals(hedge, rarely(f, 9) ? NULL : &result, rarely(f, 9) ? NULL : &answer),
        "poise_margin_hedge_totals");
    poise_margin_figures figures = {.size = size(f, sizeof figures)};
    double liquidation[2];
    note(
        f,
        poise_margin_hedge_account(
            hedge, (uint32_t)below(f, 2), rarely(f, 9) ? NULL : &figures, rarely(f, 9) ? NULL : liquidation,
            rarely(f, 9) ? NULL : liquidation + 1),
        "poise_margin_hedge_account");
    const size_t candidates = poise_margin_hedge_candidate_count(hedge), bands = poise_margin_hedge_band_count(hedge),
                 outcomes = poise_margin_hedge_outcome_count(hedge), at = below(f, 12);
    if ((poise_margin_hedge_candidate(hedge, at) != NULL) != (at < candidates) ||
        (poise_margin_hedge_holding(hedge, at) >= 0) != (at < candidates) ||
        (poise_margin_hedge_band(hedge, at) != NULL) != (at < bands) ||
        (poise_margin_hedge_outcome(hedge, at) != NULL) != (at < outcomes))
        broken(f, "names", "poise_margin_hedge");
    (void)poise_margin_hedge_note(hedge, at);
    if (candidates > ROOM || bands > ROOM || outcomes > ROOM) return;
    const poise_column columns[] = {column(f, 0), column(f, 1), column(f, 2), column(f, 3), column(f, 4)};
    note(f, poise_margin_hedge_trades(hedge, columns[0], columns[1]), "poise_margin_hedge_trades");
    note(f, poise_margin_hedge_bands(hedge, columns[2], columns[3]), "poise_margin_hedge_bands");
    note(f, poise_margin_hedge_outcome_prices(hedge, columns[4]), "poise_margin_hedge_outcome_prices");
    for (int i = 0; i < 5; i++)
        check_column(f, i, columns[i], i < 2 ? candidates : i < 4 ? bands : outcomes, 1, "poise_margin_hedge");
}

static void hedger(fuzz *f) {
    if (rarely(f, 20)) {
        poise_hedger_options options = {
            size(f, sizeof options), rarely(f, 2) ? 0 : 1 + below(f, 200), number(f, 0, 0.01)};
        REPLACE(hedgers, poise_hedger, poise_hedger_free, poise_hedger_create(rarely(f, 2) ? NULL : &options, target));
        return;
    }
    poise_hedge_instrument instruments[12];
    poise_hedge_band bands[6];
    poise_hedge_entry entries[72];
    const size_t instrument_count = rarely(f, 60) ? 0 : 1 + below(f, 12), band_count = below(f, 7);
    for (int i = 0; i < 12; i++)
        instruments[i] = (poise_hedge_instrument){
            rarely(f, 200) ? next(f) : below(f, 2),
            number(f, 0.1, 1),
            number(f, 0.1, 1),
            number(f, 0, 0.1),
            rarely(f, 20) ? number(f, 0, 1) : 0,
            rarely(f, 20) ? number(f, 0.1, 1) : 0,
            number(f, 0, 100),
            number(f, 0, 100),
            number(f, 0, 1),
            number(f, -1, 1)};
    // Mostly good numbers: odd ones make no problem.
    if (!rarely(f, 3))
        for (int i = 0; i < 12; i++)
            instruments[i] = (poise_hedge_instrument){
                below(f, 2),           uniform(f, 0.1, 1),      uniform(f, 0.1, 1), uniform(f, 0, 0.1),
                rarely(f, 20) ? 1 : 0, rarely(f, 20) ? 0.5 : 0, uniform(f, 0, 100), uniform(f, 0, 100),
                uniform(f, 0, 1),      uniform(f, -1, 1)};
    size_t used = 0;
    for (size_t b = 0; b < band_count && b < 6; b++) {
        const double low = uniform(f, -50, 0);
        bands[b] = (poise_hedge_band){
            uniform(f, -100, 100),
            low,
            low + uniform(f, 0, 50),
            rarely(f, 3) ? uniform(f, 0, 2) : NAN,
            rarely(f, 3) ? uniform(f, 0, 1) : 0,
            used,
            below(f, 12)};
        for (size_t k = 0; k < bands[b].entry_count; k++)
            entries[used++] = (poise_hedge_entry){
                rarely(f, 300) ? next(f) : below(f, instrument_count ? instrument_count : 1),
                rarely(f, 300) ? odd_number(f) : uniform(f, -1, 1)};
        if (rarely(f, 100)) bands[b].first_entry = next(f);
        if (rarely(f, 100)) bands[b].low = odd_number(f);
    }
    const double covariance[4] = {0.04, 0.01, 0.01, 0.09}, dollars[2] = {uniform(f, -10, 10), uniform(f, -10, 10)};
    double exposure[12];
    for (int i = 0; i < 12; i++) exposure[i] = uniform(f, -1, 1);
    poise_hedge_problem problem = {
        .size = size(f, sizeof problem),
        .underlying_count = 2,
        .instrument_count = instrument_count,
        .band_count = band_count < 6 ? band_count : 6,
        .entry_count = used,
        .instruments = rarely(f, 100) ? NULL : instruments,
        .bands = rarely(f, 100) ? NULL : bands,
        .entries = rarely(f, 100) ? NULL : entries,
        .margin_limit = rarely(f, 3) ? number(f, 1, 100) : INFINITY,
        .cash_budget = rarely(f, 3) ? number(f, 1, 100) : INFINITY,
        .risk_aversion = rarely(f, 4) ? number(f, 0, 0.1) : 0,
        .covariance = rarely(f, 40) ? NULL : covariance,
        .dollar_delta = dollars,
        .exposure = exposure};
    double minimums[12];
    for (int i = 0; i < 12; i++) minimums[i] = rarely(f, 100) ? odd_number(f) : rarely(f, 2) ? uniform(f, 0, 5) : 0;
    if (rarely(f, 4)) problem.minimum_trade = (poise_values){minimums, rarely(f, 30) ? 4 : 0};
    if (rarely(f, 20)) problem.size = sizeof problem - sizeof problem.minimum_trade;
    if (rarely(f, 100)) problem.instrument_count = 2147483648u;
    if (rarely(f, 100)) problem.band_count = (size_t)next(f) | 1u << 20;
    if (rarely(f, 100)) problem.underlying_count = (size_t)next(f) | 1u << 20;
    poise_column trades = column(f, 0), prices = column(f, 1);
    if (rarely(f, 4)) {
        poise_column violations = column(f, 2);
        if (rarely(f, 4)) violations.data = NULL;
        poise_hedge_diagnosis diagnosis = {.size = size(f, sizeof diagnosis)};
        note(
            f,
            poise_hedger_diagnose(
                PICK(hedgers), rarely(f, 60) ? NULL : &problem, trades, violations, prices,
                rarely(f, 60) ? NULL : &diagnosis),
            "poise_hedger_diagnose");
        check_column(f, 0, trades, instrument_count, 1, "poise_hedger_diagnose");
        check_column(f, 1, prices, problem.band_count, 1, "poise_hedger_diagnose");
        if (violations.data) check_column(f, 2, violations, problem.band_count, 1, "poise_hedger_diagnose");
        return;
    }
    poise_hedge_result result = {.size = size(f, sizeof result)};
    const poise_status status = note(
        f,
        poise_hedger_solve(
            PICK(hedgers), rarely(f, 60) ? NULL : &problem, (poise_hedge_start)(rarely(f, 60) ? next(f) : below(f, 2)),
            trades, prices, rarely(f, 4) ? NULL : &result),
        "poise_hedger_solve");
    check_column(f, 0, trades, instrument_count, 1, "poise_hedger_solve");
    check_column(f, 1, prices, problem.band_count, 1, "poise_hedger_solve");
    if (status != POISE_OK) return;
    const ptrdiff_t step = trades.stride == 0 ? 1 : trades.stride / 8;
    for (size_t i = 0; i < instrument_count; i++)
        if (!isfinite(trades.data[(ptrdiff_t)i * step])) broken(f, "a trade that is no number", "poise_hedger_solve");
}

poise_fuzz_outcome poise_fuzz(uint64_t seed, uint64_t calls) {
    fuzz *f = calloc(1, sizeof *f);
    f->state = seed * 0x632BE59BD9B4E019u + 1;
    for (int c = 0; c < 8; c++)
        for (int i = 0; i < SPAN; i++) f->inputs[c][i] = 0.5;
    for (int i = 0; i < HANDLES; i++) {
        poise_engine_create(NULL, &f->engines[i]);
        poise_chain_parse(chain_text, sizeof chain_text - 1, NULL, &f->chains[i]);
        poise_positions_parse(positions_text, sizeof positions_text - 1, NULL, &f->positions[i]);
        poise_limits_parse(limits_text, sizeof limits_text - 1, NULL, &f->limits[i]);
        poise_grid_parse(grid_text, sizeof grid_text - 1, NULL, &f->grids[i]);
        poise_hedger_create(NULL, &f->hedgers[i]);
        if (i % 2)
            poise_margin_model_parse(rates_text, sizeof rates_text - 1, NULL, &f->models[i]);
        else
            poise_margin_model_parse(scan_text, sizeof scan_text - 1, NULL, &f->models[i]);
        poise_margin_account_parse(plain_account_text, sizeof plain_account_text - 1, NULL, &f->accounts[i]);
        poise_margin_cases_parse(cases_text, sizeof cases_text - 1, NULL, &f->cases[i]);
        if (note(
                f,
                poise_margin_create(
                    f->engines[i], f->chains[i], f->positions[i], f->accounts[i], f->models[0], "BTC", &f->margins[i]),
                "poise_margin_create") != POISE_OK)
            broken(f, "the pool's own margin", "poise_margin_create");
        poise_live_margin_create(f->margins[i], &f->live_margins[i]);
        if (note(
                f, poise_live_create(f->engines[i], f->chains[i], f->positions[i], f->limits[i], NULL, &f->lives[i]),
                "poise_live_create") != POISE_OK)
            broken(f, "the pool's own desk", "poise_live_create");
    }
    for (uint64_t call = 0; call < calls; call++) {
        switch (below(f, 17)) {
        case 0:
        case 1:
        case 2:
            greeks(f);
            break;
        case 3:
            implied_volatility(f);
            break;
        case 4:
        case 5:
            slices(f);
            break;
        case 6:
            market(f);
            break;
        case 7:
            scenarios(f);
            break;
        case 8:
            hedger(f);
            break;
        case 9:
            surface(f);
            break;
        case 10:
            margin_inputs(f);
            break;
        case 11:
            margin(f);
            break;
        case 12:
            live_margin(f);
            break;
        case 13:
            margin_hedge(f);
            break;
        default:
            live(f);
            break;
        }
    }
    for (int i = 0; i < HANDLES; i++) {
        poise_engine_free(f->engines[i]);
        poise_slices_free(f->slices[i]);
        poise_chain_free(f->chains[i]);
        poise_positions_free(f->positions[i]);
        poise_exposures_free(f->exposures[i]);
        poise_limits_free(f->limits[i]);
        poise_live_free(f->lives[i]);
        poise_hedger_free(f->hedgers[i]);
        poise_grid_free(f->grids[i]);
        poise_scenario_profits_free(f->profits[i]);
        poise_surface_free(f->surfaces[i]);
        poise_margin_model_free(f->models[i]);
        poise_margin_account_free(f->accounts[i]);
        poise_margin_cases_free(f->cases[i]);
        poise_margin_free(f->margins[i]);
        poise_live_margin_free(f->live_margins[i]);
        poise_margin_hedge_free(f->margin_hedges[i]);
    }
    const poise_fuzz_outcome outcome = f->outcome;
    free(f);
    return outcome;
}

#ifdef POISE_FUZZ_MAIN
int main(int count, char **arguments) {
    const uint64_t seed = count > 1 ? strtoull(arguments[1], NULL, 10) : 1;
    const uint64_t calls = count > 2 ? strtoull(arguments[2], NULL, 10) : 100000;
    const poise_fuzz_outcome outcome = poise_fuzz(seed, calls);
    printf(
        "seed %llu: %llu calls succeeded, %llu failed with a status (", (unsigned long long)seed,
        (unsigned long long)outcome.succeeded, (unsigned long long)outcome.failed);
    for (int i = 1; i <= 10; i++) printf("%s%llu", i > 1 ? " " : "", (unsigned long long)outcome.statuses[i]);
    printf("), %llu promises broken\n", (unsigned long long)outcome.broken);
    return outcome.broken > 0;
}
#endif
