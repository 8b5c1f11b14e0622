// A hedger's evening in C++20: where the books stand, what a jump costs, the tail, the cheapest hedge, and the next tick.
//
//     c++ -std=c++20 -O2 evening.cpp $(pkg-config --cflags --libs poise) -o evening
//     ./evening Examples/sample
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <poise.hpp>

static void run(const std::string &folder) {
    // ---- Where do the books stand? ----
    const poise::engine engine;
    const poise::chain chain(folder + "/chain.csv");
    const poise::positions held(folder + "/positions.csv");
    const poise::exposures stand(engine, chain, held, poise::grouped_by({POISE_BY_UNDERLYING}));
    const auto net_delta = stand.values(POISE_EXPOSURE_NET_DELTA), vega = stand.values(POISE_EXPOSURE_VEGA);
    for (std::size_t i = 0; i < stand.size(); i++)
        std::printf(
            "%s: net delta %.0f USD, vega %.0f USD per point\n", stand.label(i, 0).data(), net_delta[i], vega[i]);

    // ---- What does a jump cost? ----
    const poise::grid moves(
        R"({"vol_rules": {"up": {"relative": 0.3}, "same": {}},
            "scenarios": [{"spot": [-0.15, 0, 0.15], "vol": ["up", "same"]}]})",
        "moves");
    const poise::scenario_profits jumps(engine, chain, held, moves, poise::grouped_by({POISE_BY_UNDERLYING}));
    const auto gains = jumps.values();
    const auto worst = std::min_element(gains.begin(), gains.end()) - gains.begin();
    std::printf(
        "worst: %s loses %.0f USD at %s\n", jumps.label(worst / moves.size(), 0).data(), -gains[worst],
        moves.title(worst % moves.size()).data());

    // ---- And an ordinary bad day? ----
    const poise::history histories[] = {{"BTC", {folder + "/btc-1d.csv"}, {}}, {"ETH", {folder + "/eth-1d.csv"}, {}}};
    const poise::tail_risk tail(engine, chain, held, histories);
    const auto bad = tail.at(0.99);
    const auto most = std::max_element(bad.value_at_risk_component.begin(), bad.value_at_risk_component.end());
    std::printf(
        "VaR 99%%: %.0f USD of %zu days; %s contributes most, %.0f\n", bad.totals[0].value_at_risk, tail.scenarios(),
        tail.label(most - bad.value_at_risk_component.begin()).data(), *most);

    // ---- The cheapest way back inside the limits ----
    const poise::limits bands(folder + "/limits.csv");
    poise::live desk(engine, chain, held, &bands);
    auto answer = desk.decide(0);
    std::vector<double> trades(desk.candidates(0));
    desk.trades(0, trades);
    const auto count = std::count_if(trades.begin(), trades.end(), [](double x) { return x != 0; });
    std::printf(
        "hedge: outcome %d, %td trades, cost %.2f USD, gap %.0e\n", answer.outcome, count,
        answer.linear_cost + answer.impact_cost, answer.gap);

    // ---- The next tick ----
    desk.book_trades(0, std::string(desk.label(0, desk.groupings() - 1)));
    desk.tick(0, 64300);
    answer = desk.decide(0);
    std::printf("a tick later: %s\n", answer.outcome == POISE_HEDGE_WITHIN_LIMITS ? "within limits" : "to hedge again");
}

int main(int count, char **arguments) {
    if (count != 2) {
        std::fprintf(stderr, "usage: evening FOLDER\n");
        return 2;
    }
    try {
        run(arguments[1]);
    } catch (const std::exception &error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
