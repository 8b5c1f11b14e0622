/* Tables from whoever speaks Arrow's PyCapsule interface: doubles, integers and texts where they are, option types and
 * other kinds of numbers by conversion. No Arrow library is needed. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arrow.h"
#include "native.h"

/** What a column is wanted as; in optional texts, nulls are empty ones. */
enum kind { DOUBLES = 'f', TYPES = 't', TEXTS = 's', OPTIONAL_TEXTS = 'o', MILLISECONDS = 'i' };

/** What is neither a call nor a put, as a code that the kernel refuses. */
enum { NEITHER = 255 };

/* ---- What there is ---- */

/** Whether a column is of Arrow's type of nothing but nulls. */
static bool is_empty(const struct ArrowSchema *schema) { return !strcmp(schema->format, "n"); }

static bool is_null(const struct ArrowArray *array, int64_t row) {
    const uint8_t *valid = array->n_buffers > 0 && array->null_count != 0 ? array->buffers[0] : NULL;
    return valid && !(valid[(array->offset + row) >> 3] >> ((array->offset + row) & 7) & 1);
}

static bool number_at(const char *format, const struct ArrowArray *array, int64_t row, double *value);

/** The first null of a column, also one of its dictionary's; −1 where there is none. */
static int64_t first_null(const struct ArrowSchema *schema, const struct ArrowArray *array) {
    const struct ArrowArray *dictionary = array->dictionary;
    bool may_have = array->null_count != 0 && array->n_buffers > 0 && array->buffers[0];
    bool may_refer = dictionary && dictionary->null_count != 0 && dictionary->n_buffers > 0 && dictionary->buffers[0];
    for (int64_t row = 0; (may_have || may_refer) && row < array->length; row++) {
        double place;
        if (is_null(array, row)) return row;
        if (may_refer && number_at(schema->format, array, row, &place) && is_null(dictionary, (int64_t)place))
            return row;
    }
    return -1;
}

/** A decimal column ("d:12,4", "d:12,4,64"): digits behind the point and bytes of a value; false for other kinds and for
 *  values of more than 128 bits. */
static bool decimal_layout(const char *format, int *scale, int *bytes) {
    int precision, bits = 128;
    if (sscanf(format, "d:%d,%d,%d", &precision, scale, &bits) < 2) return false;
    *bytes = bits / 8;
    return (bits == 32 || bits == 64 || bits == 128) && *scale >= 0;
}

/** The double nearest to an integer over a power of ten. */
static double decimal_at(const struct ArrowArray *array, int64_t row, int scale, int bytes) {
    const char *place = (const char *)array->buffers[1] + bytes * (array->offset + row);
    int32_t narrow;
    int64_t wide;
    __int128 value;
    if (bytes == 4) {
        memcpy(&narrow, place, 4);
        value = narrow;
    } else if (bytes == 8) {
        memcpy(&wide, place, 8);
        value = wide;
    } else {
        memcpy(&value, place, 16);
    }
    unsigned __int128 magnitude = value < 0 ? -(unsigned __int128)value : (unsigned __int128)value;
    char text[64], *start = text + 48;
    PyOS_snprintf(start, sizeof text - 48, "e-%d", scale);
    do *--start = (char)('0' + (int)(magnitude % 10));
    while (magnitude /= 10);
    if (value < 0) *--start = '-';
    return PyOS_string_to_double(start, NULL, NULL);
}

/** A float of 16 bits. */
static double half_at(const struct ArrowArray *array, int64_t row) {
    uint16_t bits = ((const uint16_t *)array->buffers[1])[array->offset + row];
    int exponent = bits >> 10 & 31, fraction = bits & 1023;
    double size = exponent == 31  ? (fraction ? NAN : INFINITY)
                  : exponent == 0 ? ldexp(fraction, -24)
                                  : ldexp(1024 + fraction, exponent - 25);
    return bits >> 15 ? -size : size;
}

/** A number of a primitive column; false for kinds that are none. */
static bool number_at(const char *format, const struct ArrowArray *array, int64_t row, double *value) {
    const void *data = array->buffers[1];
    int64_t i = array->offset + row;
    switch (format[0]) {
    case 'g':
        *value = ((const double *)data)[i];
        return true;
    case 'f':
        *value = ((const float *)data)[i];
        return true;
    case 'c':
        *value = ((const int8_t *)data)[i];
        return true;
    case 'C':
        *value = ((const uint8_t *)data)[i];
        return true;
    case 's':
        *value = ((const int16_t *)data)[i];
        return true;
    case 'S':
        *value = ((const uint16_t *)data)[i];
        return true;
    case 'i':
        *value = ((const int32_t *)data)[i];
        return true;
    case 'I':
        *value = ((const uint32_t *)data)[i];
        return true;
    case 'l':
        *value = (double)((const int64_t *)data)[i];
        return true;
    case 'L':
        *value = (double)((const uint64_t *)data)[i];
        return true;
    default:
        return false;
    }
}

static bool is_number(const char *format) { return format[0] && !format[1] && strchr("gfcCsSiIlL", format[0]); }

/** A number of any column that has some. */
static double any_number_at(const char *format, const struct ArrowArray *array, int64_t row) {
    int scale, bytes;
    double value = NAN;
    if (decimal_layout(format, &scale, &bytes)) return decimal_at(array, row, scale, bytes);
    if (!strcmp(format, "e")) return half_at(array, row);
    number_at(format, array, row, &value);
    return value;
}

static bool has_numbers(const char *format) {
    int scale, bytes;
    return is_number(format) || !strcmp(format, "e") || decimal_layout(format, &scale, &bytes);
}

static bool is_text(const char *format) {
    return !strcmp(format, "u") || !strcmp(format, "U") || !strcmp(format, "vu");
}

/** A text of a string, large string, string view or dictionary column. */
static bool text_at(
    const struct ArrowSchema *schema, const struct ArrowArray *array, int64_t row, const char **text, int64_t *length) {
    if (schema->dictionary) {
        double index;
        return number_at(schema->format, array, row, &index) && index >= 0 && index < array->dictionary->length &&
               !is_null(array->dictionary, (int64_t)index) &&
               text_at(schema->dictionary, array->dictionary, (int64_t)index, text, length);
    }
    int64_t i = array->offset + row;
    if (schema->format[0] == 'v') {
        const char *entry = (const char *)array->buffers[1] + 16 * i;
        int32_t parts[4];
        memcpy(parts, entry, 16);
        *length = parts[0];
        *text = parts[0] <= 12 ? entry + 4 : (const char *)array->buffers[2 + parts[2]] + parts[3];
        return true;
    }
    int64_t from, to;
    if (schema->format[0] == 'u') {
        from = ((const int32_t *)array->buffers[1])[i];
        to = ((const int32_t *)array->buffers[1])[i + 1];
    } else {
        from = ((const int64_t *)array->buffers[1])[i];
        to = ((const int64_t *)array->buffers[1])[i + 1];
    }
    *length = to - from;
    *text = (const char *)array->buffers[2] + from;
    return true;
}

/* ---- What is wanted ---- */

static PyObject *wrong_kind(const char *field, const char *format, const char *expected) {
    PyErr_Format(
        PyExc_TypeError, "%s: expected %s, got Arrow's format \"%s\"; cast the column", field, expected, format);
    return NULL;
}

static PyObject *new_array(int type, int64_t rows, void **data) {
    npy_intp dimension = rows;
    PyObject *array = PyArray_SimpleNew(1, &dimension, type);
    if (array) *data = PyArray_DATA((PyArrayObject *)array);
    return array;
}

/** An error for a null. */
static bool has_no_nulls(
    const struct ArrowSchema *schema, const struct ArrowArray *array, const char *field, int64_t before) {
    int64_t row = is_empty(schema) && array->length > 0 ? 0 : first_null(schema, array);
    if (row < 0) return true;
    raise_input(before + row, field, "is null");
    return false;
}

static PyObject *import_doubles(
    const struct ArrowSchema *schema, const struct ArrowArray *array, const char *field, bool has_nulls,
    PyObject *owner) {
    const struct ArrowSchema *kind = schema->dictionary ? schema->dictionary : schema;
    if (!(has_numbers(kind->format) || is_empty(schema))) return wrong_kind(field, kind->format, "numbers");
    const double *data = array->buffers[1];
    if (kind == schema && schema->format[0] == 'g' && !has_nulls && (uintptr_t)data % 8 == 0) {
        Py_INCREF(owner);
        return view(NPY_DOUBLE, array->length, data + array->offset, owner);
    }
    void *copy;
    PyObject *result = new_array(NPY_DOUBLE, array->length, &copy);
    for (int64_t row = 0; result && row < array->length; row++) {
        double value = NAN, place = (double)row;
        const struct ArrowArray *values = kind == schema ? array : array->dictionary;
        bool is_there = !is_empty(schema) && !is_null(array, row);
        if (is_there && kind != schema)
            is_there = number_at(schema->format, array, row, &place) && place >= 0 && place < values->length &&
                       !is_null(values, (int64_t)place);
        if (is_there) value = any_number_at(kind->format, values, (int64_t)place);
        ((double *)copy)[row] = value;
    }
    return result;
}

/** Codes of option types; with `keeps_unknown`, 255 for nulls and what is none. */
static PyObject *import_types(
    const struct ArrowSchema *schema, const struct ArrowArray *array, const char *field, int64_t before,
    bool keeps_unknown, PyObject *owner) {
    bool texts = is_text(schema->dictionary ? schema->dictionary->format : schema->format), empty = is_empty(schema);
    if (!strcmp(schema->format, "b")) {
        PyErr_Format(PyExc_TypeError, "%s: expected codes or texts, got bool", field);
        return NULL;
    }
    if (!texts && !empty && !is_number(schema->format)) return wrong_kind(field, schema->format, "texts or codes");
    if (!texts && first_null(schema, array) < 0 && (schema->format[0] == 'C' || schema->format[0] == 'c')) {
        Py_INCREF(owner);
        return view(NPY_UINT8, array->length, (const uint8_t *)array->buffers[1] + array->offset, owner);
    }
    void *data;
    PyObject *result = new_array(NPY_UINT8, array->length, &data);
    uint8_t *codes = data;
    for (int64_t row = 0; result && row < array->length; row++) {
        int code = -1;
        bool is_there = !empty && !is_null(array, row);
        if (is_there && texts) {
            const char *text;
            int64_t length;
            if (!text_at(schema, array, row, &text, &length)) length = 0;
            if (length == 1)
                code = (text[0] | 32) == 'c' ? 0 : (text[0] | 32) == 'p' ? 1 : -1;
            else if (length == 4 && !PyOS_mystrnicmp(text, "call", 4))
                code = 0;
            else if (length == 3 && !PyOS_mystrnicmp(text, "put", 3))
                code = 1;
        } else if (is_there) {
            double value;
            number_at(schema->format, array, row, &value);
            if (value == 0 || value == 1) code = (int)value;
        }
        if (code < 0 && keeps_unknown) code = NEITHER;
        if (code < 0) {
            Py_DECREF(result);
            return raise_input(before + row, field, "must be C (0) or P (1)");
        }
        codes[row] = code;
    }
    return result;
}

/** Offsets, of 32 or 64 bits, and bytes; nulls are empty. */
static PyObject *import_texts(
    const struct ArrowSchema *schema, const struct ArrowArray *array, const char *field, PyObject *owner) {
    if (!is_empty(schema) && !is_text(schema->dictionary ? schema->dictionary->format : schema->format))
        return wrong_kind(field, schema->format, "texts");
    PyObject *offsets, *bytes = NULL;
    char kind = schema->dictionary ? 'd' : schema->format[0];
    if ((kind == 'u' || kind == 'U') && array->length > 0 && first_null(schema, array) < 0) {
        const char *all = array->buffers[1];
        int64_t first = array->offset, last = array->offset + array->length;
        int64_t size = kind == 'u' ? ((const int32_t *)all)[last] : ((const int64_t *)all)[last];
        Py_INCREF(owner);
        offsets =
            view(kind == 'u' ? NPY_INT32 : NPY_INT64, array->length + 1, all + first * (kind == 'u' ? 4 : 8), owner);
        Py_INCREF(owner);
        bytes = view(NPY_UINT8, size, array->buffers[2], owner);
    } else {
        void *places, *data;
        int64_t size = 0, length;
        const char *text;
        offsets = new_array(NPY_INT64, array->length + 1, &places);
        for (int pass = 0; pass < 2 && offsets; pass++) {
            if (pass == 1 && !(bytes = new_array(NPY_UINT8, size, &data))) break;
            size = 0;
            for (int64_t row = 0; row < array->length; row++) {
                ((int64_t *)places)[row] = size;
                bool is_there =
                    !is_empty(schema) && !is_null(array, row) && text_at(schema, array, row, &text, &length);
                if (!is_there) length = 0;
                if (pass == 1 && is_there) memcpy((char *)data + size, text, length);
                size += length;
            }
            ((int64_t *)places)[array->length] = size;
        }
    }
    PyObject *result = offsets && bytes ? PyTuple_Pack(2, offsets, bytes) : NULL;
    Py_XDECREF(offsets);
    Py_XDECREF(bytes);
    return result;
}

/** A time of a text, as all tables have it. */
static bool parse_time(const char *text, int64_t length, int64_t *time) {
    return poise_time_parse(text, (size_t)length, time) == POISE_OK;
}

PyObject *native_time(PyObject *self, PyObject *text) {
    char *bytes;
    Py_ssize_t length;
    int64_t time;
    PyObject *encoded = PyUnicode_AsUTF8String(text);
    if (!encoded || PyBytes_AsStringAndSize(encoded, &bytes, &length) < 0) return NULL;
    bool is_time = parse_time(bytes, length, &time);
    Py_DECREF(encoded);
    if (!is_time) Py_RETURN_NONE;
    return PyLong_FromLongLong(time);
}

/** A count of seconds or finer units, whole or not, as a float holds it. */
static bool time_of_double(double count, int64_t *time) {
    if (count == floor(count) && fabs(count) < 9e18) {
        *time = (int64_t)count;
        return true;
    }
    char *text = PyOS_double_to_string(count, 'r', 0, 0, NULL);
    bool is_time = text && parse_time(text, (int64_t)strlen(text), time);
    PyMem_Free(text);
    return is_time;
}

/** One time, from whatever a column has. */
static bool time_at(const struct ArrowSchema *schema, const struct ArrowArray *array, int64_t row, int64_t *time) {
    const char *format = schema->format, *text;
    int64_t i = array->offset + row, length;
    double number;
    if (!strncmp(format, "ts", 2)) {
        int64_t count = ((const int64_t *)array->buffers[1])[i];
        int64_t per = format[2] == 'u' ? 1000 : format[2] == 'n' ? 1000000 : 1;
        *time = format[2] == 's' ? count * 1000 : count / per - (count % per < 0);
        return true;
    }
    if (!strcmp(format, "tdD")) return *time = ((const int32_t *)array->buffers[1])[i] * INT64_C(86400000), true;
    if (!strcmp(format, "tdm") || !strcmp(format, "l")) return *time = ((const int64_t *)array->buffers[1])[i], true;
    if (is_text(schema->dictionary ? schema->dictionary->format : format))
        return text_at(schema, array, row, &text, &length) && parse_time(text, length, time);
    return number_at(format, array, row, &number) && time_of_double(number, time);
}

/** Counts since 1970 as they are, timestamps, dates and texts as milliseconds. */
static PyObject *import_times(
    const struct ArrowSchema *schema, const struct ArrowArray *array, const char *field, int64_t before,
    PyObject *owner) {
    const char *format = schema->format;
    bool is_stamp = !strncmp(format, "ts", 2) || !strncmp(format, "td", 2);
    if (schema->dictionary ? !is_text(schema->dictionary->format) : !(is_stamp || is_number(format) || is_text(format)))
        return wrong_kind(field, format, "times");
    if (!schema->dictionary && (!strcmp(format, "l") || !strncmp(format, "tsm", 3))) {
        Py_INCREF(owner);
        return view(NPY_INT64, array->length, (const int64_t *)array->buffers[1] + array->offset, owner);
    }
    void *copy;
    PyObject *result = new_array(NPY_INT64, array->length, &copy);
    for (int64_t row = 0; result && row < array->length; row++)
        if (!time_at(schema, array, row, (int64_t *)copy + row)) {
            Py_DECREF(result);
            return raise_input(before + row, field, "is no time");
        }
    return result;
}

static PyObject *import_column(
    const struct ArrowSchema *schema, const struct ArrowArray *array, const char *field, int kind, int64_t before,
    bool nulls_as_nan, PyObject *owner) {
    bool takes_nulls = kind == OPTIONAL_TEXTS || (nulls_as_nan && (kind == DOUBLES || kind == TYPES));
    if (!takes_nulls && !has_no_nulls(schema, array, field, before)) return NULL;
    switch (kind) {
    case DOUBLES:
        return import_doubles(schema, array, field, first_null(schema, array) >= 0, owner);
    case TYPES:
        return import_types(schema, array, field, before, nulls_as_nan, owner);
    case TEXTS:
    case OPTIONAL_TEXTS:
        return import_texts(schema, array, field, owner);
    default:
        return import_times(schema, array, field, before, owner);
    }
}

/* ---- Batches ---- */

static void free_batch(PyObject *capsule) {
    struct ArrowArray *array = PyCapsule_GetPointer(capsule, "poise.batch");
    if (!array) return;
    if (array->release) array->release(array);
    free(array);
}

/** A batch whose memory lives as long as the views of it. Takes over the array. */
static PyObject *keep_batch(struct ArrowArray *array) {
    struct ArrowArray *kept = malloc(sizeof *kept);
    if (!kept) return PyErr_NoMemory();
    *kept = *array;
    array->release = NULL;
    PyObject *capsule = PyCapsule_New(kept, "poise.batch", free_batch);
    if (!capsule) {
        kept->release(kept);
        free(kept);
    }
    return capsule;
}

/** The wanted columns of a batch by name; those that it lacks are left out. */
static PyObject *import_batch(
    const struct ArrowSchema *schema, struct ArrowArray *batch, PyObject *wanted, int64_t before, bool nulls_as_nan) {
    int64_t offset = batch->offset, rows = batch->length;
    PyObject *owner = keep_batch(batch);
    if (!owner) return NULL;
    struct ArrowArray *kept = PyCapsule_GetPointer(owner, "poise.batch");
    /* Under a row that is null, columns may hold anything. */
    int64_t missing = first_null(schema, kept);
    if (missing >= 0) {
        Py_DECREF(owner);
        return raise_input(before + missing, "", "is null");
    }
    PyObject *columns = PyDict_New(), *count = PyLong_FromLongLong(rows);
    bool isDone = columns && count && PyDict_SetItemString(columns, "", count) == 0;
    for (int64_t i = 0; isDone && i < schema->n_children && i < kept->n_children; i++) {
        const char *name = schema->children[i]->name ? schema->children[i]->name : "";
        PyObject *kind = PyDict_GetItemString(wanted, name);
        if (!kind) continue;
        if (PyDict_GetItemString(columns, name)) {
            raise_input(-1, name, "the table has more than one such column");
            isDone = false;
            break;
        }
        /* The rows of a struct are a window on its children's. */
        struct ArrowArray child = *kept->children[i];
        child.offset += offset;
        child.length = rows;
        PyObject *column =
            import_column(schema->children[i], &child, name, (int)PyLong_AsLong(kind), before, nulls_as_nan, owner);
        isDone = column && PyDict_SetItemString(columns, name, column) == 0;
        Py_XDECREF(column);
    }
    Py_XDECREF(count);
    Py_DECREF(owner);
    if (!isDone) Py_CLEAR(columns);
    return columns;
}

/** Appends the names of a table's columns; an exception where it is none. */
static bool read_names(const struct ArrowSchema *schema, PyObject *names) {
    if (strcmp(schema->format, "+s")) {
        PyErr_Format(PyExc_TypeError, "expected a table, got a column of Arrow's format \"%s\"", schema->format);
        return false;
    }
    bool isDone = true;
    for (int64_t i = 0; isDone && i < schema->n_children; i++) {
        PyObject *name = PyUnicode_FromString(schema->children[i]->name ? schema->children[i]->name : "");
        isDone = name && PyList_Append(names, name) == 0;
        Py_XDECREF(name);
    }
    return isDone;
}

static bool add_batch(
    PyObject *batches, const struct ArrowSchema *schema, struct ArrowArray *array, PyObject *wanted, int64_t *rows,
    bool nulls_as_nan) {
    int64_t length = array->length;
    PyObject *columns = import_batch(schema, array, wanted, *rows, nulls_as_nan);
    bool isDone = columns && PyList_Append(batches, columns) == 0;
    Py_XDECREF(columns);
    *rows += length;
    return isDone;
}

static bool import_stream(
    struct ArrowArrayStream *stream, PyObject *wanted, bool nulls_as_nan, PyObject *batches, PyObject *names) {
    struct ArrowSchema schema = {0};
    int code = stream->get_schema(stream, &schema);
    bool isDone = code == 0 && read_names(&schema, names);
    int64_t rows = 0;
    while (isDone) {
        struct ArrowArray array = {0};
        Py_BEGIN_ALLOW_THREADS
        code = stream->get_next(stream, &array);
        Py_END_ALLOW_THREADS
        if (code != 0 || !array.release) break;
        isDone = add_batch(batches, &schema, &array, wanted, &rows, nulls_as_nan);
        if (array.release) array.release(&array);
    }
    if (code != 0) {
        const char *reason = stream->get_last_error ? stream->get_last_error(stream) : NULL;
        PyErr_Format(PyExc_OSError, "the table's stream failed: %s", reason ? reason : strerror(code));
        isDone = false;
    }
    if (schema.release) schema.release(&schema);
    return isDone;
}

/** import_arrow(table, {name: kind}, nulls_as_nan) → ([{name: column, "": rows}] by batch, names of all columns). */
PyObject *native_import_arrow(PyObject *self, PyObject *arguments) {
    PyObject *table, *wanted;
    int nulls_as_nan;
    if (!PyArg_ParseTuple(arguments, "OO!p", &table, &PyDict_Type, &wanted, &nulls_as_nan)) return NULL;
    PyObject *batches = PyList_New(0), *names = PyList_New(0), *result = NULL;
    bool isDone = false;
    if (!batches || !names) {
        PyErr_NoMemory();
    } else if (PyObject_HasAttrString(table, "__arrow_c_stream__")) {
        PyObject *capsule = PyObject_CallMethod(table, "__arrow_c_stream__", NULL);
        struct ArrowArrayStream *stream = capsule ? PyCapsule_GetPointer(capsule, "arrow_array_stream") : NULL;
        if (stream && !stream->release)
            PyErr_SetString(PyExc_ValueError, "the table's stream has been read before");
        else if (stream)
            isDone = import_stream(stream, wanted, nulls_as_nan, batches, names);
        Py_XDECREF(capsule);
    } else {
        PyObject *pair = PyObject_CallMethod(table, "__arrow_c_array__", NULL);
        PyObject *first = pair ? PyTuple_GetItem(pair, 0) : NULL, *second = first ? PyTuple_GetItem(pair, 1) : NULL;
        struct ArrowSchema *schema = first ? PyCapsule_GetPointer(first, "arrow_schema") : NULL;
        struct ArrowArray *array = second ? PyCapsule_GetPointer(second, "arrow_array") : NULL;
        int64_t rows = 0;
        isDone = schema && array && read_names(schema, names) &&
                 add_batch(batches, schema, array, wanted, &rows, nulls_as_nan);
        Py_XDECREF(pair);
    }
    if (isDone) result = PyTuple_Pack(2, batches, names);
    Py_XDECREF(batches);
    Py_XDECREF(names);
    return result;
}
