/* Live books and hedgers. */
#include "desk.h"

/* ---- Live books ---- */

static PyObject *live_create(PyObject *self, PyObject *arguments) {
    PyObject *chain_capsule, *positions_capsule, *limits_capsule, *coin, *groupings;
    poise_live_options options = {.size = sizeof options};
    int uses_lots;
    if (!PyArg_ParseTuple(
            arguments, "OOOOO!dddp", &chain_capsule, &positions_capsule, &limits_capsule, &coin, &PyTuple_Type,
            &groupings, &options.holding_days, &options.funding_rate, &options.cash_budget, &uses_lots) ||
        !read_options(coin, groupings, &options.exposures))
        return NULL;
    options.uses_lots = (uint32_t)uses_lots;
    const poise_chain *chain = pointer_of(chain_capsule, chain_kind);
    const poise_positions *positions = chain ? pointer_of(positions_capsule, positions_kind) : NULL;
    const poise_limits *limits = NULL;
    if (!positions) return NULL;
    if (limits_capsule != Py_None && !(limits = pointer_of(limits_capsule, limits_kind))) return NULL;
    const poise_engine *engine = engine_with(NULL);
    if (!engine) return NULL;
    poise_live *live;
    poise_status status;
    Py_BEGIN_ALLOW_THREADS
    status = poise_live_create(engine, chain, positions, limits, &options, &live);
    Py_END_ALLOW_THREADS
    return own_live(status, &live);
}

static PyObject *answer(poise_status status) {
    if (status != POISE_OK) return raise_status(status);
    Py_RETURN_NONE;
}

static const char *underlying_name(const void *live, size_t i) { return poise_live_underlying(live, i); }
static const char *slice_name(const void *live, size_t i) { return poise_live_slice(live, i); }
static const char *contract_name(const void *live, size_t i) { return poise_live_contract(live, i); }

/** live_names(live) → underlyings, slices, contracts. */
static PyObject *live_names(PyObject *self, PyObject *capsule) {
    const poise_live *live = pointer_of(capsule, live_kind);
    if (!live) return NULL;
    PyObject *underlyings = list_of(poise_live_underlying_count(live), underlying_name, live);
    PyObject *slices = list_of(poise_live_slice_count(live), slice_name, live);
    PyObject *contracts = list_of(poise_live_contract_count(live), contract_name, live);
    PyObject *names = underlyings && slices && contracts ? PyTuple_Pack(3, underlyings, slices, contracts) : NULL;
    Py_XDECREF(underlyings);
    Py_XDECREF(slices);
    Py_XDECREF(contracts);
    return names;
}

/** live_labels(live) → the labels of each group. */
static PyObject *live_labels(PyObject *self, PyObject *capsule) {
    const poise_live *live = pointer_of(capsule, live_kind);
    PyObject *groups = live ? PyList_New(0) : NULL;
    for (size_t i = 0, count = poise_live_group_count(live); groups && i < count; i++) {
        PyObject *labels = PyList_New(0);
        const char *text;
        for (size_t k = 0; labels && (text = poise_live_label(live, i, k)); k++) {
            PyObject *label = PyUnicode_FromString(text);
            if (!label || PyList_Append(labels, label) < 0) Py_CLEAR(labels);
            Py_XDECREF(label);
        }
        if (!labels || PyList_Append(groups, labels) < 0) Py_CLEAR(groups);
        Py_XDECREF(labels);
    }
    return groups;
}

/** A function that changes a number of the member at a place, at a time or not. */
#define SETTER(name, format, call, ...)                                               \
    static PyObject *name(PyObject *self, PyObject *arguments) {                      \
        PyObject *capsule;                                                            \
        Py_ssize_t place = 0;                                                         \
        double value = 0;                                                             \
        long long time = 0;                                                           \
        if (!PyArg_ParseTuple(arguments, format, &capsule, __VA_ARGS__)) return NULL; \
        poise_live *live = pointer_of(capsule, live_kind);                            \
        (void)place, (void)value, (void)time;                                         \
        return live ? answer(call) : NULL;                                            \
    }
SETTER(live_tick, "OndL", poise_live_tick(live, (size_t)place, value, time), &place, &value, &time)
SETTER(live_set_price, "OndL", poise_live_set_price(live, (size_t)place, value, time), &place, &value, &time)
SETTER(live_set_rate, "Ond", poise_live_set_rate(live, (size_t)place, value), &place, &value)
SETTER(live_set_vol, "Ond", poise_live_set_volatility(live, (size_t)place, value), &place, &value)
SETTER(live_advance, "OL", poise_live_advance(live, time), &time)

static PyObject *live_fill(PyObject *self, PyObject *arguments) {
    PyObject *capsule;
    const char *book;
    Py_ssize_t contract;
    double quantity;
    if (!PyArg_ParseTuple(arguments, "Osnd", &capsule, &book, &contract, &quantity)) return NULL;
    poise_live *live = pointer_of(capsule, live_kind);
    return live ? answer(poise_live_fill(live, book, (size_t)contract, quantity)) : NULL;
}

static PyObject *live_update(PyObject *self, PyObject *capsule) {
    handle *own = handle_of(capsule, live_kind);
    if (!own) return NULL;
    size_t slices;
    poise_status status;
    own->is_busy = true;
    Py_BEGIN_ALLOW_THREADS
    status = poise_live_update(own->pointer, &slices);
    Py_END_ALLOW_THREADS
    own->is_busy = false;
    return status == POISE_OK ? PyLong_FromSize_t(slices) : raise_status(status);
}

static poise_status live_values(const void *from, poise_exposure exposure, poise_column column) {
    return poise_live_exposures(from, exposure, column);
}

static PyObject *live_exposures(PyObject *self, PyObject *capsule) {
    const poise_live *live = pointer_of(capsule, live_kind);
    return live ? figures_of(poise_live_group_count(live), live, live_values) : NULL;
}

static PyObject *live_figure(PyObject *self, PyObject *arguments) {
    PyObject *capsule;
    Py_ssize_t contract;
    int exposure;
    double value;
    if (!PyArg_ParseTuple(arguments, "Oni", &capsule, &contract, &exposure)) return NULL;
    const poise_live *live = pointer_of(capsule, live_kind);
    if (!live) return NULL;
    poise_status status = poise_live_figure(live, (size_t)contract, (poise_exposure)exposure, &value);
    return status == POISE_OK ? PyFloat_FromDouble(value) : raise_status(status);
}

/* ---- Hedges of live books ---- */

/** live_hedges(live) → [(book, places of candidates among the contracts, bands)]. */
static PyObject *live_hedges(PyObject *self, PyObject *capsule) {
    const poise_live *live = pointer_of(capsule, live_kind);
    PyObject *hedges = live ? PyList_New(0) : NULL;
    for (size_t i = 0, count = poise_live_hedge_count(live); hedges && i < count; i++) {
        PyObject *candidates = PyList_New(0), *bands = PyList_New(0);
        for (size_t k = 0; candidates && k < poise_live_candidate_count(live, i); k++) {
            PyObject *place = PyLong_FromLongLong(poise_live_candidate(live, i, k));
            if (!place || PyList_Append(candidates, place) < 0) Py_CLEAR(candidates);
            Py_XDECREF(place);
        }
        for (size_t k = 0; bands && k < poise_live_band_count(live, i); k++) {
            PyObject *name = PyUnicode_FromString(poise_live_band(live, i, k));
            if (!name || PyList_Append(bands, name) < 0) Py_CLEAR(bands);
            Py_XDECREF(name);
        }
        PyObject *hedge =
            candidates && bands ? Py_BuildValue("sOO", poise_live_hedge_book(live, i), candidates, bands) : NULL;
        if (!hedge || PyList_Append(hedges, hedge) < 0) Py_CLEAR(hedges);
        Py_XDECREF(candidates);
        Py_XDECREF(bands);
        Py_XDECREF(hedge);
    }
    return hedges;
}

PyObject *result_dict(const poise_hedge_result *result) {
    return Py_BuildValue(
        "{s:i,s:k,s:k,s:k,s:d,s:d,s:d,s:d,s:d,s:d,s:d,s:d,s:d}", "outcome", (int)result->outcome, "interior_steps",
        (unsigned long)result->interior_steps, "pivots", (unsigned long)result->pivots, "nodes",
        (unsigned long)result->nodes, "linear_cost", result->linear_cost, "impact_cost", result->impact_cost,
        "fixed_cost", result->fixed_cost, "penalty_cost", result->penalty_cost, "risk_cost", result->risk_cost, "gap",
        result->gap, "violation", result->violation, "margin_price", result->margin_price, "cash_price",
        result->cash_price);
}

/** The same of a call, or its exception: a signal's where one has ended the search. */
static PyObject *result_of(poise_status status, const poise_hedge_result *result) {
    if (PyErr_Occurred()) return NULL;
    return status == POISE_OK ? result_dict(result) : raise_status(status);
}

PyObject *new_column(size_t count, poise_column *column) {
    npy_intp dimension = (npy_intp)count;
    PyObject *array = PyArray_SimpleNew(1, &dimension, NPY_DOUBLE);
    if (array) *column = (poise_column){PyArray_DATA((PyArrayObject *)array), 0};
    return array;
}

/** live_decide(live, hedge, always) → result, trades, exposures of bands, shadow prices, edges, exposures after the trades. */
static PyObject *live_decide(PyObject *self, PyObject *arguments) {
    PyObject *capsule;
    Py_ssize_t hedge;
    int always;
    if (!PyArg_ParseTuple(arguments, "Onp", &capsule, &hedge, &always)) return NULL;
    handle *own = handle_of(capsule, live_kind);
    if (!own) return NULL;
    poise_live *live = own->pointer;
    size_t candidates = poise_live_candidate_count(live, (size_t)hedge),
           bands = poise_live_band_count(live, (size_t)hedge);
    enum { PARTS = 6 };
    poise_column columns[PARTS];
    PyObject *arrays[PARTS] = {0}, *made = NULL;
    bool is_made = true;
    for (int i = 0; is_made && i < PARTS; i++)
        is_made = (arrays[i] = new_column(i == 0 ? candidates : bands, columns + i)) != NULL;
    if (is_made) {
        poise_hedge_result result = {.size = sizeof result};
        poise_status status;
        own->is_busy = true;
        own->questions = 0;
        Py_BEGIN_ALLOW_THREADS
        status = always ? poise_live_rebalance(live, (size_t)hedge, &result)
                        : poise_live_decide(live, (size_t)hedge, &result);
        if (status == POISE_OK) status = poise_live_trades(live, (size_t)hedge, columns[0]);
        if (status == POISE_OK) status = poise_live_bands(live, (size_t)hedge, columns[1], columns[2]);
        if (status == POISE_OK) status = poise_live_band_edges(live, (size_t)hedge, columns[3], columns[4], columns[5]);
        Py_END_ALLOW_THREADS
        own->is_busy = false;
        PyObject *dict = result_of(status, &result);
        if (dict) made = PyTuple_Pack(7, dict, arrays[0], arrays[1], arrays[2], arrays[3], arrays[4], arrays[5]);
        Py_XDECREF(dict);
    }
    for (int i = 0; i < PARTS; i++) Py_XDECREF(arrays[i]);
    return made;
}

static PyObject *diagnosis_dict(const poise_hedge_diagnosis *found) {
    return Py_BuildValue(
        "{s:N,s:d,s:d,s:L,s:d,s:d,s:d,s:d,s:d}", "is_infeasible", PyBool_FromLong((long)found->is_infeasible),
        "total_violation", found->total_violation, "worst_violation", found->worst_violation, "first_band",
        (long long)found->first_band, "first_price", found->first_price, "margin_price", found->margin_price,
        "cash_price", found->cash_price, "least_cash", found->least_cash, "gap", found->gap);
}

/** What a diagnosis found, with the trades, violations and prices it has filled in. */
static PyObject *diagnosed(poise_status status, const poise_hedge_diagnosis *found, PyObject *const *arrays) {
    if (PyErr_Occurred()) return NULL;
    PyObject *dict = status == POISE_OK ? diagnosis_dict(found) : raise_status(status);
    PyObject *made = dict ? PyTuple_Pack(4, dict, arrays[0], arrays[1], arrays[2]) : NULL;
    Py_XDECREF(dict);
    return made;
}

/** live_diagnose(live, hedge) → diagnosis, trades, violations, prices. */
static PyObject *live_diagnose(PyObject *self, PyObject *arguments) {
    PyObject *capsule, *made = NULL;
    Py_ssize_t hedge;
    if (!PyArg_ParseTuple(arguments, "On", &capsule, &hedge)) return NULL;
    handle *own = handle_of(capsule, live_kind);
    if (!own) return NULL;
    poise_live *live = own->pointer;
    size_t bands = poise_live_band_count(live, (size_t)hedge);
    poise_column columns[3];
    PyObject *arrays[3] = {
        new_column(poise_live_candidate_count(live, (size_t)hedge), columns), new_column(bands, columns + 1),
        new_column(bands, columns + 2)};
    if (arrays[0] && arrays[1] && arrays[2]) {
        poise_hedge_diagnosis found = {.size = sizeof found};
        poise_status status;
        own->is_busy = true;
        own->questions = 0;
        Py_BEGIN_ALLOW_THREADS
        status = poise_live_diagnose(live, (size_t)hedge, columns[0], columns[1], columns[2], &found);
        Py_END_ALLOW_THREADS
        own->is_busy = false;
        made = diagnosed(status, &found, arrays);
    }
    for (int i = 0; i < 3; i++) Py_XDECREF(arrays[i]);
    return made;
}

static PyObject *live_set_candidate(PyObject *self, PyObject *arguments) {
    PyObject *capsule;
    Py_ssize_t hedge, candidate;
    double minimum;
    poise_hedge_instrument own = {0};
    if (!PyArg_ParseTuple(
            arguments, "Onndddddddddd", &capsule, &hedge, &candidate, &own.cost_buy, &own.cost_sell, &own.impact,
            &own.fixed_cost, &own.lot, &own.maximum_buy, &own.maximum_sell, &own.margin, &own.cash, &minimum))
        return NULL;
    poise_live *live = pointer_of(capsule, live_kind);
    if (!live) return NULL;
    poise_status status = poise_live_set_minimum_trade(live, (size_t)hedge, (size_t)candidate, minimum);
    if (status == POISE_OK) status = poise_live_set_candidate(live, (size_t)hedge, (size_t)candidate, &own);
    return answer(status);
}

static PyObject *live_book_trades(PyObject *self, PyObject *arguments) {
    PyObject *capsule;
    Py_ssize_t hedge;
    const char *book;
    if (!PyArg_ParseTuple(arguments, "Ons", &capsule, &hedge, &book)) return NULL;
    poise_live *live = pointer_of(capsule, live_kind);
    return live ? answer(poise_live_book_trades(live, (size_t)hedge, book)) : NULL;
}

/* ---- Hedge problems of one's own ---- */

static PyObject *hedger_create(PyObject *self, PyObject *arguments) {
    poise_hedger_options options = {.size = sizeof options};
    unsigned long long nodes;
    if (!PyArg_ParseTuple(arguments, "Kd", &nodes, &options.gap)) return NULL;
    options.node_limit = nodes;
    poise_hedger *hedger;
    return own_hedger(poise_hedger_create(&options, &hedger), &hedger);
}

/** The records of a contiguous array whose items have the size of a C struct. */
static const void *records_of(PyObject *object, size_t size, size_t *count) {
    PyArrayObject *array = (PyArrayObject *)object;
    if (!PyArray_Check(object) || !PyArray_IS_C_CONTIGUOUS(array) || (size_t)PyArray_NBYTES(array) % size != 0) {
        PyErr_SetString(PyExc_TypeError, "expected contiguous records");
        return NULL;
    }
    *count = (size_t)PyArray_NBYTES(array) / size;
    return PyArray_DATA(array);
}

/** Reads (instruments, bands, entries, underlyings, margin_limit, cash_budget, risk_aversion, covariance, dollar_delta,
 *  exposure, minimum_trade). */
static bool read_problem(PyObject *arguments, poise_hedge_problem *problem) {
    PyObject *instruments, *bands, *entries, *covariance, *dollar_delta, *exposure, *minimum_trade;
    Py_ssize_t underlyings;
    *problem = (poise_hedge_problem){.size = sizeof *problem};
    if (!PyArg_ParseTuple(
            arguments, "OOOndddOOOO", &instruments, &bands, &entries, &underlyings, &problem->margin_limit,
            &problem->cash_budget, &problem->risk_aversion, &covariance, &dollar_delta, &exposure, &minimum_trade))
        return false;
    size_t doubles;
    problem->underlying_count = (size_t)underlyings;
    problem->instruments = records_of(instruments, sizeof *problem->instruments, &problem->instrument_count);
    problem->bands = problem->instruments ? records_of(bands, sizeof *problem->bands, &problem->band_count) : NULL;
    problem->entries = problem->bands ? records_of(entries, sizeof *problem->entries, &problem->entry_count) : NULL;
    problem->minimum_trade.data = problem->entries ? records_of(minimum_trade, sizeof(double), &doubles) : NULL;
    if (!problem->minimum_trade.data) return false;
    if (doubles != problem->instrument_count) {
        PyErr_Format(
            PyExc_ValueError, "minimum_trade: %zu values where %zu are needed", doubles, problem->instrument_count);
        return false;
    }
    problem->covariance = records_of(covariance, sizeof(double), &doubles);
    if (!problem->covariance) return false;
    if (problem->risk_aversion != 0 && doubles != problem->underlying_count * problem->underlying_count) {
        PyErr_Format(PyExc_ValueError, "cov: expected %zd rows and columns", underlyings);
        return false;
    }
    problem->dollar_delta = records_of(dollar_delta, sizeof(double), &doubles);
    if (problem->dollar_delta && problem->risk_aversion != 0 && doubles != problem->underlying_count) {
        PyErr_Format(PyExc_ValueError, "d0: %zu values where %zd are needed", doubles, underlyings);
        return false;
    }
    problem->exposure = problem->dollar_delta ? records_of(exposure, sizeof(double), &doubles) : NULL;
    if (!problem->exposure) return false;
    if (problem->risk_aversion != 0 && doubles != problem->instrument_count) {
        PyErr_Format(PyExc_ValueError, "exposure: %zu values where %zu are needed", doubles, problem->instrument_count);
        return false;
    }
    return true;
}

/** hedger_diagnose(hedger, problem) → diagnosis, trades, violations, prices. */
static PyObject *hedger_diagnose(PyObject *self, PyObject *arguments) {
    PyObject *capsule, *given, *made = NULL;
    poise_hedge_problem problem;
    if (!PyArg_ParseTuple(arguments, "OO!", &capsule, &PyTuple_Type, &given)) return NULL;
    handle *own = handle_of(capsule, hedger_kind);
    if (!own || !read_problem(given, &problem)) return NULL;
    poise_column columns[3];
    PyObject *arrays[3] = {
        new_column(problem.instrument_count, columns), new_column(problem.band_count, columns + 1),
        new_column(problem.band_count, columns + 2)};
    if (arrays[0] && arrays[1] && arrays[2]) {
        poise_hedge_diagnosis found = {.size = sizeof found};
        poise_status status;
        own->is_busy = true;
        own->questions = 0;
        Py_BEGIN_ALLOW_THREADS
        status = poise_hedger_diagnose(own->pointer, &problem, columns[0], columns[1], columns[2], &found);
        Py_END_ALLOW_THREADS
        own->is_busy = false;
        made = diagnosed(status, &found, arrays);
    }
    for (int i = 0; i < 3; i++) Py_XDECREF(arrays[i]);
    return made;
}

/** hedger_solve(hedger, problem, warm) → result, trades, shadow prices. The problem: a tuple, as of read_problem. */
static PyObject *hedger_solve(PyObject *self, PyObject *arguments) {
    PyObject *capsule, *given;
    int warm;
    poise_hedge_problem problem;
    if (!PyArg_ParseTuple(arguments, "OO!p", &capsule, &PyTuple_Type, &given, &warm)) return NULL;
    handle *own = handle_of(capsule, hedger_kind);
    if (!own || !read_problem(given, &problem)) return NULL;
    poise_column columns[2];
    PyObject *trades = new_column(problem.instrument_count, columns),
             *prices = new_column(problem.band_count, columns + 1);
    PyObject *made = NULL;
    if (trades && prices) {
        poise_hedge_result result = {.size = sizeof result};
        poise_status status;
        own->is_busy = true;
        own->questions = 0;
        Py_BEGIN_ALLOW_THREADS
        status = poise_hedger_solve(
            own->pointer, &problem, warm ? POISE_HEDGE_WARM : POISE_HEDGE_COLD, columns[0], columns[1], &result);
        Py_END_ALLOW_THREADS
        own->is_busy = false;
        PyObject *dict = result_of(status, &result);
        if (dict) made = PyTuple_Pack(3, dict, trades, prices);
        Py_XDECREF(dict);
    }
    Py_XDECREF(trades);
    Py_XDECREF(prices);
    return made;
}

static PyMethodDef methods[] = {
    METHOD(live_create, METH_VARARGS),
    METHOD(live_names, METH_O),
    METHOD(live_labels, METH_O),
    METHOD(live_tick, METH_VARARGS),
    METHOD(live_set_price, METH_VARARGS),
    METHOD(live_set_rate, METH_VARARGS),
    METHOD(live_set_vol, METH_VARARGS),
    METHOD(live_advance, METH_VARARGS),
    METHOD(live_fill, METH_VARARGS),
    METHOD(live_update, METH_O),
    METHOD(live_exposures, METH_O),
    METHOD(live_figure, METH_VARARGS),
    METHOD(live_hedges, METH_O),
    METHOD(live_decide, METH_VARARGS),
    METHOD(live_book_trades, METH_VARARGS),
    METHOD(live_set_candidate, METH_VARARGS),
    METHOD(live_diagnose, METH_VARARGS),
    METHOD(hedger_diagnose, METH_VARARGS),
    METHOD(hedger_create, METH_VARARGS),
    METHOD(hedger_solve, METH_VARARGS),
    {0}};

bool add_live(PyObject *module) { return PyModule_AddFunctions(module, methods) == 0; }
