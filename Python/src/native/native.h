/* What the files of the extension share. Limited API throughout, so that one binary serves every CPython from 3.9 on:
 * NumPy's accessors read the array's fields directly and are part of its own stable ABI. */
#ifndef POISE_NATIVE_H
#define POISE_NATIVE_H

#define Py_LIMITED_API 0x03090000
#define PY_SSIZE_T_CLEAN
#include <Python.h>
/* CPython has called such functions so since 3.7; its headers say so to the limited API from 3.10 on only. */
#ifndef METH_FASTCALL
#define METH_FASTCALL 0x0080
#endif

#define NPY_NO_DEPRECATED_API NPY_1_22_API_VERSION
#define PY_ARRAY_UNIQUE_SYMBOL poise_native_numpy
#ifndef POISE_NATIVE_MODULE
#define NO_IMPORT_ARRAY
#endif
#include <numpy/arrayobject.h>

#include <stdbool.h>
#include <stdint.h>

#include "poise.h"

/* ---- module.c ---- */

/** Sets the exception that belongs to the error that a call has left, and returns NULL. */
PyObject *raise_status(poise_status status);
/** Sets poise.InputError for a row (−1: none) of a field. */
PyObject *raise_input(Py_ssize_t row, const char *field, const char *reason);

/** The engine with that many threads, made on first use; NULL with an exception. */
const poise_engine *engine_with(PyObject *threads);

/** Attributes of poise's own modules that C uses, looked up once. */
extern PyObject *columns_class, *table_greeks, *table_implied_vol, *type_codes, *as_numbers;

/** A function's parameters by place and name. */
typedef struct signature {
    const char *name;
    int positional, total;
    const char *const *names;
    /** Interned on first use. */
    PyObject **keys;
} signature;

/** Puts arguments where they belong; values[i] stays NULL where there is none. Borrowed references. */
bool bind(
    const signature *function, PyObject *const *arguments, Py_ssize_t count, PyObject *keywords, PyObject **values);

/** Below this, letting other threads run costs more than the work. */
#define ROWS_WORTH_RELEASING 256

/* ---- columns.c ---- */

/** A column as the C ABI reads it. Zero it before use, and drop it after. */
typedef struct input {
    PyObject *owner;
    double scalar;
    uint8_t code;
    /** −1: one value for all rows. */
    Py_ssize_t rows;
    poise_values values;
    poise_bytes bytes;
} input;

/** Doubles of an array in place; of another kind, of lists and series by conversion; of a number by broadcast. */
bool read_values(PyObject *object, const char *field, input *in);
/** Option types: codes 0 and 1 in place, texts ("C", "put") by conversion. Other texts raise, unless they are to be kept as
 *  a code that the kernel refuses. */
bool read_types(PyObject *object, const char *field, bool keeps_unknown, input *in);
void drop_inputs(input *in, int count);
/** The rows that all inputs have: −1 where all are single values, −2 with an exception where two differ. */
Py_ssize_t common_rows(const input *in, const char *const *names, int count);

/** A column to write: writable doubles of that many rows, and not in the way of any input. */
bool read_output(PyObject *object, PyObject *name, Py_ssize_t rows, const input *in, int inputs, poise_column *column);
/** Whether an output shares no byte with earlier ones of as many rows. */
bool is_apart(PyObject *object, PyObject *name, PyObject *const *others, int count);
/** The same as `read_output` for bytes, one after another. */
uint8_t *read_status_output(PyObject *object, Py_ssize_t rows);

/** `count` columns of `rows` doubles in one piece of memory, staggered so that they don't share cache sets, as views
 *  of it. */
bool new_columns(int count, Py_ssize_t rows, PyObject **arrays);

/** An array over memory that `owner` keeps; read only. Takes the owner's reference, also where it fails. */
/** Columns from a row on. */
poise_bytes bytes_from(poise_bytes column, size_t row);
poise_values values_from(poise_values column, size_t row);
/** The exception of a failed call on the rows from `first` on, with the row that is meant. */
PyObject *raise_status_of_piece(poise_status status, size_t first);
PyObject *view(int type, Py_ssize_t rows, const void *data, PyObject *owner);

/* ---- greeks.c ---- */

PyObject *native_greeks(PyObject *self, PyObject *const *arguments, Py_ssize_t count, PyObject *keywords);
PyObject *native_implied_vol(PyObject *self, PyObject *const *arguments, Py_ssize_t count, PyObject *keywords);
extern const char greeks_doc[], implied_vol_doc[];

/* ---- arrow_import.c, arrow_export.c ---- */

PyObject *native_import_arrow(PyObject *self, PyObject *arguments);
/** time(text) → milliseconds since 1970, or None. */
PyObject *native_time(PyObject *self, PyObject *text);
PyObject *native_export_array(PyObject *self, PyObject *arguments);
PyObject *native_export_stream(PyObject *self, PyObject *arguments);

/* ---- desk.c, explanation.c, live.c, live_desk.c, live_hedges.c, margin.c, margin_hedge.c, margin_steps.c, scenarios.c,
 * slices.c, surface.c, tail_risk.c ---- */

bool add_desk(PyObject *module);
bool add_explanation(PyObject *module);
bool add_live(PyObject *module);
bool add_live_desk(PyObject *module);
bool add_live_hedges(PyObject *module);
bool add_margin(PyObject *module);
bool add_margin_hedge(PyObject *module);
bool add_margin_steps(PyObject *module);
bool add_scenarios(PyObject *module);
bool add_slices(PyObject *module);
bool add_surface(PyObject *module);
bool add_tail_risk(PyObject *module);

#endif
