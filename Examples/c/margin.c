/* What a venue asks of a book, how far it is from liquidation, and what trades do to it.
 *
 *     gcc margin.c $(pkg-config --cflags --libs poise) -o margin
 *     ./margin chain.csv positions.csv account.toml model.json BTC limits.csv
 */
#include <poise.h>
#include <stdio.h>

static int fail(void) {
    fprintf(stderr, "%s\n", poise_last_error());
    return 1;
}

int main(int count, char **arguments) {
    if (count != 7) {
        fprintf(stderr, "usage: margin CHAIN POSITIONS ACCOUNT MODEL UNDERLYING LIMITS\n");
        return 2;
    }
    poise_engine *engine;
    poise_chain *chain;
    poise_positions *positions;
    poise_margin_account *account;
    poise_margin_model *model;
    poise_limits *limits;
    poise_margin *margin;
    if (poise_engine_create(NULL, &engine) != POISE_OK || poise_chain_read(arguments[1], &chain) != POISE_OK ||
        poise_positions_read(arguments[2], &positions) != POISE_OK ||
        poise_margin_account_read(arguments[3], &account) != POISE_OK ||
        poise_margin_model_read(arguments[4], &model) != POISE_OK ||
        poise_limits_read(arguments[6], &limits) != POISE_OK ||
        poise_margin_create(engine, chain, positions, account, model, arguments[5], &margin) != POISE_OK)
        return fail();
    const char *currency = poise_margin_account_currency(account);
    printf(
        "%s, parameters of %s\n", poise_margin_model_fact(model, POISE_MARGIN_FACT_NAME),
        poise_margin_model_fact(model, POISE_MARGIN_FACT_DATE));

    poise_margin_figures now = {.size = sizeof now};
    if (poise_margin_totals(margin, &now) != POISE_OK) return fail();
    printf(
        "initial %.4f %s, maintenance %.4f; left %.4f and %.4f\n", now.initial_margin, currency, now.maintenance_margin,
        now.initial_balance, now.maintenance_balance);
    if (now.worst_scenario >= 0)
        printf(
            "worst scenario: %s\n",
            poise_margin_text(margin, POISE_MARGIN_SCENARIOS, (size_t)now.worst_scenario, POISE_MARGIN_TITLE));

    double prices[16];
    size_t roots;
    if (poise_margin_liquidation(margin, 0, 0, 0, (poise_column){prices, 0}, 16, &roots) != POISE_OK) return fail();
    for (size_t i = 0; i < roots; i++)
        printf("nothing is left of maintenance at %.2f, now %.2f\n", prices[i], poise_margin_index(margin, 0));

    /* What each of some trades would do, one by one. */
    const char *const names[] = {"BTC-PERPETUAL", "BTC-PERPETUAL", "BTC-25SEP26-63000-P"};
    const double quantity[] = {100000, -100000, 5};
    double initial[3], left[3];
    const poise_margin_columns columns = {
        .size = sizeof columns, .initial_margin = {initial, 0}, .initial_balance = {left, 0}};
    if (poise_margin_what_if(margin, 3, (poise_texts){.strings = names}, (poise_values){quantity, 0}, &columns) !=
        POISE_OK)
        return fail();
    for (int i = 0; i < 3; i++)
        printf(
            "%+g %s: initial %.4f %s, %+.4f left\n", quantity[i], names[i], initial[i], currency,
            left[i] - now.initial_balance);

    /* The cheapest trades that bring exposures into their bands and leave a little more than there is. */
    const poise_margin_hedge_options options = {
        .size = sizeof options, .has_buffer = 1, .buffer = now.initial_balance + 0.5};
    poise_margin_hedge *hedge;
    if (poise_margin_hedge_create(margin, limits, &options, &hedge) != POISE_OK) return fail();
    poise_hedge_result result = {.size = sizeof result};
    poise_margin_hedge_answer answer = {.size = sizeof answer};
    poise_margin_figures after = {.size = sizeof after};
    if (poise_margin_hedge_totals(hedge, &result, &answer) != POISE_OK ||
        poise_margin_hedge_account(hedge, 1, &after, NULL, NULL) != POISE_OK)
        return fail();
    printf(
        "%s: cost %.2f USD, left %.4f %s, one more costs %.2f USD\n",
        result.outcome == POISE_HEDGE_OPTIMAL ? "hedged" : "not hedged", result.linear_cost + result.impact_cost,
        after.initial_balance, currency, answer.headroom_price);
    for (size_t i = 0; i < poise_margin_hedge_outcome_count(hedge); i++)
        printf("paid for: %s\n", poise_margin_hedge_outcome(hedge, i));

    poise_margin_hedge_free(hedge);
    poise_margin_free(margin);
    poise_limits_free(limits);
    poise_margin_model_free(model);
    poise_margin_account_free(account);
    poise_positions_free(positions);
    poise_chain_free(chain);
    poise_engine_free(engine);
    return 0;
}
