/* poise.greeks and poise.implied_vol. */
#include <stdio.h>
#include <string.h>

#include "native.h"

const char greeks_doc[] =
    "greeks(type, spot=None, strike=None, years=None, vol=None, rate=0.0, dividend=0.0, *,"
    " greeks=None, model='black-scholes-merton', out=None, invalid='raise', threads=1)\n--\n\n"
    "Greeks of European options, one row each.\n\n"
    "Give columns, or one table that has them: anything with Arrow's `__arrow_c_stream__` or `__arrow_c_array__`\n"
    "(pyarrow, Polars, DuckDB), a pandas DataFrame, or a dict. Doubles are read where they are; no copy is made.\n\n"
    "Parameters\n----------\n"
    "type : (n,) uint8, or texts\n"
    "    0 or \"C\": call; 1 or \"P\": put.\n"
    "spot, strike : (n,) float64\n"
    "    In one currency. With dividend = rate, spot is the forward (Black-76).\n"
    "years : (n,) float64\n"
    "    To expiry, ACT/365.\n"
    "vol : (n,) float64\n"
    "    Volatility per square root of a year: 0.6 is 60%.\n"
    "rate, dividend : (n,) float64\n"
    "    Continuously compounded: 0.05 is 5%.\n"
    "    Each of these may be a number, which then stands for all rows; other kinds of numbers are converted.\n"
    "greeks : \"book\", \"all\", a name or names\n"
    "    Which of poise.GREEKS; what is not asked for is not computed. \"book\": price, delta, gamma, vega, theta, rho,\n"
    "    vanna, volga, charm. Left out, with `out`: the columns of `out`.\n"
    "model : str\n"
    "    \"black-scholes-merton\", \"bachelier\" (normal volatilities) or \"cash-or-nothing\" (pays 1 in the money).\n"
    "out : dict of (n,) float64\n"
    "    Memory to write to, such as an earlier result; it is returned. Must not overlap the inputs.\n"
    "invalid : \"raise\" or \"status\"\n"
    "    \"status\": rows that cannot be computed, types that are none among them, hold NaN, and a column `status` (uint8)\n"
    "    says why: an index into poise.ROW_STATUS, 0 where all is well.\n"
    "threads : int\n"
    "    How many share large batches; the bits don't depend on it.\n\n"
    "Returns\n-------\n"
    "poise.Columns\n"
    "    A dict of (n,) float64 by Greek, which Arrow consumers can take as it is; numbers where all inputs are.\n"
    "    Natural units: per 1.00 of volatility or rate and per year; theta is the derivative by calendar time.\n\n"
    "Raises\n------\n"
    "poise.InputError\n"
    "    For the first row that cannot be computed: attributes row, field, value.\n\n"
    "The interpreter lock is released while more than a few hundred rows are computed.";

const char implied_vol_doc[] =
    "implied_vol(type, spot=None, strike=None, years=None, price=None, rate=0.0, dividend=0.0, *,"
    " model='black-scholes-merton', out=None, threads=1)\n--\n\n"
    "Volatilities that prices of options imply, to the last digits that a price holds.\n\n"
    "Columns or a table, as for `greeks`, with `price` (n,) float64 in the currency of spot in place of `vol`; models as\n"
    "there, Bachelier's volatilities in units of the price.\n\n"
    "Returns\n-------\n"
    "poise.Columns\n"
    "    vol : (n,) float64, NaN where there is none or two;\n"
    "    status : (n,) uint8, an index into poise.VOLATILITY_STATUS: ok, below-intrinsic, above-maximum, not-a-number,\n"
    "    expired, two-volatilities (a digital out of the money). No value of a row raises; one whose type is none is\n"
    "    not-a-number.";

static PyObject *names_of_greeks[POISE_GREEK_COUNT], *name_of_status, *name_of_vol;

static bool intern_names(void) {
    if (name_of_vol) return true;
    for (int i = 0; i < POISE_GREEK_COUNT; i++)
        if (!(names_of_greeks[i] = PyUnicode_InternFromString(poise_greek_name(i)))) return false;
    name_of_status = PyUnicode_InternFromString("status");
    return name_of_status && (name_of_vol = PyUnicode_InternFromString("vol"));
}

/** The place of a Greek's name, −1 where it is none. */
static int greek_named(PyObject *name) {
    for (int i = 0; i < POISE_GREEK_COUNT; i++)
        if (name == names_of_greeks[i]) return i;
    if (PyUnicode_Check(name))
        for (int i = 0; i < POISE_GREEK_COUNT; i++)
            if (PyUnicode_CompareWithASCIIString(name, poise_greek_name(i)) == 0) return i;
    return -1;
}

static bool add_greek(PyObject *name, const char *where, poise_greek_set *set) {
    int greek = greek_named(name);
    if (greek >= 0) {
        *set |= 1u << greek;
        return true;
    }
    PyErr_Format(PyExc_ValueError, "%s: %R is no Greek; see poise.GREEKS", where, name);
    return false;
}

static bool read_selection(PyObject *object, PyObject *out, poise_greek_set *set) {
    *set = 0;
    if (object && object != Py_None) {
        if (PyUnicode_Check(object)) {
            if (PyUnicode_CompareWithASCIIString(object, "book") == 0)
                *set = POISE_GREEKS_BOOK;
            else if (PyUnicode_CompareWithASCIIString(object, "all") == 0)
                *set = POISE_GREEKS_ALL;
            else
                return add_greek(object, "greeks", set);
            return true;
        }
        PyObject *names = PySequence_Fast(object, "greeks: expected \"book\", \"all\" or names");
        if (!names) return false;
        Py_ssize_t count = PySequence_Size(names);
        bool isRead = true;
        for (Py_ssize_t i = 0; isRead && i < count; i++) {
            PyObject *name = PySequence_GetItem(names, i);
            isRead = name && add_greek(name, "greeks", set);
            Py_XDECREF(name);
        }
        Py_DECREF(names);
        return isRead;
    }
    if (!out) {
        *set = POISE_GREEKS_BOOK;
        return true;
    }
    PyObject *key, *value;
    for (Py_ssize_t place = 0; PyDict_Next(out, &place, &key, &value);)
        if (key != name_of_status && !(PyUnicode_Check(key) && PyUnicode_CompareWithASCIIString(key, "status") == 0) &&
            !add_greek(key, "out", set))
            return false;
    return true;
}

static bool read_model(PyObject *object, poise_model *model) {
    *model = POISE_MODEL_BLACK_SCHOLES_MERTON;
    if (!object || object == Py_None) return true;
    char known[256] = "";
    const char *name;
    for (int i = 0; (name = poise_model_name(i)); i++) {
        if (PyUnicode_Check(object) && PyUnicode_CompareWithASCIIString(object, name) == 0) {
            *model = i;
            return true;
        }
        const char *separator = i == 0 ? "" : poise_model_name(i + 1) ? ", " : " or ";
        size_t used = strlen(known);
        snprintf(known + used, sizeof known - used, "%s%s", separator, name);
    }
    PyErr_Format(PyExc_ValueError, "model: expected %s, got %R", known, object);
    return false;
}

/** Whether rows that cannot be computed get a status instead of an exception. */
static bool read_invalid(PyObject *object, bool *keeps) {
    *keeps = false;
    if (!object || object == Py_None) return true;
    if (PyUnicode_Check(object)) {
        if (PyUnicode_CompareWithASCIIString(object, "raise") == 0) return true;
        *keeps = PyUnicode_CompareWithASCIIString(object, "status") == 0;
        if (*keeps) return true;
    }
    PyErr_Format(PyExc_ValueError, "invalid: expected raise or status, got %R", object);
    return false;
}

static bool read_out(PyObject *object, PyObject **out) {
    *out = object == Py_None ? NULL : object;
    if (!*out || PyDict_Check(*out)) return true;
    PyErr_Format(
        PyExc_TypeError, "out: expected a dict of arrays or an earlier result, got %R", (PyObject *)Py_TYPE(object));
    return false;
}

static bool is_table(PyObject *const *values, int columns) {
    if (!values[0] || PyArray_Check(values[0])) return false;
    for (int i = 1; i < columns; i++)
        if (values[i]) return false;
    return true;
}

static bool read_columns(const signature *function, PyObject *const *values, bool keeps_unknown, input *in) {
    static PyObject *zero;
    if (!zero && !(zero = PyFloat_FromDouble(0))) return false;
    for (int i = 0; i < 7; i++) {
        PyObject *value = values[i] ? values[i] : i >= 5 ? zero : NULL;
        if (!value) {
            PyErr_Format(PyExc_TypeError, "%s() needs %s", function->name, function->names[i]);
            return false;
        }
        const char *name = function->names[i];
        if (!(i == 0 ? read_types(value, name, keeps_unknown, in) : read_values(value, name, in + i))) return false;
    }
    return true;
}

/** The columns of a result: those of `out`, or new ones. */
typedef struct result {
    PyObject *out, *arrays[POISE_GREEK_COUNT], *status;
    poise_column columns[POISE_GREEK_COUNT];
    double scalars[POISE_GREEK_COUNT];
    uint8_t *row_status, one_status;
    bool is_scalar;
} result;

static bool prepare(
    result *to, PyObject *out, PyObject *const *names, int count, Py_ssize_t rows, const input *in, bool keeps_status) {
    to->out = out;
    to->is_scalar = rows < 0;
    if (to->is_scalar) {
        if (out) {
            PyErr_SetString(PyExc_ValueError, "out: all inputs are single values, which are returned as numbers");
            return false;
        }
        for (int i = 0; i < count; i++) to->columns[i] = (poise_column){to->scalars + i, 8};
        to->row_status = keeps_status ? &to->one_status : NULL;
        return true;
    }
    if (out) {
        for (int i = 0; i < count; i++) {
            PyObject *array = PyDict_GetItemWithError(out, names[i]);
            if (!array) {
                if (!PyErr_Occurred()) PyErr_Format(PyExc_ValueError, "out: has no column %R", names[i]);
                return false;
            }
            to->arrays[i] = array;
            Py_INCREF(array);
            if (!read_output(array, names[i], rows, in, 7, to->columns + i)) return false;
            if (!is_apart(array, names[i], to->arrays, i)) return false;
        }
        if (!keeps_status) return true;
        to->status = PyDict_GetItemWithError(out, name_of_status);
        if (to->status) {
            Py_INCREF(to->status);
            to->row_status = read_status_output(to->status, rows);
            return to->row_status && is_apart(to->status, name_of_status, to->arrays, count);
        }
        if (PyErr_Occurred()) return false;
    } else {
        if (!new_columns(count, rows, to->arrays)) return false;
        for (int i = 0; i < count; i++)
            to->columns[i] = (poise_column){PyArray_DATA((PyArrayObject *)to->arrays[i]), 8};
    }
    if (keeps_status) {
        npy_intp dimension = rows;
        if (!(to->status = PyArray_SimpleNew(1, &dimension, NPY_UINT8))) return false;
        to->row_status = PyArray_DATA((PyArrayObject *)to->status);
    }
    return true;
}

/** The dict to return: `out`, or a new poise.Columns. */
static PyObject *finish(result *from, PyObject *const *names, int count) {
    PyObject *columns = from->out;
    if (columns)
        Py_INCREF(columns);
    else if (!(columns = PyObject_CallObject(columns_class, NULL)))
        return NULL;
    bool isDone = true;
    if (from->is_scalar)
        for (int i = 0; isDone && i < count; i++) {
            PyObject *number = PyFloat_FromDouble(from->scalars[i]);
            isDone = number && PyDict_SetItem(columns, names[i], number) == 0;
            Py_XDECREF(number);
        }
    else if (!from->out)
        for (int i = 0; isDone && i < count; i++) isDone = PyDict_SetItem(columns, names[i], from->arrays[i]) == 0;
    if (isDone && from->row_status) {
        PyObject *status = from->status;
        if (from->is_scalar)
            status = PyLong_FromLong(from->one_status);
        else
            Py_INCREF(status);
        isDone = status && PyDict_SetItem(columns, name_of_status, status) == 0;
        Py_XDECREF(status);
    }
    if (!isDone) Py_CLEAR(columns);
    return columns;
}

static void drop_result(result *result) {
    for (int i = 0; i < POISE_GREEK_COUNT; i++) Py_XDECREF(result->arrays[i]);
    Py_XDECREF(result->status);
}

/* Long columns are computed piece by piece, so that Ctrl-C ends a call between two of them. */

enum { PIECE = 1 << 21 };

poise_bytes bytes_from(poise_bytes column, size_t row) {
    if (column.stride != POISE_BROADCAST) column.data += column.stride * (ptrdiff_t)row;
    return column;
}

poise_values values_from(poise_values column, size_t row) {
    if (column.stride != POISE_BROADCAST)
        column.data = (const double *)((const char *)column.data + column.stride * (ptrdiff_t)row);
    return column;
}

static poise_column column_from(poise_column column, size_t row) {
    return (poise_column){(double *)((char *)column.data + column.stride * (ptrdiff_t)row), column.stride};
}

PyObject *raise_status_of_piece(poise_status status, size_t first) {
    raise_status(status);
    PyObject *type, *error, *trace;
    PyErr_Fetch(&type, &error, &trace);
    PyErr_NormalizeException(&type, &error, &trace);
    PyObject *row = first > 0 && error ? PyObject_GetAttrString(error, "row") : NULL;
    if (row && PyLong_Check(row)) {
        PyObject *offset = PyLong_FromSize_t(first), *sum = offset ? PyNumber_Add(row, offset) : NULL;
        if (sum) PyObject_SetAttrString(error, "row", sum);
        Py_XDECREF(offset);
        Py_XDECREF(sum);
    }
    Py_XDECREF(row);
    PyErr_Clear();
    PyErr_Restore(type, error, trace);
    return NULL;
}

/* Keywords behind the seven columns. */
enum { GREEKS = 7, MODEL, GREEKS_OUT, INVALID, GREEKS_THREADS, GREEKS_TOTAL };

PyObject *native_greeks(PyObject *self, PyObject *const *arguments, Py_ssize_t count, PyObject *keywords) {
    static const char *const names[] = {"type",     "spot",   "strike", "years", "vol",     "rate",
                                        "dividend", "greeks", "model",  "out",   "invalid", "threads"};
    static PyObject *keys[GREEKS_TOTAL];
    static const signature function = {"greeks", 7, GREEKS_TOTAL, names, keys};
    PyObject *values[GREEKS_TOTAL] = {0}, *out;
    poise_greek_set set;
    bool keeps_status;
    poise_full_form form = {.size = sizeof form};
    if (!intern_names() || !bind(&function, arguments, count, keywords, values)) return NULL;
    if (is_table(values, 7)) {
        PyObject *rest[5];
        for (int i = 0; i < 5; i++) rest[i] = values[7 + i] ? values[7 + i] : Py_None;
        return PyObject_CallFunctionObjArgs(table_greeks, values[0], rest[0], rest[1], rest[2], rest[3], rest[4], NULL);
    }
    if (!read_out(values[GREEKS_OUT] ? values[GREEKS_OUT] : Py_None, &out) ||
        !read_selection(values[GREEKS], out, &set) || !read_model(values[MODEL], &form.model) ||
        !read_invalid(values[INVALID], &keeps_status))
        return NULL;
    const poise_engine *engine = engine_with(values[GREEKS_THREADS]);
    if (!engine) return NULL;

    input in[7] = {0};
    result results = {0};
    PyObject *answer = NULL, *selected[POISE_GREEK_COUNT];
    int columns = 0;
    for (int i = 0; i < POISE_GREEK_COUNT; i++)
        if (set >> i & 1) selected[columns++] = names_of_greeks[i];
    if (!read_columns(&function, values, keeps_status, in)) goto done;
    Py_ssize_t rows = common_rows(in, names, 7);
    if (rows < -1 || !prepare(&results, out, selected, columns, rows, in, keeps_status)) goto done;

    size_t total = rows < 0 ? 1 : (size_t)rows, first = 0;
    do {
        form.count = total - first < PIECE ? total - first : PIECE;
        form.type = bytes_from(in[0].bytes, first);
        form.spot = values_from(in[1].values, first);
        form.strike = values_from(in[2].values, first);
        form.years = values_from(in[3].values, first);
        form.volatility = values_from(in[4].values, first);
        form.rate = values_from(in[5].values, first);
        form.dividend = values_from(in[6].values, first);
        poise_column targets[POISE_GREEK_COUNT];
        for (int i = 0; i < columns; i++) targets[i] = column_from(results.columns[i], first);
        PyThreadState *thread = form.count < ROWS_WORTH_RELEASING ? NULL : PyEval_SaveThread();
        poise_status status =
            poise_greeks(engine, &form, set, targets, columns, results.row_status ? results.row_status + first : NULL);
        if (thread) PyEval_RestoreThread(thread);
        if (status != POISE_OK) {
            raise_status_of_piece(status, first);
            goto done;
        }
        first += form.count;
    } while (first < total && PyErr_CheckSignals() == 0);
    answer = first < total ? NULL : finish(&results, selected, columns);
done:
    drop_inputs(in, 7);
    drop_result(&results);
    return answer;
}

enum { VOL_MODEL = 7, VOL_OUT, VOL_THREADS, VOL_TOTAL };

PyObject *native_implied_vol(PyObject *self, PyObject *const *arguments, Py_ssize_t count, PyObject *keywords) {
    static const char *const names[] = {"type", "spot",     "strike", "years", "price",
                                        "rate", "dividend", "model",  "out",   "threads"};
    static PyObject *keys[VOL_TOTAL];
    static const signature function = {"implied_vol", 7, VOL_TOTAL, names, keys};
    PyObject *values[VOL_TOTAL] = {0}, *out;
    poise_prices form = {.size = sizeof form};
    if (!intern_names() || !bind(&function, arguments, count, keywords, values)) return NULL;
    if (is_table(values, 7))
        return PyObject_CallFunctionObjArgs(
            table_implied_vol, values[0], values[VOL_MODEL] ? values[VOL_MODEL] : Py_None,
            values[VOL_OUT] ? values[VOL_OUT] : Py_None, values[VOL_THREADS] ? values[VOL_THREADS] : Py_None, NULL);
    if (!read_out(values[VOL_OUT] ? values[VOL_OUT] : Py_None, &out) || !read_model(values[VOL_MODEL], &form.model))
        return NULL;
    const poise_engine *engine = engine_with(values[VOL_THREADS]);
    if (!engine) return NULL;

    input in[7] = {0};
    result results = {0};
    PyObject *answer = NULL;
    if (!read_columns(&function, values, true, in)) goto done;
    Py_ssize_t rows = common_rows(in, names, 7);
    if (rows < -1 || !prepare(&results, out, &name_of_vol, 1, rows, in, true)) goto done;
    size_t total = rows < 0 ? 1 : (size_t)rows, first = 0;
    do {
        form.count = total - first < PIECE ? total - first : PIECE;
        form.type = bytes_from(in[0].bytes, first);
        form.spot = values_from(in[1].values, first);
        form.strike = values_from(in[2].values, first);
        form.years = values_from(in[3].values, first);
        form.price = values_from(in[4].values, first);
        form.rate = values_from(in[5].values, first);
        form.dividend = values_from(in[6].values, first);
        PyThreadState *thread = form.count < ROWS_WORTH_RELEASING ? NULL : PyEval_SaveThread();
        poise_status status =
            poise_implied_volatility(engine, &form, column_from(results.columns[0], first), results.row_status + first);
        if (thread) PyEval_RestoreThread(thread);
        if (status != POISE_OK) {
            raise_status_of_piece(status, first);
            goto done;
        }
        first += form.count;
    } while (first < total && PyErr_CheckSignals() == 0);
    answer = first < total ? NULL : finish(&results, &name_of_vol, 1);
done:
    drop_inputs(in, 7);
    drop_result(&results);
    return answer;
}
