#include "poise.h"
#include "poise_private.h"

#include <math.h>
#include <string.h>

const char *poise_version(void) { return POISE_VERSION; }

uint32_t poise_abi_version(void) { return POISE_ABI_VERSION; }

static _Thread_local struct {
    char message[1024];
    char reason[1024];
    char place[256];
    char field[128];
    char text[256];
    poise_place_kind kind;
    int64_t row, earlier_row;
    double value;
    int is_set;
} failure;

// Cuts between characters: what continues one starts with the bits 10.
static void copy(char *to, const char *from, size_t room) {
    size_t length = strlen(from);
    if (length >= room) {
        length = room - 1;
        while (length > 0 && ((unsigned char)from[length] & 0xC0) == 0x80) length--;
    }
    memcpy(to, from, length);
    to[length] = 0;
}

void poise_private_set_error(
    const char *message, const char *reason, poise_place_kind kind, const char *place, int64_t row, const char *field,
    const char *text, double value, int64_t earlier_row) {
    copy(failure.message, message, sizeof failure.message);
    copy(failure.reason, reason, sizeof failure.reason);
    copy(failure.place, place, sizeof failure.place);
    copy(failure.field, field, sizeof failure.field);
    copy(failure.text, text, sizeof failure.text);
    failure.kind = kind;
    failure.row = row;
    failure.earlier_row = earlier_row;
    failure.value = value;
    failure.is_set = 1;
}

const char *poise_private_message(void) { return failure.message; }
const char *poise_private_reason(void) { return failure.reason; }
poise_place_kind poise_private_place_kind(void) { return failure.kind; }
const char *poise_private_place(void) { return failure.place; }
const char *poise_private_field(void) { return failure.field; }
const char *poise_private_text(void) { return failure.text; }
int64_t poise_private_row(void) { return failure.is_set ? failure.row : -1; }
int64_t poise_private_earlier_row(void) { return failure.is_set ? failure.earlier_row : -1; }
double poise_private_value(void) { return failure.is_set ? failure.value : NAN; }

void poise_private_with_block(void *context, void (*body)(void *context, double *block)) {
    _Alignas(64) double block[POISE_PRIVATE_BLOCK * POISE_PRIVATE_COLUMNS];
    body(context, block);
}
