/* Handles of the C library in capsules, for poise's Python classes. Arguments come from those, checked for kind; the C
 * library checks the rest. */
#ifndef POISE_DESK_H
#define POISE_DESK_H

#include "native.h"

/** A handle of the C library. Those that one thread may use at a time say when one does. */
typedef struct handle {
    void *pointer;
    void (*release)(void *);
    bool is_busy;
    /** How often its search has asked whether to go on: `is_interrupted`. */
    unsigned questions;
} handle;

static inline void free_handle(PyObject *capsule) {
    handle *own = PyCapsule_GetPointer(capsule, PyCapsule_GetName(capsule));
    own->release(own->pointer);
    PyMem_Free(own);
}

/** Takes over a handle; `kind` is static. */
static inline PyObject *new_handle(void *pointer, const char *kind, void (*release)(void *)) {
    handle *own = PyMem_Malloc(sizeof *own);
    PyObject *capsule = NULL;
    if (own) {
        *own = (handle){pointer, release, false, 0};
        capsule = PyCapsule_New(own, kind, free_handle);
    } else {
        PyErr_NoMemory();
    }
    if (!capsule) {
        release(pointer);
        PyMem_Free(own);
    }
    return capsule;
}

static inline handle *handle_of(PyObject *capsule, const char *kind) {
    handle *own = PyCapsule_GetPointer(capsule, kind);
    if (own && own->is_busy) {
        PyErr_SetString(PyExc_RuntimeError, "another thread is using this object: one at a time");
        return NULL;
    }
    return own;
}

static inline void *pointer_of(PyObject *capsule, const char *kind) {
    handle *own = handle_of(capsule, kind);
    return own ? own->pointer : NULL;
}

/** For one kind of handle: its capsule's name, and `own_…`, which takes over what a call has made, or raises. */
#define KIND(name)                                                                                         \
    static const char name##_kind[] __attribute__((unused)) = "poise." #name;                              \
    static inline void release_##name(void *pointer) { poise_##name##_free(pointer); }                     \
    static inline PyObject *own_##name(poise_status status, poise_##name **made) {                         \
        return status == POISE_OK ? new_handle(*made, name##_kind, release_##name) : raise_status(status); \
    }
KIND(chain)
KIND(positions)
KIND(limits)
KIND(live)
KIND(hedger)
KIND(grid)
KIND(slices)
KIND(surface)
KIND(margin_model)
KIND(margin_account)
KIND(margin_cases)
KIND(margin)
KIND(live_margin)
KIND(margin_hedge)
KIND(margin_ahead)
KIND(margin_exact)
KIND(margin_auction)
KIND(tail_risk)
KIND(trades)

/** `…_read(path)` and `…_parse(text, name)`. */
#define READERS(name)                                                                             \
    static PyObject *name##_read(PyObject *self, PyObject *arguments) {                           \
        PyObject *path;                                                                           \
        poise_##name *made;                                                                       \
        if (!PyArg_ParseTuple(arguments, "O&", PyUnicode_FSConverter, &path)) return NULL;        \
        PyObject *result = own_##name(poise_##name##_read(PyBytes_AsString(path), &made), &made); \
        Py_DECREF(path);                                                                          \
        return result;                                                                            \
    }                                                                                             \
    static PyObject *name##_parse(PyObject *self, PyObject *arguments) {                          \
        const char *text, *called;                                                                \
        Py_ssize_t length;                                                                        \
        poise_##name *made;                                                                       \
        if (!PyArg_ParseTuple(arguments, "s#z", &text, &length, &called)) return NULL;            \
        return own_##name(poise_##name##_parse(text, (size_t)length, called, &made), &made);      \
    }

/** Whether a signal waits for the interpreter, as a search asks; leaves the exception. `questions`: of the handle. */
int32_t is_interrupted(void *questions);

/** The tickers of a dict of columns, which must keep them alive; false with an exception. */
bool read_tickers(PyObject *columns, Py_ssize_t rows, poise_tickers *tickers);
/** Moves on to the row behind the first. */
void next_ticker(poise_tickers *tickers);

/** The names that a handle gives its members. */
PyObject *list_of(size_t count, const char *(*name)(const void *, size_t), const void *from);
/** How exposures are counted and grouped: whether in coin, and a tuple of poise_grouping. */
bool read_options(PyObject *coin, PyObject *groupings, poise_exposure_options *options);
/** The labels of groups, a list for each grouping. */
PyObject *labels_of(
    size_t groups, const poise_exposure_options *options, const char *(*label)(const void *, size_t, size_t),
    const void *from);
/** Copies figures by number into new arrays: a tuple, in the order of the numbers. */
PyObject *figures_of(
    size_t groups, const void *from, poise_status (*values)(const void *, poise_exposure, poise_column));

/** The columns of a dict, which must keep them alive: lengths are to be `rows`. */
typedef struct reader {
    PyObject *columns;
    Py_ssize_t rows;
    bool has_failed;
} reader;
/** Doubles, and texts as offsets and bytes, of that name; none where it is not there. */
poise_values values_of(reader *from, const char *name);
poise_texts texts_of(reader *from, const char *name);

/** Doubles of any number by name; NULL where there are none. */
const double *edges_of(reader *from, const char *name, size_t *count);
/** Desks, tenors and moneyness of a dict: tenor_days and moneyness (float64), and book and desk (texts) of `rows`; each may be
 *  left out. */
poise_buckets buckets_of(reader *from);

/** What to read: the paths and texts (bytes) of a tuple, whose memory `owners`, a list, keeps. `name`: of texts. NULL with an
 *  exception; free it. */
poise_source *sources_of(PyObject *given, const char *name, const char *exchange, PyObject *owners);

/** An answer's fields. */
PyObject *result_dict(const poise_hedge_result *result);
PyObject *figures_dict(const poise_margin_figures *figures);
/** Reads (cases, place), and finds an engine; NULL with an exception. */
const poise_margin_cases *read_case(PyObject *arguments, Py_ssize_t *index, const poise_engine **engine);
/** A new array, and the column that it is. */
PyObject *new_column(size_t count, poise_column *column);

#define METHOD(name, kind) {#name, name, kind, NULL}

#endif
