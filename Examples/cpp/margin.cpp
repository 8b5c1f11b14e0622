// What a venue asks of a book, tick by tick, and what a trade would do to it, from C++20.
//
//     c++ -std=c++20 -O2 margin.cpp $(pkg-config --cflags --libs poise) -o margin
//     ./margin chain.csv
#include <cstdio>
#include <poise.hpp>

static void run(const char *chain) {
    // A scan of three moves, all of the loss required to trade and half of it to hold.
    const auto model = poise::margin_model::parse(
        R"({"name": "three moves", "venue": "own", "source": "this file", "date": "2026-01-31", "kind": "scan",
            "grid": {"name": "three moves", "scenarios": [{"spot": [-0.15, 0, 0.15]}]},
            "factors": {"maintenance": 0.5, "initial": 1}})");
    const auto account = poise::margin_account::parse("currency = \"USD\"\ncash = 2000000\n");
    const poise::positions positions(
        "book,instrument,quantity\n"
        "a,BTC-25SEP26-78000-P,-20\n"
        "a,BTC-25SEP26-81000-C,-15\n"
        "a,BTC-PERPETUAL,2000000\n",
        nullptr);
    const poise::margin margin(poise::engine(), poise::chain(chain), positions, account, model);
    poise::live_margin live(margin);
    const std::size_t contracts[] = {static_cast<std::size_t>(live.find("BTC-PERPETUAL"))};
    const double quantities[] = {-1e6};
    poise::margins_after after(1);
    const double start = poise_margin_index(margin.get(), 0);
    for (const double move : {1.0, 0.98, 0.95, 0.9}) {
        live.tick(start * move);
        live.what_if(contracts, quantities, after);
        const auto now = live.totals();
        std::printf(
            "at %.2f: initial %.2f %s, left %.2f; a million dollars sold: initial %.2f\n", start * move,
            now.initial_margin, account.currency().data(), now.initial_balance, after.initial_margin[0]);
    }
}

int main(int count, char **arguments) {
    if (count != 2) {
        std::fprintf(stderr, "usage: margin CHAIN\n");
        return 2;
    }
    try {
        run(arguments[1]);
    } catch (const std::exception &error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
