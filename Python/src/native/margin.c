/* Margins: models, accounts, what a venue asks, live margins, and hedges under them. */
#include "desk.h"

READERS(margin_model)
READERS(margin_account)
READERS(margin_cases)

static PyObject *done(poise_status status) {
    if (status != POISE_OK) return raise_status(status);
    Py_RETURN_NONE;
}

static const char *omitted_term(const void *model, size_t i) { return poise_margin_model_omitted(model, i); }

/** margin_model_facts(model) → name, venue, source, date, kind, omitted terms. */
static PyObject *margin_model_facts(PyObject *self, PyObject *capsule) {
    const poise_margin_model *model = pointer_of(capsule, margin_model_kind);
    size_t count = 0;
    while (model && omitted_term(model, count)) count++;
    PyObject *omitted = model ? list_of(count, omitted_term, model) : NULL;
    if (!omitted) return NULL;
    return Py_BuildValue(
        "sssssN", poise_margin_model_fact(model, POISE_MARGIN_FACT_NAME),
        poise_margin_model_fact(model, POISE_MARGIN_FACT_VENUE),
        poise_margin_model_fact(model, POISE_MARGIN_FACT_SOURCE),
        poise_margin_model_fact(model, POISE_MARGIN_FACT_DATE), poise_margin_model_fact(model, POISE_MARGIN_FACT_KIND),
        omitted);
}

static PyObject *margin_account_currency(PyObject *self, PyObject *capsule) {
    const poise_margin_account *account = pointer_of(capsule, margin_account_kind);
    return account ? PyUnicode_FromString(poise_margin_account_currency(account)) : NULL;
}

static const char *case_name(const void *cases, size_t i) { return poise_margin_cases_name(cases, i); }

static PyObject *margin_cases_names(PyObject *self, PyObject *capsule) {
    const poise_margin_cases *cases = pointer_of(capsule, margin_cases_kind);
    return cases ? list_of(poise_margin_cases_count(cases), case_name, cases) : NULL;
}

/* ---- Margins ---- */

/** margin_create(chain, positions, account, model, underlying or None) */
static PyObject *margin_create(PyObject *self, PyObject *arguments) {
    PyObject *chain_capsule, *positions_capsule, *account_capsule, *model_capsule;
    const char *underlying;
    if (!PyArg_ParseTuple(
            arguments, "OOOOz", &chain_capsule, &positions_capsule, &account_capsule, &model_capsule, &underlying))
        return NULL;
    const poise_chain *chain = pointer_of(chain_capsule, chain_kind);
    const poise_positions *positions = chain ? pointer_of(positions_capsule, positions_kind) : NULL;
    const poise_margin_account *account = positions ? pointer_of(account_capsule, margin_account_kind) : NULL;
    const poise_margin_model *model = account ? pointer_of(model_capsule, margin_model_kind) : NULL;
    const poise_engine *engine = model ? engine_with(NULL) : NULL;
    if (!engine) return NULL;
    poise_margin *margin;
    poise_status status;
    Py_BEGIN_ALLOW_THREADS
    status = poise_margin_create(engine, chain, positions, account, model, underlying, &margin);
    Py_END_ALLOW_THREADS
    return own_margin(status, &margin);
}

const poise_margin_cases *read_case(PyObject *arguments, Py_ssize_t *index, const poise_engine **engine) {
    PyObject *capsule;
    if (!PyArg_ParseTuple(arguments, "On", &capsule, index)) return NULL;
    const poise_margin_cases *cases = pointer_of(capsule, margin_cases_kind);
    return cases && (*engine = engine_with(NULL)) ? cases : NULL;
}

/** margin_of_case(cases, index) */
static PyObject *margin_of_case(PyObject *self, PyObject *arguments) {
    Py_ssize_t index;
    const poise_engine *engine;
    const poise_margin_cases *cases = read_case(arguments, &index, &engine);
    if (!cases) return NULL;
    poise_margin *margin;
    poise_status status;
    Py_BEGIN_ALLOW_THREADS
    status = poise_margin_of_case(engine, cases, (size_t)index, &margin);
    Py_END_ALLOW_THREADS
    return own_margin(status, &margin);
}

PyObject *figures_dict(const poise_margin_figures *figures) {
    return Py_BuildValue(
        "{s:d,s:d,s:d,s:d,s:d,s:L}", "initial_margin", figures->initial_margin, "maintenance_margin",
        figures->maintenance_margin, "mark_to_market", figures->mark_to_market, "initial_balance",
        figures->initial_balance, "maintenance_balance", figures->maintenance_balance, "worst_scenario",
        (long long)figures->worst_scenario);
}

static PyObject *margin_totals(PyObject *self, PyObject *capsule) {
    const poise_margin *margin = pointer_of(capsule, margin_kind);
    poise_margin_figures figures = {.size = sizeof figures};
    if (!margin) return NULL;
    poise_status status = poise_margin_totals(margin, &figures);
    return status == POISE_OK ? figures_dict(&figures) : raise_status(status);
}

/** margin_table(margin, table, labels, amounts) → the lists of those labels, then the arrays of those amounts, by number. */
static PyObject *margin_table(PyObject *self, PyObject *arguments) {
    PyObject *capsule, *labels, *amounts;
    int table;
    if (!PyArg_ParseTuple(arguments, "OiO!O!", &capsule, &table, &PyTuple_Type, &labels, &PyTuple_Type, &amounts))
        return NULL;
    const poise_margin *margin = pointer_of(capsule, margin_kind);
    PyObject *made = margin ? PyList_New(0) : NULL;
    size_t rows = poise_margin_count(margin, (poise_margin_table)table);
    for (Py_ssize_t k = 0; made && k < PyTuple_Size(labels); k++) {
        poise_margin_label label = (poise_margin_label)PyLong_AsLong(PyTuple_GetItem(labels, k));
        PyObject *texts = PyList_New(0);
        for (size_t row = 0; texts && row < rows; row++) {
            const char *text = poise_margin_text(margin, (poise_margin_table)table, row, label);
            PyObject *item = PyUnicode_FromString(text ? text : "");
            if (!item || PyList_Append(texts, item) < 0) Py_CLEAR(texts);
            Py_XDECREF(item);
        }
        if (!texts || PyList_Append(made, texts) < 0) Py_CLEAR(made);
        Py_XDECREF(texts);
    }
    for (Py_ssize_t k = 0; made && k < PyTuple_Size(amounts); k++) {
        poise_margin_amount amount = (poise_margin_amount)PyLong_AsLong(PyTuple_GetItem(amounts, k));
        poise_column column;
        PyObject *array = new_column(rows, &column);
        poise_status status =
            array ? poise_margin_amounts(margin, (poise_margin_table)table, amount, column) : POISE_OK;
        if (status != POISE_OK) {
            Py_CLEAR(array);
            raise_status(status);
        }
        if (!array || PyList_Append(made, array) < 0) Py_CLEAR(made);
        Py_XDECREF(array);
    }
    return made;
}

static const char *underlying_of(const void *margin, size_t i) { return poise_margin_underlying(margin, i); }

/** margin_underlyings(margin) → names, indices in dollars. */
static PyObject *margin_underlyings(PyObject *self, PyObject *capsule) {
    const poise_margin *margin = pointer_of(capsule, margin_kind);
    if (!margin) return NULL;
    size_t count = poise_margin_underlying_count(margin);
    poise_column column;
    PyObject *names = list_of(count, underlying_of, margin), *indices = names ? new_column(count, &column) : NULL;
    for (size_t i = 0; indices && i < count; i++) column.data[i] = poise_margin_index(margin, i);
    PyObject *made = indices ? PyTuple_Pack(2, names, indices) : NULL;
    Py_XDECREF(names);
    Py_XDECREF(indices);
    return made;
}

static const char *idle_field(const void *margin, size_t i) { return poise_margin_without_effect(margin, i); }

static PyObject *margin_without_effect(PyObject *self, PyObject *capsule) {
    const poise_margin *margin = pointer_of(capsule, margin_kind);
    if (!margin) return NULL;
    size_t count = 0;
    while (idle_field(margin, count)) count++;
    return list_of(count, idle_field, margin);
}

/** margin_liquidation(margin, underlying or −1, lowest, highest) → prices, or multiples. */
static PyObject *margin_liquidation(PyObject *self, PyObject *arguments) {
    enum { USUALLY = 32 };
    PyObject *capsule;
    long long underlying;
    double lowest, highest, prices[USUALLY];
    size_t count = 0;
    if (!PyArg_ParseTuple(arguments, "OLdd", &capsule, &underlying, &lowest, &highest)) return NULL;
    const poise_margin *margin = pointer_of(capsule, margin_kind);
    if (!margin) return NULL;
    poise_status status;
    Py_BEGIN_ALLOW_THREADS
    status = poise_margin_liquidation(margin, underlying, lowest, highest, (poise_column){prices, 0}, USUALLY, &count);
    Py_END_ALLOW_THREADS
    if (status != POISE_OK && !(status == POISE_ERROR_COUNT && count > USUALLY)) return raise_status(status);
    poise_column column;
    PyObject *array = new_column(count, &column);
    if (!array) return NULL;
    if (status == POISE_OK) {
        for (size_t i = 0; i < count; i++) column.data[i] = prices[i];
    } else {
        size_t found;
        Py_BEGIN_ALLOW_THREADS
        status = poise_margin_liquidation(margin, underlying, lowest, highest, column, count, &found);
        Py_END_ALLOW_THREADS
    }
    if (status == POISE_OK) return array;
    Py_DECREF(array);
    return raise_status(status);
}

/** Four new columns for margins after trades. */
static bool new_margin_columns(size_t rows, PyObject **arrays, poise_margin_columns *columns) {
    *columns = (poise_margin_columns){.size = sizeof *columns};
    poise_column *targets[4] = {
        &columns->initial_margin, &columns->maintenance_margin, &columns->initial_balance,
        &columns->maintenance_balance};
    if (!new_columns(4, (Py_ssize_t)rows, arrays)) return false;
    for (int i = 0; i < 4; i++) *targets[i] = (poise_column){PyArray_DATA((PyArrayObject *)arrays[i]), 0};
    return true;
}

/** The arrays as a tuple, or the error of a call; takes over the arrays. */
static PyObject *margin_columns_tuple(poise_status status, PyObject **arrays) {
    PyObject *made =
        status == POISE_OK ? PyTuple_Pack(4, arrays[0], arrays[1], arrays[2], arrays[3]) : raise_status(status);
    for (int i = 0; i < 4; i++) Py_DECREF(arrays[i]);
    return made;
}

/** margin_what_if(margin, columns, rows) → initial and maintenance margin, initial and maintenance balance. */
static PyObject *margin_what_if(PyObject *self, PyObject *arguments) {
    PyObject *capsule, *arrays[4];
    reader from = {0};
    poise_margin_columns columns;
    if (!PyArg_ParseTuple(arguments, "OO!n", &capsule, &PyDict_Type, &from.columns, &from.rows)) return NULL;
    const poise_margin *margin = pointer_of(capsule, margin_kind);
    poise_texts instrument = texts_of(&from, "instrument");
    poise_values quantity = values_of(&from, "quantity");
    if (!margin || from.has_failed || !new_margin_columns((size_t)from.rows, arrays, &columns)) return NULL;
    poise_status status;
    Py_BEGIN_ALLOW_THREADS
    status = poise_margin_what_if(margin, (size_t)from.rows, instrument, quantity, &columns);
    Py_END_ALLOW_THREADS
    return margin_columns_tuple(status, arrays);
}

/* ---- Live margins ---- */

static PyObject *live_margin_create(PyObject *self, PyObject *capsule) {
    const poise_margin *margin = pointer_of(capsule, margin_kind);
    if (!margin) return NULL;
    poise_live_margin *live;
    poise_status status;
    Py_BEGIN_ALLOW_THREADS
    status = poise_live_margin_create(margin, &live);
    Py_END_ALLOW_THREADS
    return own_live_margin(status, &live);
}

static const char *live_contract(const void *live, size_t i) { return poise_live_margin_contract(live, i); }
static const char *live_expiry(const void *live, size_t i) { return poise_live_margin_expiry(live, i); }

/** live_margin_names(live) → contracts, expiries. */
static PyObject *live_margin_names(PyObject *self, PyObject *capsule) {
    const poise_live_margin *live = pointer_of(capsule, live_margin_kind);
    if (!live) return NULL;
    PyObject *contracts = list_of(poise_live_margin_contract_count(live), live_contract, live);
    PyObject *expiries = list_of(poise_live_margin_expiry_count(live), live_expiry, live);
    PyObject *names = contracts && expiries ? PyTuple_Pack(2, contracts, expiries) : NULL;
    Py_XDECREF(contracts);
    Py_XDECREF(expiries);
    return names;
}

/** A function that changes a number of the member at a place. */
#define SETTER(name, format, call, ...)                                               \
    static PyObject *name(PyObject *self, PyObject *arguments) {                      \
        PyObject *capsule;                                                            \
        Py_ssize_t place = 0;                                                         \
        double value = 0, amount = 0;                                                 \
        long long time = 0;                                                           \
        if (!PyArg_ParseTuple(arguments, format, &capsule, __VA_ARGS__)) return NULL; \
        poise_live_margin *live = pointer_of(capsule, live_margin_kind);              \
        (void)place, (void)amount, (void)time;                                        \
        return live ? done(call) : NULL;                                              \
    }
SETTER(live_margin_tick, "OdL", poise_live_margin_tick(live, value, time), &value, &time)
SETTER(live_margin_set_index, "Od", poise_live_margin_set_index(live, value), &value)
SETTER(live_margin_set_perpetual, "Ond", poise_live_margin_set_perpetual(live, (size_t)place, value), &place, &value)
SETTER(live_margin_set_forward, "Ond", poise_live_margin_set_forward(live, (size_t)place, value), &place, &value)
SETTER(live_margin_set_vol, "Ond", poise_live_margin_set_volatility(live, (size_t)place, value), &place, &value)
SETTER(live_margin_fill, "Ondd", poise_live_margin_fill(live, (size_t)place, value, amount), &place, &value, &amount)

static PyObject *live_margin_update(PyObject *self, PyObject *capsule) {
    handle *own = handle_of(capsule, live_margin_kind);
    if (!own) return NULL;
    poise_status status;
    own->is_busy = true;
    Py_BEGIN_ALLOW_THREADS
    status = poise_live_margin_update(own->pointer);
    Py_END_ALLOW_THREADS
    own->is_busy = false;
    return done(status);
}

static PyObject *live_margin_totals(PyObject *self, PyObject *capsule) {
    const poise_live_margin *live = pointer_of(capsule, live_margin_kind);
    poise_margin_figures figures = {.size = sizeof figures};
    if (!live) return NULL;
    poise_status status = poise_live_margin_totals(live, &figures);
    return status == POISE_OK ? figures_dict(&figures) : raise_status(status);
}

/** live_margin_what_if(live, contracts as int64, quantity) → as of margin_what_if. */
static PyObject *live_margin_what_if(PyObject *self, PyObject *arguments) {
    static const char *const names[] = {"quantity"};
    PyObject *capsule, *contracts, *quantity, *arrays[4], *made = NULL;
    poise_margin_columns columns;
    if (!PyArg_ParseTuple(arguments, "OOO", &capsule, &contracts, &quantity)) return NULL;
    handle *own = handle_of(capsule, live_margin_kind);
    if (!own) return NULL;
    PyArrayObject *places = (PyArrayObject *)contracts;
    if (!PyArray_Check(contracts) || PyArray_TYPE(places) != NPY_INT64 || PyArray_NDIM(places) != 1 ||
        !PyArray_ISCARRAY_RO(places)) {
        PyErr_SetString(PyExc_TypeError, "contracts: expected int64, one after another");
        return NULL;
    }
    Py_ssize_t rows = PyArray_DIM(places, 0);
    input in[1] = {0};
    if (read_values(quantity, names[0], in)) {
        if (in->rows >= 0 && in->rows != rows) {
            PyErr_Format(PyExc_ValueError, "quantity: %zd values where %zd are needed", in->rows, rows);
        } else if (new_margin_columns((size_t)rows, arrays, &columns)) {
            poise_status status;
            own->is_busy = true;
            PyThreadState *thread = rows < ROWS_WORTH_RELEASING ? NULL : PyEval_SaveThread();
            status = poise_live_margin_what_if(own->pointer, (size_t)rows, PyArray_DATA(places), in->values, &columns);
            if (thread) PyEval_RestoreThread(thread);
            own->is_busy = false;
            made = margin_columns_tuple(status, arrays);
        }
    }
    drop_inputs(in, 1);
    return made;
}

static PyMethodDef methods[] = {
    METHOD(margin_model_read, METH_VARARGS),
    METHOD(margin_model_parse, METH_VARARGS),
    METHOD(margin_model_facts, METH_O),
    METHOD(margin_account_read, METH_VARARGS),
    METHOD(margin_account_parse, METH_VARARGS),
    METHOD(margin_account_currency, METH_O),
    METHOD(margin_cases_read, METH_VARARGS),
    METHOD(margin_cases_parse, METH_VARARGS),
    METHOD(margin_cases_names, METH_O),
    METHOD(margin_create, METH_VARARGS),
    METHOD(margin_of_case, METH_VARARGS),
    METHOD(margin_totals, METH_O),
    METHOD(margin_table, METH_VARARGS),
    METHOD(margin_underlyings, METH_O),
    METHOD(margin_without_effect, METH_O),
    METHOD(margin_liquidation, METH_VARARGS),
    METHOD(margin_what_if, METH_VARARGS),
    METHOD(live_margin_create, METH_O),
    METHOD(live_margin_names, METH_O),
    METHOD(live_margin_tick, METH_VARARGS),
    METHOD(live_margin_set_index, METH_VARARGS),
    METHOD(live_margin_set_perpetual, METH_VARARGS),
    METHOD(live_margin_set_forward, METH_VARARGS),
    METHOD(live_margin_set_vol, METH_VARARGS),
    METHOD(live_margin_update, METH_O),
    METHOD(live_margin_fill, METH_VARARGS),
    METHOD(live_margin_totals, METH_O),
    METHOD(live_margin_what_if, METH_VARARGS),
    {0}};

bool add_margin(PyObject *module) {
    return PyModule_AddFunctions(module, methods) == 0 && add_margin_hedge(module) && add_margin_steps(module);
}
