/* Grids of scenarios, and what legs and books gain in them. */
#include "desk.h"

READERS(grid)

static const char *title(const void *grid, size_t i) { return poise_grid_title(grid, i); }

static PyObject *grid_titles(PyObject *self, PyObject *capsule) {
    const poise_grid *grid = pointer_of(capsule, grid_kind);
    return grid ? list_of(poise_grid_count(grid), title, grid) : NULL;
}

static const char *rule(const void *grid, size_t i) { return poise_grid_rule(grid, i); }

/** grid_scenarios(grid) → names of rules, and (scenarios, 6): spot, days, rate, dampening, rule, stickiness. */
static PyObject *grid_scenarios(PyObject *self, PyObject *capsule) {
    const poise_grid *grid = pointer_of(capsule, grid_kind);
    if (!grid) return NULL;
    npy_intp shape[2] = {(npy_intp)poise_grid_count(grid), 6};
    PyObject *names = list_of(poise_grid_rule_count(grid), rule, grid),
             *array = PyArray_SimpleNew(2, shape, NPY_DOUBLE);
    double *row = array ? PyArray_DATA((PyArrayObject *)array) : NULL;
    for (npy_intp i = 0; row && i < shape[0]; i++, row += 6) {
        poise_scenario one;
        poise_status status = poise_grid_scenario(grid, (size_t)i, &one);
        if (status != POISE_OK) {
            Py_CLEAR(array);
            raise_status(status);
            break;
        }
        double fields[] = {one.spot, one.days, one.rate, one.dampening, one.rule, one.stickiness};
        memcpy(row, fields, sizeof fields);
    }
    PyObject *result = names && array ? PyTuple_Pack(2, names, array) : NULL;
    Py_XDECREF(names);
    Py_XDECREF(array);
    return result;
}

static PyObject *new_rows(size_t count, size_t width, poise_rows *rows) {
    npy_intp shape[2] = {(npy_intp)count, (npy_intp)width};
    PyObject *array = PyArray_SimpleNew(2, shape, NPY_DOUBLE);
    if (array) *rows = (poise_rows){PyArray_DATA((PyArrayObject *)array), 8 * (ptrdiff_t)width};
    return array;
}

static const char *profit_label(const void *from, size_t group, size_t grouping) {
    return poise_scenario_profits_label(from, group, grouping);
}

/** scenario_profits(chain, positions, grid, coin, groupings) → labels by grouping, (groups, scenarios). */
static PyObject *scenario_profits(PyObject *self, PyObject *arguments) {
    PyObject *chain_capsule, *positions_capsule, *grid_capsule, *coin, *groupings;
    poise_exposure_options options = {0};
    if (!PyArg_ParseTuple(
            arguments, "OOOOO!", &chain_capsule, &positions_capsule, &grid_capsule, &coin, &PyTuple_Type, &groupings) ||
        !read_options(coin, groupings, &options))
        return NULL;
    const poise_chain *chain = pointer_of(chain_capsule, chain_kind);
    const poise_positions *positions = chain ? pointer_of(positions_capsule, positions_kind) : NULL;
    const poise_grid *grid = positions ? pointer_of(grid_capsule, grid_kind) : NULL;
    const poise_engine *engine = grid ? engine_with(NULL) : NULL;
    if (!engine) return NULL;
    poise_scenario_profits *made;
    poise_status status;
    Py_BEGIN_ALLOW_THREADS
    status = poise_scenario_profits_create(engine, chain, positions, grid, &options, &made);
    Py_END_ALLOW_THREADS
    if (status != POISE_OK) return raise_status(status);
    size_t groups = poise_scenario_profits_count(made);
    poise_rows rows;
    PyObject *labels = labels_of(groups, &options, profit_label, made), *result = NULL;
    PyObject *matrix = labels ? new_rows(groups, poise_grid_count(grid), &rows) : NULL;
    if (matrix) {
        status = poise_scenario_profits_values(made, rows);
        result = status == POISE_OK ? PyTuple_Pack(2, labels, matrix) : raise_status(status);
    }
    poise_scenario_profits_free(made);
    Py_XDECREF(labels);
    Py_XDECREF(matrix);
    return result;
}

/** scenario_legs(grid, coin, type, spot, strike, years, vol, rate, dividend, out) → (legs, scenarios). */
static PyObject *scenario_legs(PyObject *self, PyObject *arguments) {
    static const char *const names[] = {"type", "spot", "strike", "years", "vol", "rate", "dividend"};
    PyObject *grid_capsule, *coin, *values[7], *out, *result = NULL;
    if (!PyArg_ParseTuple(
            arguments, "OOOOOOOOOO", &grid_capsule, &coin, values, values + 1, values + 2, values + 3, values + 4,
            values + 5, values + 6, &out))
        return NULL;
    const poise_grid *grid = pointer_of(grid_capsule, grid_kind);
    const poise_engine *engine = grid ? engine_with(NULL) : NULL;
    if (!engine) return NULL;
    input in[7] = {0};
    for (int i = 0; i < 7; i++)
        if (!(i == 0 ? read_types(values[i], names[i], false, in) : read_values(values[i], names[i], in + i)))
            goto done;
    Py_ssize_t rows = common_rows(in, names, 7);
    if (rows < -1) goto done;
    if (rows < 0) rows = 1;
    size_t width = poise_grid_count(grid);
    poise_rows profits;
    if (out == Py_None) {
        result = new_rows((size_t)rows, width, &profits);
    } else {
        PyArrayObject *array = (PyArrayObject *)out;
        if (!PyArray_Check(out) || PyArray_TYPE(array) != NPY_DOUBLE || PyArray_NDIM(array) != 2 ||
            PyArray_DIM(array, 0) != rows || PyArray_DIM(array, 1) != (npy_intp)width || !PyArray_ISBEHAVED(array) ||
            (width > 1 && PyArray_STRIDE(array, 1) != 8) || PyArray_STRIDE(array, 0) < 8 * (npy_intp)width ||
            PyArray_STRIDE(array, 0) % 8 != 0) {
            PyErr_Format(PyExc_ValueError, "out: expected writable float64 of shape (%zd, %zu), by rows", rows, width);
            goto done;
        }
        profits = (poise_rows){PyArray_DATA(array), PyArray_STRIDE(array, 0)};
        Py_INCREF(out);
        result = out;
    }
    if (!result) goto done;
    poise_numeraire numeraire = PyObject_IsTrue(coin) ? POISE_NUMERAIRE_COIN : POISE_NUMERAIRE_USD;
    /* Piece by piece, so that Ctrl-C ends it between two of them. */
    size_t total = (size_t)rows, first = 0, piece = ((size_t)1 << 24) / (width + 1) + 1;
    do {
        poise_full_form legs = {
            .size = sizeof legs,
            .count = total - first < piece ? total - first : piece,
            .type = bytes_from(in[0].bytes, first),
            .spot = values_from(in[1].values, first),
            .strike = values_from(in[2].values, first),
            .years = values_from(in[3].values, first),
            .volatility = values_from(in[4].values, first),
            .rate = values_from(in[5].values, first),
            .dividend = values_from(in[6].values, first)};
        poise_rows own = {(double *)((char *)profits.data + profits.row_stride * (ptrdiff_t)first), profits.row_stride};
        poise_status status;
        Py_BEGIN_ALLOW_THREADS
        status = poise_scenario_legs(engine, grid, &legs, numeraire, own);
        Py_END_ALLOW_THREADS
        first += legs.count;
        if (status != POISE_OK) raise_status_of_piece(status, first - legs.count);
        if (status != POISE_OK || PyErr_CheckSignals() < 0) {
            Py_CLEAR(result);
            break;
        }
    } while (first < total);
done:
    drop_inputs(in, 7);
    return result;
}

static PyMethodDef methods[] = {
    METHOD(grid_read, METH_VARARGS),
    METHOD(grid_parse, METH_VARARGS),
    METHOD(grid_titles, METH_O),
    METHOD(grid_scenarios, METH_O),
    METHOD(scenario_profits, METH_VARARGS),
    METHOD(scenario_legs, METH_VARARGS),
    {0}};

bool add_scenarios(PyObject *module) { return PyModule_AddFunctions(module, methods) == 0; }
