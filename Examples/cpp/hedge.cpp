// Keeps a desk within its limits, tick by tick, from C++20.
//
//     c++ -std=c++20 -O2 hedge.cpp $(pkg-config --cflags --libs poise) -o hedge
//     ./hedge chain.csv positions.csv limits.csv
#include <cmath>
#include <cstdio>
#include <poise.hpp>

static void run(const char *chain, const char *positions, const char *limits) {
    const poise::limits bands(limits);
    poise::live desk(poise::engine(), poise::chain(chain), poise::positions(positions), &bands);

    // Hedge 0 is that of all books together. Its trades go to the book of the first group.
    const std::string book(desk.label(0, desk.groupings() - 1));
    std::vector<double> trades(desk.candidates(0));
    double price = 64250;
    std::uint64_t state = 7;
    for (int tick = 0; tick < 200; tick++) {
        // A random walk of a basis point or so stands for the market.
        state = state * 6364136223846793005u + 1442695040888963407u;
        price *= 1 + 4e-4 * (double(state >> 11) / 9007199254740992.0 - 0.5);
        desk.tick(0, price);
        const auto result = desk.decide(0);
        if (result.outcome == POISE_HEDGE_WITHIN_LIMITS) continue;
        if (result.outcome != POISE_HEDGE_OPTIMAL) {
            std::printf("tick %3d: no trades keep the limits\n", tick);
            continue;
        }
        desk.trades(0, trades);
        std::printf(
            "tick %3d, price %.2f: cost %.2f USD, gap %.0e\n", tick, price, result.linear_cost + result.impact_cost,
            result.gap);
        for (std::size_t i = 0; i < trades.size(); i++)
            if (trades[i] != 0)
                std::printf(
                    "    %s %g %s\n", trades[i] > 0 ? "buy " : "sell", std::fabs(trades[i]),
                    desk.candidate(0, i).data());
        desk.book_trades(0, book);
    }
    desk.decide(0);
    const auto exposures = desk.band_exposures(0);
    for (std::size_t i = 0; i < exposures.size(); i++) std::printf("%s %.17g\n", desk.band(0, i).data(), exposures[i]);
}

int main(int count, char **arguments) {
    if (count != 4) {
        std::fprintf(stderr, "usage: hedge CHAIN POSITIONS LIMITS\n");
        return 2;
    }
    try {
        run(arguments[1], arguments[2], arguments[3]);
    } catch (const std::exception &error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
