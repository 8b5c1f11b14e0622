/* Hedges under a margin. */
#include "desk.h"

/** margin_hedge_create(margin, limits, book or None, buffer or None, price, holding days, funding rate, cash budget, lots,
 *  seconds, gap, nodes) */
static PyObject *margin_hedge_create(PyObject *self, PyObject *arguments) {
    PyObject *margin_capsule, *limits_capsule, *buffer;
    poise_margin_hedge_options options = {.size = sizeof options};
    int lots;
    unsigned long long nodes;
    if (!PyArg_ParseTuple(
            arguments, "OOzOddddpddK", &margin_capsule, &limits_capsule, &options.book, &buffer, &options.price,
            &options.holding_days, &options.funding_rate, &options.cash_budget, &lots, &options.seconds, &options.gap,
            &nodes))
        return NULL;
    options.uses_lots = (uint32_t)lots;
    options.node_limit = nodes;
    if (buffer != Py_None) {
        options.has_buffer = 1;
        options.buffer = PyFloat_AsDouble(buffer);
        if (PyErr_Occurred()) return NULL;
    }
    const poise_margin *margin = pointer_of(margin_capsule, margin_kind);
    const poise_limits *limits = margin ? pointer_of(limits_capsule, limits_kind) : NULL;
    if (!limits) return NULL;
    poise_margin_hedge *hedge;
    poise_status status;
    unsigned questions = 0;
    options.is_cancelled = is_interrupted;
    options.context = &questions;
    Py_BEGIN_ALLOW_THREADS
    status = poise_margin_hedge_create(margin, limits, &options, &hedge);
    Py_END_ALLOW_THREADS
    if (!PyErr_Occurred()) return own_margin_hedge(status, &hedge);
    poise_margin_hedge_free(status == POISE_OK ? hedge : NULL);
    return NULL;
}

/** margin_hedge_of_case(cases, index) */
static PyObject *margin_hedge_of_case(PyObject *self, PyObject *arguments) {
    Py_ssize_t index;
    const poise_engine *engine;
    const poise_margin_cases *cases = read_case(arguments, &index, &engine);
    if (!cases) return NULL;
    poise_margin_hedge *hedge;
    poise_status status;
    Py_BEGIN_ALLOW_THREADS
    status = poise_margin_hedge_of_case(engine, cases, (size_t)index, &hedge);
    Py_END_ALLOW_THREADS
    return own_margin_hedge(status, &hedge);
}

static PyObject *answer_dict(const poise_margin_hedge_answer *found) {
    return Py_BuildValue(
        "{s:d,s:d,s:d,s:d,s:d,s:d,s:K,s:K}", "required", found->required, "overstatement", found->overstatement,
        "margin_cost", found->margin_cost, "headroom_price", found->headroom_price, "largest_headroom",
        found->largest_headroom, "margin_gap", found->gap, "planes", (unsigned long long)found->planes, "problems",
        (unsigned long long)found->problems);
}

/** margin_hedge_totals(hedge) → fields of the answer's hedge, fields of its margin. */
static PyObject *margin_hedge_totals(PyObject *self, PyObject *capsule) {
    const poise_margin_hedge *hedge = pointer_of(capsule, margin_hedge_kind);
    poise_hedge_result result = {.size = sizeof result};
    poise_margin_hedge_answer found = {.size = sizeof found};
    if (!hedge) return NULL;
    poise_status status = poise_margin_hedge_totals(hedge, &result, &found);
    if (status != POISE_OK) return raise_status(status);
    PyObject *fields = result_dict(&result), *margin = fields ? answer_dict(&found) : NULL;
    PyObject *made = margin ? PyTuple_Pack(2, fields, margin) : NULL;
    Py_XDECREF(fields);
    Py_XDECREF(margin);
    return made;
}

/** margin_hedge_account(hedge, after) → figures, liquidation below and above. */
static PyObject *margin_hedge_account(PyObject *self, PyObject *arguments) {
    PyObject *capsule;
    int after;
    double below, above;
    poise_margin_figures figures = {.size = sizeof figures};
    if (!PyArg_ParseTuple(arguments, "Op", &capsule, &after)) return NULL;
    const poise_margin_hedge *hedge = pointer_of(capsule, margin_hedge_kind);
    if (!hedge) return NULL;
    poise_status status = poise_margin_hedge_account(hedge, (uint32_t)after, &figures, &below, &above);
    return status == POISE_OK ? Py_BuildValue("Ndd", figures_dict(&figures), below, above) : raise_status(status);
}

static const char *candidate_of(const void *hedge, size_t i) { return poise_margin_hedge_candidate(hedge, i); }
static const char *band_of(const void *hedge, size_t i) { return poise_margin_hedge_band(hedge, i); }
static const char *outcome_of(const void *hedge, size_t i) { return poise_margin_hedge_outcome(hedge, i); }
static const char *note_of(const void *hedge, size_t i) { return poise_margin_hedge_note(hedge, i); }

/** margin_hedge_tables(hedge) → candidates, how each counts, trades, headroom; bands, exposures, prices; outcomes, prices;
 *  notes. */
static PyObject *margin_hedge_tables(PyObject *self, PyObject *capsule) {
    const poise_margin_hedge *hedge = pointer_of(capsule, margin_hedge_kind);
    if (!hedge) return NULL;
    size_t candidates = poise_margin_hedge_candidate_count(hedge), bands = poise_margin_hedge_band_count(hedge),
           outcomes = poise_margin_hedge_outcome_count(hedge), notes = 0;
    while (note_of(hedge, notes)) notes++;
    enum { PARTS = 10 };
    poise_column columns[6];
    PyObject *parts[PARTS] = {list_of(candidates, candidate_of, hedge), new_column(candidates, columns),
                              new_column(candidates, columns + 1),      new_column(candidates, columns + 2),
                              list_of(bands, band_of, hedge),           new_column(bands, columns + 3),
                              new_column(bands, columns + 4),           list_of(outcomes, outcome_of, hedge),
                              new_column(outcomes, columns + 5),        list_of(notes, note_of, hedge)};
    bool is_made = true;
    for (int i = 0; i < PARTS; i++) is_made = is_made && parts[i];
    PyObject *made = NULL;
    if (is_made) {
        for (size_t i = 0; i < candidates; i++) columns[0].data[i] = (double)poise_margin_hedge_holding(hedge, i);
        poise_status status = poise_margin_hedge_trades(hedge, columns[1], columns[2]);
        if (status == POISE_OK) status = poise_margin_hedge_bands(hedge, columns[3], columns[4]);
        if (status == POISE_OK) status = poise_margin_hedge_outcome_prices(hedge, columns[5]);
        made = status == POISE_OK ? PyTuple_New(PARTS) : raise_status(status);
    }
    for (int i = 0; i < PARTS; i++) {
        if (made) {
            Py_INCREF(parts[i]);
            PyTuple_SetItem(made, i, parts[i]);
        }
        Py_XDECREF(parts[i]);
    }
    return made;
}

static PyMethodDef methods[] = {METHOD(margin_hedge_create, METH_VARARGS), METHOD(margin_hedge_of_case, METH_VARARGS),
                                METHOD(margin_hedge_totals, METH_O),       METHOD(margin_hedge_account, METH_VARARGS),
                                METHOD(margin_hedge_tables, METH_O),       {0}};

bool add_margin_hedge(PyObject *module) { return PyModule_AddFunctions(module, methods) == 0; }
