#include "caller.h"

#include <dlfcn.h>
#include <poise.h>
#include <stdlib.h>

struct caller {
    poise_status (*greeks)(
        const poise_engine *, const poise_full_form *, poise_greek_set, const poise_column *, size_t, uint8_t *);
    size_t (*chain_count)(const poise_chain *);
    poise_engine *engine;
    poise_full_form form;
    poise_column columns[9];
};

caller *caller_open(const char *library) {
    void *opened = dlopen(library, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
    if (opened == NULL) return NULL;
    poise_status (*create)(const poise_engine_options *, poise_engine **) = dlsym(opened, "poise_engine_create");
    caller *made = calloc(1, sizeof *made);
    made->greeks = dlsym(opened, "poise_greeks");
    made->chain_count = dlsym(opened, "poise_chain_count");
    if (create == NULL || made->greeks == NULL || create(NULL, &made->engine) != POISE_OK) return NULL;
    return made;
}

void caller_set(
    caller *caller, size_t count, const uint8_t *type, const double *spot, const double *strike, const double *years,
    const double *volatility, const double *rate, const double *dividend, double *greeks) {
    caller->form = (poise_full_form){
        .size = sizeof caller->form,
        .count = count,
        .type = {type, 0},
        .spot = {spot, 0},
        .strike = {strike, 0},
        .years = {years, 0},
        .volatility = {volatility, 0},
        .rate = {rate, 0},
        .dividend = {dividend, 0}};
    for (size_t i = 0; i < 9; i++) caller->columns[i] = (poise_column){greeks + i * count, 0};
}

long caller_greeks(caller *caller, long repetitions) {
    long failed = 0;
    for (long i = 0; i < repetitions; i++)
        failed +=
            caller->greeks(caller->engine, &caller->form, POISE_GREEKS_BOOK, caller->columns, 9, NULL) != POISE_OK;
    return failed;
}

long caller_nothing(caller *caller, long repetitions) {
    long sum = 0;
    for (long i = 0; i < repetitions; i++) sum += (long)caller->chain_count(NULL);
    return sum;
}
