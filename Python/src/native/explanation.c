/* Trades, and profits of books explained. */
#include "desk.h"

READERS(trades)

/** trades_create(columns, rows): book, instrument, quantity, price, and fee where there are fees. */
static PyObject *trades_create(PyObject *self, PyObject *arguments) {
    reader from = {0};
    if (!PyArg_ParseTuple(arguments, "O!n", &PyDict_Type, &from.columns, &from.rows)) return NULL;
    poise_texts book = texts_of(&from, "book"), instrument = texts_of(&from, "instrument");
    poise_values quantity = values_of(&from, "quantity"), price = values_of(&from, "price"),
                 fee = values_of(&from, "fee");
    poise_trades *trades;
    if (from.has_failed) return NULL;
    return own_trades(poise_trades_create((size_t)from.rows, book, instrument, quantity, price, fee, &trades), &trades);
}

static PyObject *trades_count(PyObject *self, PyObject *capsule) {
    const poise_trades *trades = pointer_of(capsule, trades_kind);
    return trades ? PyLong_FromSize_t(poise_trades_count(trades)) : NULL;
}

static const char *group_label(const void *from, size_t group, size_t grouping) {
    return poise_explanation_label(from, group, grouping);
}

/** The parts of every group, a column each. */
static PyObject *parts_of(const poise_explanation *made, int count) {
    PyObject *arrays[POISE_PROFIT_PART_COUNT], *result = PyTuple_New(count);
    if (!result || !new_columns(count, (Py_ssize_t)poise_explanation_count(made), arrays)) {
        Py_XDECREF(result);
        return NULL;
    }
    poise_status status = POISE_OK;
    for (int i = 0; i < count; i++) {
        poise_column column = {PyArray_DATA((PyArrayObject *)arrays[i]), 0};
        if (status == POISE_OK) status = poise_explanation_values(made, (poise_profit_part)i, column);
        PyTuple_SetItem(result, i, arrays[i]);
    }
    if (status == POISE_OK) return result;
    Py_DECREF(result);
    return raise_status(status);
}

/** Name, price, and whether it was given, of each settlement. */
static PyObject *settlements_of(const poise_explanation *made) {
    PyObject *list = PyList_New(0);
    for (size_t i = 0; list && i < poise_explanation_settlement_count(made); i++) {
        double price;
        uint32_t is_given;
        const char *name = poise_explanation_settlement(made, i, &price, &is_given);
        PyObject *one = Py_BuildValue("sdi", name, price, (int)is_given);
        if (!one || PyList_Append(list, one) < 0) Py_CLEAR(list);
        Py_XDECREF(one);
    }
    return list;
}

/** explanation(from, to, positions, trades or None, coin, groupings, buckets, desks, deliveries, delivery_count, funding_rate,
 *  splits_vega) → labels by grouping, parts, settlements. Deliveries: a dict of name (texts) and price. */
static PyObject *explanation(PyObject *self, PyObject *arguments) {
    PyObject *from_capsule, *to_capsule, *positions_capsule, *trades_capsule, *coin, *groupings;
    poise_explanation_options options = {.size = sizeof options};
    reader desks = {0}, deliveries = {0};
    int splits_vega;
    if (!PyArg_ParseTuple(
            arguments, "OOOOOO!O!nO!ndp", &from_capsule, &to_capsule, &positions_capsule, &trades_capsule, &coin,
            &PyTuple_Type, &groupings, &PyDict_Type, &desks.columns, &desks.rows, &PyDict_Type, &deliveries.columns,
            &deliveries.rows, &options.funding_rate, &splits_vega) ||
        !read_options(coin, groupings, &options.exposures))
        return NULL;
    poise_buckets buckets = buckets_of(&desks);
    options.buckets = &buckets;
    options.splits_vega = (uint32_t)splits_vega;
    options.delivery_count = (size_t)deliveries.rows;
    options.delivery_name = texts_of(&deliveries, "name");
    options.delivery_price = values_of(&deliveries, "price");
    if (desks.has_failed || deliveries.has_failed) return NULL;
    const poise_chain *from = pointer_of(from_capsule, chain_kind);
    const poise_chain *to = from ? pointer_of(to_capsule, chain_kind) : NULL;
    const poise_positions *positions = to ? pointer_of(positions_capsule, positions_kind) : NULL;
    const poise_trades *trades = NULL;
    if (positions && trades_capsule != Py_None && !(trades = pointer_of(trades_capsule, trades_kind))) return NULL;
    const poise_engine *engine = positions ? engine_with(NULL) : NULL;
    if (!engine) return NULL;
    poise_explanation *made;
    poise_status status;
    Py_BEGIN_ALLOW_THREADS
    status = poise_explanation_create(engine, from, to, positions, trades, &options, &made);
    Py_END_ALLOW_THREADS
    if (status != POISE_OK) return raise_status(status);
    PyObject *labels = labels_of(poise_explanation_count(made), &options.exposures, group_label, made);
    PyObject *parts = labels ? parts_of(made, splits_vega ? POISE_PROFIT_PART_COUNT : POISE_PROFIT_VEGA_LEVEL) : NULL;
    PyObject *settlements = parts ? settlements_of(made) : NULL;
    PyObject *result = settlements ? PyTuple_Pack(3, labels, parts, settlements) : NULL;
    poise_explanation_free(made);
    Py_XDECREF(labels);
    Py_XDECREF(parts);
    Py_XDECREF(settlements);
    return result;
}

static PyMethodDef methods[] = {METHOD(trades_create, METH_VARARGS), METHOD(trades_read, METH_VARARGS),
                                METHOD(trades_parse, METH_VARARGS),  METHOD(trades_count, METH_O),
                                METHOD(explanation, METH_VARARGS),   {0}};

bool add_explanation(PyObject *module) { return PyModule_AddFunctions(module, methods) == 0; }
