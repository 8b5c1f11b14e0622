/* Columns between NumPy and the C ABI: in place wherever their layout allows it. */
#include "native.h"

static bool is_plain(PyArrayObject *array) {
    return PyArray_NDIM(array) <= 1 && PyArray_ISALIGNED(array) && PyArray_ISNOTSWAPPED(array);
}

static bool has_wrong_shape(PyArrayObject *array, const char *field) {
    if (PyArray_NDIM(array) <= 1) return false;
    PyErr_Format(PyExc_ValueError, "%s: expected a number or one dimension, got %d", field, PyArray_NDIM(array));
    return true;
}

/** Whether NumPy's conversion to doubles means the same numbers. */
static bool is_number(PyArrayObject *array) {
    int type = PyArray_TYPE(array);
    return PyTypeNum_ISINTEGER(type) || PyTypeNum_ISFLOAT(type);
}

bool read_values(PyObject *object, const char *field, input *in) {
    in->rows = -1;
    in->values = (poise_values){&in->scalar, POISE_BROADCAST};
    if (PyFloat_CheckExact(object) || PyLong_CheckExact(object)) {
        in->scalar = PyFloat_AsDouble(object);
        return in->scalar != -1 || !PyErr_Occurred();
    }
    if (PyFloat_Check(object)) { /* NumPy's */
        in->scalar = PyFloat_AsDouble(object);
        return true;
    }
    PyArrayObject *array = (PyArrayObject *)object;
    if (PyArray_CheckExact(object) && PyArray_TYPE(array) == NPY_DOUBLE && is_plain(array)) {
        Py_INCREF(array);
    } else {
        PyObject *given = PyArray_FROM_O(object);
        if (given && !(PyArray_CheckExact(given) && is_number((PyArrayObject *)given))) {
            PyObject *text = PyUnicode_FromString(field);
            PyObject *numbers = text ? PyObject_CallFunctionObjArgs(as_numbers, object, text, NULL) : NULL;
            Py_XDECREF(text);
            Py_DECREF(given);
            given = numbers;
        }
        int layout = NPY_ARRAY_ALIGNED | NPY_ARRAY_NOTSWAPPED | NPY_ARRAY_FORCECAST;
        array = given ? (PyArrayObject *)PyArray_FROM_OTF(given, NPY_DOUBLE, layout) : NULL;
        Py_XDECREF(given);
        if (!array) return false;
    }
    in->owner = (PyObject *)array;
    if (has_wrong_shape(array, field)) return false;
    in->values.data = PyArray_DATA(array);
    if (PyArray_NDIM(array) == 0) {
        in->scalar = *in->values.data;
        in->values.data = &in->scalar;
        return true;
    }
    in->rows = PyArray_DIM(array, 0);
    /* NumPy calls an array aligned only if its strides are multiples of 8 too. */
    npy_intp stride = PyArray_STRIDE(array, 0);
    in->values.stride = in->rows <= 1 ? 8 : stride == 0 ? POISE_BROADCAST : stride;
    return true;
}

bool read_types(PyObject *object, const char *field, bool keeps_unknown, input *in) {
    in->rows = -1;
    in->bytes = (poise_bytes){&in->code, POISE_BROADCAST};
    PyArrayObject *array = NULL;
    if (PyLong_CheckExact(object)) {
        long code = PyLong_AsLong(object);
        if (code == 0 || code == 1) {
            in->code = (uint8_t)code;
            return true;
        }
        PyErr_Clear();
    } else if (PyUnicode_CheckExact(object)) {
        static const char *const names[] = {"C", "P", "c", "p", "call", "put"};
        for (int i = 0; i < 6; i++)
            if (PyUnicode_CompareWithASCIIString(object, names[i]) == 0) {
                in->code = i % 2;
                return true;
            }
    } else if (PyArray_CheckExact(object)) {
        int type = PyArray_TYPE((PyArrayObject *)object);
        if ((type == NPY_UINT8 || type == NPY_INT8) && is_plain((PyArrayObject *)object)) {
            array = (PyArrayObject *)object;
            Py_INCREF(array);
        }
    }
    if (!array) {
        PyObject *codes = PyObject_CallFunctionObjArgs(type_codes, object, keeps_unknown ? Py_True : Py_False, NULL);
        if (!codes) return false;
        array = (PyArrayObject *)codes;
    }
    in->owner = (PyObject *)array;
    if (has_wrong_shape(array, field)) return false;
    const uint8_t *data = PyArray_DATA(array);
    if (PyArray_NDIM(array) == 0) {
        in->code = *data;
        return true;
    }
    in->rows = PyArray_DIM(array, 0);
    npy_intp stride = PyArray_STRIDE(array, 0);
    in->bytes = (poise_bytes){data, in->rows <= 1 ? 1 : stride == 0 ? POISE_BROADCAST : stride};
    return true;
}

void drop_inputs(input *in, int count) {
    for (int i = 0; i < count; i++) Py_XDECREF(in[i].owner);
}

Py_ssize_t common_rows(const input *in, const char *const *names, int count) {
    Py_ssize_t rows = -1;
    for (int i = 0; i < count; i++) {
        if (in[i].rows < 0) continue;
        if (rows < 0) rows = in[i].rows;
        if (in[i].rows != rows) {
            PyErr_Format(PyExc_ValueError, "%s: %zd values where %zd are needed", names[i], in[i].rows, rows);
            return -2;
        }
    }
    return rows;
}

/** The bytes from the first to the last of a column. */
typedef struct extent {
    const char *low, *high;
} extent;

static extent extent_of(const void *data, ptrdiff_t stride, Py_ssize_t rows, size_t width) {
    const char *first = data, *last = first + stride * (rows - 1);
    return stride < 0 ? (extent){last, first + width} : (extent){first, last + width};
}

static bool overlap(extent a, extent b) { return a.low < b.high && b.low < a.high; }

/** Columns that are broadcast are copied before anything is written. */
static bool is_in_the_way(const input *in, Py_ssize_t rows, extent output) {
    if (in->bytes.data)
        return in->bytes.stride != POISE_BROADCAST &&
               overlap(extent_of(in->bytes.data, in->bytes.stride, rows, 1), output);
    return in->values.stride != POISE_BROADCAST &&
           overlap(extent_of(in->values.data, in->values.stride, rows, 8), output);
}

bool read_output(PyObject *object, PyObject *name, Py_ssize_t rows, const input *in, int inputs, poise_column *column) {
    if (!PyArray_Check(object)) {
        PyErr_Format(PyExc_TypeError, "out[%R]: expected a NumPy array, got %R", name, (PyObject *)Py_TYPE(object));
        return false;
    }
    PyArrayObject *array = (PyArrayObject *)object;
    if (PyArray_TYPE(array) != NPY_DOUBLE || PyArray_NDIM(array) != 1 || PyArray_DIM(array, 0) != rows ||
        !PyArray_ISBEHAVED(array)) {
        PyErr_Format(PyExc_ValueError, "out[%R]: expected %zd writable float64 in one dimension", name, rows);
        return false;
    }
    *column = (poise_column){PyArray_DATA(array), rows <= 1 ? 8 : PyArray_STRIDE(array, 0)};
    if (rows == 0) return true;
    if (column->stride == 0) {
        PyErr_Format(PyExc_ValueError, "out[%R]: all rows lie in one place", name);
        return false;
    }
    extent output = extent_of(column->data, column->stride, rows, 8);
    for (int i = 0; i < inputs; i++)
        if (is_in_the_way(in + i, rows, output)) {
            PyErr_Format(PyExc_ValueError, "out[%R]: overlaps an input", name);
            return false;
        }
    return true;
}

bool is_apart(PyObject *object, PyObject *name, PyObject *const *others, int count) {
    PyArrayObject *array = (PyArrayObject *)object;
    Py_ssize_t rows = PyArray_DIM(array, 0);
    if (rows == 0) return true;
    extent mine = extent_of(PyArray_DATA(array), PyArray_STRIDE(array, 0), rows, PyArray_ITEMSIZE(array));
    for (int i = 0; i < count; i++) {
        PyArrayObject *other = (PyArrayObject *)others[i];
        if (!overlap(mine, extent_of(PyArray_DATA(other), PyArray_STRIDE(other, 0), rows, PyArray_ITEMSIZE(other))))
            continue;
        /* Columns of one matrix lie between each other and share nothing: NumPy tells. */
        PyObject *numpy = PyImport_ImportModule("numpy");
        PyObject *shared = numpy ? PyObject_CallMethod(numpy, "shares_memory", "OO", object, others[i]) : NULL;
        int is_shared = shared ? PyObject_IsTrue(shared) : -1;
        Py_XDECREF(numpy);
        Py_XDECREF(shared);
        if (is_shared > 0) PyErr_Format(PyExc_ValueError, "out[%R]: overlaps another output", name);
        if (is_shared != 0) return false;
    }
    return true;
}

uint8_t *read_status_output(PyObject *object, Py_ssize_t rows) {
    PyArrayObject *array = (PyArrayObject *)object;
    if (!PyArray_Check(object) || PyArray_TYPE(array) != NPY_UINT8 || PyArray_NDIM(array) != 1 ||
        PyArray_DIM(array, 0) != rows || !PyArray_ISCARRAY(array)) {
        PyErr_Format(PyExc_ValueError, "out[\"status\"]: expected %zd writable uint8, one after another", rows);
        return NULL;
    }
    return PyArray_DATA(array);
}

/* NumPy takes large blocks from the page allocator, so separate columns would all begin at the same place of a page. */
bool new_columns(int count, Py_ssize_t rows, PyObject **arrays) {
    npy_intp stride = (rows + 7) / 8 * 8 + 8, size = stride * count;
    PyObject *block = PyArray_SimpleNew(1, &size, NPY_DOUBLE);
    if (!block) return false;
    for (int i = 0; i < count; i++) {
        double *data = (double *)PyArray_DATA((PyArrayObject *)block) + i * stride;
        npy_intp dimension = rows;
        arrays[i] = PyArray_SimpleNewFromData(1, &dimension, NPY_DOUBLE, data);
        if (arrays[i]) {
            Py_INCREF(block);
            if (PyArray_SetBaseObject((PyArrayObject *)arrays[i], block) == 0) continue;
        }
        for (int k = 0; k <= i; k++) Py_CLEAR(arrays[k]);
        Py_DECREF(block);
        return false;
    }
    Py_DECREF(block);
    return true;
}

PyObject *view(int type, Py_ssize_t rows, const void *data, PyObject *owner) {
    npy_intp dimension = rows;
    if (rows == 0 || !data) {
        Py_DECREF(owner);
        dimension = 0;
        return PyArray_SimpleNew(1, &dimension, type);
    }
    PyObject *array = PyArray_SimpleNewFromData(1, &dimension, type, (void *)data);
    if (!array) {
        Py_DECREF(owner);
        return NULL;
    }
    PyArray_CLEARFLAGS((PyArrayObject *)array, NPY_ARRAY_WRITEABLE);
    if (PyArray_SetBaseObject((PyArrayObject *)array, owner) < 0) Py_CLEAR(array);
    return array;
}
