// A day of a desk, from C++20: a listing, an expiry, a restart. See docs/live.md.
//
//     c++ -std=c++20 -O2 day.cpp $(pkg-config --cflags --libs poise) -o day && ./day
#include <cmath>
#include <cstdio>
#include <poise.hpp>
#include <string>

static const char morning_chain[] =
    "instrument_name,timestamp,underlying_price,mark_price,mark_iv,index_price,bids,asks\n"
    "BTC-3MAR26-60000-C,1772442000000,60200,0.012,50,60150,\"[[0.0115, 50]]\",\"[[0.0125, 50]]\"\n"
    "BTC-27MAR26-60000-C,1772442000000,60400,0.059,55,60150,\"[[0.058, 50]]\",\"[[0.06, 50]]\"\n"
    "BTC-PERPETUAL,1772442000000,,60150,,60150,\"[[60145, 2000000]]\",\"[[60155, 2000000]]\"\n";
static const char noon_chain[] =
    "instrument_name,timestamp,underlying_price,mark_price,mark_iv,index_price,bids,asks\n"
    "BTC-24APR26-62000-C,1772452800000,61700,0.0795,56,61000,\"[[0.078, 50]]\",\"[[0.081, 50]]\"\n";
static const char held[] = "book,instrument,quantity\nrates,BTC-3MAR26-60000-C,-20\nvol,BTC-27MAR26-60000-C,-5\n";
static const char bands[] = "underlying,greek,low,high\nBTC,net_delta,-20000,20000\nBTC,vega,-150,150\n";

static poise::chain chain_of(std::string_view text, const char *name) {
    poise_source source = {};
    source.size = sizeof source;
    source.text = text.data();
    source.length = text.size();
    source.name = name;
    return poise::chain(std::span<const poise_source>(&source, 1));
}

static void hedge_now(poise::live &desk, const char *moment) {
    const auto result = desk.decide(0);
    if (result.outcome != POISE_HEDGE_OPTIMAL) {
        std::printf("%s: nothing to trade\n", moment);
        return;
    }
    std::printf("%s: cost %.0f USD\n", moment, result.linear_cost + result.impact_cost);
    const auto trades = desk.trades(0);
    for (std::size_t i = 0; i < trades.size(); i++)
        if (trades[i] != 0)
            std::printf(
                "    %s %.5g %s\n", trades[i] > 0 ? "buy " : "sell", std::fabs(trades[i]), desk.candidate(0, i).data());
    desk.book_trades(0, "vol");
}

static void run() {
    const poise::engine engine;
    const auto morning = chain_of(morning_chain, "morning"), noon = chain_of(noon_chain, "noon");
    const poise::limits limits(std::string_view(bands), "limits");
    poise::live desk(engine, morning, poise::positions(std::string_view(held), "positions"), &limits);
    hedge_now(desk, "in the morning");

    // Noon: a new expiry is listed. Nothing else stops.
    const std::int64_t midday = 1772452800000;
    desk.tick(0, 61000, midday);
    desk.list("BTC-24APR26-62000-C", 61700, midday, 0.56);
    desk.add_candidates(0, noon);
    hedge_now(desk, "after the listing");

    // Midnight: the process ends, and another one begins.
    poise::live restored(engine, desk.save());
    restored.set_limits(limits);
    restored.add_candidates(0, morning);
    restored.add_candidates(0, noon);
    hedge_now(restored, "after the restart");

    // Eight in the morning: the first expiry is delivered, and its cash is there.
    restored.advance(1772524800000);
    for (const auto contract : restored.expired()) {
        const std::string name(restored.contract(contract));
        const auto settled = restored.settle(contract, 61250);
        for (const auto &payment : settled.payments)
            std::printf(
                "%s: %s gets %.6f %s\n", name.c_str(), payment.book.c_str(), payment.cash, settled.currency.c_str());
    }
    hedge_now(restored, "after the expiry");
    restored.roll_off();
    std::printf("%s contracts are listed; cash:\n", std::to_string(restored.contracts()).c_str());
    for (const auto &amount : restored.cash())
        std::printf("    %s: %.6f %s\n", amount.book.c_str(), amount.amount, amount.currency.c_str());
}

int main() {
    try {
        run();
    } catch (const std::exception &error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
