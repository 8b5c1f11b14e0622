// poise_live.hpp: live desks of poise.h for C++20, and chains, positions and limits that they are made of. Included by
// poise.hpp. Nothing but inline calls of poise.h, whose descriptions hold; names are those of the C functions.
#pragma once

#include <chrono>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace poise {

/// The latest ticker of each instrument, a row each in the order of the chain.
struct ticker_table {
    std::vector<std::uint8_t> kind, type;
    std::vector<std::int64_t> milliseconds, expiry_milliseconds;
    std::vector<double> strike, forward, years, volatility, rate, mark_price, index_price, bid_price, bid_amount,
        ask_price, ask_amount, open_interest, exchange_delta, exchange_gamma, exchange_vega, exchange_theta,
        exchange_rho;
};

class chain : public handle<poise_chain, poise_chain_free> {
   public:
    explicit chain(const std::string &path)
        : handle([&](poise_chain **made) { return poise_chain_read(path.c_str(), made); }) {}
    explicit chain(const poise_tickers &tickers)
        : handle([&](poise_chain **made) { return poise_chain_create(&tickers, made); }) {}
    explicit chain(std::span<const poise_source> sources)
        : handle([&](poise_chain **made) { return poise_chain_load(sources.data(), sources.size(), made); }) {}
    /// Of a text, as a file has it; `name` is what errors call it.
    chain(std::string_view text, const char *name)
        : handle([&](poise_chain **made) { return poise_chain_parse(text.data(), text.size(), name, made); }) {}

    /// The same with an exchange's list of instruments, from which hedges take lots.
    chain with_instruments(const poise_source &instruments) const {
        return chain([&](poise_chain **made) { return poise_chain_with_instruments(get(), &instruments, made); });
    }
    /// The same with the volatilities of a surface that is fitted to its own quotes.
    chain with_own_volatilities(const engine &engine) const {
        return chain([&](poise_chain **made) { return poise_chain_with_own_volatilities(engine.get(), get(), made); });
    }

    std::size_t size() const { return poise_chain_count(get()); }
    std::string_view operator[](std::size_t place) const { return text_of(poise_chain_instrument(get(), place)); }
    std::string_view underlying(std::size_t place) const { return text_of(poise_chain_underlying(get(), place)); }
    ticker_table table() const {
        const std::vector<double> numbers(size());
        ticker_table t = {
            std::vector<std::uint8_t>(size()),
            std::vector<std::uint8_t>(size()),
            std::vector<std::int64_t>(size()),
            std::vector<std::int64_t>(size()),
            numbers,
            numbers,
            numbers,
            numbers,
            numbers,
            numbers,
            numbers,
            numbers,
            numbers,
            numbers,
            numbers,
            numbers,
            numbers,
            numbers,
            numbers,
            numbers,
            numbers};
        const auto to = [](std::vector<double> &column) { return poise_column{column.data(), 0}; };
        const poise_ticker_columns columns = {sizeof columns,
                                              t.kind.data(),
                                              t.type.data(),
                                              t.milliseconds.data(),
                                              t.expiry_milliseconds.data(),
                                              to(t.strike),
                                              to(t.forward),
                                              to(t.years),
                                              to(t.volatility),
                                              to(t.rate),
                                              to(t.mark_price),
                                              to(t.index_price),
                                              to(t.bid_price),
                                              to(t.bid_amount),
                                              to(t.ask_price),
                                              to(t.ask_amount),
                                              to(t.open_interest),
                                              to(t.exchange_delta),
                                              to(t.exchange_gamma),
                                              to(t.exchange_vega),
                                              to(t.exchange_theta),
                                              to(t.exchange_rho)};
        check(poise_chain_table(get(), &columns));
        return t;
    }
    /// What a reader of results should know of the rows, a sentence each.
    std::vector<std::string> remarks() const {
        std::vector<std::string> found;
        while (const char *text = poise_chain_remark(get(), found.size())) found.emplace_back(text);
        return found;
    }
    /// Rows and messages that are no tickers of known kinds.
    std::size_t left_out() const { return poise_chain_left_out(get()); }

   private:
    template <typename Create>
        requires std::is_invocable_v<Create, poise_chain **>
    explicit chain(Create create) : handle(create) {}
};

class positions : public handle<poise_positions, poise_positions_free> {
   public:
    explicit positions(const std::string &path)
        : handle([&](poise_positions **made) { return poise_positions_read(path.c_str(), made); }) {}
    /// Of a text, as a file has it; `name` is what errors call it.
    positions(std::string_view text, const char *name)
        : handle([&](poise_positions **made) { return poise_positions_parse(text.data(), text.size(), name, made); }) {}
    /// Of columns, as long as `quantity`.
    positions(
        std::span<const char *const> book, std::span<const char *const> instrument, std::span<const double> quantity)
        : handle([&](poise_positions **made) {
              if (book.size() != quantity.size() || instrument.size() != quantity.size())
                  throw std::invalid_argument("poise::positions: columns of different lengths");
              return poise_positions_create(
                  quantity.size(), {book.data(), nullptr, nullptr, nullptr},
                  {instrument.data(), nullptr, nullptr, nullptr}, {quantity.data(), 0}, made);
          }) {}

    std::size_t size() const { return poise_positions_count(get()); }
};

class limits : public handle<poise_limits, poise_limits_free> {
   public:
    explicit limits(const std::string &path)
        : handle([&](poise_limits **made) { return poise_limits_read(path.c_str(), made); }) {}
    /// Of a text, as a file has it; `name` is what errors call it.
    limits(std::string_view text, const char *name)
        : handle([&](poise_limits **made) { return poise_limits_parse(text.data(), text.size(), name, made); }) {}
    explicit limits(const poise_limit_columns &columns)
        : handle([&](poise_limits **made) { return poise_limits_create(&columns, made); }) {}
};

/// What a contract paid that has come to its end.
struct settlement {
    struct payment {
        std::string book;
        double quantity, cash;
    };
    double last_price, cash_per_unit;
    std::string currency;
    std::vector<payment> payments;
};

/// Cash of a book in a currency.
struct cash_amount {
    std::string book, currency;
    double amount;
};

/// What a desk showed at one moment, for other threads while it goes on.
class live_view : public handle<poise_live_view, poise_live_view_free> {
   public:
    explicit live_view(const poise_live *live)
        : handle([=](poise_live_view **made) { return poise_live_view_create(live, made); }) {}

    std::size_t groups() const { return poise_live_view_group_count(get()); }
    std::size_t slices() const { return poise_live_view_slice_count(get()); }
    std::size_t contracts() const { return poise_live_view_contract_count(get()); }
    std::string_view label(std::size_t group, std::size_t grouping) const {
        return text(poise_live_view_label(get(), group, grouping));
    }
    std::string_view slice(std::size_t slice) const { return text(poise_live_view_slice(get(), slice)); }
    std::string_view contract(std::size_t contract) const { return text(poise_live_view_contract(get(), contract)); }
    bool is_listed(std::size_t contract) const { return poise_live_view_is_listed(get(), contract) == 1; }
    std::vector<double> exposures(poise_exposure exposure) const {
        std::vector<double> values(groups());
        check(poise_live_view_exposures(get(), exposure, {values.data(), 0}));
        return values;
    }
    double figure(std::size_t contract, poise_exposure exposure) const {
        double value;
        check(poise_live_view_figure(get(), contract, exposure, &value));
        return value;
    }
    poise_slice_state slice_state(std::size_t slice) const {
        poise_slice_state state = {};
        state.size = sizeof state;
        check(poise_live_view_slice_state(get(), slice, &state));
        return state;
    }
    double cash(const std::string &book, const std::string &currency) const {
        double amount;
        check(poise_live_view_cash(get(), book.c_str(), currency.c_str(), &amount));
        return amount;
    }

   private:
    static std::string_view text(const char *text) { return text ? text : ""; }
};

/// Books over a chain, tick by tick, with the hedges that limits ask for, while contracts, books and limits come and go. One
/// thread at a time. Names that it hands out live until `roll_off`.
class live : public handle<poise_live, poise_live_free> {
   public:
    live(
        const engine &engine, const chain &chain, const positions &positions, const limits *limits = nullptr,
        const poise_live_options *options = nullptr)
        : handle([&](poise_live **made) {
              return poise_live_create(
                  engine.get(), chain.get(), positions.get(), limits ? limits->get() : nullptr, options, made);
          }) {}
    /// The desk that `save` has written, without hedges.
    live(const engine &engine, std::string_view saved)
        : handle(
              [&](poise_live **made) { return poise_live_restore(engine.get(), saved.data(), saved.size(), made); }) {}

    // What there is.

    std::uint64_t layout_version() const { return poise_live_layout_version(get()); }
    std::size_t underlyings() const { return poise_live_underlying_count(get()); }
    std::size_t slices() const { return poise_live_slice_count(get()); }
    std::size_t contracts() const { return poise_live_contract_count(get()); }
    std::size_t groups() const { return poise_live_group_count(get()); }
    std::size_t groupings() const { return poise_live_grouping_count(get()); }
    std::size_t books() const { return poise_live_book_count(get()); }
    std::string_view underlying(std::size_t place) const { return text(poise_live_underlying(get(), place)); }
    std::string_view slice(std::size_t place) const { return text(poise_live_slice(get(), place)); }
    std::string_view contract(std::size_t place) const { return text(poise_live_contract(get(), place)); }
    std::string_view book(std::size_t place) const { return text(poise_live_book(get(), place)); }
    std::string_view label(std::size_t group, std::size_t grouping) const {
        return text(poise_live_label(get(), group, grouping));
    }
    std::int64_t grouping(std::size_t grouping) const { return poise_live_grouping(get(), grouping); }
    std::optional<std::size_t> find_underlying(const std::string &name) const {
        return place(poise_live_find_underlying(get(), name.c_str()));
    }
    std::optional<std::size_t> find_slice(const std::string &name) const {
        return place(poise_live_find_slice(get(), name.c_str()));
    }
    std::optional<std::size_t> find_contract(const std::string &name) const {
        return place(poise_live_find_contract(get(), name.c_str()));
    }
    bool is_listed(std::size_t contract) const { return poise_live_is_listed(get(), contract) == 1; }
    poise_slice_state slice_state(std::size_t slice) const {
        poise_slice_state state = {};
        state.size = sizeof state;
        check(poise_live_slice_state(get(), slice, &state));
        return state;
    }
    double volatility(std::size_t contract) const {
        double volatility;
        check(poise_live_volatility(get(), contract, &volatility));
        return volatility;
    }
    std::vector<std::size_t> expired() const {
        std::vector<std::size_t> contracts(poise_live_expired(get(), nullptr, 0));
        poise_live_expired(get(), contracts.data(), contracts.size());
        return contracts;
    }
    std::vector<double> exposures(poise_exposure exposure) const {
        std::vector<double> values(groups());
        check(poise_live_exposures(get(), exposure, {values.data(), 0}));
        return values;
    }
    double figure(std::size_t contract, poise_exposure exposure) const {
        double value;
        check(poise_live_figure(get(), contract, exposure, &value));
        return value;
    }
    live_view view() const { return live_view(get()); }

    // The market.

    void tick(std::size_t underlying, double price, std::int64_t milliseconds = 0) {
        check(poise_live_tick(get(), underlying, price, milliseconds));
    }
    void set_price(std::size_t slice, double price, std::int64_t milliseconds = 0) {
        check(poise_live_set_price(get(), slice, price, milliseconds));
    }
    void set_rate(std::size_t slice, double rate) { check(poise_live_set_rate(get(), slice, rate)); }
    void set_volatility(std::size_t contract, double volatility) {
        check(poise_live_set_volatility(get(), contract, volatility));
    }
    /// How many of the values were refused; the first of them is in poise_last_error.
    std::size_t set_volatilities(std::span<const std::size_t> contracts, std::span<const double> volatilities) {
        same_length(contracts.size(), volatilities.size());
        std::size_t refused = 0;
        check(
            poise_live_set_volatilities(get(), contracts.size(), contracts.data(), {volatilities.data(), 0}, &refused));
        return refused;
    }
    std::size_t set_prices(
        std::span<const std::size_t> slices, std::span<const double> prices, std::int64_t milliseconds = 0) {
        same_length(slices.size(), prices.size());
        std::size_t refused = 0;
        check(poise_live_set_prices(get(), slices.size(), slices.data(), {prices.data(), 0}, milliseconds, &refused));
        return refused;
    }
    std::size_t quote(const poise_tickers &tickers) {
        std::size_t refused = 0;
        check(poise_live_quote(get(), &tickers, &refused));
        return refused;
    }
    void advance(std::int64_t milliseconds) { check(poise_live_advance(get(), milliseconds)); }
    std::size_t update() {
        std::size_t slices = 0;
        check(poise_live_update(get(), &slices));
        return slices;
    }

    // Contracts, books, cash.

    std::size_t list(
        const std::string &name, double price, std::int64_t milliseconds, double volatility = 0, double rate = 0) {
        const poise_listing listing = {sizeof listing, milliseconds, price, volatility, rate};
        std::size_t contract = 0;
        check(poise_live_list(get(), name.c_str(), &listing, &contract));
        return contract;
    }
    void delist(std::size_t contract) { check(poise_live_delist(get(), contract)); }
    settlement settle(std::size_t contract, double delivery_price) {
        poise_settlement made = {};
        made.size = sizeof made;
        check(poise_live_settle(get(), contract, delivery_price, &made));
        std::vector<double> quantities(made.payment_count), cash(made.payment_count);
        if (made.payment_count) check(poise_live_payments(get(), {quantities.data(), 0}, {cash.data(), 0}));
        settlement settled = {made.last_price, made.cash_per_unit, made.currency, {}};
        for (std::size_t i = 0; i < made.payment_count; i++)
            settled.payments.push_back({poise_live_payment_book(get(), i), quantities[i], cash[i]});
        return settled;
    }
    void roll_off() { check(poise_live_roll_off(get())); }
    void group(const poise_exposure_options &options) { check(poise_live_group(get(), &options)); }
    void add_book(const std::string &book, const char *desk = nullptr) {
        check(poise_live_add_book(get(), book.c_str(), desk));
    }
    void fill(const std::string &book, std::size_t contract, double quantity) {
        check(poise_live_fill(get(), book.c_str(), contract, quantity));
    }
    void set_position(const std::string &book, std::size_t contract, double quantity) {
        check(poise_live_set_position(get(), book.c_str(), contract, quantity));
    }
    double position(const std::string &book, std::size_t contract) const {
        double quantity;
        check(poise_live_position(get(), book.c_str(), contract, &quantity));
        return quantity;
    }
    double cash(const std::string &book, const std::string &currency) const {
        double amount;
        check(poise_live_cash(get(), book.c_str(), currency.c_str(), &amount));
        return amount;
    }
    std::vector<cash_amount> cash() const {
        std::vector<cash_amount> all;
        for (std::size_t i = 0, count = poise_live_cash_count(get()); i < count; i++) {
            const char *book, *currency;
            double amount;
            check(poise_live_cash_at(get(), i, &book, &currency, &amount));
            all.push_back({book, currency, amount});
        }
        return all;
    }
    void add_cash(const std::string &book, const std::string &currency, double amount) {
        check(poise_live_add_cash(get(), book.c_str(), currency.c_str(), amount));
    }
    std::string save() const {
        std::size_t length = 0;
        check(poise_live_save(get(), nullptr, 0, &length));
        std::string text(length, '\0');
        check(poise_live_save(get(), text.data(), text.size(), &length));
        return text;
    }

    // Hedges: their limits and candidates.

    std::size_t hedges() const { return poise_live_hedge_count(get()); }
    std::string_view hedge_book(std::size_t hedge) const { return text(poise_live_hedge_book(get(), hedge)); }
    std::uint64_t hedge_version(std::size_t hedge) const { return poise_live_hedge_version(get(), hedge); }
    std::size_t bands(std::size_t hedge) const { return poise_live_band_count(get(), hedge); }
    std::string_view band(std::size_t hedge, std::size_t number) const {
        return text(poise_live_band(get(), hedge, number));
    }
    void set_limits(const limits &limits, const poise_live_options *options = nullptr) {
        check(poise_live_set_limits(get(), limits.get(), options));
    }
    void set_limit(std::size_t hedge, const std::string &band, double low, double high) {
        check(poise_live_set_limit(get(), hedge, band.c_str(), low, high));
    }
    void remove_limit(std::size_t hedge, const std::string &band) {
        check(poise_live_remove_limit(get(), hedge, band.c_str()));
    }
    std::size_t candidates(std::size_t hedge) const { return poise_live_candidate_count(get(), hedge); }
    std::string_view candidate(std::size_t hedge, std::size_t number) const {
        const auto contract = poise_live_candidate(get(), hedge, number);
        return contract < 0 ? "" : this->contract(static_cast<std::size_t>(contract));
    }
    std::size_t add_candidates(std::size_t hedge, const chain &chain) {
        std::size_t added = 0;
        check(poise_live_add_candidates(get(), hedge, chain.get(), &added));
        return added;
    }
    void choose(std::size_t hedge, const poise_candidate_rule &rule) { check(poise_live_choose(get(), hedge, &rule)); }

    // Hedges: what they cost.

    /// The order book of a candidate; prices and amounts of a side are of one length.
    void set_book(
        std::size_t hedge, std::size_t candidate, std::span<const double> bid_prices,
        std::span<const double> bid_amounts, std::span<const double> ask_prices, std::span<const double> ask_amounts) {
        same_length(bid_prices.size(), bid_amounts.size());
        same_length(ask_prices.size(), ask_amounts.size());
        check(poise_live_set_book(
            get(), hedge, candidate, bid_prices.size(), {bid_prices.data(), 0}, {bid_amounts.data(), 0},
            ask_prices.size(), {ask_prices.data(), 0}, {ask_amounts.data(), 0}));
    }
    void set_candidate(std::size_t hedge, std::size_t candidate, const poise_hedge_instrument &instrument) {
        check(poise_live_set_candidate(get(), hedge, candidate, &instrument));
    }
    void set_minimum_trade(std::size_t hedge, std::size_t candidate, double minimum) {
        check(poise_live_set_minimum_trade(get(), hedge, candidate, minimum));
    }
    poise_hedge_instrument candidate_costs(std::size_t hedge, std::size_t candidate) const {
        poise_hedge_instrument costs = {};
        check(poise_live_candidate_costs(get(), hedge, candidate, &costs));
        return costs;
    }
    void set_fees(std::size_t hedge, std::string_view table, const char *name = nullptr) {
        check(poise_live_set_fees(get(), hedge, table.data(), table.size(), name));
    }
    void set_holding(std::size_t hedge, double days, double funding_rate) {
        check(poise_live_set_holding(get(), hedge, days, funding_rate));
    }
    void set_cash_budget(std::size_t hedge, double budget = std::numeric_limits<double>::infinity()) {
        check(poise_live_set_cash_budget(get(), hedge, budget));
    }
    void set_walks_levels(std::size_t hedge, bool walks) { check(poise_live_set_walks_levels(get(), hedge, walks)); }
    void set_variance(std::size_t hedge, const poise_live_variance *variance) {
        check(poise_live_set_variance(get(), hedge, variance));
    }
    void set_margin_limit(std::size_t hedge, double limit = std::numeric_limits<double>::infinity()) {
        check(poise_live_set_margin_limit(get(), hedge, limit));
    }
    void set_margin(std::size_t hedge, std::size_t candidate, double per_unit) {
        check(poise_live_set_margin(get(), hedge, candidate, per_unit));
    }
    /// A venue's margin for later hedges, of an account that is kept live; nullptr: none. See poise_live_set_requirement.
    void set_requirement(
        std::size_t hedge, poise_live_margin *margin, double buffer = -std::numeric_limits<double>::infinity(),
        double price = 0) {
        check(poise_live_set_requirement(get(), hedge, margin, buffer, price));
    }
    poise_margin_hedge_answer requirement(std::size_t hedge) const {
        poise_margin_hedge_answer answer = {};
        answer.size = sizeof answer;
        check(poise_live_requirement(get(), hedge, &answer));
        return answer;
    }
    void set_search(std::size_t hedge, const poise_hedge_search &search) {
        check(poise_live_set_search(get(), hedge, &search));
    }

    // Hedges: trades.

    poise_hedge_result rebalance(std::size_t hedge) {
        poise_hedge_result result = {};
        result.size = sizeof result;
        check(poise_live_rebalance(get(), hedge, &result));
        return result;
    }
    poise_hedge_result decide(std::size_t hedge) {
        poise_hedge_result result = {};
        result.size = sizeof result;
        check(poise_live_decide(get(), hedge, &result));
        return result;
    }
    /// The trades of the last decision, one per candidate: `trades` must be as long.
    void trades(std::size_t hedge, std::span<double> trades) const {
        if (trades.size() < candidates(hedge)) throw std::invalid_argument("poise::live: too short");
        check(poise_live_trades(get(), hedge, {trades.data(), 0}));
    }
    std::vector<double> trades(std::size_t hedge) const {
        std::vector<double> made(candidates(hedge));
        if (!made.empty()) trades(hedge, made);
        return made;
    }
    std::vector<double> band_exposures(std::size_t hedge) const {
        std::vector<double> exposures(bands(hedge));
        check(poise_live_bands(get(), hedge, {exposures.data(), 0}, {nullptr, 0}));
        return exposures;
    }
    /// Edges of the bands of the last decision, infinite where there is none, and exposures after its trades.
    struct band_edges {
        std::vector<double> low, high, after;
    };
    band_edges edges(std::size_t hedge) const {
        const std::vector<double> zero(bands(hedge));
        band_edges found = {zero, zero, zero};
        check(poise_live_band_edges(
            get(), hedge, {found.low.data(), 0}, {found.high.data(), 0}, {found.after.data(), 0}));
        return found;
    }
    std::vector<double> shadow_prices(std::size_t hedge) const {
        std::vector<double> prices(bands(hedge));
        check(poise_live_bands(get(), hedge, {nullptr, 0}, {prices.data(), 0}));
        return prices;
    }
    poise_hedge_diagnosis diagnose(std::size_t hedge) const {
        poise_hedge_diagnosis diagnosis = {};
        diagnosis.size = sizeof diagnosis;
        check(poise_live_diagnose(get(), hedge, {nullptr, 0}, {nullptr, 0}, {nullptr, 0}, &diagnosis));
        return diagnosis;
    }
    void book_trades(std::size_t hedge, const std::string &book) {
        check(poise_live_book_trades(get(), hedge, book.c_str()));
    }

   private:
    static std::string_view text(const char *text) { return text ? text : ""; }
    static std::optional<std::size_t> place(std::int64_t found) {
        return found < 0 ? std::nullopt : std::optional<std::size_t>(static_cast<std::size_t>(found));
    }
    static void same_length(std::size_t a, std::size_t b) {
        if (a != b) throw std::invalid_argument("poise::live: columns of different lengths");
    }
};

} // namespace poise
