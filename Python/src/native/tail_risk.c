/* Value at risk and expected shortfall of books. */
#include "desk.h"

/** Reads (coin, sources, sources of its volatility index) of a list; false with an exception. */
static bool read_histories(PyObject *given, Py_ssize_t count, poise_history *histories, PyObject *owners) {
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *candles, *index;
        poise_history *one = histories + i;
        if (!PyArg_ParseTuple(
                PyList_GetItem(given, i), "sO!O!", &one->coin, &PyTuple_Type, &candles, &PyTuple_Type, &index))
            return false;
        one->candles = sources_of(candles, one->coin, NULL, owners);
        one->volatility_index = one->candles ? sources_of(index, one->coin, NULL, owners) : NULL;
        if (!one->volatility_index) return false;
        one->candle_count = (size_t)PyTuple_Size(candles);
        one->volatility_index_count = (size_t)PyTuple_Size(index);
    }
    return true;
}

/** tail_risk_create(chain, positions, histories, coin, groupings, buckets, desks, method, volatility, covariance, time_passes,
 *  horizon, term_power, decay, shrinkage, stride, scenarios, seed) */
static PyObject *tail_risk_create(PyObject *self, PyObject *arguments) {
    PyObject *chain_capsule, *positions_capsule, *given, *coin, *groupings;
    poise_tail_options options = {.size = sizeof options};
    reader from = {0};
    int method, volatility, covariance, time_passes;
    unsigned long long stride, scenarios, seed;
    if (!PyArg_ParseTuple(
            arguments, "OOO!OO!O!niiipddddKKK", &chain_capsule, &positions_capsule, &PyList_Type, &given, &coin,
            &PyTuple_Type, &groupings, &PyDict_Type, &from.columns, &from.rows, &method, &volatility, &covariance,
            &time_passes, &options.horizon_hours, &options.term_power, &options.decay, &options.shrinkage, &stride,
            &scenarios, &seed) ||
        !read_options(coin, groupings, &options.exposures))
        return NULL;
    options.method = (poise_tail_method)method;
    options.volatility = (poise_tail_volatility)volatility;
    options.covariance = (poise_tail_covariance)covariance;
    options.time_passes = (uint32_t)time_passes;
    options.stride = stride;
    options.scenarios = scenarios;
    options.seed = seed;
    poise_buckets buckets = buckets_of(&from);
    if (from.has_failed) return NULL;
    const poise_chain *chain = pointer_of(chain_capsule, chain_kind);
    const poise_positions *positions = chain ? pointer_of(positions_capsule, positions_kind) : NULL;
    const poise_engine *engine = positions ? engine_with(NULL) : NULL;
    if (!engine) return NULL;
    Py_ssize_t count = PyList_Size(given);
    PyObject *owners = PyList_New(0), *result = NULL;
    poise_history *histories = owners ? PyMem_Calloc((size_t)count + 1, sizeof *histories) : NULL;
    if (owners && !histories) PyErr_NoMemory();
    if (histories && read_histories(given, count, histories, owners)) {
        poise_tail_risk *made;
        poise_status status;
        unsigned questions = 0;
        options.is_cancelled = is_interrupted;
        options.context = &questions;
        Py_BEGIN_ALLOW_THREADS
        status = poise_tail_risk_create(engine, chain, positions, histories, (size_t)count, &options, &buckets, &made);
        Py_END_ALLOW_THREADS
        result = status == POISE_ERROR_CANCELLED && PyErr_Occurred() ? NULL : own_tail_risk(status, &made);
    }
    for (Py_ssize_t i = 0; histories && i < count; i++) {
        PyMem_Free((void *)histories[i].candles);
        PyMem_Free((void *)histories[i].volatility_index);
    }
    PyMem_Free(histories);
    Py_XDECREF(owners);
    return result;
}

static const char *group_label(const void *tail, size_t group, size_t grouping) {
    return poise_tail_risk_label(tail, group, grouping);
}
static const char *total_name(const void *tail, size_t i) { return poise_tail_risk_total(tail, i); }

/** tail_risk_labels(tail, groupings) → labels by grouping, names of totals, milliseconds at which scenarios began. */
static PyObject *tail_risk_labels(PyObject *self, PyObject *arguments) {
    PyObject *capsule;
    poise_exposure_options options = {0};
    if (!PyArg_ParseTuple(arguments, "OI", &capsule, &options.grouping_count)) return NULL;
    const poise_tail_risk *tail = pointer_of(capsule, tail_risk_kind);
    if (!tail) return NULL;
    npy_intp scenarios = (npy_intp)poise_tail_risk_scenario_count(tail);
    PyObject *labels = labels_of(poise_tail_risk_count(tail), &options, group_label, tail);
    PyObject *totals = labels ? list_of(poise_tail_risk_total_count(tail), total_name, tail) : NULL;
    PyObject *starts = totals ? PyArray_SimpleNew(1, &scenarios, NPY_INT64) : NULL;
    for (npy_intp i = 0; starts && i < scenarios; i++)
        ((int64_t *)PyArray_DATA((PyArrayObject *)starts))[i] = poise_tail_risk_start(tail, (size_t)i);
    PyObject *result = starts ? PyTuple_Pack(3, labels, totals, starts) : NULL;
    Py_XDECREF(labels);
    Py_XDECREF(totals);
    Py_XDECREF(starts);
    return result;
}

/** tail_risk_measures(tail, level) → four columns of groups, (totals, 4). */
static PyObject *tail_risk_measures(PyObject *self, PyObject *arguments) {
    PyObject *capsule, *arrays[4];
    double level;
    if (!PyArg_ParseTuple(arguments, "Od", &capsule, &level)) return NULL;
    const poise_tail_risk *tail = pointer_of(capsule, tail_risk_kind);
    if (!tail || !new_columns(4, (Py_ssize_t)poise_tail_risk_count(tail), arrays)) return NULL;
    npy_intp shape[2] = {(npy_intp)poise_tail_risk_total_count(tail), 4};
    PyObject *totals = PyArray_SimpleNew(2, shape, NPY_DOUBLE), *result = NULL;
    if (totals) {
        poise_column columns[4];
        for (int i = 0; i < 4; i++) columns[i] = (poise_column){PyArray_DATA((PyArrayObject *)arrays[i]), 0};
        poise_tail_columns given = {
            .size = sizeof given,
            .value_at_risk = columns[0],
            .value_at_risk_component = columns[1],
            .expected_shortfall = columns[2],
            .expected_shortfall_component = columns[3]};
        poise_status status;
        poise_tail_total *sums = PyArray_DATA((PyArrayObject *)totals);
        Py_BEGIN_ALLOW_THREADS
        status = poise_tail_risk_measures(tail, level, &given, sums);
        Py_END_ALLOW_THREADS
        result = status == POISE_OK ? PyTuple_Pack(5, arrays[0], arrays[1], arrays[2], arrays[3], totals)
                                    : raise_status(status);
    }
    for (int i = 0; i < 4; i++) Py_DECREF(arrays[i]);
    Py_XDECREF(totals);
    return result;
}

/** tail_risk_gains(tail) → (groups, scenarios). */
static PyObject *tail_risk_gains(PyObject *self, PyObject *capsule) {
    const poise_tail_risk *tail = pointer_of(capsule, tail_risk_kind);
    if (!tail) return NULL;
    npy_intp shape[2] = {(npy_intp)poise_tail_risk_count(tail), (npy_intp)poise_tail_risk_scenario_count(tail)};
    PyObject *array = PyArray_SimpleNew(2, shape, NPY_DOUBLE);
    double *row = array ? PyArray_DATA((PyArrayObject *)array) : NULL;
    for (npy_intp group = 0; array && group < shape[0]; group++, row += shape[1]) {
        poise_status status = poise_tail_risk_gains(tail, (size_t)group, (poise_column){row, 0});
        if (status != POISE_OK) {
            Py_CLEAR(array);
            raise_status(status);
        }
    }
    return array;
}

static PyMethodDef methods[] = {
    METHOD(tail_risk_create, METH_VARARGS),
    METHOD(tail_risk_labels, METH_VARARGS),
    METHOD(tail_risk_measures, METH_VARARGS),
    METHOD(tail_risk_gains, METH_O),
    {0}};

bool add_tail_risk(PyObject *module) { return PyModule_AddFunctions(module, methods) == 0; }
