/* Chains, positions, limits and exposures. */
#include "desk.h"

/* ---- Columns by name ---- */

static PyArrayObject *array_of(reader *from, PyObject *object, const char *name, int type, Py_ssize_t rows) {
    PyArrayObject *array = (PyArrayObject *)object;
    if (PyArray_Check(object) && PyArray_TYPE(array) == type && PyArray_NDIM(array) == 1 &&
        PyArray_ISCARRAY_RO(array)) {
        if (rows < 0 || PyArray_DIM(array, 0) == rows) return array;
        PyErr_Format(
            PyExc_ValueError, "%s: %zd values where %zd are needed", name, (Py_ssize_t)PyArray_DIM(array, 0), rows);
    } else {
        PyErr_Format(PyExc_TypeError, "%s: unexpected kind of column", name);
    }
    from->has_failed = true;
    return NULL;
}

static const void *data_of(reader *from, const char *name, int type) {
    PyObject *object = from->has_failed ? NULL : PyDict_GetItemString(from->columns, name);
    PyArrayObject *array = object ? array_of(from, object, name, type, from->rows) : NULL;
    return array ? PyArray_DATA(array) : NULL;
}

poise_values values_of(reader *from, const char *name) { return (poise_values){data_of(from, name, NPY_DOUBLE), 0}; }

poise_texts texts_of(reader *from, const char *name) {
    poise_texts texts = {0};
    PyObject *pair = from->has_failed ? NULL : PyDict_GetItemString(from->columns, name);
    if (!pair) return texts;
    PyObject *places = PyTuple_Check(pair) ? PyTuple_GetItem(pair, 0) : NULL,
             *bytes = places ? PyTuple_GetItem(pair, 1) : NULL;
    if (!bytes) {
        if (!PyErr_Occurred()) PyErr_Format(PyExc_TypeError, "%s: expected texts", name);
        from->has_failed = true;
        return texts;
    }
    bool is_short = PyArray_Check(places) && PyArray_TYPE((PyArrayObject *)places) == NPY_INT32;
    PyArrayObject *offsets = array_of(from, places, name, is_short ? NPY_INT32 : NPY_INT64, from->rows + 1);
    PyArrayObject *data = offsets ? array_of(from, bytes, name, NPY_UINT8, -1) : NULL;
    if (!data) return texts;
    /* Also where all are empty, the address must not be NULL. */
    texts.bytes = PyArray_DIM(data, 0) ? PyArray_DATA(data) : "";
    if (is_short)
        texts.offsets32 = PyArray_DATA(offsets);
    else
        texts.offsets64 = PyArray_DATA(offsets);
    return texts;
}

const double *edges_of(reader *from, const char *name, size_t *count) {
    PyObject *object = from->has_failed ? NULL : PyDict_GetItemString(from->columns, name);
    PyArrayObject *array = object ? array_of(from, object, name, NPY_DOUBLE, -1) : NULL;
    *count = array ? (size_t)PyArray_DIM(array, 0) : 0;
    return array ? PyArray_DATA(array) : NULL;
}

static bool read_rows(PyObject *arguments, reader *from) {
    return PyArg_ParseTuple(arguments, "O!n", &PyDict_Type, &from->columns, &from->rows);
}

/* ---- Chains, positions, limits ---- */

bool read_tickers(PyObject *columns, Py_ssize_t rows, poise_tickers *tickers) {
    reader from = {columns, rows, false};
    *tickers = (poise_tickers){
        .size = sizeof *tickers,
        .count = (size_t)rows,
        .instrument = texts_of(&from, "instrument"),
        .timestamp = {data_of(&from, "timestamp", NPY_INT64), 0},
        .underlying_price = values_of(&from, "underlying_price"),
        .mark_volatility = values_of(&from, "vol"),
        .mark_price = values_of(&from, "mark_price"),
        .interest_rate = values_of(&from, "rate"),
        .index_price = values_of(&from, "index_price"),
        .bid_price = values_of(&from, "bid_price"),
        .bid_amount = values_of(&from, "bid_amount"),
        .ask_price = values_of(&from, "ask_price"),
        .ask_amount = values_of(&from, "ask_amount"),
        .underlying_index = texts_of(&from, "underlying_index"),
        .exchange = texts_of(&from, "exchange"),
        .bids = texts_of(&from, "bids"),
        .asks = texts_of(&from, "asks"),
        .open_interest = values_of(&from, "open_interest"),
        .exchange_delta = values_of(&from, "exchange_delta"),
        .exchange_gamma = values_of(&from, "exchange_gamma"),
        .exchange_vega = values_of(&from, "exchange_vega"),
        .exchange_theta = values_of(&from, "exchange_theta"),
        .exchange_rho = values_of(&from, "exchange_rho")};
    return !from.has_failed;
}

void next_ticker(poise_tickers *tickers) {
    poise_texts *texts[] = {
        &tickers->instrument, &tickers->underlying_index, &tickers->exchange, &tickers->bids, &tickers->asks};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (texts[i]->offsets32) texts[i]->offsets32++;
        if (texts[i]->offsets64) texts[i]->offsets64++;
    }
    poise_values *values[] = {&tickers->underlying_price, &tickers->mark_volatility, &tickers->mark_price,
                              &tickers->interest_rate,    &tickers->index_price,     &tickers->bid_price,
                              &tickers->bid_amount,       &tickers->ask_price,       &tickers->ask_amount,
                              &tickers->open_interest,    &tickers->exchange_delta,  &tickers->exchange_gamma,
                              &tickers->exchange_vega,    &tickers->exchange_theta,  &tickers->exchange_rho};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        if (values[i]->data) values[i]->data++;
    if (tickers->timestamp.data) tickers->timestamp.data++;
}

static PyObject *chain_create(PyObject *self, PyObject *arguments) {
    PyObject *columns;
    Py_ssize_t rows;
    poise_tickers tickers;
    if (!PyArg_ParseTuple(arguments, "O!n", &PyDict_Type, &columns, &rows) || !read_tickers(columns, rows, &tickers))
        return NULL;
    poise_chain *chain;
    return own_chain(poise_chain_create(&tickers, &chain), &chain);
}

static PyObject *positions_create(PyObject *self, PyObject *arguments) {
    reader from = {0};
    if (!read_rows(arguments, &from)) return NULL;
    poise_texts book = texts_of(&from, "book"), instrument = texts_of(&from, "instrument");
    poise_values quantity = values_of(&from, "quantity");
    poise_positions *positions;
    if (from.has_failed) return NULL;
    return own_positions(poise_positions_create((size_t)from.rows, book, instrument, quantity, &positions), &positions);
}

static PyObject *limits_create(PyObject *self, PyObject *arguments) {
    reader from = {0};
    if (!read_rows(arguments, &from)) return NULL;
    poise_limit_columns columns = {
        .size = sizeof columns,
        .count = (size_t)from.rows,
        .book = texts_of(&from, "book"),
        .underlying = texts_of(&from, "underlying"),
        .expiry = texts_of(&from, "expiry"),
        .exposure = {data_of(&from, "exposure", NPY_UINT8), 0},
        .low = values_of(&from, "low"),
        .high = values_of(&from, "high"),
        .penalty = values_of(&from, "penalty"),
        .penalty_quadratic = values_of(&from, "penalty_quadratic")};
    poise_limits *limits;
    return from.has_failed ? NULL : own_limits(poise_limits_create(&columns, &limits), &limits);
}

poise_source *sources_of(PyObject *given, const char *name, const char *exchange, PyObject *owners) {
    Py_ssize_t count = PyTuple_Size(given);
    poise_source *sources = count < 0 ? NULL : PyMem_Calloc((size_t)count + 1, sizeof *sources);
    if (!sources && count >= 0) PyErr_NoMemory();
    for (Py_ssize_t i = 0; sources && i < count; i++) {
        PyObject *one = PyTuple_GetItem(given, i), *bytes = NULL;
        sources[i] = (poise_source){.size = sizeof *sources, .name = name, .exchange = exchange};
        if (PyBytes_Check(one)) {
            Py_INCREF(bytes = one);
            sources[i].text = PyBytes_AsString(one);
            sources[i].length = (size_t)PyBytes_Size(one);
        } else if (PyUnicode_FSConverter(one, &bytes)) {
            sources[i].path = PyBytes_AsString(bytes);
        }
        if (!bytes || PyList_Append(owners, bytes) < 0) {
            PyMem_Free(sources);
            sources = NULL;
        }
        Py_XDECREF(bytes);
    }
    return sources;
}

/** chain_load(paths, text, name, exchange): of files, or where there are none, of the text. */
static PyObject *chain_load(PyObject *self, PyObject *arguments) {
    PyObject *paths, *owners = NULL;
    Py_ssize_t length;
    poise_source written = {.size = sizeof written};
    if (!PyArg_ParseTuple(
            arguments, "O!z#zz", &PyTuple_Type, &paths, &written.text, &length, &written.name, &written.exchange))
        return NULL;
    written.length = (size_t)length;
    Py_ssize_t files = PyTuple_Size(paths);
    if (files && !(owners = PyList_New(0))) return NULL;
    poise_source *sources = files ? sources_of(paths, NULL, written.exchange, owners) : &written;
    poise_chain *chain;
    PyObject *result = sources ? own_chain(poise_chain_load(sources, files ? (size_t)files : 1, &chain), &chain) : NULL;
    if (files) PyMem_Free(sources);
    Py_XDECREF(owners);
    return result;
}

/** chain_with_instruments(chain, path, text): the list is the text where there is no path. */
static PyObject *chain_with_instruments(PyObject *self, PyObject *arguments) {
    PyObject *capsule, *path, *bytes = NULL;
    Py_ssize_t length;
    poise_source list = {.size = sizeof list, .name = "instruments"};
    if (!PyArg_ParseTuple(arguments, "OOz#", &capsule, &path, &list.text, &length)) return NULL;
    list.length = (size_t)length;
    const poise_chain *chain = pointer_of(capsule, chain_kind);
    if (!chain || (path != Py_None && !PyUnicode_FSConverter(path, &bytes))) return NULL;
    if (bytes) list.path = PyBytes_AsString(bytes);
    poise_chain *made;
    PyObject *result = own_chain(poise_chain_with_instruments(chain, &list, &made), &made);
    Py_XDECREF(bytes);
    return result;
}

READERS(positions)
READERS(limits)

PyObject *list_of(size_t count, const char *(*name)(const void *, size_t), const void *from) {
    PyObject *names = PyList_New(0);
    for (size_t i = 0; names && i < count; i++) {
        const char *text = name(from, i);
        PyObject *item = PyUnicode_FromString(text ? text : "");
        if (!item || PyList_Append(names, item) < 0) Py_CLEAR(names);
        Py_XDECREF(item);
    }
    return names;
}

static const char *chain_name(const void *chain, size_t i) { return poise_chain_instrument(chain, i); }
static const char *chain_remark(const void *chain, size_t i) { return poise_chain_remark(chain, i); }

static PyObject *chain_instruments(PyObject *self, PyObject *capsule) {
    const poise_chain *chain = pointer_of(capsule, chain_kind);
    return chain ? list_of(poise_chain_count(chain), chain_name, chain) : NULL;
}

static PyObject *chain_remarks(PyObject *self, PyObject *capsule) {
    const poise_chain *chain = pointer_of(capsule, chain_kind);
    size_t count = 0;
    while (chain && poise_chain_remark(chain, count)) count++;
    return chain ? list_of(count, chain_remark, chain) : NULL;
}

static PyObject *chain_left_out(PyObject *self, PyObject *capsule) {
    const poise_chain *chain = pointer_of(capsule, chain_kind);
    return chain ? PyLong_FromSize_t(poise_chain_left_out(chain)) : NULL;
}

static const char *chain_coin(const void *chain, size_t i) { return poise_chain_underlying(chain, i); }

static PyObject *new_array(int type, size_t count, void **data) {
    npy_intp dimension = (npy_intp)count;
    PyObject *array = PyArray_SimpleNew(1, &dimension, type);
    *data = array ? PyArray_DATA((PyArrayObject *)array) : NULL;
    return array;
}

/** The doubles of a table of tickers, in the order in which `chain_table` has them. */
static const size_t ticker_numbers[] = {
    offsetof(poise_ticker_columns, strike),         offsetof(poise_ticker_columns, forward),
    offsetof(poise_ticker_columns, years),          offsetof(poise_ticker_columns, volatility),
    offsetof(poise_ticker_columns, rate),           offsetof(poise_ticker_columns, mark_price),
    offsetof(poise_ticker_columns, index_price),    offsetof(poise_ticker_columns, bid_price),
    offsetof(poise_ticker_columns, bid_amount),     offsetof(poise_ticker_columns, ask_price),
    offsetof(poise_ticker_columns, ask_amount),     offsetof(poise_ticker_columns, open_interest),
    offsetof(poise_ticker_columns, exchange_delta), offsetof(poise_ticker_columns, exchange_gamma),
    offsetof(poise_ticker_columns, exchange_vega),  offsetof(poise_ticker_columns, exchange_theta),
    offsetof(poise_ticker_columns, exchange_rho)};
enum { TICKER_NUMBERS = sizeof ticker_numbers / sizeof *ticker_numbers };

/** chain_table(chain) → underlyings, kinds, types, times, expiries (milliseconds), and the numbers above. */
static PyObject *chain_table(PyObject *self, PyObject *capsule) {
    const poise_chain *chain = pointer_of(capsule, chain_kind);
    if (!chain) return NULL;
    size_t count = poise_chain_count(chain);
    poise_ticker_columns columns = {.size = sizeof columns};
    PyObject *numbers[TICKER_NUMBERS], *result = NULL, *packed = PyTuple_New(TICKER_NUMBERS);
    if (!packed || !new_columns(TICKER_NUMBERS, (Py_ssize_t)count, numbers)) {
        Py_XDECREF(packed);
        return NULL;
    }
    for (int i = 0; i < TICKER_NUMBERS; i++) {
        ((poise_column *)((char *)&columns + ticker_numbers[i]))->data = PyArray_DATA((PyArrayObject *)numbers[i]);
        PyTuple_SetItem(packed, i, numbers[i]);
    }
    void *data[4];
    PyObject *kinds = new_array(NPY_UINT8, count, data), *types = new_array(NPY_UINT8, count, data + 1);
    PyObject *times = new_array(NPY_INT64, count, data + 2), *expiries = new_array(NPY_INT64, count, data + 3);
    PyObject *coins = list_of(count, chain_coin, chain);
    if (kinds && types && times && expiries && coins) {
        columns.kind = data[0];
        columns.type = data[1];
        columns.milliseconds = data[2];
        columns.expiry_milliseconds = data[3];
        poise_status status = poise_chain_table(chain, &columns);
        result =
            status == POISE_OK ? PyTuple_Pack(6, coins, kinds, types, times, expiries, packed) : raise_status(status);
    }
    PyObject *made[] = {kinds, types, times, expiries, coins, packed};
    for (int i = 0; i < 6; i++) Py_XDECREF(made[i]);
    return result;
}

/** chain_with_own_volatilities(chain) */
static PyObject *chain_with_own_volatilities(PyObject *self, PyObject *capsule) {
    const poise_chain *chain = pointer_of(capsule, chain_kind);
    const poise_engine *engine = chain ? engine_with(NULL) : NULL;
    if (!engine) return NULL;
    poise_chain *made;
    poise_status status;
    Py_BEGIN_ALLOW_THREADS
    status = poise_chain_with_own_volatilities(engine, chain, &made);
    Py_END_ALLOW_THREADS
    return own_chain(status, &made);
}

static PyObject *positions_count(PyObject *self, PyObject *capsule) {
    const poise_positions *positions = pointer_of(capsule, positions_kind);
    return positions ? PyLong_FromSize_t(poise_positions_count(positions)) : NULL;
}

/* ---- Exposures ---- */

bool read_options(PyObject *coin, PyObject *groupings, poise_exposure_options *options) {
    options->size = sizeof *options;
    options->numeraire = PyObject_IsTrue(coin) ? POISE_NUMERAIRE_COIN : POISE_NUMERAIRE_USD;
    Py_ssize_t count = PyTuple_Size(groupings);
    if (count < 0 || count > POISE_MAXIMUM_GROUPINGS) {
        if (count > 0) PyErr_SetString(PyExc_ValueError, "by: more groupings than there are");
        return false;
    }
    options->grouping_count = (uint32_t)count;
    for (Py_ssize_t i = 0; i < count; i++)
        options->groupings[i] = (poise_grouping)PyLong_AsLong(PyTuple_GetItem(groupings, i));
    return !PyErr_Occurred();
}

/** Copies figures by number into new arrays: a tuple, in the order of the numbers. */
PyObject *figures_of(
    size_t groups, const void *from, poise_status (*values)(const void *, poise_exposure, poise_column)) {
    PyObject *arrays[POISE_EXPOSURE_COUNT], *result = PyTuple_New(POISE_EXPOSURE_COUNT);
    if (!result || !new_columns(POISE_EXPOSURE_COUNT, (Py_ssize_t)groups, arrays)) {
        Py_XDECREF(result);
        return NULL;
    }
    poise_status status = POISE_OK;
    for (int i = 0; i < POISE_EXPOSURE_COUNT; i++) {
        if (status == POISE_OK)
            status = values(from, (poise_exposure)i, (poise_column){PyArray_DATA((PyArrayObject *)arrays[i]), 0});
        PyTuple_SetItem(result, i, arrays[i]);
    }
    if (status == POISE_OK) return result;
    Py_DECREF(result);
    return raise_status(status);
}

static poise_status exposure_values(const void *from, poise_exposure exposure, poise_column column) {
    return poise_exposures_values(from, exposure, column);
}

PyObject *labels_of(
    size_t groups, const poise_exposure_options *options, const char *(*label)(const void *, size_t, size_t),
    const void *from) {
    PyObject *labels = PyList_New(0);
    for (size_t k = 0, columns = options->grouping_count ? options->grouping_count : 2; labels && k < columns; k++) {
        PyObject *column = PyList_New(0);
        for (size_t i = 0; column && i < groups; i++) {
            PyObject *text = PyUnicode_FromString(label(from, i, k));
            if (!text || PyList_Append(column, text) < 0) Py_CLEAR(column);
            Py_XDECREF(text);
        }
        if (!column || PyList_Append(labels, column) < 0) Py_CLEAR(labels);
        Py_XDECREF(column);
    }
    return labels;
}

static const char *exposure_label(const void *from, size_t group, size_t grouping) {
    return poise_exposures_label(from, group, grouping);
}

poise_buckets buckets_of(reader *from) {
    poise_buckets buckets = {
        .size = sizeof buckets,
        .desk_count = (size_t)from->rows,
        .book = texts_of(from, "book"),
        .desk = texts_of(from, "desk")};
    buckets.tenor_days = edges_of(from, "tenor_days", &buckets.tenor_count);
    buckets.moneyness = edges_of(from, "moneyness", &buckets.moneyness_count);
    return buckets;
}

/** exposures(chain, positions, coin, groupings, buckets, desks) → labels by grouping, figures by number; see `buckets_of`. */
static PyObject *exposures(PyObject *self, PyObject *arguments) {
    PyObject *chain_capsule, *positions_capsule, *coin, *groupings;
    poise_exposure_options options = {0};
    reader from = {0};
    if (!PyArg_ParseTuple(
            arguments, "OOOO!O!n", &chain_capsule, &positions_capsule, &coin, &PyTuple_Type, &groupings, &PyDict_Type,
            &from.columns, &from.rows) ||
        !read_options(coin, groupings, &options))
        return NULL;
    poise_buckets buckets = buckets_of(&from);
    if (from.has_failed) return NULL;
    const poise_chain *chain = pointer_of(chain_capsule, chain_kind);
    const poise_positions *positions = chain ? pointer_of(positions_capsule, positions_kind) : NULL;
    const poise_engine *engine = positions ? engine_with(NULL) : NULL;
    if (!engine) return NULL;
    poise_exposures *made;
    poise_status status;
    Py_BEGIN_ALLOW_THREADS
    status = poise_exposures_create_in_buckets(engine, chain, positions, &options, &buckets, &made);
    Py_END_ALLOW_THREADS
    if (status != POISE_OK) return raise_status(status);
    size_t groups = poise_exposures_count(made);
    PyObject *labels = labels_of(groups, &options, exposure_label, made), *figures = NULL;
    if (labels) figures = figures_of(groups, made, exposure_values);
    poise_exposures_free(made);
    PyObject *result = figures ? PyTuple_Pack(2, labels, figures) : NULL;
    Py_XDECREF(labels);
    Py_XDECREF(figures);
    return result;
}

static PyMethodDef methods[] = {
    METHOD(chain_create, METH_VARARGS),
    METHOD(chain_load, METH_VARARGS),
    METHOD(chain_with_instruments, METH_VARARGS),
    METHOD(chain_instruments, METH_O),
    METHOD(chain_remarks, METH_O),
    METHOD(chain_left_out, METH_O),
    METHOD(chain_table, METH_O),
    METHOD(chain_with_own_volatilities, METH_O),
    METHOD(positions_create, METH_VARARGS),
    METHOD(positions_read, METH_VARARGS),
    METHOD(positions_parse, METH_VARARGS),
    METHOD(positions_count, METH_O),
    METHOD(limits_create, METH_VARARGS),
    METHOD(limits_read, METH_VARARGS),
    METHOD(limits_parse, METH_VARARGS),
    METHOD(exposures, METH_VARARGS),
    {0}};

bool add_desk(PyObject *module) { return PyModule_AddFunctions(module, methods) == 0; }
