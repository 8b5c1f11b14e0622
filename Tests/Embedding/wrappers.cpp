// What poise.hpp wraps and no example calls, each held against what it must be: wrappers FOLDER-OF-THE-SAMPLE
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <poise.hpp>

namespace {

int checked = 0;

void expect(bool holds, const char *what) {
    checked++;
    if (holds) return;
    std::fprintf(stderr, "wrappers: not so: %s\n", what);
    std::exit(1);
}
#define EXPECT(condition) expect(condition, #condition)

bool is_near(double a, double b, double error = 1e-9) { return std::abs(a - b) <= error * (1 + std::abs(b)); }

void names_and_errors() {
    EXPECT(poise::version() == POISE_VERSION && poise::abi_version() == POISE_ABI_VERSION);
    EXPECT(poise::name(POISE_ERROR_VALUE) == "POISE_ERROR_VALUE");
    EXPECT(poise::name(POISE_VEGA) == "vega" && !poise::name(POISE_MODEL_BACHELIER).empty());
    EXPECT(poise::name(POISE_EXPOSURE_NET_DELTA) == "net_delta" && !poise::name(POISE_PROFIT_VEGA).empty());
    EXPECT(poise::time("1970-04-26T17:46:40Z") == 10'000'000'000);
    const char *const instrument[] = {"BTC-27DEC24-70000-C", "BTC-27DEC24-70000-C"};
    const std::int64_t times[] = {1'711'102'028'463, 1'711'102'028'463};
    const double forward[] = {73'663.61, 73'663.61}, volatility[] = {0.7, 0.8};
    poise_tickers tickers = {};
    tickers.size = sizeof tickers;
    tickers.count = 2;
    tickers.instrument.strings = instrument;
    tickers.timestamp = {times, 0};
    tickers.underlying_price = {forward, 0};
    tickers.mark_volatility = {volatility, 0};
    try {
        poise::chain twice(tickers);
        EXPECT(false);
    } catch (const poise::error &error) {
        EXPECT(error.row == 1 && error.earlier_row == 0 && error.status == POISE_ERROR_VALUE);
    }
    const double interest[] = {3, 4}, delta[] = {0.5, 0.5};
    tickers.count = 1;
    tickers.open_interest = {interest, 0};
    tickers.exchange_delta = tickers.exchange_gamma = tickers.exchange_vega = tickers.exchange_theta = {delta, 0};
    const poise::ticker_table table = poise::chain(tickers).table();
    EXPECT(table.open_interest[0] == 3 && table.exchange_vega[0] == 0.5 && std::isnan(table.exchange_rho[0]));
}

void options(const poise::engine &engine) {
    EXPECT(engine.instruction_set() != POISE_ISA_AUTOMATIC);
    const std::vector<std::uint8_t> type = {0, 1, 0};
    const std::vector<double> spot = {64'000, 64'000, 3'000}, strike = {60'000, 60'000, 3'300},
                              years = {0.1, 0.1, 0.25}, volatility = {0.5, 0.55, 0.6}, zero = {0};
    std::vector<double> price(3), delta(3), found(3);
    const std::array<std::span<double>, 2> columns = {price, delta};
    const poise_greek_set both = 1u << POISE_PRICE | 1u << POISE_DELTA;
    engine.greeks({type, spot, strike, years, volatility, zero, zero}, both, columns);
    std::vector<std::uint8_t> status(3, 9);
    engine.implied_volatility({type, spot, strike, years, price, zero, zero}, found, status);
    for (int i = 0; i < 3; i++) EXPECT(is_near(found[i], volatility[i]) && status[i] == 0);

    const std::vector<std::size_t> offsets = {0, 2, 3};
    poise::slices slices(engine, offsets, type, strike);
    EXPECT(slices.size() == 3);
    const std::vector<double> spots = {64'000, 3'000}, times = {0.1, 0.25}, none = {0, 0};
    slices.set_market(0, spots, times, none, none);
    slices.set_volatility(0, volatility);
    std::vector<double> own(3);
    const std::span<double> one[] = {own};
    slices.greeks(0, 2, 3, 1u << POISE_DELTA, one);
    for (int i = 0; i < 3; i++) EXPECT(is_near(own[i], delta[i], 1e-13));

    const poise_volatility_rule rules[] = {{0, 0, 0, 0, 0, 1, 0}};
    poise_scenario moves[2] = {};
    moves[0].dampening = moves[1].dampening = 1;
    moves[1].spot = 0.1;
    const poise::grid grid(rules, moves);
    EXPECT(grid.size() == 2 && grid.rules() == 1 && !grid.rule(0).empty() && grid[1].spot == 0.1);
    const poise::options legs = {type, spot, strike, years, volatility, zero, zero};
    const auto gains = poise::scenario_legs(engine, grid, legs);
    EXPECT(gains.size() == 6 && std::abs(gains[0]) < 1e-9 && gains[1] > 0 && gains[3] < 0);
    const std::vector<double> quantity = {2, 1, -1};
    const std::vector<std::int32_t> books = {0, 0, 1};
    const auto sums = poise::scenario_books(engine, grid, legs, quantity, books, 2);
    EXPECT(is_near(sums[1], 2 * gains[1] + gains[3]) && is_near(sums[3], -gains[5]));
}

void desk(const poise::engine &engine, const std::string &folder) {
    const poise::chain chain(folder + "/chain.csv");
    const auto table = chain.table();
    EXPECT(table.strike.size() == chain.size() && chain.underlying(0).size() == 3 && chain.left_out() == 0);
    EXPECT(chain.remarks().empty() && chain.with_own_volatilities(engine).size() == chain.size());
    const std::string row = "instrument_name,timestamp,mark_price\nBTC-PERPETUAL,1711102028463,65000\nXYZ_COMBO,1,1\n";
    try {
        poise::chain(std::string_view(row), "text");
        EXPECT(false);
    } catch (const poise::error &error) { EXPECT(error.place == "text" && error.row == 3); }
    const std::string list =
        R"({"result": [{"instrument_name": "BTC-PERPETUAL", "kind": "future", "contract_size": 10.0,
        "min_trade_amount": 10.0, "quote_currency": "USD", "settlement_currency": "BTC", "tick_size": 0.5}]})";
    const poise_source source = {sizeof source, nullptr, list.data(), list.size(), "list", nullptr};
    EXPECT(chain.with_instruments(source).size() == chain.size());

    const char *const book[] = {"a", "b"}, *const contract[] = {"BTC-PERPETUAL", "ETH-PERPETUAL"};
    const double quantity[] = {1'000, -500};
    const poise::positions held(book, contract, quantity);
    poise_buckets buckets = {};
    buckets.size = sizeof buckets;
    const char *const desks[] = {"east", "west"};
    buckets.desk_count = 2;
    buckets.book.strings = book;
    buckets.desk.strings = desks;
    const poise::exposures by_desk(engine, chain, held, poise::grouped_by({POISE_BY_DESK}), buckets);
    EXPECT(by_desk.size() == 2 && by_desk.label(1, 0) == "west" && by_desk.values(POISE_EXPOSURE_DELTA)[1] == -500);

    const double price[] = {64'000, 3'500}, fee[] = {1, 0};
    const poise::trades trades(book, contract, quantity, price, fee);
    EXPECT(trades.size() == 2);
    const poise::explanation gained(engine, chain, chain, held, &trades);
    EXPECT(gained.settlements() == 0 && gained.settled(0).instrument.empty());
    EXPECT(is_near(gained.values(POISE_PROFIT_FEES)[0], -1));

    const std::uint8_t greek[] = {POISE_EXPOSURE_DELTA};
    const double low[] = {-10}, high[] = {10};
    poise_limit_columns columns = {};
    columns.size = sizeof columns;
    columns.count = 1;
    columns.exposure = {greek, 0};
    columns.low = {low, 0};
    columns.high = {high, 0};
    poise::live live(engine, chain, held, std::make_unique<poise::limits>(columns).get());
    EXPECT(live.decide(0).outcome == POISE_HEDGE_OPTIMAL);
    const auto edges = live.edges(0);
    EXPECT(edges.low[0] == -10 && edges.high[0] == 10 && is_near(edges.after[0], 10));

    const poise::history histories[] = {{"BTC", {folder + "/btc-1d.csv"}, {}}, {"ETH", {folder + "/eth-1d.csv"}, {}}};
    const poise::tail_risk tail(engine, chain, held, histories);
    EXPECT(tail.total(0) == "total" && tail.start(1) - tail.start(0) == 86'400'000);
    auto ended = poise::tail_risk::standard();
    ended.method = POISE_TAIL_MONTE_CARLO;
    ended.is_cancelled = [](void *) { return 1; };
    try {
        poise::tail_risk(engine, chain, held, histories, ended);
        EXPECT(false);
    } catch (const poise::error &error) { EXPECT(error.status == POISE_ERROR_CANCELLED); }
}

void hedger() {
    const poise_hedge_instrument instruments[] = {{0, 1, 1, 0, 0, 0, 100, 100, 0, 0}};
    const poise_hedge_band bands[] = {{5, -1, 1, NAN, 0, 0, 1}};
    const poise_hedge_entry entries[] = {{0, 1}};
    poise_hedge_problem problem = {};
    problem.size = sizeof problem;
    problem.underlying_count = problem.instrument_count = problem.band_count = problem.entry_count = 1;
    problem.instruments = instruments;
    problem.bands = bands;
    problem.entries = entries;
    problem.margin_limit = problem.cash_budget = INFINITY;
    poise::hedger hedger;
    poise_hedge_search search = {};
    search.size = sizeof search;
    search.seconds = 5;
    hedger.set_search(&search);
    const auto answer = hedger.solve(problem, POISE_HEDGE_COLD);
    EXPECT(answer.result.outcome == POISE_HEDGE_OPTIMAL && is_near(answer.trades[0], -4));
    EXPECT(is_near(answer.shadow_prices[0], -1, 1e-6));
    hedger.set_search(nullptr);
    const poise_hedge_band apart[] = {{500, -1, 1, NAN, 0, 0, 1}};
    problem.bands = apart;
    const auto why = hedger.diagnose(problem);
    EXPECT(why.totals.is_infeasible && is_near(why.violations[0], 399.0 / 2) && is_near(why.trades[0], -100));
}

void surface() {
    const std::vector<double> years(5, 0.1), forward(5, 62e3), strike = {50e3, 55e3, 60e3, 65e3, 70e3},
                                                               bid = {0.60, 0.57, 0.55, 0.545, 0.55},
                                                               ask = {0.62, 0.58, 0.56, 0.555, 0.57};
    poise_smile_quotes quotes = {};
    quotes.size = sizeof quotes;
    quotes.count = 5;
    quotes.years = {years.data(), 0};
    quotes.forward = {forward.data(), 0};
    quotes.strike = {strike.data(), 0};
    quotes.bid = {bid.data(), 0};
    quotes.ask = {ask.data(), 0};
    const poise::surface fitted(quotes);
    EXPECT(fitted.size() == 1 && fitted[0].status == POISE_FIT_OK && std::isnan(fitted.gap_after(0).least));
    const std::vector<double> at = {62e3}, when = {0.1};
    std::vector<std::uint8_t> status(1, 9);
    const auto found = fitted.query(at, when, 1u << POISE_SURFACE_VOLATILITY, status);
    EXPECT(found.size() == 1 && std::abs(found[0][0] - 0.55) < 0.01 && status[0] == 0);
}

void margins(const poise::engine &engine, const std::string &folder) {
    const std::string text = R"([
        {"name": "c", "currency": "USD", "model": {"kind": "rates", "initial_rate": 0.5, "maintenance_rate": 0.1},
         "market": {"underlyings": {"X": {"spot": 100}}, "contracts": {"P": {"kind": "perpetual", "underlying": "X", "price": 100}}},
         "cash": 200, "positions": [{"contract": "P", "quantity": 5}],
         "hedge": {"instruments": [{"name": "P", "costBuy": 1, "costSell": 1, "maxBuy": 9, "maxSell": 9}], "bands": [],
         "initial_margin_at_least": 0, "margin_price": 0}},
        {"name": "a", "auction": {"parameters": {"buffer": 0.25, "discount": {"start": 0.9, "fast_end": 0.5,
         "fast_seconds": 100, "slow_seconds": 1000}, "insolvent_seconds": 100}, "lower_bound": -500, "steps": [
         {"time": 50, "mark_to_market": 100, "maintenance_margin_balance": -40, "want": 1}]}}])";
    const poise::margin_cases cases(text, "cases");
    EXPECT(cases.size() == 2 && cases[1] == "a" && cases[2].empty());
    const poise::margin_auction auction(cases, 1);
    EXPECT(auction.size() == 1 && is_near(auction.amounts(POISE_MARGIN_BID_SHARE)[0], 75.0 / 145));
    const poise::margin margin(engine, cases, 0);
    EXPECT(margin.underlyings() == 1 && margin.underlying(0) == "X" && margin.index(0) == 100);
    EXPECT(margin.totals().initial_margin == 250 && margin.without_effect().empty());
    const poise::margin_hedge hedge(engine, cases, 0);
    EXPECT(hedge.candidates() == 1 && is_near(hedge.trades()[0], -50.0 / 49) && hedge.holding(0) == POISE_MARGIN_HELD);
    EXPECT(hedge.bands() == 0 && hedge.band(0).empty() && hedge.exposures_and_prices().first.empty());
    EXPECT(hedge.outcome_prices().size() == hedge.outcomes() && hedge.notes().empty());
    for (std::size_t i = 0; i < hedge.outcomes(); i++) EXPECT(!hedge.outcome(i).empty());

    const poise::chain chain(folder + "/chain.csv");
    const char *const book[] = {"a", "a"}, *const contract[] = {"BTC-25SEP26-81000-C", "BTC-PERPETUAL"};
    const double quantity[] = {-15, 2e6};
    const poise::margin account(
        engine, chain, poise::positions(book, contract, quantity),
        poise::margin_account::parse("currency = \"USD\"\ncash = 2000000\n"),
        poise::margin_model::parse(
            R"({"name": "three moves", "venue": "own", "source": "this file", "date": "2026-01-31", "kind": "scan",
                "grid": {"name": "three moves", "scenarios": [{"spot": [-0.15, 0, 0.15]}]},
                "factors": {"maintenance": 0.5, "initial": 1}})"));
    poise::live_margin live(account);
    live.update();
    const double before = live.totals().initial_margin;
    EXPECT(is_near(before, account.totals().initial_margin, 1e-9));
    const std::int64_t perpetual = live.find("BTC-PERPETUAL");
    EXPECT(
        perpetual >= 0 && live.contracts() >= 2 &&
        live.contract(static_cast<std::size_t>(perpetual)) == "BTC-PERPETUAL");
    EXPECT(live.expiries() > 0 && live.find_expiry(std::string(live.expiry(0))) == 0);
    live.set_index(70'000);
    live.set_perpetual(static_cast<std::size_t>(perpetual), 70'000);
    live.set_forward(0, 70'000);
    live.update();
    EXPECT(std::abs(live.totals().initial_margin / before - 1) > 1e-6);
    std::size_t option = 0;
    while (live.contract(option).find("-C") == std::string_view::npos) option++;
    live.set_volatility(option, 0.9);
    live.update();
    try {
        live.set_volatility(live.contracts(), 0.9);
        EXPECT(false);
    } catch (const poise::error &error) { EXPECT(error.status == POISE_ERROR_ARGUMENT); }
    const auto model = poise::margin_model::parse(
        R"({"kind": "rates", "name": "n", "venue": "v", "source": "s", "date": "2026-03-26", "initial_rate": 0.5,
            "maintenance_rate": 0.1, "omitted": ["one"]})");
    EXPECT(model.omitted() == std::vector<std::string>{"one"});
}

} // namespace

int main(int, char **arguments) {
    const poise::engine engine;
    names_and_errors();
    options(engine);
    desk(engine, arguments[1]);
    hedger();
    surface();
    margins(engine, arguments[1]);
    std::printf("wrappers: %d expectations hold\n", checked);
}
