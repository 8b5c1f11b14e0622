/* The module: errors, engines, arguments. */
#define POISE_NATIVE_MODULE
#include "native.h"

PyObject *columns_class, *table_greeks, *table_implied_vol, *type_codes, *as_numbers;
static PyObject *error_of_status, *input_error;

PyObject *raise_status(poise_status status) {
    PyObject *error = PyObject_CallFunction(
        error_of_status, "sssisLLsds", poise_status_name(status), poise_last_error(), poise_last_error_reason(),
        (int)poise_last_error_place_kind(), poise_last_error_place(), (long long)poise_last_error_row(),
        (long long)poise_last_error_earlier_row(), poise_last_error_field(), poise_last_error_value(),
        poise_last_error_text());
    if (error) {
        PyErr_SetObject((PyObject *)Py_TYPE(error), error);
        Py_DECREF(error);
    }
    return NULL;
}

PyObject *raise_input(Py_ssize_t row, const char *field, const char *reason) {
    PyObject *error = PyObject_CallFunction(input_error, "sns", reason, row, field);
    if (error) {
        PyErr_SetObject(input_error, error);
        Py_DECREF(error);
    }
    return NULL;
}

bool bind(
    const signature *function, PyObject *const *arguments, Py_ssize_t count, PyObject *keywords, PyObject **values) {
    if (!function->keys[0])
        for (int i = 0; i < function->total; i++)
            if (!(function->keys[i] = PyUnicode_InternFromString(function->names[i]))) return false;
    if (count > function->positional) {
        PyErr_Format(
            PyExc_TypeError, "%s() takes %d positional arguments, got %zd", function->name, function->positional,
            count);
        return false;
    }
    for (Py_ssize_t i = 0; i < count; i++) values[i] = arguments[i];
    Py_ssize_t named = keywords ? PyTuple_Size(keywords) : 0;
    for (Py_ssize_t i = 0; i < named; i++) {
        PyObject *key = PyTuple_GetItem(keywords, i);
        int place = 0;
        while (place < function->total && key != function->keys[place]) place++;
        if (place == function->total)
            for (place = 0; place < function->total; place++)
                if (PyUnicode_CompareWithASCIIString(key, function->names[place]) == 0) break;
        if (place == function->total || place < count) {
            PyErr_Format(
                PyExc_TypeError, place < count ? "%s() got %R twice" : "%s() has no argument %R", function->name, key);
            return false;
        }
        values[place] = arguments[count + i];
    }
    return true;
}

#define MAXIMUM_THREADS 1024
static poise_engine *engines[MAXIMUM_THREADS + 1];

const poise_engine *engine_with(PyObject *threads) {
    long count = 1;
    if (threads && threads != Py_None) {
        count = PyLong_AsLong(threads);
        if (count == -1 && PyErr_Occurred()) return NULL;
    }
    if (count < 1 || count > MAXIMUM_THREADS) {
        PyErr_Format(PyExc_ValueError, "threads: expected 1 to %d, got %ld", MAXIMUM_THREADS, count);
        return NULL;
    }
    if (!engines[count]) {
        poise_engine_options options = {.size = sizeof options, .threads = (uint32_t)count};
        poise_status status = poise_engine_create(&options, engines + count);
        if (status != POISE_OK) raise_status(status);
    }
    return engines[count];
}

/** In a forked child, threads of the parent's engines don't exist: they are left alone, and made anew when needed. */
static PyObject *forget_engines(PyObject *self, PyObject *nothing) {
    for (int i = 2; i <= MAXIMUM_THREADS; i++) engines[i] = NULL;
    Py_RETURN_NONE;
}

static PyObject *instruction_set(PyObject *self, PyObject *nothing) {
    static const char *const names[] = {"automatic", "baseline", "avx2", "avx512"};
    const poise_engine *engine = engine_with(NULL);
    return engine ? PyUnicode_FromString(names[poise_engine_instruction_set(engine)]) : NULL;
}

#define VECTORCALL(function) (PyCFunction)(void (*)(void)) function, METH_FASTCALL | METH_KEYWORDS

static PyMethodDef methods[] = {
    {"greeks", VECTORCALL(native_greeks), greeks_doc},
    {"implied_vol", VECTORCALL(native_implied_vol), implied_vol_doc},
    {"import_arrow", native_import_arrow, METH_VARARGS, NULL},
    {"time", native_time, METH_O, NULL},
    {"export_array", native_export_array, METH_VARARGS, NULL},
    {"export_stream", native_export_stream, METH_VARARGS, NULL},
    {"forget_engines", forget_engines, METH_NOARGS, NULL},
    {"instruction_set", instruction_set, METH_NOARGS,
     "instruction_set()\n--\n\nWhat the kernel runs on: \"avx512\", \"avx2\" or \"baseline\". POISE_ISA chooses another."},
    {0}};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "poise._native", NULL, -1, methods};

static bool look_up(const char *module, const char *name, PyObject **place) {
    PyObject *found = PyImport_ImportModule(module);
    *place = found ? PyObject_GetAttrString(found, name) : NULL;
    Py_XDECREF(found);
    return *place;
}

static const char *greek(int number) { return poise_greek_name((poise_greek)number); }
static const char *exposure(int number) { return poise_exposure_name((poise_exposure)number); }

/** The names of the numbers in a set of bits. */
static bool add_names(PyObject *module, const char *attribute, unsigned set, const char *(*name)(int)) {
    PyObject *names = PyList_New(0);
    for (int i = 0; names && set >> i; i++) {
        PyObject *text = set >> i & 1 ? PyUnicode_FromString(name(i)) : NULL;
        if (text && PyList_Append(names, text) < 0) Py_CLEAR(names);
        Py_XDECREF(text);
    }
    PyObject *tuple = names ? PyList_AsTuple(names) : NULL;
    Py_XDECREF(names);
    return tuple && PyModule_AddObject(module, attribute, tuple) == 0;
}

PyMODINIT_FUNC PyInit__native(void) {
    import_array();
    if (poise_abi_version() != POISE_ABI_VERSION)
        return PyErr_Format(
            PyExc_ImportError, "libpoise has ABI version %u, this extension needs %u", poise_abi_version(),
            POISE_ABI_VERSION);
    if (!look_up("poise._columns", "Columns", &columns_class) ||
        !look_up("poise._columns", "type_codes", &type_codes) || !look_up("poise._columns", "numbers", &as_numbers) ||
        !look_up("poise._tables", "greeks", &table_greeks) ||
        !look_up("poise._tables", "implied_vol", &table_implied_vol) ||
        !look_up("poise._errors", "error_of_status", &error_of_status) ||
        !look_up("poise._errors", "InputError", &input_error))
        return NULL;
    PyObject *module = PyModule_Create(&definition);
    if (!module) return NULL;
    if (PyModule_AddStringConstant(module, "version", poise_version()) < 0 ||
        !add_names(module, "GREEKS", POISE_GREEKS_ALL, greek) ||
        !add_names(module, "BOOK_GREEKS", POISE_GREEKS_BOOK, greek) ||
        !add_names(module, "EXPOSURES", (1u << POISE_EXPOSURE_COUNT) - 1, exposure) || !add_desk(module) ||
        !add_live(module) || !add_live_desk(module) || !add_live_hedges(module) || !add_margin(module) ||
        !add_scenarios(module) || !add_slices(module) || !add_surface(module) || !add_tail_risk(module) ||
        !add_explanation(module)) {
        Py_DECREF(module);
        return NULL;
    }
    return module;
}
