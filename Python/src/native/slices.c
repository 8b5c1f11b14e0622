/* Slices: options of one underlying and expiry, which share their market. */
#include "desk.h"

/** slices_create(offsets, type, strike): (slices + 1,) int64, ascending from 0; one type and strike per option. */
static PyObject *slices_create(PyObject *self, PyObject *arguments) {
    static const char *const names[] = {"type", "strike"};
    PyObject *offsets, *type, *strike, *made = NULL;
    if (!PyArg_ParseTuple(arguments, "OOO", &offsets, &type, &strike)) return NULL;
    PyArrayObject *array = (PyArrayObject *)offsets;
    if (!PyArray_Check(offsets) || PyArray_TYPE(array) != NPY_INT64 || PyArray_NDIM(array) != 1 ||
        PyArray_DIM(array, 0) < 1 || !PyArray_ISCARRAY_RO(array)) {
        PyErr_SetString(PyExc_TypeError, "offsets: expected int64, one after another");
        return NULL;
    }
    const poise_engine *engine = engine_with(NULL);
    if (!engine) return NULL;
    input in[2] = {0};
    if (read_types(type, names[0], false, in) && read_values(strike, names[1], in + 1)) {
        Py_ssize_t rows = common_rows(in, names, 2), slices = PyArray_DIM(array, 0) - 1;
        const int64_t *places = PyArray_DATA(array);
        poise_slices *handle;
        if (rows >= 0 && rows != places[slices])
            PyErr_Format(
                PyExc_ValueError, "offsets: the last is %lld where there are %zd options", (long long)places[slices],
                rows);
        else if (rows >= -1)
            made = own_slices(
                poise_slices_create(engine, (size_t)slices, (const size_t *)places, in[0].bytes, in[1].values, &handle),
                &handle);
    }
    drop_inputs(in, 2);
    return made;
}

static PyObject *done(poise_status status) {
    if (status != POISE_OK) return raise_status(status);
    Py_RETURN_NONE;
}

/** slices_set_market(slices, first, count, spot, years, rate, dividend) */
static PyObject *slices_set_market(PyObject *self, PyObject *arguments) {
    static const char *const names[] = {"spot", "years", "rate", "dividend"};
    PyObject *capsule, *values[4], *answer = NULL;
    Py_ssize_t first, count;
    if (!PyArg_ParseTuple(arguments, "OnnOOOO", &capsule, &first, &count, values, values + 1, values + 2, values + 3))
        return NULL;
    poise_slices *slices = pointer_of(capsule, slices_kind);
    if (!slices) return NULL;
    input in[4] = {0};
    bool is_read = true;
    for (int i = 0; is_read && i < 4; i++) is_read = read_values(values[i], names[i], in + i);
    Py_ssize_t rows = is_read ? common_rows(in, names, 4) : -2;
    if (rows >= -1)
        answer = done(poise_slices_set_market(
            slices, (size_t)first, (size_t)(rows < 0 ? count : rows), in[0].values, in[1].values, in[2].values,
            in[3].values));
    drop_inputs(in, 4);
    return answer;
}

/** slices_set_vol(slices, first, count, vol) */
static PyObject *slices_set_vol(PyObject *self, PyObject *arguments) {
    PyObject *capsule, *vol, *answer = NULL;
    Py_ssize_t first, count;
    if (!PyArg_ParseTuple(arguments, "OnnO", &capsule, &first, &count, &vol)) return NULL;
    poise_slices *slices = pointer_of(capsule, slices_kind);
    if (!slices) return NULL;
    input in = {0};
    if (read_values(vol, "vol", &in))
        answer = done(
            poise_slices_set_volatility(slices, (size_t)first, (size_t)(in.rows < 0 ? count : in.rows), in.values));
    drop_inputs(&in, 1);
    return answer;
}

/** slices_greeks(slices, first, count, bits, names, rows, out) → a tuple of (rows,) arrays: those of the tuple `out`, or new
 *  ones where it is None. */
static PyObject *slices_greeks(PyObject *self, PyObject *arguments) {
    PyObject *capsule, *names, *out, *arrays[POISE_GREEK_COUNT] = {0}, *answer = NULL;
    Py_ssize_t first, count, rows;
    unsigned bits;
    if (!PyArg_ParseTuple(arguments, "OnnIO!nO", &capsule, &first, &count, &bits, &PyTuple_Type, &names, &rows, &out))
        return NULL;
    handle *own = handle_of(capsule, slices_kind);
    if (!own) return NULL;
    Py_ssize_t columns = PyTuple_Size(names);
    if (columns > POISE_GREEK_COUNT || (out != Py_None && (!PyTuple_Check(out) || PyTuple_Size(out) != columns))) {
        PyErr_SetString(PyExc_TypeError, "expected an array per Greek");
        return NULL;
    }
    poise_column targets[POISE_GREEK_COUNT];
    bool is_ready = true;
    if (out == Py_None) {
        is_ready = new_columns((int)columns, rows, arrays);
        for (Py_ssize_t i = 0; is_ready && i < columns; i++)
            targets[i] = (poise_column){PyArray_DATA((PyArrayObject *)arrays[i]), 8};
    } else {
        for (Py_ssize_t i = 0; is_ready && i < columns; i++) {
            arrays[i] = PyTuple_GetItem(out, i);
            Py_INCREF(arrays[i]);
            PyObject *name = PyTuple_GetItem(names, i);
            is_ready =
                read_output(arrays[i], name, rows, NULL, 0, targets + i) && is_apart(arrays[i], name, arrays, (int)i);
        }
    }
    if (is_ready) {
        poise_status status;
        own->is_busy = true;
        PyThreadState *thread = rows < ROWS_WORTH_RELEASING ? NULL : PyEval_SaveThread();
        status = poise_slices_greeks(own->pointer, (size_t)first, (size_t)count, bits, targets, (size_t)columns);
        if (thread) PyEval_RestoreThread(thread);
        own->is_busy = false;
        answer = status == POISE_OK ? PyTuple_New(columns) : raise_status(status);
        for (Py_ssize_t i = 0; answer && i < columns; i++) {
            Py_INCREF(arrays[i]);
            PyTuple_SetItem(answer, i, arrays[i]);
        }
    }
    for (int i = 0; i < POISE_GREEK_COUNT; i++) Py_XDECREF(arrays[i]);
    return answer;
}

static PyMethodDef methods[] = {
    METHOD(slices_create, METH_VARARGS),
    METHOD(slices_set_market, METH_VARARGS),
    METHOD(slices_set_vol, METH_VARARGS),
    METHOD(slices_greeks, METH_VARARGS),
    {0}};

bool add_slices(PyObject *module) { return PyModule_AddFunctions(module, methods) == 0; }
