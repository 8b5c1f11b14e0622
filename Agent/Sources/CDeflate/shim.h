// zlib, which packs what is recorded.
#include <zlib.h>
