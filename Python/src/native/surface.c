/* Volatility surfaces. */
#include "desk.h"

/** surface_fit(years, forward, strike, bid, ask, weight or None, spot, loss, arbitrage) */
static PyObject *surface_fit(PyObject *self, PyObject *arguments) {
    static const char *const names[] = {"years", "forward", "strike", "bid", "ask", "weight"};
    PyObject *values[6], *made = NULL;
    double spot;
    int loss, arbitrage;
    if (!PyArg_ParseTuple(
            arguments, "OOOOOOdii", values, values + 1, values + 2, values + 3, values + 4, values + 5, &spot, &loss,
            &arbitrage))
        return NULL;
    int count = values[5] == Py_None ? 5 : 6;
    input in[6] = {0};
    bool is_read = true;
    for (int i = 0; is_read && i < count; i++) is_read = read_values(values[i], names[i], in + i);
    Py_ssize_t rows = is_read ? common_rows(in, names, count) : -2;
    if (rows >= -1) {
        poise_smile_quotes quotes = {
            .size = sizeof quotes,
            .count = rows < 0 ? 1 : (size_t)rows,
            .years = in[0].values,
            .forward = in[1].values,
            .strike = in[2].values,
            .bid = in[3].values,
            .ask = in[4].values,
            .weight = in[5].values,
            .loss = (poise_smile_loss)loss,
            .arbitrage = (poise_arbitrage)arbitrage,
            .spot = spot};
        poise_surface *surface;
        poise_status status;
        Py_BEGIN_ALLOW_THREADS
        status = poise_surface_fit(&quotes, &surface);
        Py_END_ALLOW_THREADS
        made = own_surface(status, &surface);
    }
    drop_inputs(in, 6);
    return made;
}

/** The doubles of a slice, in the order of their columns. */
static const size_t figures[] = {
    offsetof(poise_surface_slice, years),
    offsetof(poise_surface_slice, forward),
    offsetof(poise_surface_slice, a),
    offsetof(poise_surface_slice, b),
    offsetof(poise_surface_slice, rho),
    offsetof(poise_surface_slice, m),
    offsetof(poise_surface_slice, sigma),
    offsetof(poise_surface_slice, least_g),
    offsetof(poise_surface_slice, least_g_at),
    offsetof(poise_surface_slice, root_mean_square),
    offsetof(poise_surface_slice, root_mean_square_in_half_spreads),
    offsetof(poise_surface_slice, largest_error),
    offsetof(poise_surface_slice, inside)};
enum { FIGURES = sizeof figures / sizeof *figures, WHOLE = 4 };

/** surface_slices(surface) → the figures above by slice, then status, repair, quotes and dropped as doubles, least gap to
 *  the next and where. */
static PyObject *surface_slices(PyObject *self, PyObject *capsule) {
    const poise_surface *surface = pointer_of(capsule, surface_kind);
    if (!surface) return NULL;
    Py_ssize_t rows = (Py_ssize_t)poise_surface_count(surface);
    enum { COLUMNS = FIGURES + WHOLE + 2 };
    PyObject *arrays[COLUMNS] = {0}, *answer = new_columns(COLUMNS, rows, arrays) ? PyTuple_New(COLUMNS) : NULL;
    for (Py_ssize_t row = 0; answer && row < rows; row++) {
        poise_surface_slice slice = {.size = sizeof slice};
        double gap[2];
        poise_status status = poise_surface_slice_at(surface, (size_t)row, &slice);
        if (status == POISE_OK) status = poise_surface_gap(surface, (size_t)row, gap, gap + 1);
        if (status != POISE_OK) {
            Py_CLEAR(answer);
            raise_status(status);
            break;
        }
        double whole[WHOLE] = {slice.status, slice.repair, (double)slice.quotes, (double)slice.dropped};
        for (int i = 0; i < COLUMNS; i++) {
            double *column = PyArray_DATA((PyArrayObject *)arrays[i]);
            column[row] = i < FIGURES           ? *(const double *)((const char *)&slice + figures[i])
                          : i < FIGURES + WHOLE ? whole[i - FIGURES]
                                                : gap[i - FIGURES - WHOLE];
        }
    }
    for (int i = 0; i < COLUMNS; i++) {
        if (answer) {
            Py_INCREF(arrays[i]);
            PyTuple_SetItem(answer, i, arrays[i]);
        }
        Py_XDECREF(arrays[i]);
    }
    return answer;
}

/** surface_query(surface, strike, years, bits, whether rows that cannot be are NaN) → a (rows,) array per bit. */
static PyObject *surface_query(PyObject *self, PyObject *arguments) {
    static const char *const names[] = {"strike", "years"};
    PyObject *capsule, *values[2], *nans, *arrays[POISE_SURFACE_QUANTITY_COUNT] = {0}, *answer = NULL;
    unsigned bits;
    if (!PyArg_ParseTuple(arguments, "OOOIO", &capsule, values, values + 1, &bits, &nans)) return NULL;
    const poise_surface *surface = pointer_of(capsule, surface_kind);
    if (!surface) return NULL;
    if (bits >> POISE_SURFACE_QUANTITY_COUNT) {
        PyErr_SetString(PyExc_ValueError, "bits: unknown quantity");
        return NULL;
    }
    int columns = __builtin_popcount(bits);
    input in[2] = {0};
    uint8_t *row_status = NULL;
    Py_ssize_t rows = read_values(values[0], names[0], in) && read_values(values[1], names[1], in + 1)
                          ? common_rows(in, names, 2)
                          : -2;
    if (rows == -1) rows = 1;
    if (rows >= 0 && PyObject_IsTrue(nans) && !(row_status = PyMem_Malloc((size_t)rows + 1))) {
        PyErr_NoMemory();
        rows = -2;
    }
    if (rows >= 0 && new_columns(columns, rows, arrays)) {
        poise_column targets[POISE_SURFACE_QUANTITY_COUNT];
        for (int i = 0; i < columns; i++) targets[i] = (poise_column){PyArray_DATA((PyArrayObject *)arrays[i]), 8};
        poise_status status;
        PyThreadState *thread = rows < ROWS_WORTH_RELEASING ? NULL : PyEval_SaveThread();
        status = poise_surface_query(
            surface, (size_t)rows, in[0].values, in[1].values, bits, targets, (size_t)columns, row_status);
        if (thread) PyEval_RestoreThread(thread);
        answer = status == POISE_OK ? PyTuple_New(columns) : raise_status(status);
        for (int i = 0; answer && i < columns; i++) {
            Py_INCREF(arrays[i]);
            PyTuple_SetItem(answer, i, arrays[i]);
        }
    }
    for (int i = 0; i < POISE_SURFACE_QUANTITY_COUNT; i++) Py_XDECREF(arrays[i]);
    PyMem_Free(row_status);
    drop_inputs(in, 2);
    return answer;
}

static PyMethodDef methods[] = {
    METHOD(surface_fit, METH_VARARGS), METHOD(surface_slices, METH_O), METHOD(surface_query, METH_VARARGS), {0}};

bool add_surface(PyObject *module) { return PyModule_AddFunctions(module, methods) == 0; }
