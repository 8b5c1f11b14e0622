// Reads a table of options and prints their fifteen Greeks to the last bit, through C.
#include <poise.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM = 4096 };
static uint8_t type[ROOM];
static double inputs[6][ROOM], greeks[POISE_GREEK_COUNT][ROOM];

int main(int count, char **arguments) {
    FILE *file = count == 2 ? fopen(arguments[1], "r") : NULL;
    if (file == NULL) return 2;
    char line[4096];
    size_t rows = 0;
    // type,spot,strike,years,vol,rate,dividend, then what is expected.
    if (fgets(line, sizeof line, file) == NULL || strncmp(line, "type,spot,strike,years,vol,rate,dividend", 40) != 0)
        return 2;
    while (rows < ROOM && fgets(line, sizeof line, file) != NULL) {
        char *next = line + 2;
        type[rows] = line[0] == 'P';
        for (int i = 0; i < 6; i++) inputs[i][rows] = strtod(next, &next), next++;
        rows++;
    }
    fclose(file);
    poise_engine *engine;
    if (poise_engine_create(NULL, &engine) != POISE_OK) return 1;
    const poise_full_form options = {
        .size = sizeof options,
        .count = rows,
        .model = POISE_MODEL_BLACK_SCHOLES_MERTON,
        .type = {type, 0},
        .spot = {inputs[0], 0},
        .strike = {inputs[1], 0},
        .years = {inputs[2], 0},
        .volatility = {inputs[3], 0},
        .rate = {inputs[4], 0},
        .dividend = {inputs[5], 0}};
    poise_column columns[POISE_GREEK_COUNT];
    for (int i = 0; i < POISE_GREEK_COUNT; i++) columns[i] = (poise_column){greeks[i], 0};
    if (poise_greeks(engine, &options, POISE_GREEKS_ALL, columns, POISE_GREEK_COUNT, NULL) != POISE_OK) {
        fprintf(stderr, "%s\n", poise_last_error());
        return 1;
    }
    for (size_t row = 0; row < rows; row++)
        for (int i = 0; i < POISE_GREEK_COUNT; i++)
            printf("%.17g%c", greeks[i][row], i + 1 < POISE_GREEK_COUNT ? ',' : '\n');
    poise_engine_free(engine);
    return 0;
}
