#include "native.h"
PyMethodDef desk_methods[] = {{0}};
