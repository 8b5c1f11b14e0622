/* Margins ahead of time, in whole numbers, and auctions step by step. */
#include "desk.h"

/** An array of each of the first `figures` amounts of all `rows`, behind the parts in `made`, which it takes over. */
static PyObject *with_amounts(
    PyObject *made, size_t rows, int figures, const void *from,
    poise_status (*amounts)(const void *, int, poise_column)) {
    for (int figure = 0; made && figure < figures; figure++) {
        poise_column column;
        PyObject *array = new_column(rows, &column);
        poise_status status = array ? amounts(from, figure, column) : POISE_OK;
        if (status != POISE_OK) {
            Py_CLEAR(array);
            raise_status(status);
        }
        if (!array || PyList_Append(made, array) < 0) Py_CLEAR(made);
        Py_XDECREF(array);
    }
    return made;
}

static const char *cause_of(const void *ahead, size_t i) {
    return poise_margin_ahead_text(ahead, i, POISE_MARGIN_NAME);
}
static const char *coin_of(const void *ahead, size_t i) {
    return poise_margin_ahead_text(ahead, i, POISE_MARGIN_UNDERLYING);
}
static const char *expiry_of(const void *ahead, size_t i) {
    return poise_margin_ahead_text(ahead, i, POISE_MARGIN_EXPIRY);
}
static poise_status step_amounts(const void *ahead, int figure, poise_column column) {
    return poise_margin_ahead_amounts(ahead, (poise_margin_step)figure, column);
}

/** margin_ahead(margin, days) → causes, underlyings, expiries, then an array of each poise_margin_step. */
static PyObject *margin_ahead(PyObject *self, PyObject *arguments) {
    PyObject *capsule;
    double days;
    if (!PyArg_ParseTuple(arguments, "Od", &capsule, &days)) return NULL;
    const poise_margin *margin = pointer_of(capsule, margin_kind);
    if (!margin) return NULL;
    poise_margin_ahead *ahead;
    poise_status status;
    Py_BEGIN_ALLOW_THREADS
    status = poise_margin_ahead_create(margin, days, &ahead);
    Py_END_ALLOW_THREADS
    if (status != POISE_OK) return raise_status(status);
    const char *(*const labels[])(const void *, size_t) = {cause_of, coin_of, expiry_of};
    const size_t rows = poise_margin_ahead_count(ahead);
    PyObject *made = PyList_New(0);
    for (int k = 0; made && k < 3; k++) {
        PyObject *texts = list_of(rows, labels[k], ahead);
        if (!texts || PyList_Append(made, texts) < 0) Py_CLEAR(made);
        Py_XDECREF(texts);
    }
    made = with_amounts(made, rows, POISE_MARGIN_STEP_MAINTENANCE_BALANCE_AFTER + 1, ahead, step_amounts);
    poise_margin_ahead_free(ahead);
    return made;
}

static const char *figure_of(const void *exact, size_t i) {
    return poise_margin_exact_figure(exact, (poise_margin_whole)i);
}
static const char *scenario_of(const void *exact, size_t i) { return poise_margin_exact_scenario(exact, i); }
static const char *loss_of(const void *exact, size_t i) { return poise_margin_exact_loss(exact, i); }

/** margin_exact(margin) → figures in digits, scenarios, their losses in digits, transcript. */
static PyObject *margin_exact(PyObject *self, PyObject *capsule) {
    const poise_margin *margin = pointer_of(capsule, margin_kind);
    if (!margin) return NULL;
    poise_margin_exact *exact;
    poise_status status;
    Py_BEGIN_ALLOW_THREADS
    status = poise_margin_exact_create(margin, &exact);
    Py_END_ALLOW_THREADS
    if (status != POISE_OK) return raise_status(status);
    const size_t scenarios = poise_margin_exact_count(exact);
    PyObject *made = Py_BuildValue(
        "NNNs", list_of(POISE_MARGIN_WHOLE_MARK_TO_MARKET + 1, figure_of, exact),
        list_of(scenarios, scenario_of, exact), list_of(scenarios, loss_of, exact),
        poise_margin_exact_transcript(exact));
    poise_margin_exact_free(exact);
    return made;
}

static poise_status bid_amounts(const void *auction, int figure, poise_column column) {
    return poise_margin_auction_amounts(auction, (poise_margin_bid)figure, column);
}

/** margin_auction(cases, index) → an array of each poise_margin_bid. */
static PyObject *margin_auction(PyObject *self, PyObject *arguments) {
    Py_ssize_t index;
    const poise_engine *engine;
    const poise_margin_cases *cases = read_case(arguments, &index, &engine);
    if (!cases) return NULL;
    poise_margin_auction *auction;
    poise_status status = poise_margin_auction_of_case(cases, (size_t)index, &auction);
    if (status != POISE_OK) return raise_status(status);
    PyObject *made = with_amounts(
        PyList_New(0), poise_margin_auction_count(auction), POISE_MARGIN_BID_MAINTENANCE_BALANCE_AFTER + 1, auction,
        bid_amounts);
    poise_margin_auction_free(auction);
    return made;
}

static PyMethodDef methods[] = {
    METHOD(margin_ahead, METH_VARARGS), METHOD(margin_exact, METH_O), METHOD(margin_auction, METH_VARARGS), {0}};

bool add_margin_steps(PyObject *module) { return PyModule_AddFunctions(module, methods) == 0; }
