// poise_margin.hpp: venues' margins of poise.h for C++20. Included by poise.hpp. Nothing but inline calls of poise.h, whose
// descriptions hold; names are those of the C functions.
#pragma once

#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace poise {

class margin_model : public handle<poise_margin_model, poise_margin_model_free> {
   public:
    explicit margin_model(const std::string &path)
        : handle([&](poise_margin_model **made) { return poise_margin_model_read(path.c_str(), made); }) {}
    static margin_model parse(std::string_view text, const char *name = nullptr) {
        return margin_model(
            [&](poise_margin_model **made) { return poise_margin_model_parse(text.data(), text.size(), name, made); });
    }
    /// Terms of the venue's margin that the model leaves out.
    std::vector<std::string> omitted() const {
        std::vector<std::string> found;
        while (const char *text = poise_margin_model_omitted(get(), found.size())) found.emplace_back(text);
        return found;
    }
    std::string_view fact(poise_margin_fact fact) const {
        const char *text = poise_margin_model_fact(get(), fact);
        return text ? text : "";
    }

   private:
    template <typename Create>
        requires std::is_invocable_v<Create, poise_margin_model **>
    explicit margin_model(Create create) : handle(create) {}
};

class margin_account : public handle<poise_margin_account, poise_margin_account_free> {
   public:
    explicit margin_account(const std::string &path)
        : handle([&](poise_margin_account **made) { return poise_margin_account_read(path.c_str(), made); }) {}
    static margin_account parse(std::string_view text, const char *name = nullptr) {
        return margin_account([&](poise_margin_account **made) {
            return poise_margin_account_parse(text.data(), text.size(), name, made);
        });
    }
    std::string_view currency() const { return poise_margin_account_currency(get()); }

   private:
    template <typename Create>
        requires std::is_invocable_v<Create, poise_margin_account **>
    explicit margin_account(Create create) : handle(create) {}
};

/// Accounts with positions, market and parameters of their own, as a venue's tests have them.
class margin_cases : public handle<poise_margin_cases, poise_margin_cases_free> {
   public:
    explicit margin_cases(const std::string &path)
        : handle([&](poise_margin_cases **made) { return poise_margin_cases_read(path.c_str(), made); }) {}
    /// Of a text, as a file has it; `name` is what errors call it.
    margin_cases(std::string_view text, const char *name)
        : handle([&](poise_margin_cases **made) {
              return poise_margin_cases_parse(text.data(), text.size(), name, made);
          }) {}

    std::size_t size() const { return poise_margin_cases_count(get()); }
    std::string_view operator[](std::size_t index) const { return text_of(poise_margin_cases_name(get(), index)); }
};

/// What a venue auctions of a case's account.
class margin_auction : public handle<poise_margin_auction, poise_margin_auction_free> {
   public:
    margin_auction(const margin_cases &cases, std::size_t index)
        : handle([&](poise_margin_auction **made) { return poise_margin_auction_of_case(cases.get(), index, made); }) {}

    std::size_t size() const { return poise_margin_auction_count(get()); }
    std::vector<double> amounts(poise_margin_bid figure) const {
        std::vector<double> values(size());
        check(poise_margin_auction_amounts(get(), figure, {values.data(), 0}));
        return values;
    }
};

/// Margins after trades, a row each.
struct margins_after {
    std::vector<double> initial_margin, maintenance_margin, initial_balance, maintenance_balance;

    explicit margins_after(std::size_t count)
        : initial_margin(count), maintenance_margin(count), initial_balance(count), maintenance_balance(count) {}

    poise_margin_columns columns() {
        return {
            sizeof(poise_margin_columns),
            {initial_margin.data(), 0},
            {maintenance_margin.data(), 0},
            {initial_balance.data(), 0},
            {maintenance_balance.data(), 0}};
    }
};

/// What a venue asks of positions, all of them one account.
class margin : public handle<poise_margin, poise_margin_free> {
   public:
    margin(
        const engine &engine, const chain &chain, const positions &positions, const margin_account &account,
        const margin_model &model, const char *underlying = nullptr)
        : handle([&](poise_margin **made) {
              return poise_margin_create(
                  engine.get(), chain.get(), positions.get(), account.get(), model.get(), underlying, made);
          }) {}

    /// Of a case.
    margin(const engine &engine, const margin_cases &cases, std::size_t index)
        : handle([&](poise_margin **made) { return poise_margin_of_case(engine.get(), cases.get(), index, made); }) {}

    std::size_t underlyings() const { return poise_margin_underlying_count(get()); }
    std::string_view underlying(std::size_t place) const { return text_of(poise_margin_underlying(get(), place)); }
    double index(std::size_t underlying) const { return poise_margin_index(get(), underlying); }
    /// Fields of the account that the model does not ask for.
    std::vector<std::string> without_effect() const {
        std::vector<std::string> found;
        while (const char *text = poise_margin_without_effect(get(), found.size())) found.emplace_back(text);
        return found;
    }
    poise_margin_figures totals() const {
        poise_margin_figures figures = {};
        figures.size = sizeof figures;
        check(poise_margin_totals(get(), &figures));
        return figures;
    }
    std::size_t count(poise_margin_table table) const { return poise_margin_count(get(), table); }
    std::string_view text(poise_margin_table table, std::size_t row, poise_margin_label label) const {
        const char *text = poise_margin_text(get(), table, row, label);
        return text ? text : "";
    }
    std::vector<double> amounts(poise_margin_table table, poise_margin_amount amount) const {
        std::vector<double> values(count(table));
        check(poise_margin_amounts(get(), table, amount, {values.data(), 0}));
        return values;
    }
    /// Prices, or multiples of all prices at once.
    std::vector<double> liquidation(
        std::int64_t underlying = POISE_MARGIN_ALL_UNDERLYINGS, double lowest = 0, double highest = 0) const {
        std::vector<double> prices(32);
        std::size_t count = 0;
        auto status =
            poise_margin_liquidation(get(), underlying, lowest, highest, {prices.data(), 0}, prices.size(), &count);
        if (status == POISE_ERROR_COUNT && count > prices.size()) {
            prices.resize(count);
            status =
                poise_margin_liquidation(get(), underlying, lowest, highest, {prices.data(), 0}, prices.size(), &count);
        }
        check(status);
        prices.resize(count);
        return prices;
    }
    /// `instruments` and `quantities` are as long as each other.
    margins_after what_if(std::span<const char *const> instruments, std::span<const double> quantities) const {
        if (instruments.size() != quantities.size())
            throw std::invalid_argument("poise::margin: trades of different lengths");
        margins_after after(quantities.size());
        const auto columns = after.columns();
        check(poise_margin_what_if(
            get(), quantities.size(), {instruments.data(), nullptr, nullptr, nullptr}, {quantities.data(), 0},
            &columns));
        return after;
    }
};

/// The times ahead at which the rule itself jumps or bends.
class margin_ahead : public handle<poise_margin_ahead, poise_margin_ahead_free> {
   public:
    margin_ahead(const margin &margin, double days)
        : handle([&](poise_margin_ahead **made) { return poise_margin_ahead_create(margin.get(), days, made); }) {}

    std::size_t count() const { return poise_margin_ahead_count(get()); }
    std::string_view text(std::size_t step, poise_margin_label label) const {
        const char *text = poise_margin_ahead_text(get(), step, label);
        return text ? text : "";
    }
    std::vector<double> amounts(poise_margin_step figure) const {
        std::vector<double> values(count());
        check(poise_margin_ahead_amounts(get(), figure, {values.data(), 0}));
        return values;
    }
};

/// A margin in whole numbers of 1e-8: figures are digits.
class margin_exact : public handle<poise_margin_exact, poise_margin_exact_free> {
   public:
    explicit margin_exact(const margin &margin)
        : handle([&](poise_margin_exact **made) { return poise_margin_exact_create(margin.get(), made); }) {}

    std::string_view figure(poise_margin_whole figure) const {
        const char *text = poise_margin_exact_figure(get(), figure);
        return text ? text : "";
    }
    std::size_t count() const { return poise_margin_exact_count(get()); }
    std::string_view scenario(std::size_t number) const {
        const char *text = poise_margin_exact_scenario(get(), number);
        return text ? text : "";
    }
    std::string_view loss(std::size_t number) const {
        const char *text = poise_margin_exact_loss(get(), number);
        return text ? text : "";
    }
    std::string_view transcript() const { return poise_margin_exact_transcript(get()); }
};

/// A margin kept current through ticks and fills. One thread at a time.
class live_margin : public handle<poise_live_margin, poise_live_margin_free> {
   public:
    explicit live_margin(const margin &margin)
        : handle([&](poise_live_margin **made) { return poise_live_margin_create(margin.get(), made); }) {}

    std::int64_t find(const std::string &contract) const {
        return poise_live_margin_find_contract(get(), contract.c_str());
    }
    std::size_t contracts() const { return poise_live_margin_contract_count(get()); }
    std::string_view contract(std::size_t place) const { return text_of(poise_live_margin_contract(get(), place)); }
    std::size_t expiries() const { return poise_live_margin_expiry_count(get()); }
    std::string_view expiry(std::size_t place) const { return text_of(poise_live_margin_expiry(get(), place)); }
    std::int64_t find_expiry(const std::string &name) const {
        return poise_live_margin_find_expiry(get(), name.c_str());
    }
    // Parts of a tick, which `update` values.
    void set_index(double price) { check(poise_live_margin_set_index(get(), price)); }
    void set_forward(std::size_t expiry, double price) { check(poise_live_margin_set_forward(get(), expiry, price)); }
    void set_perpetual(std::size_t contract, double price) {
        check(poise_live_margin_set_perpetual(get(), contract, price));
    }
    void set_volatility(std::size_t contract, double volatility) {
        check(poise_live_margin_set_volatility(get(), contract, volatility));
    }
    void update() { check(poise_live_margin_update(get())); }
    /// Takes a tick over, and values everything anew.
    void tick(double price, std::int64_t milliseconds = 0) {
        check(poise_live_margin_tick(get(), price, milliseconds));
        check(poise_live_margin_update(get()));
    }
    void fill(std::size_t contract, double quantity, double amount) {
        check(poise_live_margin_fill(get(), contract, quantity, amount));
    }
    poise_margin_figures totals() const {
        poise_margin_figures figures = {};
        figures.size = sizeof figures;
        check(poise_live_margin_totals(get(), &figures));
        return figures;
    }
    /// Into `after`, which is as long as `contracts` and `quantities`: allocates nothing.
    void what_if(
        std::span<const std::size_t> contracts, std::span<const double> quantities, margins_after &after) const {
        if (contracts.size() != quantities.size() || after.initial_margin.size() < quantities.size())
            throw std::invalid_argument("poise::live_margin: trades of different lengths");
        const auto columns = after.columns();
        check(poise_live_margin_what_if(get(), quantities.size(), contracts.data(), {quantities.data(), 0}, &columns));
    }
};

/// The cheapest trades that keep limits and leave enough of an account.
class margin_hedge : public handle<poise_margin_hedge, poise_margin_hedge_free> {
   public:
    margin_hedge(const margin &margin, const limits &limits, const poise_margin_hedge_options *options = nullptr)
        : handle([&](poise_margin_hedge **made) {
              return poise_margin_hedge_create(margin.get(), limits.get(), options, made);
          }) {}

    /// Of a case.
    margin_hedge(const engine &engine, const margin_cases &cases, std::size_t index)
        : handle([&](poise_margin_hedge **made) {
              return poise_margin_hedge_of_case(engine.get(), cases.get(), index, made);
          }) {}

    poise_hedge_result result() const {
        poise_hedge_result result = {};
        result.size = sizeof result;
        check(poise_margin_hedge_totals(get(), &result, nullptr));
        return result;
    }
    poise_margin_hedge_answer answer() const {
        poise_margin_hedge_answer answer = {};
        answer.size = sizeof answer;
        check(poise_margin_hedge_totals(get(), nullptr, &answer));
        return answer;
    }
    poise_margin_figures account(bool after) const {
        poise_margin_figures figures = {};
        figures.size = sizeof figures;
        check(poise_margin_hedge_account(get(), after, &figures, nullptr, nullptr));
        return figures;
    }
    std::size_t candidates() const { return poise_margin_hedge_candidate_count(get()); }
    std::string_view candidate(std::size_t number) const {
        const char *name = poise_margin_hedge_candidate(get(), number);
        return name ? name : "";
    }
    /// How a candidate counts: `poise_margin_holding`.
    std::int64_t holding(std::size_t candidate) const { return poise_margin_hedge_holding(get(), candidate); }
    std::size_t bands() const { return poise_margin_hedge_band_count(get()); }
    std::string_view band(std::size_t number) const { return text_of(poise_margin_hedge_band(get(), number)); }
    /// Exposures before the trades, and what the least cost changes by as limits rise; one per band.
    std::pair<std::vector<double>, std::vector<double>> exposures_and_prices() const {
        std::vector<double> exposures(bands()), prices(bands());
        check(poise_margin_hedge_bands(get(), {exposures.data(), 0}, {prices.data(), 0}));
        return {exposures, prices};
    }
    /// Scenarios of the margin, and what each costs.
    std::size_t outcomes() const { return poise_margin_hedge_outcome_count(get()); }
    std::string_view outcome(std::size_t number) const { return text_of(poise_margin_hedge_outcome(get(), number)); }
    std::vector<double> outcome_prices() const {
        std::vector<double> prices(outcomes());
        check(poise_margin_hedge_outcome_prices(get(), {prices.data(), 0}));
        return prices;
    }
    /// What a reader of the hedge should know, a sentence each.
    std::vector<std::string> notes() const {
        std::vector<std::string> found;
        while (const char *text = poise_margin_hedge_note(get(), found.size())) found.emplace_back(text);
        return found;
    }
    /// One per candidate, above 0 buys.
    std::vector<double> trades() const {
        std::vector<double> trades(candidates());
        check(poise_margin_hedge_trades(get(), {trades.data(), 0}, {nullptr, 0}));
        return trades;
    }
};

} // namespace poise
