/* Live books that go on: contracts, books, cash, order books and limits that come and go. */
#include "desk.h"

static PyObject *answer(poise_status status) {
    if (status != POISE_OK) return raise_status(status);
    Py_RETURN_NONE;
}

/** The live book behind a capsule, or NULL with an exception. */
static poise_live *live_of(PyObject *capsule) { return pointer_of(capsule, live_kind); }

/* ---- What is there ---- */

/** live_versions(live) → of the layout, and of each hedge. */
static PyObject *live_versions(PyObject *self, PyObject *capsule) {
    const poise_live *live = live_of(capsule);
    if (!live) return NULL;
    PyObject *versions = PyList_New(0);
    for (size_t i = 0; versions && i <= poise_live_hedge_count(live); i++) {
        uint64_t version = i ? poise_live_hedge_version(live, i - 1) : poise_live_layout_version(live);
        PyObject *number = PyLong_FromUnsignedLongLong(version);
        if (!number || PyList_Append(versions, number) < 0) Py_CLEAR(versions);
        Py_XDECREF(number);
    }
    return versions;
}

/** live_groupings(live) → a poise_grouping each. */
static PyObject *live_groupings(PyObject *self, PyObject *capsule) {
    const poise_live *live = live_of(capsule);
    PyObject *groupings = live ? PyList_New(0) : NULL;
    for (size_t i = 0; groupings && i < poise_live_grouping_count(live); i++) {
        PyObject *number = PyLong_FromLongLong(poise_live_grouping(live, i));
        if (!number || PyList_Append(groupings, number) < 0) Py_CLEAR(groupings);
        Py_XDECREF(number);
    }
    return groupings;
}

static const char *book_name(const void *live, size_t i) { return poise_live_book(live, i); }

static PyObject *live_books(PyObject *self, PyObject *capsule) {
    const poise_live *live = live_of(capsule);
    return live ? list_of(poise_live_book_count(live), book_name, live) : NULL;
}

/** live_slices(live) → prices, rates, times, expiries (0: none), places of underlyings. */
static PyObject *live_slices(PyObject *self, PyObject *capsule) {
    const poise_live *live = live_of(capsule);
    if (!live) return NULL;
    npy_intp count = (npy_intp)poise_live_slice_count(live);
    PyObject *arrays[5], *made = PyTuple_New(5);
    for (int k = 0; k < 5; k++) {
        arrays[k] = made ? PyArray_SimpleNew(1, &count, k < 2 ? NPY_DOUBLE : NPY_INT64) : NULL;
        if (!arrays[k]) {
            Py_XDECREF(made);
            return NULL;
        }
        PyTuple_SetItem(made, k, arrays[k]);
    }
    for (npy_intp i = 0; i < count; i++) {
        poise_slice_state state = {.size = sizeof state};
        poise_status status = poise_live_slice_state(live, (size_t)i, &state);
        if (status != POISE_OK) {
            Py_DECREF(made);
            return raise_status(status);
        }
        ((double *)PyArray_DATA((PyArrayObject *)arrays[0]))[i] = state.price;
        ((double *)PyArray_DATA((PyArrayObject *)arrays[1]))[i] = state.rate;
        ((int64_t *)PyArray_DATA((PyArrayObject *)arrays[2]))[i] = state.milliseconds;
        ((int64_t *)PyArray_DATA((PyArrayObject *)arrays[3]))[i] = state.expiry;
        ((int64_t *)PyArray_DATA((PyArrayObject *)arrays[4]))[i] = (int64_t)state.underlying;
    }
    return made;
}

static PyObject *live_vol(PyObject *self, PyObject *arguments) {
    PyObject *capsule;
    Py_ssize_t contract;
    double vol;
    if (!PyArg_ParseTuple(arguments, "On", &capsule, &contract)) return NULL;
    const poise_live *live = live_of(capsule);
    if (!live) return NULL;
    poise_status status = poise_live_volatility(live, (size_t)contract, &vol);
    return status == POISE_OK ? PyFloat_FromDouble(vol) : raise_status(status);
}

/** live_listed(live) → whether each contract is. */
static PyObject *live_listed(PyObject *self, PyObject *capsule) {
    const poise_live *live = live_of(capsule);
    if (!live) return NULL;
    npy_intp count = (npy_intp)poise_live_contract_count(live);
    PyObject *array = PyArray_SimpleNew(1, &count, NPY_BOOL);
    for (npy_intp i = 0; array && i < count; i++)
        ((npy_bool *)PyArray_DATA((PyArrayObject *)array))[i] = poise_live_is_listed(live, (size_t)i) == 1;
    return array;
}

/** live_expired(live) → places of contracts. */
static PyObject *live_expired(PyObject *self, PyObject *capsule) {
    const poise_live *live = live_of(capsule);
    if (!live) return NULL;
    npy_intp count = (npy_intp)poise_live_expired(live, NULL, 0);
    PyObject *array = PyArray_SimpleNew(1, &count, NPY_UINTP);
    if (array) poise_live_expired(live, PyArray_DATA((PyArrayObject *)array), (size_t)count);
    return array;
}

/* ---- Contracts ---- */

static PyObject *live_list(PyObject *self, PyObject *arguments) {
    PyObject *capsule;
    const char *name;
    long long time;
    poise_listing listing = {.size = sizeof listing};
    if (!PyArg_ParseTuple(
            arguments, "OsLddd", &capsule, &name, &time, &listing.price, &listing.volatility, &listing.rate))
        return NULL;
    listing.milliseconds = time;
    poise_live *live = live_of(capsule);
    return live ? answer(poise_live_list(live, name, &listing, NULL)) : NULL;
}

static PyObject *live_delist(PyObject *self, PyObject *arguments) {
    PyObject *capsule;
    Py_ssize_t contract;
    if (!PyArg_ParseTuple(arguments, "On", &capsule, &contract)) return NULL;
    poise_live *live = live_of(capsule);
    return live ? answer(poise_live_delist(live, (size_t)contract)) : NULL;
}

static const char *payment_book(const void *live, size_t i) { return poise_live_payment_book(live, i); }

/** live_settle(live, contract, price) → last price, cash per unit, currency, books, quantities, cash. */
static PyObject *live_settle(PyObject *self, PyObject *arguments) {
    PyObject *capsule;
    Py_ssize_t contract;
    double price;
    if (!PyArg_ParseTuple(arguments, "Ond", &capsule, &contract, &price)) return NULL;
    poise_live *live = live_of(capsule);
    if (!live) return NULL;
    poise_settlement settled = {.size = sizeof settled};
    poise_status status = poise_live_settle(live, (size_t)contract, price, &settled);
    if (status != POISE_OK) return raise_status(status);
    npy_intp count = (npy_intp)settled.payment_count;
    PyObject *books = list_of(settled.payment_count, payment_book, live), *made = NULL;
    PyObject *quantities = PyArray_SimpleNew(1, &count, NPY_DOUBLE), *cash = PyArray_SimpleNew(1, &count, NPY_DOUBLE);
    if (books && quantities && cash) {
        poise_live_payments(
            live, (poise_column){PyArray_DATA((PyArrayObject *)quantities), 0},
            (poise_column){PyArray_DATA((PyArrayObject *)cash), 0});
        made = Py_BuildValue(
            "ddsOOO", settled.last_price, settled.cash_per_unit, settled.currency, books, quantities, cash);
    }
    Py_XDECREF(books);
    Py_XDECREF(quantities);
    Py_XDECREF(cash);
    return made;
}

static PyObject *live_roll_off(PyObject *self, PyObject *capsule) {
    poise_live *live = live_of(capsule);
    return live ? answer(poise_live_roll_off(live)) : NULL;
}

static PyObject *live_group(PyObject *self, PyObject *arguments) {
    PyObject *capsule, *coin, *groupings;
    poise_exposure_options options = {0};
    if (!PyArg_ParseTuple(arguments, "OOO!", &capsule, &coin, &PyTuple_Type, &groupings) ||
        !read_options(coin, groupings, &options))
        return NULL;
    poise_live *live = live_of(capsule);
    return live ? answer(poise_live_group(live, &options)) : NULL;
}

/* ---- Books and cash ---- */

static PyObject *live_add_book(PyObject *self, PyObject *arguments) {
    PyObject *capsule;
    const char *book, *desk;
    if (!PyArg_ParseTuple(arguments, "Osz", &capsule, &book, &desk)) return NULL;
    poise_live *live = live_of(capsule);
    return live ? answer(poise_live_add_book(live, book, desk)) : NULL;
}

static PyObject *live_set_position(PyObject *self, PyObject *arguments) {
    PyObject *capsule;
    const char *book;
    Py_ssize_t contract;
    double quantity;
    if (!PyArg_ParseTuple(arguments, "Osnd", &capsule, &book, &contract, &quantity)) return NULL;
    poise_live *live = live_of(capsule);
    return live ? answer(poise_live_set_position(live, book, (size_t)contract, quantity)) : NULL;
}

/** live_positions(live) → [(book, contract, quantity)] of what is not 0. */
static PyObject *live_positions(PyObject *self, PyObject *capsule) {
    const poise_live *live = live_of(capsule);
    PyObject *rows = live ? PyList_New(0) : NULL;
    for (size_t book = 0; rows && book < poise_live_book_count(live); book++)
        for (size_t contract = 0; rows && contract < poise_live_contract_count(live); contract++) {
            double quantity = 0;
            poise_status status = poise_live_position(live, poise_live_book(live, book), contract, &quantity);
            if (status == POISE_OK && quantity == 0) continue;
            PyObject *row =
                status == POISE_OK
                    ? Py_BuildValue("ssd", poise_live_book(live, book), poise_live_contract(live, contract), quantity)
                    : raise_status(status);
            if (!row || PyList_Append(rows, row) < 0) Py_CLEAR(rows);
            Py_XDECREF(row);
        }
    return rows;
}

static PyObject *live_position(PyObject *self, PyObject *arguments) {
    PyObject *capsule;
    const char *book;
    Py_ssize_t contract;
    double quantity;
    if (!PyArg_ParseTuple(arguments, "Osn", &capsule, &book, &contract)) return NULL;
    const poise_live *live = live_of(capsule);
    if (!live) return NULL;
    poise_status status = poise_live_position(live, book, (size_t)contract, &quantity);
    return status == POISE_OK ? PyFloat_FromDouble(quantity) : raise_status(status);
}

/** live_cash(live) → {(book, currency): amount}. */
static PyObject *live_cash(PyObject *self, PyObject *capsule) {
    const poise_live *live = live_of(capsule);
    PyObject *all = live ? PyDict_New() : NULL;
    for (size_t i = 0, count = all ? poise_live_cash_count(live) : 0; all && i < count; i++) {
        const char *book, *currency;
        double amount;
        poise_status status = poise_live_cash_at(live, i, &book, &currency, &amount);
        PyObject *key = status == POISE_OK ? Py_BuildValue("ss", book, currency) : raise_status(status);
        PyObject *value = key ? PyFloat_FromDouble(amount) : NULL;
        if (!value || PyDict_SetItem(all, key, value) < 0) Py_CLEAR(all);
        Py_XDECREF(key);
        Py_XDECREF(value);
    }
    return all;
}

static PyObject *live_add_cash(PyObject *self, PyObject *arguments) {
    PyObject *capsule;
    const char *book, *currency;
    double amount;
    if (!PyArg_ParseTuple(arguments, "Ossd", &capsule, &book, &currency, &amount)) return NULL;
    poise_live *live = live_of(capsule);
    return live ? answer(poise_live_add_cash(live, book, currency, amount)) : NULL;
}

/* ---- Many values at once ---- */

/** The exception that the last error makes. */
static PyObject *last_exception(void) {
    PyObject *type, *value, *traceback;
    raise_status(POISE_ERROR_VALUE);
    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    Py_XDECREF(type);
    Py_XDECREF(traceback);
    return value;
}

/** Values for places, both contiguous arrays of one length; false with an exception where they are not. */
static bool read_pairs(PyObject *places, PyObject *values, size_t *count) {
    PyArrayObject *at = (PyArrayObject *)places, *of = (PyArrayObject *)values;
    if (!PyArray_Check(places) || !PyArray_Check(values) || PyArray_TYPE(at) != NPY_UINTP ||
        PyArray_TYPE(of) != NPY_DOUBLE || !PyArray_IS_C_CONTIGUOUS(at) || !PyArray_IS_C_CONTIGUOUS(of) ||
        PyArray_SIZE(at) != PyArray_SIZE(of)) {
        PyErr_SetString(PyExc_TypeError, "expected places and as many numbers");
        return false;
    }
    *count = (size_t)PyArray_SIZE(at);
    return true;
}

/** live_set_vols(live, places, vols), live_set_prices(live, places, prices, time): where one is refused, one by one, for
 *  the exception of each → [(row, exception)]. */
static PyObject *set_many(PyObject *arguments, bool are_prices) {
    PyObject *capsule, *places, *values;
    long long time = 0;
    size_t count, refused = 0;
    if (!PyArg_ParseTuple(arguments, are_prices ? "OOOL" : "OOO", &capsule, &places, &values, &time) ||
        !read_pairs(places, values, &count))
        return NULL;
    poise_live *live = live_of(capsule);
    if (!live) return NULL;
    const size_t *at = PyArray_DATA((PyArrayObject *)places);
    const double *of = PyArray_DATA((PyArrayObject *)values);
    PyObject *failures = PyList_New(0);
    for (size_t row = 0, step = count; failures && row < count; row += step) {
        poise_values given = {of + row, 0};
        poise_status status = are_prices ? poise_live_set_prices(live, step, at + row, given, time, &refused)
                                         : poise_live_set_volatilities(live, step, at + row, given, &refused);
        if (status != POISE_OK) {
            Py_DECREF(failures);
            return raise_status(status);
        }
        if (!refused) continue;
        if (step > 1) {
            step = 1; /* Setting what is set changes nothing. */
            row = (size_t)-1;
            continue;
        }
        PyObject *pair = Py_BuildValue("nN", (Py_ssize_t)row, last_exception());
        if (!pair || PyList_Append(failures, pair) < 0) Py_CLEAR(failures);
        Py_XDECREF(pair);
    }
    return failures;
}

static PyObject *live_set_vols(PyObject *self, PyObject *arguments) { return set_many(arguments, false); }
static PyObject *live_set_prices(PyObject *self, PyObject *arguments) { return set_many(arguments, true); }

/** live_quote(live, columns, rows) → [(row, exception)]. */
static PyObject *live_quote(PyObject *self, PyObject *arguments) {
    PyObject *capsule, *columns;
    Py_ssize_t rows;
    if (!PyArg_ParseTuple(arguments, "OO!n", &capsule, &PyDict_Type, &columns, &rows)) return NULL;
    poise_live *live = live_of(capsule);
    poise_tickers tickers;
    if (!live || !read_tickers(columns, rows, &tickers)) return NULL;
    tickers.count = 1;
    PyObject *failures = PyList_New(0);
    for (Py_ssize_t row = 0; failures && row < rows; row++) {
        size_t refused = 0;
        poise_status status = poise_live_quote(live, &tickers, &refused);
        if (status != POISE_OK || refused) {
            PyObject *pair = Py_BuildValue("nN", row, last_exception());
            if (!pair || PyList_Append(failures, pair) < 0) Py_CLEAR(failures);
            Py_XDECREF(pair);
        }
        next_ticker(&tickers);
    }
    return failures;
}

/* ---- Saving ---- */

static PyObject *live_save(PyObject *self, PyObject *capsule) {
    const poise_live *live = live_of(capsule);
    if (!live) return NULL;
    size_t length = 0;
    poise_status status = poise_live_save(live, NULL, 0, &length);
    if (status != POISE_OK) return raise_status(status);
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)length);
    if (!bytes) return NULL;
    status = poise_live_save(live, PyBytes_AsString(bytes), length, &length);
    if (status == POISE_OK) return bytes;
    Py_DECREF(bytes);
    return raise_status(status);
}

static PyObject *live_restore(PyObject *self, PyObject *arguments) {
    const char *text;
    Py_ssize_t length;
    if (!PyArg_ParseTuple(arguments, "y#", &text, &length)) return NULL;
    const poise_engine *engine = engine_with(NULL);
    poise_live *live;
    return engine ? own_live(poise_live_restore(engine, text, (size_t)length, &live), &live) : NULL;
}

static PyMethodDef methods[] = {METHOD(live_versions, METH_O),       METHOD(live_groupings, METH_O),
                                METHOD(live_books, METH_O),          METHOD(live_slices, METH_O),
                                METHOD(live_vol, METH_VARARGS),      METHOD(live_listed, METH_O),
                                METHOD(live_expired, METH_O),        METHOD(live_list, METH_VARARGS),
                                METHOD(live_delist, METH_VARARGS),   METHOD(live_settle, METH_VARARGS),
                                METHOD(live_roll_off, METH_O),       METHOD(live_group, METH_VARARGS),
                                METHOD(live_add_book, METH_VARARGS), METHOD(live_set_position, METH_VARARGS),
                                METHOD(live_positions, METH_O),      METHOD(live_position, METH_VARARGS),
                                METHOD(live_cash, METH_O),           METHOD(live_add_cash, METH_VARARGS),
                                METHOD(live_set_vols, METH_VARARGS), METHOD(live_set_prices, METH_VARARGS),
                                METHOD(live_quote, METH_VARARGS),    METHOD(live_save, METH_O),
                                METHOD(live_restore, METH_VARARGS),  {0}};

bool add_live_desk(PyObject *module) { return PyModule_AddFunctions(module, methods) == 0; }
