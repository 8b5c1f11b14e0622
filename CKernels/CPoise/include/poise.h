/* poise.h: Greeks, exposures and hedges of option books, from C and everything that can call C.
 *
 * USE
 *
 *     poise_engine *engine;
 *     if (poise_engine_create(NULL, &engine) != POISE_OK) { puts(poise_last_error()); return 1; }
 *     const double zero = 0;
 *     poise_full_form options = {
 *         .size = sizeof options, .count = n, .model = POISE_MODEL_BLACK_SCHOLES_MERTON,
 *         .type = {type, 0}, .spot = {spot, 0}, .strike = {strike, 0}, .years = {years, 0},
 *         .volatility = {volatility, 0}, .rate = {&zero, POISE_BROADCAST}, .dividend = {&zero, POISE_BROADCAST}};
 *     poise_column columns[] = {{price, 0}, {delta, 0}};            // in the order of the bits
 *     poise_greeks(engine, &options, 1u << POISE_PRICE | 1u << POISE_DELTA, columns, 2, NULL);
 *     poise_engine_free(engine);
 *
 * Compile with `pkg-config --cflags --libs poise`. Examples/c hedges a book tick by tick in a page.
 *
 * WHAT HOLDS FOR EVERY FUNCTION
 *
 * - Status. What can fail returns a poise_status. Anything but POISE_OK means that the call did nothing but what
 *   its description says, and poise_last_error() says why, on the same thread. Nothing aborts or prints, whatever
 *   is passed; only a pointer that is neither NULL nor valid, or a buffer shorter than its count, is undefined behaviour.
 *   A problem without a solution is an answer, not a failure: see poise_hedge_outcome.
 * - Pointers must not be NULL unless their description says "or NULL".
 * - Ownership. What `…_create`, `…_parse` and `…_read` hand out belongs to the caller until its `…_free`. Free
 *   functions accept NULL. A handle keeps what it was made from: an engine may be freed before a chain's exposures.
 *   All other memory stays the caller's, is read or written during the call only, and is never kept.
 * - Buffers. Columns are poise_values (read) and poise_column (written): an address and a stride in bytes. Doubles
 *   must be aligned to 8 bytes, strides multiples of 8: else POISE_ERROR_ALIGNMENT. No call needs padding or more
 *   alignment, nor writes behind the last row. Written memory must not overlap any other argument.
 * - Counts. 0 rows are allowed, do nothing, and need no buffer; but a chain, limits, a grid and a hedge have something in them:
 *   POISE_ERROR_COUNT. So is a count above POISE_MAXIMUM_COUNT.
 * - Structs start with `size`, which is sizeof of the struct that the caller was compiled with. Fields are only ever
 *   added at the end; a size that this library does not know is POISE_ERROR_SIZE. Set what you don't use to 0, but for
 *   the fields whose description says what else stands for "none".
 * - Threads. There is no global state. Engines, chains, positions, limits, exposures, scenario grids, surfaces and margins never
 *   change once made: any number of threads may use one at the same time. Slices, live desks, live margins and hedgers are
 *   used by one thread at a time.
 *   Errors are kept per thread. A thread needs 128 KiB of stack.
 * - Memory. "Allocates nothing" is meant literally, and counted in the tests, from the second call of a kind in a
 *   process on: in the first the runtime may set up tables that it keeps. Other calls may allocate. If there is no
 *   memory left, the process ends: the one exception to "nothing aborts".
 * - Units are natural ones, as everywhere inside Poise: volatility 0.6 for 60%, rates 0.05 for 5% continuously
 *   compounded, years ACT/365; no value is divided by 100 or 365 unless its description says so.
 * - Floating point. Calls that return a status compute with the default environment, whatever the caller's rounding mode,
 *   traps and treatment of denormals are, and leave the caller's as it was. Locales play no part.
 * - The library stays loaded once it is: dlclose does nothing, and threads may end in any order.
 * - Bits. The same on any number of threads, with AVX2 and AVX-512, through C, C++, Swift and Python.
 *
 * STABILITY. The shared library's soname is libpoise.so.1. Until it becomes .2, names and numbers below stay;
 * "Since" tells the version in which something appeared. Enumerators may be added at the end.
 */
#ifndef POISE_H
#define POISE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Version ------------------------------------------------------------------------------------------------ */

#define POISE_ABI_VERSION 1
#define POISE_VERSION "0.1.0"

/** POISE_ABI_VERSION of the library that runs, to compare with the header's. Since 0.1. */
uint32_t poise_abi_version(void);

/** The version of the library that runs, "0.1.0"; static memory. Since 0.1. */
const char *poise_version(void);

/* ---- Errors ------------------------------------------------------------------------------------------------- */

typedef enum poise_status {
    POISE_OK = 0,
    /** A pointer that must not be NULL is NULL. */
    POISE_ERROR_NULL = 1,
    /** Unknown `size` of a struct. */
    POISE_ERROR_SIZE = 2,
    /** A count is too large, or two counts that belong together differ. */
    POISE_ERROR_COUNT = 3,
    /** A buffer of doubles or 64-bit integers is not aligned to 8 bytes, or a stride is no multiple of 8. */
    POISE_ERROR_ALIGNMENT = 4,
    /** Unknown enumerator, bit, index or option, or a number that an option may not be. */
    POISE_ERROR_ARGUMENT = 5,
    /** Refused number or text among the data; poise_last_error_row, _field, _value and _text say which. */
    POISE_ERROR_VALUE = 6,
    /** Malformed file or text. */
    POISE_ERROR_TEXT = 7,
    /** Unknown book, contract, underlying or expiry. */
    POISE_ERROR_UNKNOWN_NAME = 8,
    /** Instruction set that this processor does not run. */
    POISE_ERROR_UNSUPPORTED = 9,
    /** Refusal of the operating system: no such file, no more threads. */
    POISE_ERROR_SYSTEM = 10,
    /** The caller's `is_cancelled` ended the call. */
    POISE_ERROR_CANCELLED = 11
} poise_status;

/** The last failure on this thread as a sentence in UTF-8, "place: field: value: reason"; "" if there was none. Calls
 *  that succeed leave it. Texts of an error are valid until the next call that fails on this thread; sentence and reason
 *  are cut at 1023 bytes, names and values at 127. The functions below give its parts, from which hosts build sentences
 *  of their own. Since 0.1. */
const char *poise_last_error(void);
/** The reason alone: "must be at least 0 and finite". Since 0.1. */
const char *poise_last_error_reason(void);

/** The kind of an error's place. */
typedef enum poise_place_kind {
    /** The call as a whole. */
    POISE_PLACE_NONE = 0,
    /** A file or text as a whole. */
    POISE_PLACE_FILE = 1,
    /** A line of a file or text, from 1, the header included. */
    POISE_PLACE_LINE = 2,
    /** A row of columns, from 0. */
    POISE_PLACE_ROW = 3,
    /** A contract, book, instrument or band by its name. */
    POISE_PLACE_NAME = 4
} poise_place_kind;

/** Since 0.1. */
poise_place_kind poise_last_error_place_kind(void);
/** The name of the file (FILE, LINE), of the table ("tickers", "positions", "limits", "bands", "scenarios"; "" for the only one: ROW), or of
 *  what it is about (NAME); "" for NONE. Since 0.1. */
const char *poise_last_error_place(void);
/** The line (LINE) or row (ROW); −1 for others. Since 0.1. */
int64_t poise_last_error_row(void);
/** The row of the same columns, from 0, that the refused one contradicts; −1 where it is wrong by itself. Since 0.1. */
int64_t poise_last_error_earlier_row(void);
/** The field, column or argument: "spot", "quantity"; "" where there is none. Since 0.1. */
const char *poise_last_error_field(void);
/** The refused value as a number; NaN where it is not a number. Since 0.1. */
double poise_last_error_value(void);
/** The refused value as it was written: "BTC-27JUNE25", "-1.0"; "" where there is none. Since 0.1. */
const char *poise_last_error_text(void);
/** The name of a status, "POISE_ERROR_NULL"; "unknown" for others. Static memory. Since 0.1. */
const char *poise_status_name(poise_status status);

/* ---- Columns ------------------------------------------------------------------------------------------------ */

/** Rows per call at most, 2³¹ − 1. */
#define POISE_MAXIMUM_COUNT 2147483647

/** A stride that makes one value stand for all rows. */
#define POISE_BROADCAST PTRDIFF_MIN

/** Doubles to read: row i is at `(char *)data + i · stride`. A stride of 0 stands for 8: one after another.
 *  Negative strides are allowed. Columns of stride 8 are computed in place, others are copied, a block of rows at a time, to
 *  the stack. */
typedef struct poise_values {
    const double *data;
    ptrdiff_t stride;
} poise_values;

/** Bytes to read; a stride of 0 stands for 1. */
typedef struct poise_bytes {
    const uint8_t *data;
    ptrdiff_t stride;
} poise_bytes;

/** 64-bit integers to read; a stride of 0 stands for 8. */
typedef struct poise_integers {
    const int64_t *data;
    ptrdiff_t stride;
} poise_integers;

/** Doubles to write; a stride of 0 stands for 8, POISE_BROADCAST is POISE_ERROR_ARGUMENT. A matrix by rows of g Greeks
 *  is g columns, `{matrix + j, 8 · g}`. */
typedef struct poise_column {
    double *data;
    ptrdiff_t stride;
} poise_column;

/** Texts in UTF-8, in one of two forms: `strings`, NUL-terminated each; or, where that is NULL, `bytes` with count + 1
 *  ascending offsets, of 32 or 64 bits, whichever is not NULL (as Arrow's string and large_string arrays). */
typedef struct poise_texts {
    const char *const *strings;
    const char *bytes;
    const int32_t *offsets32;
    const int64_t *offsets64;
} poise_texts;

/* ---- Engine ------------------------------------------------------------------------------------------------- */

typedef enum poise_instruction_set {
    /** The best that the processor runs, or the one that the environment variable POISE_ISA names. */
    POISE_ISA_AUTOMATIC = 0,
    POISE_ISA_BASELINE = 1,
    POISE_ISA_AVX2 = 2,
    POISE_ISA_AVX512 = 3
} poise_instruction_set;

typedef struct poise_engine_options {
    size_t size;
    poise_instruction_set instruction_set;
    /** Threads that compute a large poise_greeks call, the caller included: 1 to 1024, 0 for 1. The others sleep
     *  between calls, and end with the engine. */
    uint32_t threads;
} poise_engine_options;

/** The kernel for one instruction set. Never changes: share it among threads. */
typedef struct poise_engine poise_engine;

/** Makes an engine. `options`: or NULL, for what 0 stands for. Sets `*engine` to NULL where it fails.
 *  POISE_ERROR_UNSUPPORTED; POISE_ERROR_ARGUMENT for an unknown enumerator, name in POISE_ISA or thread count;
 *  POISE_ERROR_SYSTEM where threads cannot be started. Since 0.1. */
poise_status poise_engine_create(const poise_engine_options *options, poise_engine **engine);
/** Frees an engine, or NULL. Since 0.1. */
void poise_engine_free(poise_engine *engine);
/** The instruction set that runs; POISE_ISA_AUTOMATIC for NULL. Since 0.1. */
poise_instruction_set poise_engine_instruction_set(const poise_engine *engine);

/* ---- Greeks ------------------------------------------------------------------------------------------------- */

/** The outputs of the kernel: V is the value of a long option in quote currency, S spot, σ volatility, r rate,
 *  q dividend yield, t calendar time in years. */
typedef enum poise_greek {
    POISE_PRICE = 0,  /* V */
    POISE_DELTA = 1,  /* ∂V/∂S */
    POISE_GAMMA = 2,  /* ∂²V/∂S² */
    POISE_VEGA = 3,   /* ∂V/∂σ */
    POISE_THETA = 4,  /* ∂V/∂t */
    POISE_RHO = 5,    /* ∂V/∂r */
    POISE_PHI = 6,    /* ∂V/∂q */
    POISE_VANNA = 7,  /* ∂²V/∂S∂σ */
    POISE_VOLGA = 8,  /* ∂²V/∂σ² */
    POISE_CHARM = 9,  /* ∂²V/∂S∂t */
    POISE_SPEED = 10, /* ∂³V/∂S³ */
    POISE_ZOMMA = 11, /* ∂³V/∂S²∂σ */
    POISE_COLOR = 12, /* ∂³V/∂S²∂t */
    POISE_VETA = 13,  /* ∂²V/∂σ∂t */
    POISE_ULTIMA = 14 /* ∂³V/∂σ³ */
} poise_greek;

#define POISE_GREEK_COUNT 15

/** Greeks by bit: `1u << POISE_DELTA`. Price alone, book and all have loops of their own. */
typedef uint32_t poise_greek_set;
#define POISE_GREEKS_PRICE 0x1u
/** Price, delta, gamma, vega, theta, rho, vanna, volga, charm: what a book is run on. */
#define POISE_GREEKS_BOOK 0x3BFu
#define POISE_GREEKS_ALL 0x7FFFu

/** The name of a Greek, "delta"; NULL for an unknown enumerator. Static memory. Since 0.1. */
const char *poise_greek_name(poise_greek greek);

typedef enum poise_model {
    /** A lognormal underlying. With dividend = rate it is Black-76 on a forward. */
    POISE_MODEL_BLACK_SCHOLES_MERTON = 0,
    /** A normally distributed underlying: prices of either sign, volatility in units of the price. */
    POISE_MODEL_BACHELIER = 1,
    /** Pays 1 if it ends in the money, under a lognormal underlying. */
    POISE_MODEL_CASH_OR_NOTHING = 2
} poise_model;

/** The name of a model, "bachelier"; NULL where there is none of that number. Static memory. Since 0.1. */
const char *poise_model_name(poise_model model);

/** Why a row cannot be computed. */
typedef enum poise_row_status {
    POISE_ROW_OK = 0,
    POISE_ROW_TYPE = 1,       /* neither 0 nor 1 */
    POISE_ROW_SPOT = 2,       /* neither 0 nor in [2^-250, 2^250] (Bachelier: ±2^100) */
    POISE_ROW_STRIKE = 3,     /* the same */
    POISE_ROW_YEARS = 4,      /* outside [0, 1e6] */
    POISE_ROW_VOLATILITY = 5, /* outside [0, 1e6] (Bachelier: 2^100) */
    POISE_ROW_RATE = 6,       /* |rate · years| above 350, or 100 of Bachelier's */
    POISE_ROW_DIVIDEND = 7    /* |dividend · years| above 350, or 100 of Bachelier's */
} poise_row_status;

/** Options that each bring their own market. */
typedef struct poise_full_form {
    size_t size;
    /** Rows. */
    size_t count;
    poise_model model;
    /** 0 for a call, 1 for a put. */
    poise_bytes type;
    /** In one currency. */
    poise_values spot, strike;
    /** To expiry, ACT/365. */
    poise_values years;
    poise_values volatility, rate, dividend;
} poise_full_form;

/** Computes Greeks, one row per option.
 *
 *  `columns`: one for each bit of `greeks`, in the order of the bits; `column_count` is their number, else
 *  POISE_ERROR_COUNT.
 *  `row_status`: `count` bytes, or NULL. With it, a row that cannot be computed gets a poise_row_status and NaN in every column,
 *  and the call succeeds. Without, the first such row makes it fail with POISE_ERROR_VALUE, and the contents of the columns
 *  are unspecified.
 *  POISE_ERROR_ARGUMENT for unknown bits or an unknown model. Allocates nothing, unless the engine has several
 *  threads and an input column has a stride other than 8: then it copies columns, 131,072 rows at a time.
 *  Any number of threads at once, also on one engine. Since 0.1. */
poise_status poise_greeks(
    const poise_engine *engine, const poise_full_form *options, poise_greek_set greeks, const poise_column *columns,
    size_t column_count, uint8_t *row_status);

/** Whether a price has an implied volatility. */
typedef enum poise_volatility_status {
    POISE_VOLATILITY_OK = 0,
    /** Price below the value of exercise at the forward, or below 0. */
    POISE_VOLATILITY_BELOW_INTRINSIC = 1,
    /** Price at or above the largest possible value; infinite, too. */
    POISE_VOLATILITY_ABOVE_MAXIMUM = 2,
    /** An input is not a number, another than the price is infinite, negative or out of range, or the type neither 0
     *  nor 1. */
    POISE_VOLATILITY_NOT_A_NUMBER = 3,
    /** No time is left, so that no volatility moves the price. */
    POISE_VOLATILITY_EXPIRED = 4,
    /** Two volatilities give the price: of a cash-or-nothing option out of the money. */
    POISE_VOLATILITY_TWO = 5
} poise_volatility_status;

/** Prices of options, to find the volatilities that they imply. */
typedef struct poise_prices {
    size_t size;
    size_t count;
    poise_bytes type;
    poise_values spot, strike, years, price, rate, dividend;
    /** 0 for Black-Scholes-Merton. Bachelier's volatilities are in units of the price. */
    poise_model model;
} poise_prices;

/** Computes implied volatilities; NaN for prices that have none or two.
 *
 *  `row_status`: `count` bytes, a poise_volatility_status each, or NULL. No value makes the call fail;
 *  POISE_ERROR_ARGUMENT for an unknown model. Allocates nothing. Any number of threads at once. Since 0.1. */
poise_status poise_implied_volatility(
    const poise_engine *engine, const poise_prices *prices, poise_column volatility, uint8_t *row_status);

/* ---- Slice form --------------------------------------------------------------------------------------------- */

/** Options of slices: those of one underlying and expiry share spot, years, rate and dividend. What they share is
 *  computed once, and the logarithms of strikes are kept: 0.6 of the cost of the full form. Black-Scholes-Merton.
 *  One thread at a time. */
typedef struct poise_slices poise_slices;

/** Makes slices: the options `offsets[s]` to `offsets[s + 1] − 1` are those of slice s; `offsets` has slice_count + 1
 *  ascending entries from 0. `type` and `strike`: one per option. Spot starts at 1, all else at 0.
 *  Sets `*slices` to NULL where it fails. POISE_ERROR_VALUE for a type or strike, with its row; POISE_ERROR_COUNT
 *  where offsets are not ascending from 0. Since 0.1. */
poise_status poise_slices_create(
    const poise_engine *engine, size_t slice_count, const size_t *offsets, poise_bytes type, poise_values strike,
    poise_slices **slices);
/** Frees slices, or NULL. Since 0.1. */
void poise_slices_free(poise_slices *slices);
/** Options in all; 0 for NULL. Since 0.1. */
size_t poise_slices_count(const poise_slices *slices);

/** Sets the market of slices `first` to `first + count − 1`. POISE_ERROR_VALUE with the row (from 0 at `first`);
 *  nothing has changed then. POISE_ERROR_ARGUMENT beyond the last slice. Allocates nothing. Since 0.1. */
poise_status poise_slices_set_market(
    poise_slices *slices, size_t first, size_t count, poise_values spot, poise_values years, poise_values rate,
    poise_values dividend);
/** Sets the volatility of options `first` to `first + count − 1`. As poise_slices_set_market. Since 0.1. */
poise_status poise_slices_set_volatility(poise_slices *slices, size_t first, size_t count, poise_values volatility);

/** Computes Greeks of the options of slices `first` to `first + count − 1`: the first row written is option
 *  `offsets[first]`. Columns as in poise_greeks. Allocates nothing. Since 0.1. */
poise_status poise_slices_greeks(
    poise_slices *slices, size_t first, size_t count, poise_greek_set greeks, const poise_column *columns,
    size_t column_count);

/* ---- Market and books --------------------------------------------------------------------------------------- */

/** Tickers of many instruments. Never changes: share it among threads. */
typedef struct poise_chain poise_chain;

/** Tickers as columns. Instruments have the names of their exchange, such as Deribit's: BTC-27JUN25-60000-C, BTC-27JUN25, BTC-PERPETUAL,
 *  BTC_USDC-27JUN25-60000-C, BTC_USDC. NaN stands for "not known"; a column whose data is NULL is all NaN. */
typedef struct poise_tickers {
    size_t size;
    size_t count;
    poise_texts instrument;
    /** Since 1970, UTC; 10 digits are seconds, 13 milliseconds, 16 microseconds, 19 nanoseconds. */
    poise_integers timestamp;
    /** Options: the future of the expiry, in quote currency. */
    poise_values underlying_price;
    /** Options: per √year, 0.6 for 60%. */
    poise_values mark_volatility;
    /** As quoted: in coin for inverse options, else in quote currency. Needed for all but options. */
    poise_values mark_price;
    /** Continuously compounded; NaN stands for 0. */
    poise_values interest_rate;
    poise_values index_price;
    /** Best prices as quoted and their amounts in coins, or dollars of inverse futures: for hedges. */
    poise_values bid_price, bid_amount, ask_price, ask_amount;
    /** Options: the name of the future whose price is underlying_price; all zero where not known. */
    poise_texts underlying_index;
    /** The exchange whose contracts the instruments are, "deribit", "okx" or "bybit", of names that several exchanges have; "" or all zero:
     *  the first of these that has such a name. */
    poise_texts exchange;
    /** Order books as JSON, best first: "[[price, amount], …]", in the units of bid_price and bid_amount, in whose place they
     *  count; "" or all zero: the best prices alone. A struct that ends before these fields is accepted. */
    poise_texts bids, asks;
    /** As the exchange counts it. A struct that ends before these fields is accepted. */
    poise_values open_interest;
    /** Options: what the exchange publishes, in its own units. A delta or mark that the volatility contradicts by a mixed-up unit
     *  is refused. */
    poise_values exchange_delta, exchange_gamma, exchange_vega, exchange_theta, exchange_rho;
} poise_tickers;

/** A file or a text to read, and what it does not say itself. Zero what is not needed. */
typedef struct poise_source {
    size_t size;
    /** The path of a file; or NULL for `text` of `length` bytes, which errors call `name` ("text" where that is NULL). */
    const char *path;
    const char *text;
    size_t length;
    const char *name;
    /** As in poise_tickers, for all names in it that do not say; or NULL. */
    const char *exchange;
} poise_source;

/** Reads a time as all tables have it: a count since 1970 of 10, 13, 16 or 19 digits (seconds, milli-, micro- or
 *  nanoseconds) or ISO 8601, in UTC unless an offset follows. POISE_ERROR_ARGUMENT for what is none. Since 0.1. */
poise_status poise_time_parse(const char *text, size_t length, int64_t *milliseconds);

/** Makes a chain of columns. POISE_ERROR_VALUE with row and field. Since 0.1. */
poise_status poise_chain_create(const poise_tickers *tickers, poise_chain **chain);
/** Makes a chain of a text: the exchange's tickers as a table (CSV) or as JSON. `name` is what errors call it, or NULL.
 *  POISE_ERROR_TEXT or POISE_ERROR_VALUE with line and column. Since 0.1. */
poise_status poise_chain_parse(const char *text, size_t length, const char *name, poise_chain **chain);
/** The same of a file. POISE_ERROR_SYSTEM where it cannot be read. Since 0.1. */
poise_status poise_chain_read(const char *path, poise_chain **chain);
/** The same of several files or texts, which are one chain. POISE_ERROR_COUNT where there are none. Since 0.1. */
poise_status poise_chain_load(const poise_source *sources, size_t count, poise_chain **chain);
/** Makes a chain that knows, beside the tickers of `chain`, an exchange's list of instruments (the reply of
 *  public/get_instruments and its like, as JSON): lots and smallest trades of hedges are the list's. Since 0.1. */
poise_status poise_chain_with_instruments(
    const poise_chain *chain, const poise_source *instruments, poise_chain **made);
/** Frees a chain, or NULL. Since 0.1. */
void poise_chain_free(poise_chain *chain);
/** Instruments, each once; 0 for NULL. Since 0.1. */
size_t poise_chain_count(const poise_chain *chain);
/** The name of an instrument, in the order of the chain's rows; NULL beyond the last. Belongs to the chain. Since 0.1. */
const char *poise_chain_instrument(const poise_chain *chain, size_t index);
/** A remark for readers of results, as a sentence: kinds that were left out, volatilities found from
 *  marks, facts that contradict each other; NULL beyond the last. Belongs to the chain. Since 0.1. */
const char *poise_chain_remark(const poise_chain *chain, size_t index);
/** Number of rows and messages left out, being no tickers of known kinds; 0 for NULL. Since 0.1. */
size_t poise_chain_left_out(const poise_chain *chain);

/** Positions of books. Never changes: share it among threads. */
typedef struct poise_positions poise_positions;

/** Makes positions: quantity above 0 is long, in coins, or in dollars of inverse futures and perpetuals.
 *  POISE_ERROR_VALUE with row and field for an empty book, an unreadable instrument, a quantity that is not finite.
 *  Since 0.1. */
poise_status poise_positions_create(
    size_t count, poise_texts book, poise_texts instrument, poise_values quantity, poise_positions **positions);
/** The same of a table with columns book, instrument, quantity (CSV), or an exchange's positions as JSON; without a
 *  column of books all are in one, called `name`. As poise_chain_parse. Since 0.1. */
poise_status poise_positions_parse(const char *text, size_t length, const char *name, poise_positions **positions);
/** The same of a file. Since 0.1. */
poise_status poise_positions_read(const char *path, poise_positions **positions);
/** Frees positions, or NULL. Since 0.1. */
void poise_positions_free(poise_positions *positions);
/** Positions; 0 for NULL. Since 0.1. */
size_t poise_positions_count(const poise_positions *positions);

/* ---- Exposures ---------------------------------------------------------------------------------------------- */

/** An exposure of a group of positions, signed from the book's side. In dollars, or in coin (of one underlying). */
typedef enum poise_exposure {
    POISE_EXPOSURE_VALUE = 0,
    POISE_EXPOSURE_DELTA = 1,
    /** Delta less the change of a premium in coin, Δ − V/F. */
    POISE_EXPOSURE_NET_DELTA = 2,
    /** For a rise of the price F by 1%: Γ·F²/100 dollars, in coin the change of the net delta. */
    POISE_EXPOSURE_GAMMA = 3,
    /** Per volatility point. */
    POISE_EXPOSURE_VEGA = 4,
    /** Per calendar day. */
    POISE_EXPOSURE_THETA = 5,
    /** Per percentage point of rate, of discounting alone, −T·V: futures are what options are priced off, and stay. */
    POISE_EXPOSURE_RHO = 6,
    /** Delta per volatility point. */
    POISE_EXPOSURE_VANNA = 7,
    /** Vega per volatility point. */
    POISE_EXPOSURE_VOLGA = 8,
    /** Delta per calendar day. */
    POISE_EXPOSURE_CHARM = 9
} poise_exposure;

#define POISE_EXPOSURE_COUNT 10

/** The name of an exposure, "net_delta"; NULL for an unknown enumerator. Static memory. Since 0.1. */
const char *poise_exposure_name(poise_exposure exposure);

typedef enum poise_numeraire { POISE_NUMERAIRE_USD = 0, POISE_NUMERAIRE_COIN = 1 } poise_numeraire;

/** Attributes that positions are grouped by. */
typedef enum poise_grouping {
    POISE_BY_BOOK = 0,
    POISE_BY_UNDERLYING = 1,
    POISE_BY_EXPIRY = 2,
    POISE_BY_INSTRUMENT = 3,
    /** The desk of a book, and buckets of the time to expiry and of strike over future: poise_exposures_create_in_buckets
     *  only. What has none is "none". */
    POISE_BY_DESK = 4,
    POISE_BY_TENOR = 5,
    POISE_BY_MONEYNESS = 6
} poise_grouping;

#define POISE_MAXIMUM_GROUPINGS 4

typedef struct poise_exposure_options {
    size_t size;
    poise_numeraire numeraire;
    /** Groupings, each at most once; none (0): by book and underlying. */
    uint32_t grouping_count;
    poise_grouping groupings[POISE_MAXIMUM_GROUPINGS];
} poise_exposure_options;

/** Exposures of positions off the latest ticker of each contract, each at its own time. Never change. */
typedef struct poise_exposures poise_exposures;

/** Computes exposures. `options`: or NULL. POISE_ERROR_UNKNOWN_NAME for a position whose contract the chain has no
 *  price for. Since 0.1. */
poise_status poise_exposures_create(
    const poise_engine *engine, const poise_chain *chain, const poise_positions *positions,
    const poise_exposure_options *options, poise_exposures **exposures);

/** The meaning of desks, tenors and moneyness. */
typedef struct poise_buckets {
    size_t size;
    /** Upper edges of tenors in days to expiry, ascending; the last bucket is open. NULL: 7, 30, 90, 180, 365. */
    const double *tenor_days;
    size_t tenor_count;
    /** Edges of K/F, ascending; the first and the last bucket are open. NULL: 0.8, 0.95, 1.05, 1.25. */
    const double *moneyness;
    size_t moneyness_count;
    /** The desk of each of `desk_count` books; a book stands there once. */
    size_t desk_count;
    poise_texts book, desk;
} poise_buckets;

/** The same, grouped by desk, tenor ("≤ 7 d") and moneyness ("< 0.8 K/F"), too. `buckets`: or NULL, for the edges above
 *  and no desks. POISE_ERROR_VALUE for an edge, with its field, and for a book or desk, with its row. Since 0.1. */
poise_status poise_exposures_create_in_buckets(
    const poise_engine *engine, const poise_chain *chain, const poise_positions *positions,
    const poise_exposure_options *options, const poise_buckets *buckets, poise_exposures **exposures);
/** Frees exposures, or NULL. Since 0.1. */
void poise_exposures_free(poise_exposures *exposures);
/** Groups; 0 for NULL. Since 0.1. */
size_t poise_exposures_count(const poise_exposures *exposures);
/** The label of a group in one of the groupings, by their order in the options; NULL beyond the last. Belongs to the
 *  exposures. Since 0.1. */
const char *poise_exposures_label(const poise_exposures *exposures, size_t group, size_t grouping);
/** Copies one figure of every group to `column`, poise_exposures_count rows. Allocates nothing. Since 0.1. */
poise_status poise_exposures_values(const poise_exposures *exposures, poise_exposure exposure, poise_column column);

/* ---- Scenarios ---------------------------------------------------------------------------------------------- */

/** By how much prices, volatilities, rates and time move. Never changes: share it among threads. */
typedef struct poise_grid poise_grid;

/** A change of volatility: σ' = max(least_volatility, σ max(0, 1 + relative · t) + (parallel + skew · ln(K/F)) t), where
 *  t = (30 days / max(T, least_days))^p, p = short_term_power up to 30 days to expiry, long_term_power beyond. */
typedef struct poise_volatility_rule {
    double relative, parallel, skew;
    double short_term_power, long_term_power, least_days;
    double least_volatility;
} poise_volatility_rule;

typedef enum poise_stickiness {
    /** A contract keeps its volatility when the price moves. */
    POISE_STICKY_STRIKE = 0,
    /** It gets the one that its expiry's smile has at the new K/F, or at the new delta: chains only. */
    POISE_STICKY_MONEYNESS = 1,
    POISE_STICKY_DELTA = 2
} poise_stickiness;

typedef struct poise_scenario {
    /** Relative move of prices: −0.16 is a fall by 16%; above −1. */
    double spot;
    /** Time that passes. */
    double days;
    /** Added to rates, per year. What options are priced off stays: the spot of legs, the futures of a chain; grids of
     *  poise_grid_parse may say otherwise (`rate_holds`). */
    double rate;
    /** By which the profit is multiplied; 1: all of it counts, 0: nothing does. */
    double dampening;
    /** Place among the rules. */
    uint32_t rule;
    poise_stickiness stickiness;
} poise_scenario;

/** Makes a grid; at most 100,000 scenarios. POISE_ERROR_VALUE with the field. Since 0.1. */
poise_status poise_grid_create(
    const poise_volatility_rule *rules, size_t rule_count, const poise_scenario *scenarios, size_t scenario_count,
    poise_grid **grid);
/** The same of a JSON text, with wings and rules by expiry, as `poise scenarios --grid` takes. Since 0.1. */
poise_status poise_grid_parse(const char *text, size_t length, const char *name, poise_grid **grid);
/** The same of a file. Since 0.1. */
poise_status poise_grid_read(const char *path, poise_grid **grid);
/** Frees a grid, or NULL. Since 0.1. */
void poise_grid_free(poise_grid *grid);
/** Scenarios; 0 for NULL. Since 0.1. */
size_t poise_grid_count(const poise_grid *grid);
/** The title of a scenario: "-16%, vol up, 1 day"; NULL beyond the last. Belongs to the grid. Since 0.1. */
const char *poise_grid_title(const poise_grid *grid, size_t scenario);

/** Rows of one double per scenario to write. `row_stride`: bytes from row to row, a multiple of 8; 0: the rows stand
 *  one behind the other. POISE_ERROR_ARGUMENT where rows would overlap. */
typedef struct poise_rows {
    double *data;
    ptrdiff_t row_stride;
} poise_rows;

/** Gains of a long unit of each leg in each scenario: `legs->count` rows. In dollars V' − V; in coin V'/S' − V/S.
 *  A forward or a coin is a call struck at 0. POISE_ERROR_VALUE for a leg that cannot be computed, in some scenario;
 *  POISE_ERROR_ARGUMENT for a model other than Black-Scholes-Merton, and for grids that need a smile or charge by
 *  expiry. Allocates one block of 256 rows, whatever the number of legs. Any number of threads at once. Since 0.1. */
poise_status poise_scenario_legs(
    const poise_engine *engine, const poise_grid *grid, const poise_full_form *legs, poise_numeraire numeraire,
    poise_rows profits);

/** Gains of books in each scenario: `book_count` rows, the sum of quantity times leg over the legs of each book, in the
 *  order of the legs. `quantity`: one per leg, above 0 is long. `books`: one per leg, 0 to book_count − 1. Else as
 *  poise_scenario_legs, and allocates the sums; a column of legs or quantity whose stride is not 8 is copied. Since 0.1. */
poise_status poise_scenario_books(
    const poise_engine *engine, const poise_grid *grid, const poise_full_form *legs, poise_values quantity,
    const int32_t *books, size_t book_count, poise_numeraire numeraire, poise_rows profits);

/** Gains of groups of positions over a chain. Never change. */
typedef struct poise_scenario_profits poise_scenario_profits;

/** Revalues positions off the latest ticker of each contract. `options`: or NULL, as of poise_exposures_create. Since 0.1. */
poise_status poise_scenario_profits_create(
    const poise_engine *engine, const poise_chain *chain, const poise_positions *positions, const poise_grid *grid,
    const poise_exposure_options *options, poise_scenario_profits **profits);
/** Frees them, or NULL. Since 0.1. */
void poise_scenario_profits_free(poise_scenario_profits *profits);
/** Groups; 0 for NULL. Since 0.1. */
size_t poise_scenario_profits_count(const poise_scenario_profits *profits);
/** As poise_exposures_label. Since 0.1. */
const char *poise_scenario_profits_label(const poise_scenario_profits *profits, size_t group, size_t grouping);
/** Copies all: a row per group, one double per scenario. Allocates nothing. Since 0.1. */
poise_status poise_scenario_profits_values(const poise_scenario_profits *profits, poise_rows rows);

/* ---- Live books and their hedges ---------------------------------------------------------------------------- */

/** The bands in which exposures are to stay. Never change. */
typedef struct poise_limits poise_limits;

/** Limits as columns: dollars, in the units of poise_exposure. */
typedef struct poise_limit_columns {
    size_t size;
    size_t count;
    /** The book that a limit is for; "" or "*", or all zero: all books together. */
    poise_texts book;
    /** The coin; "" or "*": all. */
    poise_texts underlying;
    /** An expiry, "2026-03-27"; "" or "*", or all zero: all. */
    poise_texts expiry;
    /** A poise_exposure each. */
    poise_bytes exposure;
    /** −infinity and infinity: no limit. */
    poise_values low, high;
    /** Cost per unit outside; NaN, or data NULL: the band must hold. */
    poise_values penalty;
    /** Cost of s units outside: penalty · s + penalty_quadratic · s²/2; data NULL: 0. */
    poise_values penalty_quadratic;
} poise_limit_columns;

/** Makes limits of columns. POISE_ERROR_VALUE with row and field. Since 0.1. */
poise_status poise_limits_create(const poise_limit_columns *columns, poise_limits **limits);
/** The same of a table (CSV) with the columns of `poise hedge --limits`. As poise_chain_parse. Since 0.1. */
poise_status poise_limits_parse(const char *text, size_t length, const char *name, poise_limits **limits);
/** The same of a file. Since 0.1. */
poise_status poise_limits_read(const char *path, poise_limits **limits);
/** Frees limits, or NULL. Since 0.1. */
void poise_limits_free(poise_limits *limits);

/** The outcome of a hedge problem: not a failure of the call. */
typedef enum poise_hedge_outcome {
    /** The trades are the cheapest possible; the gap proves it. */
    POISE_HEDGE_OPTIMAL = 0,
    /** No trades bring every band that must hold within its limits. */
    POISE_HEDGE_INFEASIBLE = 1,
    /** Stopped by a limit; the gap bounds what could still be found, and is infinite, with trades of 0, where nothing that
     *  keeps every limit has been found. */
    POISE_HEDGE_BUDGET = 2,
    /** The trades could not be proved to be optimal, nor to keep every band where `violation` says so: they are no orders.
     *  All 0 where numbers beyond all reason left none that are finite. */
    POISE_HEDGE_UNCERTIFIED = 3,
    /** Live desks: every exposure is within its band, and there is nothing to trade. */
    POISE_HEDGE_WITHIN_LIMITS = 4
} poise_hedge_outcome;

typedef struct poise_live_options {
    size_t size;
    /** Groupings and numeraire; the underlying always comes first. With limits: dollars, by book (and expiry
     *  where a limit names one), and the groupings here must be 0. A `size` of 0 stands for the default. */
    poise_exposure_options exposures;
    /** Hedges: over how many days positions are held, and what perpetuals pay per eight hours, as a share of
     *  their value: 0.0001 is 0.01%; above 0 longs pay. */
    double holding_days, funding_rate;
    /** Hedges: cash budget in dollars; 0 or INFINITY: no limit, unlike that of poise_hedge_problem, where 0 is a limit.
     *  Below 0: cash that the trades must raise. */
    double cash_budget;
    /** Hedges: other than 0, trades are whole contract sizes. */
    uint32_t uses_lots;
} poise_live_options;

/** Books over a chain, kept current tick by tick, with the hedges that limits ask for. One thread at a time. */
typedef struct poise_live poise_live;

/** Takes over the market of a chain and the positions of books, and computes everything once.
 *  `limits`: or NULL, for exposures alone. `options`: or NULL. POISE_ERROR_UNKNOWN_NAME for a position whose contract
 *  has no price in the chain, or a limit on an unknown book, underlying or expiry. Since 0.1. */
poise_status poise_live_create(
    const poise_engine *engine, const poise_chain *chain, const poise_positions *positions, const poise_limits *limits,
    const poise_live_options *options, poise_live **live);
/** Frees a live desk, or NULL. Since 0.1. */
void poise_live_free(poise_live *live);

/** Underlyings, slices (what is priced off one price: an expiry, a perpetual, a coin), contracts and groups; 0 for
 *  NULL. Since 0.1. */
size_t poise_live_underlying_count(const poise_live *live);
size_t poise_live_slice_count(const poise_live *live);
size_t poise_live_contract_count(const poise_live *live);
size_t poise_live_group_count(const poise_live *live);
/** Names: "BTC", "BTC-27JUN25", "BTC-27JUN25-60000-C"; NULL beyond the last. Belong to the desk. Contracts are those that
 *  are held or may be traded, in an order of the desk's own, not the chain's: find them by name. Since 0.1. */
const char *poise_live_underlying(const poise_live *live, size_t underlying);
const char *poise_live_slice(const poise_live *live, size_t slice);
const char *poise_live_contract(const poise_live *live, size_t contract);
/** The groupings, in the order of the groups' labels: the underlying, the expiry where it is one, then the others.
 *  A poise_grouping each; −1 beyond the last. Since 0.1. */
size_t poise_live_grouping_count(const poise_live *live);
int64_t poise_live_grouping(const poise_live *live, size_t grouping);
/** The label of a group in one of the groupings; NULL beyond the last. Belongs to the desk. Since 0.1. */
const char *poise_live_label(const poise_live *live, size_t group, size_t grouping);
/** The index of a name; −1 if it is unknown. Since 0.1. */
int64_t poise_live_find_underlying(const poise_live *live, const char *name);
int64_t poise_live_find_slice(const poise_live *live, const char *name);
int64_t poise_live_find_contract(const poise_live *live, const char *name);

/* Changes mark what poise_live_update will compute. They allocate nothing, and return POISE_ERROR_ARGUMENT for an
 * unknown index, POISE_ERROR_VALUE for a refused number: prices from 1e-12 to 1e12, milliseconds since
 * 1970, from 1e11 (1973: below are seconds), 0 where the time stays; it does not go back. POISE_ERROR_UNKNOWN_NAME for a
 * contract that is listed no more. Nothing has changed then. Since 0.1. */

/** The underlying trades at a new price; all its slices move in proportion. It is a price of the slice that comes last by
 *  expiry, then by name (a coin or perpetual where there is one), which then stands at it: what poise_live_set_price or
 *  poise_live_quote have moved there is not moved again. */
poise_status poise_live_tick(poise_live *live, size_t underlying, double price, int64_t milliseconds);
/** A slice's own price: of its future, perpetual or coin. */
poise_status poise_live_set_price(poise_live *live, size_t slice, double price, int64_t milliseconds);
/** A slice's interest rate, −1 to 1. */
poise_status poise_live_set_rate(poise_live *live, size_t slice, double rate);
/** An option's volatility, 0 to 1e6. Does nothing to other contracts. */
poise_status poise_live_set_volatility(poise_live *live, size_t contract, double volatility);
/** Time passes for all slices. */
poise_status poise_live_advance(poise_live *live, int64_t milliseconds);
/** A trade: adds to what a book holds. POISE_ERROR_UNKNOWN_NAME for a book that held nothing at the start. Allocates
 *  where the book has not held the contract. */
poise_status poise_live_fill(poise_live *live, const char *book, size_t contract, double quantity);

/** Computes the slices that changes have marked and the exposures of their groups. `slices`: how many that were, or
 *  NULL. Allocates nothing. Since 0.1. */
poise_status poise_live_update(poise_live *live, size_t *slices);
/** Copies one exposure of every group, as of the last update, to `column`. Allocates nothing. Since 0.1. */
poise_status poise_live_exposures(const poise_live *live, poise_exposure exposure, poise_column column);
/** One exposure of one contract per unit of quantity, as of the last update. Since 0.1. */
poise_status poise_live_figure(const poise_live *live, size_t contract, poise_exposure exposure, double *value);

/** Hedges: one for all books together, if limits without a book are there, and one for each book with limits of its
 *  own; 0 for NULL. Since 0.1. */
size_t poise_live_hedge_count(const poise_live *live);
/** The book that a hedge is for; "" for all together; NULL beyond the last. Since 0.1. */
const char *poise_live_hedge_book(const poise_live *live, size_t hedge);
/** Number of a hedge's candidates, the contracts that it may trade; 0 beyond the last hedge. Since 0.1. */
size_t poise_live_candidate_count(const poise_live *live, size_t hedge);
/** The contract index of a candidate; −1 beyond the last. Since 0.1. */
int64_t poise_live_candidate(const poise_live *live, size_t hedge, size_t candidate);
/** The limits of a hedge by name, "BTC vega", in the order of their exposures; NULL beyond the last. Since 0.1. */
size_t poise_live_band_count(const poise_live *live, size_t hedge);
const char *poise_live_band(const poise_live *live, size_t hedge, size_t band);

/** An instrument that may be traded; all numbers per unit. docs/glossary.md has the name of each field in JSON. */
typedef struct poise_hedge_instrument {
    /** Index among the underlyings. */
    uint64_t underlying;
    /** In the problem's currency; may be negative, their sum not. */
    double cost_buy, cost_sell;
    /** Coefficient of the square of the amount. */
    double impact;
    double fixed_cost;
    /** Trades are whole multiples; 0: any amount. */
    double lot;
    /** 0: not at all; INFINITY: no limit, where trading that side does not earn (cost at least 0, or impact). */
    double maximum_buy, maximum_sell;
    /** Margin per unit on either side, at least 0; cash that a unit bought takes beside its cost, and a unit sold brings
     *  in. */
    double margin, cash;
} poise_hedge_instrument;

/** The answer to a hedge. */
typedef struct poise_hedge_result {
    size_t size;
    poise_hedge_outcome outcome;
    /** Steps of the interior point method (0: the last answer's limits were enough), of the active set, and nodes. */
    uint32_t interior_steps, pivots, nodes;
    /** Cost by cause, in the problem's currency; that of levels counts as impact. */
    double linear_cost, impact_cost, fixed_cost, penalty_cost, risk_cost;
    /** No trades are cheaper by more than this share of the cost (or of 1e-5 of what its parts add up to without their
     *  signs, where costs and earnings cancel). Infinite where nothing is known. */
    double gap;
    /** Largest violation of a hard limit, relative to the band's width, or to 1e-3 of what its exposure is made of (before
     *  the trades, and what each adds, without signs) where that is more. Infinite where no trades are found. */
    double violation;
    /** Shadow prices of the margin limit and the cash budget: derivatives of the least cost by them. */
    double margin_price, cash_price;
} poise_hedge_result;

/** Why no trades bring every band that must hold within its limits. Violations are counted in widths of their band,
 *  high − low (a band of width 0 or infinity counts in its own unit). Trades are whole lots where there are any; prices, and
 *  the least possible largest violation, are those of any amounts. Fixed costs are left out. */
typedef struct poise_hedge_diagnosis {
    size_t size;
    /** 0: all bands can be met, so that only lots or smallest trades stand in the way, if anything; the numbers are 0 then,
     *  `first_band` is −1 and `least_cash` NaN. */
    uint32_t is_infeasible;
    /** Number of bands that stay outside. */
    uint32_t violated_count;
    /** Smallest possible sum of violations, and smallest possible largest violation; infinity if no trades keep the cash
     *  budget. */
    double total_violation, worst_violation;
    /** Index of the band to loosen first: the one where a width reduces the total most. −1: loosening does not help. */
    int64_t first_band;
    /** Shadow prices: the change of the total when that band's binding limit rises by a width (above 0: the low limit
     *  binds, below 0: the high one), and per unit of the margin limit and of the cash budget. */
    double first_price, margin_price, cash_price;
    /** Smallest amount that any trades spend, if none keep the cash budget; else NaN. */
    double least_cash;
    /** Relative primal-dual gap of the total; infinite where some of the numbers are not proved to be the least. */
    double gap;
} poise_hedge_diagnosis;

/** Brings the desk up to date, looks at every band of a hedge, and where one is left finds the cheapest trades, from
 *  the last answer on. `result`: or NULL; its `size` must be set. After the first hedge it allocates nothing. Since 0.1. */
poise_status poise_live_decide(poise_live *live, size_t hedge, poise_hedge_result *result);
/** Copies the trades of the last decision, one per candidate, above 0 buys; all 0 before the first decision, within
 *  limits, or if the hedge is infeasible. Since 0.1. */
poise_status poise_live_trades(const poise_live *live, size_t hedge, poise_column trades);
/** Copies the exposures before the trades and the shadow prices, one per band; a column may have data NULL. Since 0.1. */
poise_status poise_live_bands(const poise_live *live, size_t hedge, poise_column exposures, poise_column shadow_prices);
/** Copies what the bands of the last decision had for edges, −INFINITY and INFINITY where there is none, and the exposures after
 *  its trades, one per band; a column may have data NULL. Since 0.1. */
poise_status poise_live_band_edges(
    const poise_live *live, size_t hedge, poise_column low, poise_column high, poise_column after);
/** Sets costs and depth of a candidate for later hedges; `underlying` is not read, the smallest trade stays. Numbers
 *  that make no problem are refused by poise_live_decide. Allocates nothing. Since 0.1. */
poise_status poise_live_set_candidate(
    poise_live *live, size_t hedge, size_t candidate, const poise_hedge_instrument *instrument);
/** Sets the smallest trade of a candidate for later hedges; 0: any amount. Allocates nothing.
 *  POISE_ERROR_VALUE where it is negative or not finite. Since 0.1. */
poise_status poise_live_set_minimum_trade(poise_live *live, size_t hedge, size_t candidate, double minimum);
/** Why the last decision was infeasible, and how near one can get: as poise_hedger_diagnose, of the bands and
 *  candidates of a hedge. Since 0.1. */
poise_status poise_live_diagnose(
    poise_live *live, size_t hedge, poise_column trades, poise_column violations, poise_column shadow_prices,
    poise_hedge_diagnosis *diagnosis);
/** Books the trades of the last decision in `book`, as if all were filled, once: without trades, or for the second time, it
 *  does nothing. POISE_ERROR_UNKNOWN_NAME for a book that held nothing at the start. Since 0.1. */
poise_status poise_live_book_trades(poise_live *live, size_t hedge, const char *book);

/* ---- Live desks that go on ---------------------------------------------------------------------------------- */

/* Contracts are listed and settled, books come, desks are saved and restored. Underlyings, slices, contracts, groups and
 * hedges keep their index, and names their address, until poise_live_roll_off; what is new stands behind. Candidates are
 * numbered anew by such a call, and by poise_live_set_limit: see poise_live_hedge_version. docs/live.md has a day of it. These calls may allocate. Since 0.1. */

/** How often underlyings, slices, contracts or groups have come, gone or been numbered anew: read counts and names again
 *  where it has changed. 0 for NULL. Since 0.1. */
uint64_t poise_live_layout_version(const poise_live *live);
/** How often a hedge's candidates or bands have been numbered anew; 0 beyond the last hedge. Since 0.1. */
uint64_t poise_live_hedge_version(const poise_live *live, size_t hedge);
/** 1 where a contract is listed, 0 where it is listed no more, −1 beyond the last. Since 0.1. */
int64_t poise_live_is_listed(const poise_live *live, size_t contract);

/** A contract that is to be listed. */
typedef struct poise_listing {
    size_t size;
    /** When what follows held: not 0. */
    int64_t milliseconds;
    /** Of an option its future's price, else its own; used where its slice is new to the desk. */
    double price;
    /** Options: volatility, and the rate, used where the slice is new. */
    double volatility, rate;
} poise_listing;

/** Lists a contract by its exchange's name; one that is there already is POISE_ERROR_ARGUMENT, one that is quoted in a
 *  currency that counts for no dollar POISE_ERROR_VALUE. `contract`: its index, the old one where it was there before, or
 *  NULL. Since 0.1. */
poise_status poise_live_list(poise_live *live, const char *name, const poise_listing *listing, size_t *contract);
/** Takes a contract off the list that nobody holds; else POISE_ERROR_VALUE. Since 0.1. */
poise_status poise_live_delist(poise_live *live, size_t contract);

/** What a contract paid that has come to its end. */
typedef struct poise_settlement {
    size_t size;
    /** The price of its future up to which the desk had counted: what a future pays is the way from there. */
    double last_price;
    /** What one unit pays, in `currency`: the coin of inverse contracts, else the quote currency. Belongs to the desk, until
     *  the next settlement. */
    double cash_per_unit;
    const char *currency;
    /** Number of books that held it. */
    size_t payment_count;
} poise_settlement;

/** Settles a contract: what books hold becomes cash, and it is listed no more. `delivery_price`: in quote currency.
 *  POISE_ERROR_VALUE where the time of its slice is before its expiry. `settlement`: or NULL; its `size` must be set.
 *  Since 0.1. */
poise_status poise_live_settle(poise_live *live, size_t contract, double delivery_price, poise_settlement *settlement);
/** The book of a payment of the last settlement; NULL beyond the last. Belongs to the desk, until the next one. Since 0.1. */
const char *poise_live_payment_book(const poise_live *live, size_t payment);
/** Copies the payments of the last settlement: what each book held, and its cash; a column may have data NULL. Since 0.1. */
poise_status poise_live_payments(const poise_live *live, poise_column quantities, poise_column cash);

/** A book from now on. `desk`: or NULL. POISE_ERROR_ARGUMENT where it is there. Since 0.1. */
poise_status poise_live_add_book(poise_live *live, const char *book, const char *desk);
/** Sets what a book holds of a contract, whatever it was. Since 0.1. */
poise_status poise_live_set_position(poise_live *live, const char *book, size_t contract, double quantity);
/** What a book holds of a contract; 0 for what it never held. Since 0.1. */
poise_status poise_live_position(const poise_live *live, const char *book, size_t contract, double *quantity);
/** What settlements have paid a book in a currency, and what has been added; 0 where nothing was. Since 0.1. */
poise_status poise_live_cash(const poise_live *live, const char *book, const char *currency, double *amount);
/** Adds to a book's cash. Since 0.1. */
poise_status poise_live_add_cash(poise_live *live, const char *book, const char *currency, double amount);

/** Volatilities of `count` options, by contract index. One that is refused leaves the others alone: `refused` is how
 *  many were, or NULL, and poise_last_error is about the first of them; the status is POISE_OK all the same. Allocates
 *  nothing where nothing is refused. Since 0.1. */
poise_status poise_live_set_volatilities(
    poise_live *live, size_t count, const size_t *contracts, poise_values volatilities, size_t *refused);
/** Prices of `count` slices, by index, at a time, 0 where it stays; refusals as above. Since 0.1. */
poise_status poise_live_set_prices(
    poise_live *live, size_t count, const size_t *slices, poise_values prices, int64_t milliseconds, size_t *refused);

/** The order book of a candidate as its exchange quotes it, best first: in coin for inverse options, else in quote
 *  currency; amounts in units of its quantity. Costs follow it and the price. POISE_ERROR_VALUE for a book that is crossed or
 *  out of order; the one before stays then. Since 0.1. */
poise_status poise_live_set_book(
    poise_live *live, size_t hedge, size_t candidate, size_t bid_count, poise_values bid_prices,
    poise_values bid_amounts, size_t ask_count, poise_values ask_prices, poise_values ask_amounts);
/** What a candidate costs at the desk's prices, as the last decision had it; `underlying` is an index among the
 *  problem's own. Since 0.1. */
poise_status poise_live_candidate_costs(
    const poise_live *live, size_t hedge, size_t candidate, poise_hedge_instrument *instrument);
/** New limits of a band by its name, "BTC vega"; −INFINITY and INFINITY for none. POISE_ERROR_UNKNOWN_NAME where there is
 *  none of that name. Since 0.1. */
poise_status poise_live_set_limit(poise_live *live, size_t hedge, const char *band, double low, double high);

/** Forgets contracts that are listed no more and positions of 0. Everything is numbered anew, names move; it takes as
 *  long as making a desk. Since 0.1. */
poise_status poise_live_roll_off(poise_live *live);

/** The desk as a file, without hedges: its length, and, where `capacity` is enough, its bytes. `buffer`: NULL where
 *  `capacity` is 0. POISE_ERROR_COUNT where it is more than 0 and not enough. Since 0.1. */
poise_status poise_live_save(const poise_live *live, char *buffer, size_t capacity, size_t *length);
/** A desk that goes on where one was saved, to the bit, without hedges. POISE_ERROR_TEXT for what is no saved desk, of
 *  another version, or damaged. Since 0.1. */
poise_status poise_live_restore(const poise_engine *engine, const char *text, size_t length, poise_live **live);

/* ---- Live desks: what is there, hedges that change, views ---------------------------------------------------- */

/* What a host needs to go on with a desk that it has restored, and to follow limits, fees and listings with its hedges.
 * These calls may allocate. Since 0.1. */

/** A slice as it stands. */
typedef struct poise_slice_state {
    size_t size;
    /** Index of its underlying. */
    size_t underlying;
    /** In quote currency; continuously compounded per year. */
    double price, rate;
    /** When its contracts are valued, and its expiry, 0 for none: milliseconds since 1970. */
    int64_t milliseconds, expiry;
} poise_slice_state;

/** Reads a slice. `state`: its `size` must be set. Allocates nothing. Since 0.1. */
poise_status poise_live_slice_state(const poise_live *live, size_t slice, poise_slice_state *state);
/** The volatility of an option that is listed; NaN of all else. Since 0.1. */
poise_status poise_live_volatility(const poise_live *live, size_t contract, double *volatility);
/** How many contracts have come to their expiry and wait for a delivery price; the first `capacity` of them are written to
 *  `contracts`, NULL where that is 0. 0 for NULL. Since 0.1. */
size_t poise_live_expired(const poise_live *live, size_t *contracts, size_t capacity);
/** Books, in the order in which they came; 0 for NULL, and NULL beyond the last. Names belong to the desk, until
 *  poise_live_roll_off. Since 0.1. */
size_t poise_live_book_count(const poise_live *live);
const char *poise_live_book(const poise_live *live, size_t book);
/** How many amounts of cash there are, by book and currency: all that was ever paid. 0 for NULL. Since 0.1. */
size_t poise_live_cash_count(const poise_live *live);
/** One of them; the texts belong to the desk until the next poise_live_cash_count. POISE_ERROR_ARGUMENT beyond the last.
 *  Since 0.1. */
poise_status poise_live_cash_at(
    const poise_live *live, size_t place, const char **book, const char **currency, double *amount);

/** Tickers of listed contracts: price, rate and time of their slices, volatilities of options. One that is older than its
 *  slice brings its volatility alone. What is refused leaves the rest alone: `refused` is how many were, or NULL, and
 *  poise_last_error is about the first of them, by its row; the status is POISE_OK all the same. Refused are contracts that
 *  are not listed, times that run back, and volatilities that contradict the mark of the same row. Since 0.1. */
poise_status poise_live_quote(poise_live *live, const poise_tickers *tickers, size_t *refused);

/** Groups positions in another way; groups are numbered anew. The numeraire is the desk's. POISE_ERROR_ARGUMENT where hedges
 *  need a grouping that is to go, or where the numeraire is another. Since 0.1. */
poise_status poise_live_group(poise_live *live, const poise_exposure_options *options);

/** Hedges of a table of limits in place of all that are there: one for all books together, if limits without a book are
 *  there, and one for each book with limits of its own, in the order of names; without candidates, for which see
 *  poise_live_add_candidates. `options`: or NULL; `exposures` must be 0. For desks in dollars, grouped by what limits name.
 *  POISE_ERROR_UNKNOWN_NAME for a book, underlying or expiry that the desk does not have, POISE_ERROR_ARGUMENT for a grouping
 *  that is missing; hedges are as before then. Since 0.1. */
poise_status poise_live_set_limits(poise_live *live, const poise_limits *limits, const poise_live_options *options);
/** Takes a band away. POISE_ERROR_UNKNOWN_NAME where there is none of that name. Since 0.1. */
poise_status poise_live_remove_limit(poise_live *live, size_t hedge, const char *band);

/** Lets a hedge trade the contracts of a chain that the desk lists, as far as its rule accepts them: with their order books,
 *  fees by the schedule and, where lots are wanted, the amounts of the chain's list of instruments. What it knows already
 *  takes the chain's order book over. `added`: how many can be traded, or NULL. Since 0.1. */
poise_status poise_live_add_candidates(poise_live *live, size_t hedge, const poise_chain *chain, size_t *added);

/** A class of contract; bits of `classes` are 1 << class. */
typedef enum poise_contract_class {
    POISE_CLASS_OPTION = 0,
    POISE_CLASS_FUTURE = 1,
    POISE_CLASS_PERPETUAL = 2,
    POISE_CLASS_SPOT = 3
} poise_contract_class;

/** Which contracts are candidates. Zero what does not matter. */
typedef struct poise_candidate_rule {
    size_t size;
    uint32_t classes;
    /** Other than 0: nothing passes that is not among `names`, also where there are none. */
    uint32_t only_names;
    /** Of what expires, milliseconds since 1970; 0: no such edge. The rest passes. */
    int64_t first_expiry, last_expiry;
    /** The magnitude of an option's delta, in coins per coin; most 0: no such edge. The rest passes. */
    double least_delta, most_delta;
    /** The least that is on offer on either side, in dollars of the underlying; 0: no matter. */
    double least_depth;
    /** The largest half spread, as a share of the underlying's price; 0: no matter. */
    double most_half_spread;
    /** Coins; names that alone pass; names that never do. A count of 0: no matter. */
    size_t underlying_count, name_count, excluded_count;
    poise_texts underlyings, names, excluded;
} poise_candidate_rule;

/** Chooses candidates by what they are, show and cost now; the next change of rule, limits or listings chooses again.
 *  Candidates are numbered anew. Since 0.1. */
poise_status poise_live_choose(poise_live *live, size_t hedge, const poise_candidate_rule *rule);

/** The schedule of fees: a table (CSV) with the columns of `poise hedge --fees`; `name` is what errors call it, or NULL.
 *  Since 0.1. */
poise_status poise_live_set_fees(poise_live *live, size_t hedge, const char *text, size_t length, const char *name);
/** For how many days positions are held, and what perpetuals pay per eight hours, as in poise_live_options. Since 0.1. */
poise_status poise_live_set_holding(poise_live *live, size_t hedge, double days, double funding_rate);
/** Most that trades may spend, in dollars: INFINITY for no limit; 0 is one, and below 0 trades must raise cash. Since 0.1. */
poise_status poise_live_set_cash_budget(poise_live *live, size_t hedge, double budget);
/** Other than 0: trades cost what they take of the displayed order books level by level, not half the spread and one
 *  impact for both sides. Since 0.1. */
poise_status poise_live_set_walks_levels(poise_live *live, size_t hedge, int32_t walks);

/** A price on the variance of what a live hedge leaves unhedged: risk_aversion · dᵀ · covariance · d, d the dollars that move
 *  with each coin after the trades. */
typedef struct poise_live_variance {
    size_t size;
    /** Cost in dollars per squared dollar of variance over the covariance's horizon; not below 0. */
    double risk_aversion;
    /** Coins, each once, and the covariance of their returns, count × count, row by row. What is on other coins counts for no
     *  variance. */
    size_t count;
    poise_texts underlyings;
    const double *covariance;
    /** Other than 0: d is POISE_EXPOSURE_NET_DELTA, less what premiums in coin move; else POISE_EXPOSURE_DELTA. */
    uint64_t net_delta;
} poise_live_variance;

/** Sets the price on variance for later hedges, whose deltas follow the desk; NULL for none. Copied. POISE_ERROR_VALUE for
 *  numbers that make no covariance: what there was stays. Bands still say when to trade: see poise_live_rebalance.
 *  Candidates are numbered anew. Since 0.1. */
poise_status poise_live_set_variance(poise_live *live, size_t hedge, const poise_live_variance *variance);
/** Most margin that trades may take up, by poise_live_set_margin or the margin of poise_live_set_candidate; INFINITY for no
 *  limit. Since 0.1. */
poise_status poise_live_set_margin_limit(poise_live *live, size_t hedge, double limit);
/** The margin that a unit of a candidate takes up, bought or sold, in dollars, not below 0; it stays while candidates are
 *  numbered anew. A candidate that poise_live_set_candidate has set has its own. Since 0.1. */
poise_status poise_live_set_margin(poise_live *live, size_t hedge, size_t candidate, double per_unit);
/** poise_live_decide that finds the cheapest trades whatever the bands say: within them a variance that is priced may be
 *  worth trades. Since 0.1. */
poise_status poise_live_rebalance(poise_live *live, size_t hedge, poise_hedge_result *result);

/** When a search for trades ends. */
typedef struct poise_hedge_search {
    size_t size;
    /** Over lots and fixed costs: nodes at most, and the gap that is good enough; 0: the library's own. */
    uint64_t node_limit;
    double gap;
    /** Of any problem: seconds at most; 0: no limit. */
    double seconds;
    /** Or NULL. Asked every hundredth of a second or so, by the thread that searches; other than 0 ends the search as
     *  `seconds` does: POISE_HEDGE_BUDGET, or POISE_HEDGE_UNCERTIFIED. Must not use the object that searches. */
    int32_t (*is_cancelled)(void *context);
    void *context;
} poise_hedge_search;

/** Sets when a hedge's searches end; `search` NULL: as at the start. Since 0.1. */
poise_status poise_live_set_search(poise_live *live, size_t hedge, const poise_hedge_search *search);

/** What a desk showed at one moment. Never changes: any number of threads may read it while the desk goes on. */
typedef struct poise_live_view poise_live_view;

/** Copies what a desk shows, as of its last update. Since 0.1. */
poise_status poise_live_view_create(const poise_live *live, poise_live_view **view);
/** Frees a view, or NULL. Since 0.1. */
void poise_live_view_free(poise_live_view *view);
/** As of poise_live, with the same indices. Since 0.1. */
size_t poise_live_view_group_count(const poise_live_view *view);
size_t poise_live_view_slice_count(const poise_live_view *view);
size_t poise_live_view_contract_count(const poise_live_view *view);
const char *poise_live_view_label(const poise_live_view *view, size_t group, size_t grouping);
const char *poise_live_view_slice(const poise_live_view *view, size_t slice);
const char *poise_live_view_contract(const poise_live_view *view, size_t contract);
int64_t poise_live_view_is_listed(const poise_live_view *view, size_t contract);
poise_status poise_live_view_exposures(const poise_live_view *view, poise_exposure exposure, poise_column column);
poise_status poise_live_view_figure(
    const poise_live_view *view, size_t contract, poise_exposure exposure, double *value);
poise_status poise_live_view_slice_state(const poise_live_view *view, size_t slice, poise_slice_state *state);
poise_status poise_live_view_cash(const poise_live_view *view, const char *book, const char *currency, double *amount);

/* ---- Hedge problems of one's own ---------------------------------------------------------------------------- */

/** low ≤ current + Σ coefficient · x ≤ high. */
typedef struct poise_hedge_band {
    double current, low, high;
    /** Cost per unit outside. NaN: the band must hold. Where both are 0, being outside costs nothing: no limit at all. */
    double penalty;
    /** Cost of s²/2 for an exposure s units outside. */
    double penalty_quadratic;
    /** Its entries: `first_entry` to `first_entry + entry_count − 1`. Entries stand in the order of the bands, without
     *  gaps. */
    uint64_t first_entry, entry_count;
} poise_hedge_band;

typedef struct poise_hedge_entry {
    uint64_t instrument;
    double coefficient;
} poise_hedge_entry;

typedef struct poise_hedge_problem {
    size_t size;
    /** At most 4,096 underlyings and 16,384 bands. */
    size_t underlying_count, instrument_count, band_count, entry_count;
    const poise_hedge_instrument *instruments;
    const poise_hedge_band *bands;
    const poise_hedge_entry *entries;
    /** Infinity: no limit. 0 is a limit. A cash budget below 0 is cash that the trades must raise. */
    double margin_limit, cash_budget;
    /** The price of variance; 0: the three below are not read and may be NULL. */
    double risk_aversion;
    /** Covariance of the underlyings by rows; dollar delta before trades, per underlying; dollar delta per unit, per
     *  instrument. */
    const double *covariance, *dollar_delta, *exposure;
    /** The smallest amount that may be bought or sold, per instrument, 0: any; data NULL: any of all. A struct that ends
     *  before this field is accepted. */
    poise_values minimum_trade;
} poise_hedge_problem;

typedef enum poise_hedge_start {
    POISE_HEDGE_COLD = 0,
    /** From which limits held in the last answer; as cold where the shape of the problem has changed. */
    POISE_HEDGE_WARM = 1
} poise_hedge_start;

typedef struct poise_hedger_options {
    size_t size;
    /** Searches over lots and fixed costs: nodes at most, and the gap that ends one; 0: the library's own. */
    uint64_t node_limit;
    double gap;
} poise_hedger_options;

/** Solves hedge problems one after another. One thread at a time. */
typedef struct poise_hedger poise_hedger;

/** `options`: or NULL. Since 0.1. */
poise_status poise_hedger_create(const poise_hedger_options *options, poise_hedger **hedger);
/** Frees a hedger, or NULL. Since 0.1. */
void poise_hedger_free(poise_hedger *hedger);
/** Finds the cheapest trades. `trades`: instrument_count rows. `shadow_prices`: the derivative of the least
 *  cost by each band's active limit, band_count rows, or data NULL. Both are 0 if the outcome is infeasible. `result`: or NULL; its `size` must be set.
 *  POISE_ERROR_VALUE where a number makes no problem: the field is a path, "bands[3].lo". After the first problem of a
 *  shape (the same bands on the same instruments) it allocates nothing. Since 0.1. */
poise_status poise_hedger_solve(
    poise_hedger *hedger, const poise_hedge_problem *problem, poise_hedge_start start, poise_column trades,
    poise_column shadow_prices, poise_hedge_result *result);
/** Why a problem is infeasible, and how near one can get. `trades`: the cheapest that reach the least sum of violations,
 *  instrument_count rows. `violations`: how far each band stays outside with them, in widths: below 0 where it is below
 *  `low`; 0 where it is met, or soft. `shadow_prices`: the change of the least sum when a band's binding limit rises
 *  by a width. Both have band_count rows; each of the three columns may have data NULL, and all are 0 where the bands can be
 *  met. `diagnosis`: its `size` must be set. Fails as poise_hedger_solve does, and forgets nothing of the last answer.
 *  Allocates. Since 0.1. */
poise_status poise_hedger_diagnose(
    poise_hedger *hedger, const poise_hedge_problem *problem, poise_column trades, poise_column violations,
    poise_column shadow_prices, poise_hedge_diagnosis *diagnosis);

/** Sets when searches end, in place of what `options` of poise_hedger_create said; `search` NULL: as at the start, without
 *  those. Diagnoses end by the same `seconds` and `is_cancelled`. Since 0.1. */
poise_status poise_hedger_set_search(poise_hedger *hedger, const poise_hedge_search *search);

/* ---- Volatility surfaces ------------------------------------------------------------------------------------ */

/** What a fit minimises, σ being the curve's volatility and q the weight. */
typedef enum poise_smile_loss {
    /** Σ q (e/h)² + 0.01 Σ q ((σ − mid)/h)²: e is how far σ lies outside of bid and ask, h half the spread, at least 0.001;
     *  the second sum over quotes of two sides. */
    POISE_LOSS_BAND = 0,
    /** Σ q (σ − mid)², over quotes of two sides. */
    POISE_LOSS_MID = 1,
    /** Σ q ((σ − mid)/h)², over quotes of two sides. */
    POISE_LOSS_SPREAD = 2
} poise_smile_loss;

/** What the slices of a surface are kept free of, at all strikes. */
typedef enum poise_arbitrage {
    /** Butterflies, and crossings of slices. */
    POISE_ARBITRAGE_FULL = 0,
    POISE_ARBITRAGE_BUTTERFLY = 1,
    POISE_ARBITRAGE_NONE = 2
} poise_arbitrage;

/** How a slice was fitted. */
typedef enum poise_fit_status {
    /** As asked, and proved. */
    POISE_FIT_OK = 0,
    /** What stands in, free of what the rule forbids: the free fit mended by hand, or a curve of three parameters (eSSVI);
     *  see `repair`. */
    POISE_FIT_FALLBACK = 1,
    /** Fewer than five quotes of two sides at different strikes: no curve. */
    POISE_FIT_TOO_FEW_QUOTES = 2,
    /** A butterfly is left, or could not be excluded. */
    POISE_FIT_BUTTERFLY = 3,
    /** The slice crosses one beside it. */
    POISE_FIT_CALENDAR = 4,
    /** No curve was found. */
    POISE_FIT_UNSOLVED = 5,
    /** As asked, and proved, without quotes that are crossed. */
    POISE_FIT_BAD_QUOTES = 6
} poise_fit_status;

/** What it took to keep the rule. */
typedef enum poise_fit_repair {
    /** Nothing: the best fit keeps the rule, or there is no curve. */
    POISE_REPAIR_NONE = 0,
    POISE_REPAIR_REFIT = 1,
    POISE_REPAIR_ESSVI = 2,
    /** The free fit, with its right wing and least variance moved as far as needed; status POISE_FIT_FALLBACK. */
    POISE_REPAIR_JUMP_WINGS = 3,
    /** The free fit, made wider as far as needed; status POISE_FIT_FALLBACK. */
    POISE_REPAIR_ZOOM = 4
} poise_fit_repair;

/** Quotes of one underlying, a row each, in any order: rows of the same years are a slice. */
typedef struct poise_smile_quotes {
    size_t size;
    size_t count;
    /** Years to expiry and forward, above 0; all rows of a slice have the same. Strike above 0. Volatilities at bid and ask,
     *  at least 0; NaN for a side that nobody quotes. */
    poise_values years, forward, strike, bid, ask;
    /** At least 0; 0 is not counted. Data NULL: 1 each. */
    poise_values weight;
    poise_smile_loss loss;
    poise_arbitrage arbitrage;
    /** The price of the underlying now, for forwards before the first expiry; 0: the first forward. */
    double spot;
} poise_smile_quotes;

/** A fitted surface: slices of raw SVI in order of time. Never changes: share it among threads. */
typedef struct poise_surface poise_surface;

/** One slice. Raw SVI, total variance w(k) = a + b (ρ (k − m) + √((k − m)² + σ²)), k = ln(strike/forward), and volatility
 *  √(w/years). All from `a` to `largest_error` are NaN where there is no curve. */
typedef struct poise_surface_slice {
    size_t size;
    double years, forward;
    double a, b, rho, m, sigma;
    /** The infimum of Durrleman's g over all k, and where, −∞ or ∞ for a wing's limit: below 0 is a butterfly. */
    double least_g, least_g_at;
    /** Root of the mean square of σ − mid over quotes of two sides, in volatility and in half spreads; the largest. */
    double root_mean_square, root_mean_square_in_half_spreads, largest_error;
    /** The share of quotes in the loss that the curve meets. */
    double inside;
    poise_fit_status status;
    poise_fit_repair repair;
    /** Quotes that entered the loss, and those that did not. */
    uint64_t quotes, dropped;
} poise_surface_slice;

/** Fits a surface. Sets `*surface` to NULL where it fails: POISE_ERROR_COUNT without rows, POISE_ERROR_VALUE with the row
 *  for a number that may not be, and for rows of one slice whose forwards differ. A slice that cannot be fitted is no
 *  failure: its status says so. Since 0.1. */
poise_status poise_surface_fit(const poise_smile_quotes *quotes, poise_surface **surface);
/** Frees a surface, or NULL. Since 0.1. */
void poise_surface_free(poise_surface *surface);
/** How many slices; 0 for NULL. Since 0.1. */
size_t poise_surface_count(const poise_surface *surface);
/** A slice, in order of time. `slice`: its `size` must be set. Allocates nothing. Since 0.1. */
poise_status poise_surface_slice_at(const poise_surface *surface, size_t index, poise_surface_slice *slice);
/** The least gap of total variance, over all k, between slice `index` and the next with a curve, and where, −∞ or ∞ for a
 *  wing's limit; both NaN where the later one has a flatter wing, or there is none. Each or NULL. Since 0.1. */
poise_status poise_surface_gap(const poise_surface *surface, size_t index, double *least, double *at);

/** What a surface says of a strike K and a time T, with k = ln(K/F) and F the forward for T. */
typedef enum poise_surface_quantity {
    POISE_SURFACE_VOLATILITY = 0,     /* σ */
    POISE_SURFACE_SLOPE = 1,          /* ∂σ/∂k */
    POISE_SURFACE_CURVATURE = 2,      /* ∂²σ/∂k² */
    POISE_SURFACE_VARIANCE = 3,       /* w = σ²T */
    POISE_SURFACE_DENSITY = 4,        /* of ln(price/F) at k: g(k) n(d₂)/√w */
    POISE_SURFACE_LOCAL_VARIANCE = 5, /* Dupire's, per year: (∂w/∂T)/g(k) */
    POISE_SURFACE_FORWARD = 6         /* F */
} poise_surface_quantity;

#define POISE_SURFACE_QUANTITY_COUNT 7

/** Asks a surface at `count` strikes and times. Between expiries total variance is linear in time at equal k; before the
 *  first it is the first's by the share of time; beyond the last the whole slice rises by the last forward variance at the
 *  money. `quantities`: bits `1u << POISE_SURFACE_VOLATILITY` and so on; `columns`: one per bit, in their order.
 *  `row_status`: `count` bytes, 0, or 1 for a strike or years that are not above 0 and finite, or so far off that there is no
 *  forward or no strike/forward, whose outputs are NaN; or NULL, then such a row is POISE_ERROR_VALUE and nothing is written.
 *  POISE_ERROR_COUNT for another number of columns, POISE_ERROR_ARGUMENT for an unknown bit, and where no slice of the surface
 *  has a curve. Allocates nothing. Since 0.1. */
poise_status poise_surface_query(
    const poise_surface *surface, size_t count, poise_values strike, poise_values years, uint32_t quantities,
    const poise_column *columns, size_t column_count, uint8_t *row_status);

/* ---- Margin ------------------------------------------------------------------------------------------------- */

/** What a venue asks of accounts, as data: a rule and its parameters, with where they are from and of which day
 *  (docs/margin.md). Never changes: share it among threads. */
typedef struct poise_margin_model poise_margin_model;

/** Makes a model of a text in JSON, or in TOML where it has no grid, as `poise margin --model` takes it. `name` is what errors
 *  call it, or NULL. POISE_ERROR_TEXT or POISE_ERROR_VALUE with line and field. Since 0.1. */
poise_status poise_margin_model_parse(const char *text, size_t length, const char *name, poise_margin_model **model);
/** The same of a file. POISE_ERROR_SYSTEM where it cannot be read. Since 0.1. */
poise_status poise_margin_model_read(const char *path, poise_margin_model **model);
/** Frees a model, or NULL. Since 0.1. */
void poise_margin_model_free(poise_margin_model *model);

typedef enum poise_margin_fact {
    POISE_MARGIN_FACT_NAME = 0,
    POISE_MARGIN_FACT_VENUE = 1,
    /** Where the parameters were read, and the day that they held: "2026-03-26". */
    POISE_MARGIN_FACT_SOURCE = 2,
    POISE_MARGIN_FACT_DATE = 3,
    /** The rule: "scan", "derive-standard", "deribit-pm", "deribit-cross", "standard-option", "span-array", "rates". */
    POISE_MARGIN_FACT_KIND = 4
} poise_margin_fact;

/** A fact of a model; NULL for NULL and beyond the last. Belongs to the model. Since 0.1. */
const char *poise_margin_model_fact(const poise_margin_model *model, poise_margin_fact fact);
/** A term of the venue's margin that the model leaves out; NULL beyond the last. Belongs to the model. Since 0.1. */
const char *poise_margin_model_omitted(const poise_margin_model *model, size_t index);

/** What an account has beside positions: currency, cash, collateral, confidence of feeds, other reserves. Never changes:
 *  share it among threads. */
typedef struct poise_margin_account poise_margin_account;

/** Makes an account of a text in TOML or JSON, as `poise margin --account` takes it. As poise_margin_model_parse. Since 0.1. */
poise_status poise_margin_account_parse(
    const char *text, size_t length, const char *name, poise_margin_account **account);
/** The same of a file. Since 0.1. */
poise_status poise_margin_account_read(const char *path, poise_margin_account **account);
/** Frees an account, or NULL. Since 0.1. */
void poise_margin_account_free(poise_margin_account *account);
/** The currency of its cash, in which all figures of its margin are; NULL for NULL. Belongs to the account. Since 0.1. */
const char *poise_margin_account_currency(const poise_margin_account *account);

/** An account in a market under a model, and what the venue asks of it. Never changes: share it among threads. */
typedef struct poise_margin poise_margin;

/** Computes the margin of positions off a chain: all of them are one account. `underlying`: the positions in this coin alone,
 *  "BTC"; or NULL. POISE_ERROR_VALUE for a contract or coin that the model has no rule for, a coin without a price or
 *  haircut, another currency than the model's; POISE_ERROR_UNKNOWN_NAME for a position that the chain has no price for, or an
 *  underlying that nothing is held in. Nothing that is missing counts as 0. Since 0.1. */
poise_status poise_margin_create(
    const poise_engine *engine, const poise_chain *chain, const poise_positions *positions,
    const poise_margin_account *account, const poise_margin_model *model, const char *underlying,
    poise_margin **margin);
/** Frees a margin, or NULL. Since 0.1. */
void poise_margin_free(poise_margin *margin);

/** What is required and what is left, in the account's currency. */
typedef struct poise_margin_figures {
    size_t size;
    /** What is required, positive. */
    double initial_margin, maintenance_margin;
    /** The account's worth now, cash included. */
    double mark_to_market;
    /** What is left once the requirement is met: below 0 is a call. */
    double initial_balance, maintenance_balance;
    /** Row of the deciding one among POISE_MARGIN_SCENARIOS; −1 for rules without scenarios, where nothing is lost, and of
     *  live margins. */
    int64_t worst_scenario;
} poise_margin_figures;

/** Copies the figures. `figures`: its `size` must be set. Allocates nothing. Since 0.1. */
poise_status poise_margin_totals(const poise_margin *margin, poise_margin_figures *figures);

/** Tables of a margin, and which labels and amounts their rows have. */
typedef enum poise_margin_table {
    /** Terms of the requirement, which add up to it: NAME; MAINTENANCE, INITIAL. */
    POISE_MARGIN_PARTS = 0,
    /** All scenarios: NAME (the venue's key), TITLE; AMOUNT is what is lost in it. */
    POISE_MARGIN_SCENARIOS = 1,
    /** What each expiry adds; below 0 where it relieves: UNDERLYING, EXPIRY; MAINTENANCE, INITIAL. */
    POISE_MARGIN_EXPIRIES = 2,
    /** What each contract adds: NAME, UNDERLYING, EXPIRY ("" where there is none); QUANTITY, MAINTENANCE, INITIAL. */
    POISE_MARGIN_CONTRACTS = 3,
    /** Further figures under the names that the venue has for them: NAME; AMOUNT. */
    POISE_MARGIN_FIGURES = 4,
    /** Profits of a grid of moves before they are aggregated, as the venue's own reply has them, a row each: NAME (whose),
     *  TITLE ("standard" or "extended"); AMOUNT. */
    POISE_MARGIN_VECTORS = 5,
    /** The same of each contract. */
    POISE_MARGIN_CONTRACT_VECTORS = 6
} poise_margin_table;

typedef enum poise_margin_label {
    POISE_MARGIN_NAME = 0,
    POISE_MARGIN_TITLE = 1,
    POISE_MARGIN_UNDERLYING = 2,
    POISE_MARGIN_EXPIRY = 3
} poise_margin_label;

typedef enum poise_margin_amount {
    POISE_MARGIN_MAINTENANCE = 0,
    POISE_MARGIN_INITIAL = 1,
    POISE_MARGIN_AMOUNT = 2,
    POISE_MARGIN_QUANTITY = 3
} poise_margin_amount;

/** Rows of a table; 0 for NULL, and where a model has none. Since 0.1. */
size_t poise_margin_count(const poise_margin *margin, poise_margin_table table);
/** A label of a row; NULL beyond the last, and for labels that a table does not have. Belongs to the margin. Since 0.1. */
const char *poise_margin_text(
    const poise_margin *margin, poise_margin_table table, size_t row, poise_margin_label label);
/** Copies amounts of all rows. POISE_ERROR_ARGUMENT for an unknown table, and for amounts that it does not have. Allocates
 *  nothing. Since 0.1. */
poise_status poise_margin_amounts(
    const poise_margin *margin, poise_margin_table table, poise_margin_amount amount, poise_column column);

/** Underlyings of the account's market; 0 for NULL. Since 0.1. */
size_t poise_margin_underlying_count(const poise_margin *margin);
/** The name of an underlying; NULL beyond the last. Belongs to the margin. Since 0.1. */
const char *poise_margin_underlying(const poise_margin *margin, size_t underlying);
/** Its index in dollars; NaN beyond the last. Since 0.1. */
double poise_margin_index(const poise_margin *margin, size_t underlying);
/** A field of the account's text that this model does not look at, "confidence.ETH"; NULL beyond the last. Belongs to the margin.
 *  Amounts that a model has no term for are refused. Since 0.1. */
const char *poise_margin_without_effect(const poise_margin *margin, size_t index);

/** All underlyings, moving together. */
#define POISE_MARGIN_ALL_UNDERLYINGS (-1)

/** Finds all prices of an underlying at which nothing is left of maintenance, ascending: those below its index are where a
 *  fall ends. With POISE_MARGIN_ALL_UNDERLYINGS they are multiples of all prices at once. There may be none, or several.
 *  `lowest`, `highest`: multiples of the index between which they are looked for, lowest < 1 < highest; both 0: 0.1 and 10, or a
 *  case's own range. `prices`: `capacity` rows, data NULL where that is 0; `count`: how many there are. POISE_ERROR_COUNT where
 *  `capacity` is more than 0 and not enough. Volatilities stay with their contracts, time stands still. Since 0.1. */
poise_status poise_margin_liquidation(
    const poise_margin *margin, int64_t underlying, double lowest, double highest, poise_column prices, size_t capacity,
    size_t *count);

/** Where margins after trades are written; a column may have data NULL. */
typedef struct poise_margin_columns {
    size_t size;
    poise_column initial_margin, maintenance_margin, initial_balance, maintenance_balance;
} poise_margin_columns;

/** Margins after each of `count` trades, done one by one and each at its mark: an option costs its value, a coin its price,
 *  futures and perpetuals nothing. `quantity`: above 0 is bought, in units of positions. POISE_ERROR_VALUE or
 *  POISE_ERROR_UNKNOWN_NAME with the row for what the chain (of a case: its market) does not list, the model has no rule for, or
 *  is in another underlying. Under models of scenarios a trade costs some operations per scenario. Since 0.1. */
poise_status poise_margin_what_if(
    const poise_margin *margin, size_t count, poise_texts instrument, poise_values quantity,
    const poise_margin_columns *columns);

/* Live margins: a model of scenarios kept current through ticks and fills. */

/** An account's margin, tick by tick. One thread at a time. */
typedef struct poise_live_margin poise_live_margin;

/** Takes over an account and its market, with all contracts of its underlying that the chain lists. POISE_ERROR_ARGUMENT for a
 *  model that cannot be kept live: one that is no grid of scenarios, charges delta, or moves time, rates or smiles;
 *  POISE_ERROR_VALUE for an account in several underlyings. Since 0.1. */
poise_status poise_live_margin_create(const poise_margin *margin, poise_live_margin **live);
/** Frees a live margin, or NULL. Since 0.1. */
void poise_live_margin_free(poise_live_margin *live);
/** Contracts and expiries; 0 for NULL. Since 0.1. */
size_t poise_live_margin_contract_count(const poise_live_margin *live);
size_t poise_live_margin_expiry_count(const poise_live_margin *live);
/** Their names: "BTC-27JUN25-60000-C", "BTC-27JUN25"; NULL beyond the last. Belong to the live margin. Since 0.1. */
const char *poise_live_margin_contract(const poise_live_margin *live, size_t contract);
const char *poise_live_margin_expiry(const poise_live_margin *live, size_t expiry);
/** The index of a name; −1 if it is unknown. Since 0.1. */
int64_t poise_live_margin_find_contract(const poise_live_margin *live, const char *name);
int64_t poise_live_margin_find_expiry(const poise_live_margin *live, const char *name);

/* Changes allocate nothing and count from the next poise_live_margin_update. They return POISE_ERROR_ARGUMENT for an unknown
 * index and a contract of another kind, POISE_ERROR_VALUE for a refused number: prices from 1e-12 to 1e12. Nothing has
 * changed then. Since 0.1. */

/** The index is at a new price: forwards, perpetuals and coins move in proportion; what perpetuals gain counts in the account's
 *  worth. `milliseconds`: the time, as of poise_live_tick, 0 where it stays. Collateral stays at its price of the start, and so
 *  does what is known of a delivery price while it is averaged: make a live margin anew where they have moved. */
poise_status poise_live_margin_tick(poise_live_margin *live, double price, int64_t milliseconds);
/** The index alone. */
poise_status poise_live_margin_set_index(poise_live_margin *live, double price);
/** The price of a perpetual. */
poise_status poise_live_margin_set_perpetual(poise_live_margin *live, size_t contract, double price);
/** The forward of an expiry. */
poise_status poise_live_margin_set_forward(poise_live_margin *live, size_t expiry, double price);
/** The volatility of an option, 0 to 1e6. */
poise_status poise_live_margin_set_volatility(poise_live_margin *live, size_t contract, double volatility);
/** Values all contracts in all scenarios anew, and the account. Allocates nothing. Since 0.1. */
poise_status poise_live_margin_update(poise_live_margin *live);
/** A fill: the position changes by `quantity`, in units of positions, and `amount` of the account's currency leaves the cash:
 *  the premium of an option, the price of a coin, of a perpetual what is paid above its mark; and fees. Counts at once, at the
 *  values of the last update. Allocates nothing. Since 0.1. */
poise_status poise_live_margin_fill(poise_live_margin *live, size_t contract, double quantity, double amount);
/** Copies the figures as of the last update and fill. Allocates nothing. Since 0.1. */
poise_status poise_live_margin_totals(const poise_live_margin *live, poise_margin_figures *figures);
/** Margins after each of `count` trades, as of poise_margin_what_if; by contract index. POISE_ERROR_VALUE with the row for an
 *  unknown one or a quantity that is not finite; nothing is written then. Allocates nothing. Since 0.1. */
poise_status poise_live_margin_what_if(
    const poise_live_margin *live, size_t count, const size_t *contracts, poise_values quantity,
    const poise_margin_columns *columns);

/* Hedges under a margin: the cheapest trades that bring exposures into their bands and leave enough of the account, or pay
 * for what they tie up. */

typedef struct poise_margin_hedge_options {
    size_t size;
    /** The book whose limits are meant; NULL or "": limits without a book, for all together. The account has all positions. */
    const char *book;
    /** Other than 0: at least `buffer` of the account's currency is left over initial margin after the trades, −1e15 to 1e15. */
    uint32_t has_buffer;
    /** Other than 0, trades are whole contract sizes. */
    uint32_t uses_lots;
    double buffer;
    /** Cost of a unit of initial margin per day, 0 to 1e6, for the days of `holding_days`, or one where those are 0. */
    double price;
    /** As of poise_live_options. */
    double holding_days, funding_rate, cash_budget;
    /** Of the search: seconds at most (0: 10), the gap that ends one over lots (0: 1e-4), nodes at most (0: the library's own). */
    double seconds, gap;
    uint64_t node_limit;
    /** As of poise_hedge_search: ends the search as `seconds` does. A struct that ends before these fields is accepted. */
    int32_t (*is_cancelled)(void *context);
    void *context;
} poise_margin_hedge_options;

/** A hedge under a margin. Never changes: share it among threads. */
typedef struct poise_margin_hedge poise_margin_hedge;

/** Finds the cheapest trades. `margin`: of a chain; its model decides what is required after the trades, which are done at
 *  their marks and whose costs leave the cash. `options`: or NULL, the margin is then reported alone. What the model has no rule
 *  for is not traded; what is in another underlying is traded beside the account. That there are no such trades is an
 *  answer: see poise_margin_hedge_totals. POISE_ERROR_UNKNOWN_NAME for a book without limits. Since 0.1. */
poise_status poise_margin_hedge_create(
    const poise_margin *margin, const poise_limits *limits, const poise_margin_hedge_options *options,
    poise_margin_hedge **hedge);
/** Frees a hedge, or NULL. Since 0.1. */
void poise_margin_hedge_free(poise_margin_hedge *hedge);

typedef struct poise_margin_hedge_answer {
    size_t size;
    /** Initial margin after the trades as the optimiser took it, and by how much that is above the rule's own, which is what
     *  stands in for a part that is not convex; in the account's currency. */
    double required, overstatement;
    /** The price of the initial margin after the trades, in dollars, beside the costs of poise_hedge_result. */
    double margin_cost;
    /** What one more unit of headroom costs, in dollars. */
    double headroom_price;
    /** The most that any trades leave over initial margin, where none leave the buffer; the trades are then those. Else NaN. */
    double largest_headroom;
    /** No trades are cheaper, their margin included, by more than this share. */
    double gap;
    /** Planes that were added, and problems that were solved. */
    uint64_t planes, problems;
} poise_margin_hedge_answer;

/** Copies what the hedge comes to; each or NULL, with `size` set. `result`: costs in dollars; outcome POISE_HEDGE_INFEASIBLE where
 *  no trades keep the bands, or, with `largest_headroom`, where none leave the buffer: its costs are then those of the
 *  trades that leave most. `answer`: of a margin that is reported alone all but `size` is 0 or NaN. Allocates nothing.
 *  Since 0.1. */
poise_status poise_margin_hedge_totals(
    const poise_margin_hedge *hedge, poise_hedge_result *result, poise_margin_hedge_answer *answer);
/** Copies the account's figures before (`after` 0) or after the trades, and the prices nearest to the index, between a tenth and
 *  ten times of it, at which nothing is left of maintenance: NaN where there are none, or a contract has no price at others.
 *  Each or NULL. Allocates nothing. Since 0.1. */
poise_status poise_margin_hedge_account(
    const poise_margin_hedge *hedge, uint32_t after, poise_margin_figures *figures, double *liquidation_below,
    double *liquidation_above);

/** How a candidate counts in the account. */
typedef enum poise_margin_holding {
    POISE_MARGIN_HELD = 0,
    /** In another underlying: traded beside the account. */
    POISE_MARGIN_ELSEWHERE = 1,
    /** The model has no rule for it: not traded. */
    POISE_MARGIN_WITHOUT_RULE = 2
} poise_margin_holding;

/** What may be traded; 0 for NULL. Since 0.1. */
size_t poise_margin_hedge_candidate_count(const poise_margin_hedge *hedge);
/** Its name; NULL beyond the last. Belongs to the hedge. Since 0.1. */
const char *poise_margin_hedge_candidate(const poise_margin_hedge *hedge, size_t candidate);
/** A poise_margin_holding; −1 beyond the last. Since 0.1. */
int64_t poise_margin_hedge_holding(const poise_margin_hedge *hedge, size_t candidate);
/** Copies the trades, one per candidate, above 0 buys, and by how much each, beside all others and its cost aside, changes what
 *  is left over initial margin: below 0 where it takes margin. All 0 where there are no trades. Each or data NULL. Since 0.1. */
poise_status poise_margin_hedge_trades(const poise_margin_hedge *hedge, poise_column trades, poise_column headroom);
/** The bands; NULL beyond the last. Belongs to the hedge. Since 0.1. */
size_t poise_margin_hedge_band_count(const poise_margin_hedge *hedge);
const char *poise_margin_hedge_band(const poise_margin_hedge *hedge, size_t band);
/** Copies exposures before the trades and shadow prices, as of poise_live_bands. Since 0.1. */
poise_status poise_margin_hedge_bands(
    const poise_margin_hedge *hedge, poise_column exposures, poise_column shadow_prices);
/** The scenarios and other outcomes whose margin is paid for, dearest first. Since 0.1. */
size_t poise_margin_hedge_outcome_count(const poise_margin_hedge *hedge);
const char *poise_margin_hedge_outcome(const poise_margin_hedge *hedge, size_t outcome);
/** Copies what one more unit lost in each of them costs, in dollars. Since 0.1. */
poise_status poise_margin_hedge_outcome_prices(const poise_margin_hedge *hedge, poise_column prices);
/** What stands in for a part of the rule that is not convex, as a sentence; NULL beyond the last. Belongs to the hedge.
 *  Since 0.1. */
const char *poise_margin_hedge_note(const poise_margin_hedge *hedge, size_t note);

/* Cases: accounts that bring market and model. */

/** Self-contained accounts in JSON, as `poise margin --cases` takes them. Never change: share them among threads. */
typedef struct poise_margin_cases poise_margin_cases;

/** Makes cases of a text. As poise_margin_model_parse. Since 0.1. */
poise_status poise_margin_cases_parse(const char *text, size_t length, const char *name, poise_margin_cases **cases);
/** The same of a file. Since 0.1. */
poise_status poise_margin_cases_read(const char *path, poise_margin_cases **cases);
/** Frees cases, or NULL. Since 0.1. */
void poise_margin_cases_free(poise_margin_cases *cases);
/** How many; 0 for NULL. Since 0.1. */
size_t poise_margin_cases_count(const poise_margin_cases *cases);
/** The name of a case; NULL beyond the last. Belongs to the cases. Since 0.1. */
const char *poise_margin_cases_name(const poise_margin_cases *cases, size_t index);
/** Computes the margin of a case, before the trades where it is a hedge. POISE_ERROR_ARGUMENT beyond the last, and for an
 *  auction (see poise_margin_auction_of_case). Since 0.1. */
poise_status poise_margin_of_case(
    const poise_engine *engine, const poise_margin_cases *cases, size_t index, poise_margin **margin);
/** Solves a case with a hedge; costs are in the case's currency. POISE_ERROR_ARGUMENT for one without. Since 0.1. */
poise_status poise_margin_hedge_of_case(
    const poise_engine *engine, const poise_margin_cases *cases, size_t index, poise_margin_hedge **hedge);

/* The time ahead: when the rule itself changes, while prices and volatilities stand still. */

/** Times at which an account's rule jumps or bends, earliest first. Never changes: share it among threads. */
typedef struct poise_margin_ahead poise_margin_ahead;

/** Finds the steps within `days`, 0 to 3650: an expiry settles, its delivery price begins to be averaged, or its volatility
 *  shock changes power, of expiries that are held. As `poise margin --ahead`. Since 0.1. */
poise_status poise_margin_ahead_create(const poise_margin *margin, double days, poise_margin_ahead **ahead);
/** Frees steps, or NULL. Since 0.1. */
void poise_margin_ahead_free(poise_margin_ahead *ahead);
/** How many; 0 for NULL. Since 0.1. */
size_t poise_margin_ahead_count(const poise_margin_ahead *ahead);
/** POISE_MARGIN_NAME: "expiry", "averaging" or "power"; POISE_MARGIN_UNDERLYING; POISE_MARGIN_EXPIRY. NULL beyond the last.
 *  Belongs to the steps. Since 0.1. */
const char *poise_margin_ahead_text(const poise_margin_ahead *ahead, size_t step, poise_margin_label label);

/** Of a step; money in the account's currency. */
typedef enum poise_margin_step {
    /** From now. */
    POISE_MARGIN_STEP_SECONDS = 0,
    /** What is required a second before, a second after, and a day after. */
    POISE_MARGIN_STEP_INITIAL_BEFORE = 1,
    POISE_MARGIN_STEP_INITIAL_AFTER = 2,
    POISE_MARGIN_STEP_INITIAL_DAY_LATER = 3,
    POISE_MARGIN_STEP_MAINTENANCE_BEFORE = 4,
    POISE_MARGIN_STEP_MAINTENANCE_AFTER = 5,
    /** What is left over maintenance a second after. */
    POISE_MARGIN_STEP_MAINTENANCE_BALANCE_AFTER = 6
} poise_margin_step;

/** Copies a figure of all steps. POISE_ERROR_ARGUMENT for an unknown one. Allocates nothing. Since 0.1. */
poise_status poise_margin_ahead_amounts(const poise_margin_ahead *ahead, poise_margin_step figure, poise_column column);

/* Whole numbers: a grid of scenarios that no machine rounds otherwise. */

/** An account's margin in whole numbers, as `poise margin --exact`. Never changes: share it among threads. */
typedef struct poise_margin_exact poise_margin_exact;

/** Computes a margin in whole numbers of 1e-8 of the account's currency. POISE_ERROR_VALUE for a model that is no grid of
 *  scenarios, and for amounts beyond those for which no step overflows (docs/margin.md). Since 0.1. */
poise_status poise_margin_exact_create(const poise_margin *margin, poise_margin_exact **exact);
/** Frees it, or NULL. Since 0.1. */
void poise_margin_exact_free(poise_margin_exact *exact);

typedef enum poise_margin_whole {
    POISE_MARGIN_WHOLE_INITIAL = 0,
    POISE_MARGIN_WHOLE_MAINTENANCE = 1,
    /** The account's worth now, cash included. */
    POISE_MARGIN_WHOLE_MARK_TO_MARKET = 2
} poise_margin_whole;

/** A figure in digits, "-" before them where it is below 0: up to 1e24, more than 64 bits hold. NULL for an unknown one. Belongs to
 *  `exact`. Since 0.1. */
const char *poise_margin_exact_figure(const poise_margin_exact *exact, poise_margin_whole figure);
/** Scenarios; 0 for NULL. Since 0.1. */
size_t poise_margin_exact_count(const poise_margin_exact *exact);
/** The venue's key of a scenario, and what is lost in it, in digits; NULL beyond the last. Belong to `exact`. Since 0.1. */
const char *poise_margin_exact_scenario(const poise_margin_exact *exact, size_t scenario);
const char *poise_margin_exact_loss(const poise_margin_exact *exact, size_t scenario);
/** Inputs, losses and results as JSON, for scripts/check-margin-transcript; NULL for NULL. Belongs to `exact`. Since 0.1. */
const char *poise_margin_exact_transcript(const poise_margin_exact *exact);

/* Auctions: what bids do to an account below maintenance. */

/** An auction of a case, bid by bid. Never changes: share it among threads. */
typedef struct poise_margin_auction poise_margin_auction;

/** Computes the steps of a case with an auction. POISE_ERROR_ARGUMENT beyond the last, and for a case without. Since 0.1. */
poise_status poise_margin_auction_of_case(
    const poise_margin_cases *cases, size_t index, poise_margin_auction **auction);
/** Frees an auction, or NULL. Since 0.1. */
void poise_margin_auction_free(poise_margin_auction *auction);
/** How many bids; 0 for NULL. Since 0.1. */
size_t poise_margin_auction_count(const poise_margin_auction *auction);

typedef enum poise_margin_bid {
    /** What is left over maintenance and the auction's buffer before the bid. */
    POISE_MARGIN_BID_BUFFER_BALANCE = 0,
    /** The share of the account that may be bought; 0 of insolvent ones. */
    POISE_MARGIN_BID_LARGEST_SHARE = 1,
    /** The share that is bought. */
    POISE_MARGIN_BID_SHARE = 2,
    /** What the bidder pays; NaN of insolvent accounts. */
    POISE_MARGIN_BID_PAID = 3,
    /** What the bidder is paid; NaN of solvent accounts. */
    POISE_MARGIN_BID_PAYOUT = 4,
    POISE_MARGIN_BID_MARK_TO_MARKET_AFTER = 5,
    POISE_MARGIN_BID_MAINTENANCE_BALANCE_AFTER = 6
} poise_margin_bid;

/** Copies a figure of all bids. POISE_ERROR_ARGUMENT for an unknown one. Allocates nothing. Since 0.1. */
poise_status poise_margin_auction_amounts(
    const poise_margin_auction *auction, poise_margin_bid figure, poise_column column);

/* ---- Chains as tables --------------------------------------------------------------------------------------- */

typedef enum poise_contract_kind {
    POISE_KIND_OPTION = 0,
    POISE_KIND_FUTURE = 1,
    POISE_KIND_PERPETUAL = 2,
    POISE_KIND_SPOT = 3
} poise_contract_kind;

/** Where the table of a chain is written: poise_chain_count rows of each column, in the order of poise_chain_instrument. NULL,
 *  or a column with data NULL: not wanted. Numbers are NaN where they are not known, or a contract has none. */
typedef struct poise_ticker_columns {
    size_t size;
    /** A poise_contract_kind each. */
    uint8_t *kind;
    /** 0 for a call, 1 for a put, 255 for what is no option. */
    uint8_t *type;
    /** When the ticker held, and when the contract expires (0: never); since 1970, UTC. */
    int64_t *milliseconds, *expiry_milliseconds;
    /** In quote currency. Of options the future of their expiry; of others the mark price. */
    poise_column strike, forward;
    /** To expiry, ACT/365, from the ticker's own time; volatility 0.6 for 60%; rate continuously compounded. */
    poise_column years, volatility, rate;
    /** As quoted: in coin for inverse options, else in quote currency; the index is in quote currency. */
    poise_column mark_price, index_price, bid_price, bid_amount, ask_price, ask_amount;
    poise_column open_interest;
    /** As the exchange published them, rounded, in its own units: delta in coins, gamma per dollar, vega per point, theta per
     *  day, rho per percent. */
    poise_column exchange_delta, exchange_gamma, exchange_vega, exchange_theta, exchange_rho;
} poise_ticker_columns;

/** Writes the latest ticker of each instrument. Since 0.1. */
poise_status poise_chain_table(const poise_chain *chain, const poise_ticker_columns *columns);
/** The coin of an instrument, "BTC"; NULL beyond the last. Belongs to the chain. Since 0.1. */
const char *poise_chain_underlying(const poise_chain *chain, size_t index);
/** Makes a chain whose options have the volatilities of a surface fitted to the quotes of `chain`, as `--surface own` of the
 *  commands. What keeps the exchange's, and why, is in its remarks. Since 0.1. */
poise_status poise_chain_with_own_volatilities(
    const poise_engine *engine, const poise_chain *chain, poise_chain **made);

/** The moves of a scenario. POISE_ERROR_ARGUMENT beyond the last. Since 0.1. */
poise_status poise_grid_scenario(const poise_grid *grid, size_t scenario, poise_scenario *given);
/** The rules of volatility; 0 for NULL. Since 0.1. */
size_t poise_grid_rule_count(const poise_grid *grid);
/** The name of a rule, "up"; NULL beyond the last. Belongs to the grid. Since 0.1. */
const char *poise_grid_rule(const poise_grid *grid, size_t rule);

/* ---- Tail risk ---------------------------------------------------------------------------------------------- */

typedef enum poise_tail_method {
    /** Moves as they happened, every contract valued anew. */
    POISE_TAIL_HISTORICAL = 0,
    /** Moves drawn from their covariance, through the books' Greeks. */
    POISE_TAIL_DELTA_GAMMA_VEGA = 1,
    /** Moves drawn from their covariance, every contract valued anew. */
    POISE_TAIL_MONTE_CARLO = 2
} poise_tail_method;

/** How volatilities move where no history of an index of them is given. */
typedef enum poise_tail_volatility {
    /** With the exponentially weighted volatility of the coin's own returns. */
    POISE_TAIL_VOLATILITY_REALISED = 0,
    POISE_TAIL_VOLATILITY_STILL = 1
} poise_tail_volatility;

typedef enum poise_tail_covariance {
    POISE_TAIL_COVARIANCE_EXPONENTIAL = 0,
    POISE_TAIL_COVARIANCE_LEDOIT_WOLF = 1,
    POISE_TAIL_COVARIANCE_SAMPLE = 2
} poise_tail_covariance;

/** The history of a coin: candles timestamp,open,high,low,close, of which closes count. Several sources are joined. */
typedef struct poise_history {
    const char *coin;
    const poise_source *candles;
    size_t candle_count;
    /** Candles of its volatility index, with whose close its volatilities move; count 0: none. All coins have one, or none. */
    const poise_source *volatility_index;
    size_t volatility_index_count;
} poise_history;

typedef struct poise_tail_options {
    size_t size;
    /** Groupings and numeraire; none: by book. A `size` of 0 stands for the default, dollars. */
    poise_exposure_options exposures;
    poise_tail_method method;
    poise_tail_volatility volatility;
    /** Of drawn moves. */
    poise_tail_covariance covariance;
    /** Other than 0: the horizon passes, options decay, and those that expire are worth what they pay. */
    uint32_t time_passes;
    /** Hours that a scenario takes; 0: 24. */
    double horizon_hours;
    /** Options of T days beyond 30 take part in moves of volatility by (30/T)^power, 0 to 1: 0 moves all alike. The command
     *  line's is 0.5. */
    double term_power;
    /** The weight that is left after a day, of realised volatility and of the exponential covariance; 0: 0.94. */
    double decay;
    /** By how much more the covariance is shrunk towards its mean variance, 0 to 1. */
    double shrinkage;
    /** Historical: candles from one scenario to the next; 0: 1. */
    uint64_t stride;
    /** Drawn: how many; 0: 100,000. */
    uint64_t scenarios;
    /** Drawn: the same scenarios on every machine. The command line's is 1. */
    uint64_t seed;
    /** Or NULL. Asked every hundredth of a second or so, by the thread that calls; other than 0 ends the call:
     *  POISE_ERROR_CANCELLED. A struct that ends before these fields is accepted. */
    int32_t (*is_cancelled)(void *context);
    void *context;
} poise_tail_options;

/** Gains of groups of positions in scenarios of moves of prices and volatilities. Never change: share them among threads. */
typedef struct poise_tail_risk poise_tail_risk;

/** Values positions in scenarios that come from histories, as `poise var`. `options`: or NULL, for zeros and a term power of
 *  0.5; `buckets`: or NULL, as of poise_exposures_create_in_buckets. POISE_ERROR_VALUE for a coin that is held and has no
 *  history, candles that do not go together, a covariance that is not positive definite; POISE_ERROR_TEXT for files. Since
 *  0.1. */
poise_status poise_tail_risk_create(
    const poise_engine *engine, const poise_chain *chain, const poise_positions *positions,
    const poise_history *histories, size_t history_count, const poise_tail_options *options,
    const poise_buckets *buckets, poise_tail_risk **tail);
/** Frees it, or NULL. Since 0.1. */
void poise_tail_risk_free(poise_tail_risk *tail);
/** Groups; 0 for NULL. Since 0.1. */
size_t poise_tail_risk_count(const poise_tail_risk *tail);
/** As poise_exposures_label. Since 0.1. */
const char *poise_tail_risk_label(const poise_tail_risk *tail, size_t group, size_t grouping);
/** Scenarios; 0 for NULL. Since 0.1. */
size_t poise_tail_risk_scenario_count(const poise_tail_risk *tail);
/** When a scenario of a history began, milliseconds since 1970; 0 for one that is drawn, and beyond the last. Since 0.1. */
int64_t poise_tail_risk_start(const poise_tail_risk *tail, size_t scenario);
/** Copies what a group gains, scenario by scenario. Since 0.1. */
poise_status poise_tail_risk_gains(const poise_tail_risk *tail, size_t group, poise_column column);
/** What groups add up to: one total in dollars, in coin one for each underlying; 0 for NULL. Since 0.1. */
size_t poise_tail_risk_total_count(const poise_tail_risk *tail);
/** "total"; in coin of several underlyings "total BTC"; NULL beyond the last. Belongs to the object. Since 0.1. */
const char *poise_tail_risk_total(const poise_tail_risk *tail, size_t total);

/** Losses of groups, above 0 where money is lost; each with data NULL. Components add up to their total. */
typedef struct poise_tail_columns {
    size_t size;
    /** Alone: minus the (1 − level) quantile (type 7), and minus the mean of the gains below it. */
    poise_column value_at_risk, expected_shortfall;
    /** Of the total's: what the group is expected to lose where the total loses just that, and in its tail. */
    poise_column value_at_risk_component, expected_shortfall_component;
} poise_tail_columns;

/** Losses of a total. Errors are one standard error each, of scenarios that are drawn. */
typedef struct poise_tail_total {
    double value_at_risk, expected_shortfall;
    double value_at_risk_error, expected_shortfall_error;
} poise_tail_total;

/** Measures at a level, 0.5 to below 1: 0.99 for the loss that one scenario in a hundred exceeds. `columns`:
 *  poise_tail_risk_count rows; `totals`: poise_tail_risk_total_count of them; each or NULL. Since 0.1. */
poise_status poise_tail_risk_measures(
    const poise_tail_risk *tail, double level, const poise_tail_columns *columns, poise_tail_total *totals);

/* ---- Profits explained -------------------------------------------------------------------------------------- */

/** Trades of books between two chains. Never change. */
typedef struct poise_trades poise_trades;

/** Makes trades of columns. `quantity`: above 0 where the book bought; `price` as the exchange quotes it, in coin for
 *  inverse options; `fee`: dollars, above 0 where the book paid it, or data NULL. POISE_ERROR_VALUE with row and field. Since
 *  0.1. */
poise_status poise_trades_create(
    size_t count, poise_texts book, poise_texts instrument, poise_values quantity, poise_values price, poise_values fee,
    poise_trades **trades);
/** The same of a table (CSV: book,instrument,quantity,price[,fee_usd]) or an exchange's reply. As poise_chain_parse. Since
 *  0.1. */
poise_status poise_trades_parse(const char *text, size_t length, const char *name, poise_trades **trades);
/** The same of a file. Since 0.1. */
poise_status poise_trades_read(const char *path, poise_trades **trades);
/** Frees trades, or NULL. Since 0.1. */
void poise_trades_free(poise_trades *trades);
/** How many; 0 for NULL. Since 0.1. */
size_t poise_trades_count(const poise_trades *trades);

/** What a profit consists of: the first is all of it, the next twelve add up to it, the last four to the vega. */
typedef enum poise_profit_part {
    POISE_PROFIT_ALL = 0,
    /** The way of a future to its index as time passes; funding of perpetuals. */
    POISE_PROFIT_CARRY = 1,
    POISE_PROFIT_DELTA = 2,
    POISE_PROFIT_GAMMA = 3,
    POISE_PROFIT_VEGA = 4,
    POISE_PROFIT_THETA = 5,
    /** Of discounting alone. */
    POISE_PROFIT_RHO = 6,
    POISE_PROFIT_VANNA = 7,
    POISE_PROFIT_VOLGA = 8,
    POISE_PROFIT_CHARM = 9,
    /** From the price of a trade to the end, and minus its fees. */
    POISE_PROFIT_TRADES = 10,
    POISE_PROFIT_FEES = 11,
    /** The exact rest. */
    POISE_PROFIT_UNEXPLAINED = 12,
    /** With `splits_vega`: what the level at the money, the skew and the wings of each expiry's curve moved, and the rest. */
    POISE_PROFIT_VEGA_LEVEL = 13,
    POISE_PROFIT_VEGA_SKEW = 14,
    POISE_PROFIT_VEGA_WINGS = 15,
    POISE_PROFIT_VEGA_REST = 16
} poise_profit_part;

#define POISE_PROFIT_PART_COUNT 17

/** The name of a part, "profit"; NULL for an unknown enumerator. Static memory. Since 0.1. */
const char *poise_profit_part_name(poise_profit_part part);

typedef struct poise_explanation_options {
    size_t size;
    /** Groupings and numeraire; desks too, tenor and moneyness not. A `size` of 0 stands for the default, dollars by book and
     *  underlying. */
    poise_exposure_options exposures;
    /** Desks, or NULL. */
    const poise_buckets *buckets;
    /** What long perpetuals pay per eight hours, as a share of their value. */
    double funding_rate;
    /** Other than 0: vega in its four parts. */
    uint32_t splits_vega;
    /** Delivery prices of what expired, by the name up to the strike, "BTC-12FEB21"; else the index of the second chain. */
    size_t delivery_count;
    poise_texts delivery_name;
    poise_values delivery_price;
} poise_explanation_options;

/** Profits of groups of positions between two chains. Never change. */
typedef struct poise_explanation poise_explanation;

/** Explains what positions held at the time of `from` have gained by that of `to`, as `poise explain`. `trades`, `options`: or
 *  NULL. POISE_ERROR_UNKNOWN_NAME for a contract without a price in either chain, and a delivery price of what was not held
 *  or has not expired. Since 0.1. */
poise_status poise_explanation_create(
    const poise_engine *engine, const poise_chain *from, const poise_chain *to, const poise_positions *positions,
    const poise_trades *trades, const poise_explanation_options *options, poise_explanation **explanation);
/** Frees it, or NULL. Since 0.1. */
void poise_explanation_free(poise_explanation *explanation);
/** Groups; 0 for NULL. Since 0.1. */
size_t poise_explanation_count(const poise_explanation *explanation);
/** As poise_exposures_label. Since 0.1. */
const char *poise_explanation_label(const poise_explanation *explanation, size_t group, size_t grouping);
/** Copies one part of every group's profit. Since 0.1. */
poise_status poise_explanation_values(
    const poise_explanation *explanation, poise_profit_part part, poise_column column);
/** Contracts that expired on the way; 0 for NULL. Since 0.1. */
size_t poise_explanation_settlement_count(const poise_explanation *explanation);
/** The name of one, the price at which it was settled, and whether that is one of the options' rather than an index (1, 0; each
 *  or NULL); NULL beyond the last. Belongs to the explanation. Since 0.1. */
const char *poise_explanation_settlement(
    const poise_explanation *explanation, size_t index, double *price, uint32_t *is_given);

/* Live hedges under a venue's margin. */

/** A venue's margin for later hedges, beside their bands: the initial margin of an account that is kept live, as of its last
 *  poise_live_margin_update. At least `buffer` of the account's currency is left over it after the trades, −1e15 to 1e15, or
 *  −INFINITY for none; a unit of it costs `price` over the time that the trades are held, 0 to 1e6. `margin`: NULL for no such
 *  requirement, as before; it is kept for as long as it is needed, and belongs to the desk's thread. Trades are done at their
 *  marks, and their costs leave the account's cash; what is in another underlying is traded beside the account, what it lacks
 *  in its own is not traded. Where no trades leave the buffer the outcome is POISE_HEDGE_INFEASIBLE, there are no trades, and
 *  `largest_headroom` of poise_live_requirement says what can be left. Decisions under it allocate. Since 0.1. */
poise_status poise_live_set_requirement(
    poise_live *live, size_t hedge, poise_live_margin *margin, double buffer, double price);
/** What the requirement came to in the last decision that had to trade, as of poise_margin_hedge_totals: `overstatement` is NaN, and
 *  so is every amount where none was set. Allocates nothing. Since 0.1. */
poise_status poise_live_requirement(const poise_live *live, size_t hedge, poise_margin_hedge_answer *answer);

#ifdef __cplusplus
}
#endif

#endif
