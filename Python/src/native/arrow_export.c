/* Columns to whoever speaks Arrow's PyCapsule interface: the arrays' own memory, kept alive until it is released. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "arrow.h"
#include "native.h"

/** Behind each exported array: its Python owner and what must not move. */
typedef struct column {
    PyObject *owner;
    const void *buffers[3];
} column;

static void release_column(struct ArrowArray *array) {
    column *own = array->private_data;
    if (own->owner && Py_IsInitialized()) {
        PyGILState_STATE state = PyGILState_Ensure();
        Py_DECREF(own->owner);
        PyGILState_Release(state);
    }
    free(own);
    array->release = NULL;
}

static void release_table(struct ArrowArray *array) {
    for (int64_t i = 0; i < array->n_children; i++) {
        if (array->children[i]->release) array->children[i]->release(array->children[i]);
        free(array->children[i]);
    }
    free(array->children);
    free(array->private_data);
    array->release = NULL;
}

/** Of tables, their columns, and copies of both. */
static void release_schema(struct ArrowSchema *schema) {
    for (int64_t i = 0; i < schema->n_children; i++) {
        if (schema->children[i]->release) schema->children[i]->release(schema->children[i]);
        free(schema->children[i]);
    }
    free(schema->children);
    free(schema->private_data);
    schema->release = NULL;
}

/** Fills one child from an array; from offsets and bytes; or from milliseconds, bits that say which are there, and how many
 *  are not. */
static bool export_column(const char *name, PyObject *values, struct ArrowSchema *schema, struct ArrowArray *array) {
    PyObject *offsets = NULL, *bytes = NULL;
    bool is_time = PyTuple_Check(values) && PyTuple_Size(values) == 3, is_text = PyTuple_Check(values) && !is_time;
    PyObject *bits = is_time ? PyTuple_GetItem(values, 1) : NULL, *whole = values;
    long long missing = is_time ? PyLong_AsLongLong(PyTuple_GetItem(values, 2)) : 0;
    if (is_time) values = PyTuple_GetItem(values, 0);
    if (is_text) {
        if (!(offsets = PyTuple_GetItem(values, 0)) || !(bytes = PyTuple_GetItem(values, 1))) return false;
        values = bytes;
    }
    if (!PyArray_Check(values) || !PyArray_IS_C_CONTIGUOUS((PyArrayObject *)values)) {
        PyErr_Format(PyExc_TypeError, "%s: cannot be exported", name);
        return false;
    }
    int type = PyArray_TYPE((PyArrayObject *)values);
    column *own = calloc(1, sizeof *own);
    char *text = strdup(name);
    if (!own || !text) {
        free(own);
        free(text);
        PyErr_NoMemory();
        return false;
    }
    *schema = (struct ArrowSchema){
        .format = is_text              ? "U"
                  : is_time            ? "tsm:"
                  : type == NPY_DOUBLE ? "g"
                  : type == NPY_UINT8  ? "C"
                                       : "l",
        .name = text,
        .flags = is_time ? ARROW_NULLABLE : 0,
        .release = release_schema,
        .private_data = text};
    own->owner = is_text ? PyTuple_Pack(2, offsets, bytes) : whole;
    if (!is_text) Py_INCREF(whole);
    if (is_time) own->buffers[0] = PyArray_DATA((PyArrayObject *)bits);
    own->buffers[1] = PyArray_DATA((PyArrayObject *)(is_text ? offsets : values));
    if (is_text) own->buffers[2] = PyArray_DATA((PyArrayObject *)bytes);
    *array = (struct ArrowArray){
        .length = PyArray_DIM((PyArrayObject *)(is_text ? offsets : values), 0) - is_text,
        .null_count = missing,
        .n_buffers = 2 + is_text,
        .buffers = own->buffers,
        .release = release_column,
        .private_data = own};
    return true;
}

/** A record batch of a dict of arrays. */
static bool export_table(PyObject *columns, struct ArrowSchema *schema, struct ArrowArray *array) {
    Py_ssize_t count = PyDict_Size(columns), done = 0;
    *schema = (struct ArrowSchema){
        .format = "+s", .name = "", .children = calloc(count ? count : 1, sizeof(void *)), .release = release_schema};
    *array = (struct ArrowArray){
        .n_buffers = 1,
        .buffers = calloc(1, sizeof(void *)),
        .children = calloc(count ? count : 1, sizeof(void *)),
        .release = release_table};
    array->private_data = array->buffers;
    PyObject *key, *value;
    bool isDone = schema->children && array->children && array->buffers;
    for (Py_ssize_t place = 0; isDone && PyDict_Next(columns, &place, &key, &value);) {
        PyObject *name = PyUnicode_AsUTF8String(key);
        struct ArrowSchema *field = calloc(1, sizeof *field);
        struct ArrowArray *child = calloc(1, sizeof *child);
        isDone = name && field && child && export_column(PyBytes_AsString(name), value, field, child);
        Py_XDECREF(name);
        if (!isDone) {
            free(field);
            free(child);
            break;
        }
        schema->children[done] = field;
        array->children[done++] = child;
        schema->n_children = array->n_children = done;
        if (done == 1)
            array->length = child->length;
        else if (child->length != array->length) {
            PyErr_SetString(PyExc_ValueError, "columns of different lengths");
            isDone = false;
        }
    }
    if (isDone) return true;
    if (!PyErr_Occurred()) PyErr_NoMemory();
    schema->release(schema);
    array->release(array);
    return false;
}

static void free_schema(PyObject *capsule) {
    struct ArrowSchema *schema = PyCapsule_GetPointer(capsule, "arrow_schema");
    if (schema->release) schema->release(schema);
    free(schema);
}

static void free_array(PyObject *capsule) {
    struct ArrowArray *array = PyCapsule_GetPointer(capsule, "arrow_array");
    if (array->release) array->release(array);
    free(array);
}

/** export_array(columns) → capsules of a schema and a record batch. */
PyObject *native_export_array(PyObject *self, PyObject *arguments) {
    PyObject *columns;
    if (!PyArg_ParseTuple(arguments, "O!", &PyDict_Type, &columns)) return NULL;
    struct ArrowSchema *schema = malloc(sizeof *schema);
    struct ArrowArray *array = malloc(sizeof *array);
    if (!schema || !array || !export_table(columns, schema, array)) {
        free(schema);
        free(array);
        return PyErr_Occurred() ? NULL : PyErr_NoMemory();
    }
    PyObject *first = PyCapsule_New(schema, "arrow_schema", free_schema);
    PyObject *second = PyCapsule_New(array, "arrow_array", free_array);
    PyObject *pair = first && second ? PyTuple_Pack(2, first, second) : NULL;
    Py_XDECREF(first);
    Py_XDECREF(second);
    return pair;
}

/* ---- A stream of one batch ---- */

typedef struct stream {
    struct ArrowSchema schema;
    struct ArrowArray array;
    bool is_read;
} stream;

static bool copy_schema(const struct ArrowSchema *from, struct ArrowSchema *to) {
    char *name = strdup(from->name);
    *to = (struct ArrowSchema){
        .format = from->format,
        .name = name,
        .children = calloc(from->n_children ? from->n_children : 1, sizeof(void *)),
        .release = release_schema,
        .private_data = name};
    bool isDone = name && to->children;
    while (isDone && to->n_children < from->n_children) {
        struct ArrowSchema *child = calloc(1, sizeof *child);
        if (!child)
            isDone = false;
        else {
            to->children[to->n_children] = child;
            isDone = copy_schema(from->children[to->n_children++], child);
        }
    }
    if (!isDone && to->release) release_schema(to);
    return isDone;
}

static int get_schema(struct ArrowArrayStream *from, struct ArrowSchema *to) {
    const stream *own = from->private_data;
    return copy_schema(&own->schema, to) ? 0 : ENOMEM;
}

static int get_next(struct ArrowArrayStream *from, struct ArrowArray *to) {
    stream *own = from->private_data;
    *to = (struct ArrowArray){0};
    if (own->is_read) return 0;
    *to = own->array;
    own->is_read = true;
    return 0;
}

static const char *get_last_error(struct ArrowArrayStream *from) { return NULL; }

static void release_stream(struct ArrowArrayStream *from) {
    stream *own = from->private_data;
    own->schema.release(&own->schema);
    if (!own->is_read) own->array.release(&own->array);
    free(own);
    from->release = NULL;
}

static void free_stream(PyObject *capsule) {
    struct ArrowArrayStream *own = PyCapsule_GetPointer(capsule, "arrow_array_stream");
    if (own->release) own->release(own);
    free(own);
}

/** export_stream(columns) → a capsule of a stream of one record batch. */
PyObject *native_export_stream(PyObject *self, PyObject *arguments) {
    PyObject *columns;
    if (!PyArg_ParseTuple(arguments, "O!", &PyDict_Type, &columns)) return NULL;
    struct ArrowArrayStream *out = malloc(sizeof *out);
    stream *own = calloc(1, sizeof *own);
    if (!out || !own || !export_table(columns, &own->schema, &own->array)) {
        free(out);
        free(own);
        return PyErr_Occurred() ? NULL : PyErr_NoMemory();
    }
    *out = (struct ArrowArrayStream){get_schema, get_next, get_last_error, release_stream, own};
    PyObject *capsule = PyCapsule_New(out, "arrow_array_stream", free_stream);
    if (!capsule) {
        release_stream(out);
        free(out);
    }
    return capsule;
}
