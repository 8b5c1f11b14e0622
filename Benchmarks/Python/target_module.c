/* The same behind a C extension: limited API, vectorcall, NumPy's own accessors. */
#define Py_LIMITED_API 0x030A0000
#define PY_SSIZE_T_CLEAN
#define NPY_NO_DEPRECATED_API NPY_1_22_API_VERSION
#include <Python.h>
#include <numpy/arrayobject.h>

#include "target.h"

static const char *const names[] = {"type", "spot", "strike", "years", "vol", "rate", "dividend", "out"};
static PyObject *interned[8];

static PyObject *greeks(PyObject *self, PyObject *const *arguments, Py_ssize_t count, PyObject *keywords) {
    PyObject *values[8] = {0};
    Py_ssize_t named = keywords ? PyTuple_Size(keywords) : 0;
    for (Py_ssize_t i = 0; i < count; i++) values[i] = arguments[i];
    for (Py_ssize_t i = 0; i < named; i++) {
        PyObject *key = PyTuple_GetItem(keywords, i);
        for (int k = 0; k < 8; k++)
            if (key == interned[k]) values[k] = arguments[count + i];
    }
    for (int i = 0; i < 7; i++)
        if (!values[i] || !PyArray_Check(values[i]) ||
            PyArray_TYPE((PyArrayObject *)values[i]) != (i ? NPY_DOUBLE : NPY_UINT8) ||
            !PyArray_IS_C_CONTIGUOUS((PyArrayObject *)values[i]))
            return PyErr_Format(PyExc_TypeError, "%s", names[i]);
    target_columns in = {PyArray_DATA((PyArrayObject *)values[0])};
    const double **column = &in.spot;
    for (int i = 1; i < 7; i++) column[i - 1] = PyArray_DATA((PyArrayObject *)values[i]);
    double *out[9];
    for (int i = 0; i < 9; i++) {
        PyObject *array = PyTuple_GetItem(values[7], i);
        if (!PyArray_Check(array)) return PyErr_Format(PyExc_TypeError, "out");
        out[i] = PyArray_DATA((PyArrayObject *)array);
    }
    int status;
    size_t rows = (size_t)PyArray_DIM((PyArrayObject *)values[0], 0);
    Py_BEGIN_ALLOW_THREADS
    status = target_greeks(&in, rows, out);
    Py_END_ALLOW_THREADS
    return PyLong_FromLong(status);
}

static PyMethodDef methods[] = {{"greeks", (PyCFunction)(void (*)(void))greeks, METH_FASTCALL | METH_KEYWORDS, 0}, {0}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "target_module", 0, -1, methods};

PyMODINIT_FUNC PyInit_target_module(void) {
    import_array();
    for (int i = 0; i < 8; i++) interned[i] = PyUnicode_InternFromString(names[i]);
    return PyModule_Create(&module);
}
