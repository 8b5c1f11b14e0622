/* What the hedges of live books may do: limits, candidates, order books, fees, and when searches end. */
#include "desk.h"

static PyObject *answer(poise_status status) {
    if (status != POISE_OK) return raise_status(status);
    Py_RETURN_NONE;
}

/* ---- Searches ---- */

int32_t is_interrupted(void *questions) {
    /* A search that is over within a hundredth of a second does not wait for the interpreter. */
    if ((*(unsigned *)questions)++ == 0) return 0;
    PyGILState_STATE state = PyGILState_Ensure();
    int32_t is = PyErr_CheckSignals() < 0;
    PyGILState_Release(state);
    return is;
}

static bool read_search(PyObject *arguments, PyObject **capsule, Py_ssize_t *hedge, poise_hedge_search *search) {
    unsigned long long nodes;
    *search = (poise_hedge_search){.size = sizeof *search, .is_cancelled = is_interrupted};
    if (!PyArg_ParseTuple(arguments, "OnKdd", capsule, hedge, &nodes, &search->gap, &search->seconds)) return false;
    search->node_limit = nodes;
    return true;
}

/** live_set_search(live, hedge, nodes, gap, seconds): ends by signals, too. */
static PyObject *live_set_search(PyObject *self, PyObject *arguments) {
    PyObject *capsule;
    Py_ssize_t hedge;
    poise_hedge_search search;
    if (!read_search(arguments, &capsule, &hedge, &search)) return NULL;
    handle *own = handle_of(capsule, live_kind);
    if (!own) return NULL;
    search.context = &own->questions;
    return answer(poise_live_set_search(own->pointer, (size_t)hedge, &search));
}

/** hedger_set_search(hedger, 0, nodes, gap, seconds): the same of a hedger. */
static PyObject *hedger_set_search(PyObject *self, PyObject *arguments) {
    PyObject *capsule;
    Py_ssize_t none;
    poise_hedge_search search;
    if (!read_search(arguments, &capsule, &none, &search)) return NULL;
    handle *own = handle_of(capsule, hedger_kind);
    if (!own) return NULL;
    search.context = &own->questions;
    return answer(poise_hedger_set_search(own->pointer, &search));
}

/* ---- Limits ---- */

static PyObject *live_set_limits(PyObject *self, PyObject *arguments) {
    PyObject *capsule, *limits_capsule;
    poise_live_options options = {.size = sizeof options};
    int uses_lots;
    if (!PyArg_ParseTuple(
            arguments, "OOdddp", &capsule, &limits_capsule, &options.holding_days, &options.funding_rate,
            &options.cash_budget, &uses_lots))
        return NULL;
    options.uses_lots = (uint32_t)uses_lots;
    poise_live *live = pointer_of(capsule, live_kind);
    const poise_limits *limits = live ? pointer_of(limits_capsule, limits_kind) : NULL;
    return limits ? answer(poise_live_set_limits(live, limits, &options)) : NULL;
}

static PyObject *live_set_limit(PyObject *self, PyObject *arguments) {
    PyObject *capsule;
    Py_ssize_t hedge;
    const char *band;
    double low, high;
    if (!PyArg_ParseTuple(arguments, "Onsdd", &capsule, &hedge, &band, &low, &high)) return NULL;
    poise_live *live = pointer_of(capsule, live_kind);
    return live ? answer(poise_live_set_limit(live, (size_t)hedge, band, low, high)) : NULL;
}

static PyObject *live_remove_limit(PyObject *self, PyObject *arguments) {
    PyObject *capsule;
    Py_ssize_t hedge;
    const char *band;
    if (!PyArg_ParseTuple(arguments, "Ons", &capsule, &hedge, &band)) return NULL;
    poise_live *live = pointer_of(capsule, live_kind);
    return live ? answer(poise_live_remove_limit(live, (size_t)hedge, band)) : NULL;
}

/* ---- Candidates ---- */

static PyObject *live_add_candidates(PyObject *self, PyObject *arguments) {
    PyObject *capsule, *chain_capsule;
    Py_ssize_t hedge;
    if (!PyArg_ParseTuple(arguments, "OnO", &capsule, &hedge, &chain_capsule)) return NULL;
    poise_live *live = pointer_of(capsule, live_kind);
    const poise_chain *chain = live ? pointer_of(chain_capsule, chain_kind) : NULL;
    size_t added;
    if (!chain) return NULL;
    poise_status status = poise_live_add_candidates(live, (size_t)hedge, chain, &added);
    return status == POISE_OK ? PyLong_FromSize_t(added) : raise_status(status);
}

/** The texts of a tuple; their places are to be freed with PyMem_Free. False with an exception. */
static bool read_names(PyObject *tuple, size_t *count, poise_texts *texts) {
    Py_ssize_t size = PyTuple_Size(tuple);
    if (size < 0) return false;
    const char **places = PyMem_Calloc((size_t)size + 1, sizeof *places);
    if (!places) return PyErr_NoMemory() != NULL;
    texts->strings = places;
    *count = (size_t)size;
    for (Py_ssize_t i = 0; i < size; i++) {
        PyObject *bytes = PyTuple_GetItem(tuple, i); /* NUL-terminated, and kept by the tuple. */
        if (!PyBytes_Check(bytes)) {
            PyErr_SetString(PyExc_TypeError, "expected names");
            return false;
        }
        places[i] = PyBytes_AsString(bytes);
    }
    return true;
}

/** live_choose(live, hedge, classes, only names, first expiry, last expiry, least delta, most delta, least depth, most half
 *  spread, underlyings, names, excluded): names as tuples of bytes. */
static PyObject *live_choose(PyObject *self, PyObject *arguments) {
    PyObject *capsule, *lists[3], *made = NULL;
    Py_ssize_t hedge;
    unsigned classes;
    int only_names;
    long long first, last;
    poise_candidate_rule rule = {.size = sizeof rule};
    if (!PyArg_ParseTuple(
            arguments, "OnIpLLddddO!O!O!", &capsule, &hedge, &classes, &only_names, &first, &last, &rule.least_delta,
            &rule.most_delta, &rule.least_depth, &rule.most_half_spread, &PyTuple_Type, lists, &PyTuple_Type, lists + 1,
            &PyTuple_Type, lists + 2))
        return NULL;
    rule.classes = classes;
    rule.only_names = (uint32_t)only_names;
    rule.first_expiry = first;
    rule.last_expiry = last;
    poise_live *live = pointer_of(capsule, live_kind);
    if (live && read_names(lists[0], &rule.underlying_count, &rule.underlyings) &&
        read_names(lists[1], &rule.name_count, &rule.names) &&
        read_names(lists[2], &rule.excluded_count, &rule.excluded))
        made = answer(poise_live_choose(live, (size_t)hedge, &rule));
    PyMem_Free((void *)rule.underlyings.strings);
    PyMem_Free((void *)rule.names.strings);
    PyMem_Free((void *)rule.excluded.strings);
    return made;
}

/* ---- Costs ---- */

/** A side of an order book: (n, 2) doubles, price and amount. */
static bool read_levels(PyObject *object, size_t *count, poise_values *prices, poise_values *amounts) {
    PyArrayObject *array = (PyArrayObject *)object;
    if (!PyArray_Check(object) || PyArray_TYPE(array) != NPY_DOUBLE || !PyArray_IS_C_CONTIGUOUS(array) ||
        PyArray_SIZE(array) % 2) {
        PyErr_SetString(PyExc_TypeError, "expected levels of price and amount");
        return false;
    }
    *count = (size_t)PyArray_SIZE(array) / 2;
    const double *data = PyArray_DATA(array);
    *prices = (poise_values){data, 2 * sizeof(double)};
    *amounts = (poise_values){data + 1, 2 * sizeof(double)};
    return true;
}

static PyObject *live_set_book(PyObject *self, PyObject *arguments) {
    PyObject *capsule, *bids, *asks;
    Py_ssize_t hedge, candidate;
    size_t bid_count, ask_count;
    poise_values columns[4];
    if (!PyArg_ParseTuple(arguments, "OnnOO", &capsule, &hedge, &candidate, &bids, &asks) ||
        !read_levels(bids, &bid_count, columns, columns + 1) ||
        !read_levels(asks, &ask_count, columns + 2, columns + 3))
        return NULL;
    poise_live *live = pointer_of(capsule, live_kind);
    if (!live) return NULL;
    return answer(poise_live_set_book(
        live, (size_t)hedge, (size_t)candidate, bid_count, columns[0], columns[1], ask_count, columns[2], columns[3]));
}

/** live_costs(live, hedge) → (candidates, 9) doubles: those of a poise_hedge_instrument behind the underlying. */
static PyObject *live_costs(PyObject *self, PyObject *arguments) {
    PyObject *capsule;
    Py_ssize_t hedge;
    if (!PyArg_ParseTuple(arguments, "On", &capsule, &hedge)) return NULL;
    const poise_live *live = pointer_of(capsule, live_kind);
    if (!live) return NULL;
    npy_intp shape[2] = {(npy_intp)poise_live_candidate_count(live, (size_t)hedge), 9};
    PyObject *made = PyArray_SimpleNew(2, shape, NPY_DOUBLE);
    for (npy_intp i = 0; made && i < shape[0]; i++) {
        poise_hedge_instrument one;
        poise_status status = poise_live_candidate_costs(live, (size_t)hedge, (size_t)i, &one);
        if (status != POISE_OK) {
            Py_DECREF(made);
            return raise_status(status);
        }
        double *row = (double *)PyArray_DATA((PyArrayObject *)made) + 9 * i;
        const double numbers[9] = {one.cost_buy,    one.cost_sell,    one.impact, one.fixed_cost, one.lot,
                                   one.maximum_buy, one.maximum_sell, one.margin, one.cash};
        for (int k = 0; k < 9; k++) row[k] = numbers[k];
    }
    return made;
}

static PyObject *live_set_fees(PyObject *self, PyObject *arguments) {
    PyObject *capsule;
    Py_ssize_t hedge, length;
    const char *text, *name;
    if (!PyArg_ParseTuple(arguments, "Ons#z", &capsule, &hedge, &text, &length, &name)) return NULL;
    poise_live *live = pointer_of(capsule, live_kind);
    return live ? answer(poise_live_set_fees(live, (size_t)hedge, text, (size_t)length, name)) : NULL;
}

static PyObject *live_set_holding(PyObject *self, PyObject *arguments) {
    PyObject *capsule;
    Py_ssize_t hedge;
    double days, funding;
    if (!PyArg_ParseTuple(arguments, "Ondd", &capsule, &hedge, &days, &funding)) return NULL;
    poise_live *live = pointer_of(capsule, live_kind);
    return live ? answer(poise_live_set_holding(live, (size_t)hedge, days, funding)) : NULL;
}

static PyObject *live_set_cash_budget(PyObject *self, PyObject *arguments) {
    PyObject *capsule;
    Py_ssize_t hedge;
    double budget;
    if (!PyArg_ParseTuple(arguments, "Ond", &capsule, &hedge, &budget)) return NULL;
    poise_live *live = pointer_of(capsule, live_kind);
    return live ? answer(poise_live_set_cash_budget(live, (size_t)hedge, budget)) : NULL;
}

static PyObject *live_set_walks_levels(PyObject *self, PyObject *arguments) {
    PyObject *capsule;
    Py_ssize_t hedge;
    int walks;
    if (!PyArg_ParseTuple(arguments, "Onp", &capsule, &hedge, &walks)) return NULL;
    poise_live *live = pointer_of(capsule, live_kind);
    return live ? answer(poise_live_set_walks_levels(live, (size_t)hedge, walks)) : NULL;
}

/* ---- Variance and margin ---- */

/** live_set_variance(live, hedge, aversion, coins, covariance, net deltas): coins as a tuple of bytes, n × n doubles; None for
 *  the coins: no price on variance. */
static PyObject *live_set_variance(PyObject *self, PyObject *arguments) {
    PyObject *capsule, *coins, *covariance, *made = NULL;
    Py_ssize_t hedge;
    int net;
    poise_live_variance variance = {.size = sizeof variance};
    if (!PyArg_ParseTuple(arguments, "OndOOp", &capsule, &hedge, &variance.risk_aversion, &coins, &covariance, &net))
        return NULL;
    poise_live *live = pointer_of(capsule, live_kind);
    if (!live) return NULL;
    if (coins == Py_None) return answer(poise_live_set_variance(live, (size_t)hedge, NULL));
    variance.net_delta = (uint64_t)net;
    PyArrayObject *array = (PyArrayObject *)covariance;
    if (read_names(coins, &variance.count, &variance.underlyings)) {
        if (!PyArray_Check(covariance) || PyArray_TYPE(array) != NPY_DOUBLE || !PyArray_IS_C_CONTIGUOUS(array) ||
            (size_t)PyArray_SIZE(array) != variance.count * variance.count) {
            PyErr_SetString(PyExc_TypeError, "expected a covariance of the coins");
        } else {
            variance.covariance = PyArray_DATA(array);
            made = answer(poise_live_set_variance(live, (size_t)hedge, &variance));
        }
    }
    PyMem_Free((void *)variance.underlyings.strings);
    return made;
}

static PyObject *live_set_margin_limit(PyObject *self, PyObject *arguments) {
    PyObject *capsule;
    Py_ssize_t hedge;
    double limit;
    if (!PyArg_ParseTuple(arguments, "Ond", &capsule, &hedge, &limit)) return NULL;
    poise_live *live = pointer_of(capsule, live_kind);
    return live ? answer(poise_live_set_margin_limit(live, (size_t)hedge, limit)) : NULL;
}

static PyObject *live_set_margin(PyObject *self, PyObject *arguments) {
    PyObject *capsule;
    Py_ssize_t hedge, candidate;
    double per_unit;
    if (!PyArg_ParseTuple(arguments, "Onnd", &capsule, &hedge, &candidate, &per_unit)) return NULL;
    poise_live *live = pointer_of(capsule, live_kind);
    return live ? answer(poise_live_set_margin(live, (size_t)hedge, (size_t)candidate, per_unit)) : NULL;
}

/** live_set_requirement(live, hedge, margin or None, buffer, price) */
static PyObject *live_set_requirement(PyObject *self, PyObject *arguments) {
    PyObject *capsule, *account;
    Py_ssize_t hedge;
    double buffer, price;
    if (!PyArg_ParseTuple(arguments, "OnOdd", &capsule, &hedge, &account, &buffer, &price)) return NULL;
    poise_live *live = pointer_of(capsule, live_kind);
    poise_live_margin *margin = account == Py_None ? NULL : pointer_of(account, live_margin_kind);
    if (!live || (account != Py_None && !margin)) return NULL;
    return answer(poise_live_set_requirement(live, (size_t)hedge, margin, buffer, price));
}

/** live_requirement(live, hedge) → what the last decision that had to trade came to under it. */
static PyObject *live_requirement(PyObject *self, PyObject *arguments) {
    PyObject *capsule;
    Py_ssize_t hedge;
    if (!PyArg_ParseTuple(arguments, "On", &capsule, &hedge)) return NULL;
    poise_live *live = pointer_of(capsule, live_kind);
    if (!live) return NULL;
    poise_margin_hedge_answer found = {.size = sizeof found};
    poise_status status = poise_live_requirement(live, (size_t)hedge, &found);
    if (status != POISE_OK) return answer(status);
    return Py_BuildValue(
        "{s:d,s:d,s:d,s:d,s:d}", "required", found.required, "margin_cost", found.margin_cost, "headroom_price",
        found.headroom_price, "largest_headroom", found.largest_headroom, "gap", found.gap);
}

static PyMethodDef methods[] = {
    METHOD(live_set_search, METH_VARARGS),
    METHOD(hedger_set_search, METH_VARARGS),
    METHOD(live_set_limits, METH_VARARGS),
    METHOD(live_set_limit, METH_VARARGS),
    METHOD(live_remove_limit, METH_VARARGS),
    METHOD(live_add_candidates, METH_VARARGS),
    METHOD(live_choose, METH_VARARGS),
    METHOD(live_set_book, METH_VARARGS),
    METHOD(live_costs, METH_VARARGS),
    METHOD(live_set_fees, METH_VARARGS),
    METHOD(live_set_holding, METH_VARARGS),
    METHOD(live_set_cash_budget, METH_VARARGS),
    METHOD(live_set_walks_levels, METH_VARARGS),
    METHOD(live_set_variance, METH_VARARGS),
    METHOD(live_set_margin_limit, METH_VARARGS),
    METHOD(live_set_margin, METH_VARARGS),
    METHOD(live_set_requirement, METH_VARARGS),
    METHOD(live_requirement, METH_VARARGS),
    {0}};

bool add_live_hedges(PyObject *module) { return PyModule_AddFunctions(module, methods) == 0; }
