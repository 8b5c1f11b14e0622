// poise_risk.hpp: exposures, scenarios, tail risk and explained profits of poise.h for C++20. Included by poise.hpp. Nothing but
// inline calls of poise.h, whose descriptions hold; names are those of the C functions.
#pragma once

#include <initializer_list>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace poise {

/// How figures of books are counted and grouped.
inline poise_exposure_options grouped_by(
    std::initializer_list<poise_grouping> groupings, poise_numeraire numeraire = POISE_NUMERAIRE_USD) {
    if (groupings.size() > POISE_MAXIMUM_GROUPINGS)
        throw std::invalid_argument("poise::grouped_by: too many groupings");
    poise_exposure_options options = {};
    options.size = sizeof options;
    options.numeraire = numeraire;
    for (const poise_grouping grouping : groupings) options.groupings[options.grouping_count++] = grouping;
    return options;
}

/// Exposures of positions off the latest ticker of each contract.
class exposures : public handle<poise_exposures, poise_exposures_free> {
   public:
    exposures(
        const engine &engine, const chain &chain, const positions &positions,
        const poise_exposure_options &options = grouped_by({}))
        : handle([&](poise_exposures **made) {
              return poise_exposures_create(engine.get(), chain.get(), positions.get(), &options, made);
          }) {}
    /// By desk, tenor and moneyness, too.
    exposures(
        const engine &engine, const chain &chain, const positions &positions, const poise_exposure_options &options,
        const poise_buckets &buckets)
        : handle([&](poise_exposures **made) {
              return poise_exposures_create_in_buckets(
                  engine.get(), chain.get(), positions.get(), &options, &buckets, made);
          }) {}

    std::size_t size() const { return poise_exposures_count(get()); }
    std::string_view label(std::size_t group, std::size_t grouping) const {
        const char *text = poise_exposures_label(get(), group, grouping);
        return text ? text : "";
    }
    std::vector<double> values(poise_exposure exposure) const {
        std::vector<double> values(size());
        check(poise_exposures_values(get(), exposure, {values.data(), 0}));
        return values;
    }
};

/// By how much prices, volatilities, rates and time move.
class grid : public handle<poise_grid, poise_grid_free> {
   public:
    explicit grid(const std::string &path)
        : handle([&](poise_grid **made) { return poise_grid_read(path.c_str(), made); }) {}
    /// Of a text (JSON), as a file has it; `name` is what errors call it.
    grid(std::string_view text, const char *name)
        : handle([&](poise_grid **made) { return poise_grid_parse(text.data(), text.size(), name, made); }) {}
    grid(std::span<const poise_volatility_rule> rules, std::span<const poise_scenario> scenarios)
        : handle([&](poise_grid **made) {
              return poise_grid_create(rules.data(), rules.size(), scenarios.data(), scenarios.size(), made);
          }) {}

    std::size_t rules() const { return poise_grid_rule_count(get()); }
    std::string_view rule(std::size_t rule) const { return text_of(poise_grid_rule(get(), rule)); }
    std::size_t size() const { return poise_grid_count(get()); }
    std::string_view title(std::size_t scenario) const {
        const char *text = poise_grid_title(get(), scenario);
        return text ? text : "";
    }
    poise_scenario operator[](std::size_t scenario) const {
        poise_scenario found;
        check(poise_grid_scenario(get(), scenario, &found));
        return found;
    }
};

/// What groups of positions gain in every scenario.
class scenario_profits : public handle<poise_scenario_profits, poise_scenario_profits_free> {
   public:
    scenario_profits(
        const engine &engine, const chain &chain, const positions &positions, const grid &grid,
        const poise_exposure_options &options = grouped_by({}))
        : handle([&](poise_scenario_profits **made) {
              return poise_scenario_profits_create(
                  engine.get(), chain.get(), positions.get(), grid.get(), &options, made);
          }),
          scenarios(grid.size()) {}

    std::size_t size() const { return poise_scenario_profits_count(get()); }
    std::string_view label(std::size_t group, std::size_t grouping) const {
        const char *text = poise_scenario_profits_label(get(), group, grouping);
        return text ? text : "";
    }
    /// Group by group, scenario by scenario.
    std::vector<double> values() const {
        std::vector<double> values(size() * scenarios);
        check(poise_scenario_profits_values(get(), {values.data(), 0}));
        return values;
    }

   private:
    std::size_t scenarios;
};

/// What a long unit of each leg gains in every scenario: leg by leg, scenario by scenario.
inline std::vector<double> scenario_legs(
    const engine &engine, const grid &grid, const options &legs, poise_numeraire numeraire = POISE_NUMERAIRE_USD) {
    std::vector<double> profits(legs.type.size() * grid.size());
    const poise_full_form form = legs.form();
    check(poise_scenario_legs(engine.get(), grid.get(), &form, numeraire, {profits.data(), 0}));
    return profits;
}

/// What books of legs gain in every scenario: book by book, scenario by scenario. Leg i belongs to `books[i]`.
inline std::vector<double> scenario_books(
    const engine &engine, const grid &grid, const options &legs, std::span<const double> quantity,
    std::span<const std::int32_t> books, std::size_t count, poise_numeraire numeraire = POISE_NUMERAIRE_USD) {
    if (quantity.size() != legs.type.size() || books.size() != legs.type.size())
        throw std::invalid_argument("poise::scenario_books: columns of different lengths");
    std::vector<double> profits(count * grid.size());
    const poise_full_form form = legs.form();
    check(poise_scenario_books(
        engine.get(), grid.get(), &form, {quantity.data(), 0}, books.data(), count, numeraire, {profits.data(), 0}));
    return profits;
}

/// The history of a coin in files that are joined, and of its volatility index where there is one.
struct history {
    std::string coin;
    std::vector<std::string> candles, volatility_index;
};

/// Value at risk and expected shortfall of groups of positions.
class tail_risk : public handle<poise_tail_risk, poise_tail_risk_free> {
   public:
    static poise_tail_options standard() {
        poise_tail_options options = {};
        options.size = sizeof options;
        options.term_power = 0.5;
        options.seed = 1;
        return options;
    }

    tail_risk(
        const engine &engine, const chain &chain, const positions &positions, std::span<const history> histories,
        const poise_tail_options &options = standard(), const poise_buckets *buckets = nullptr)
        : handle([&](poise_tail_risk **made) {
              std::vector<std::vector<poise_source>> sources;
              sources.reserve(2 * histories.size());
              const auto of = [&](const std::vector<std::string> &paths) {
                  auto &made = sources.emplace_back();
                  for (const auto &path : paths)
                      made.push_back({sizeof(poise_source), path.c_str(), nullptr, 0, nullptr, nullptr});
                  return std::pair<const poise_source *, std::size_t>(made.data(), made.size());
              };
              std::vector<poise_history> given;
              for (const auto &one : histories) {
                  const auto candles = of(one.candles), index = of(one.volatility_index);
                  given.push_back({one.coin.c_str(), candles.first, candles.second, index.first, index.second});
              }
              return poise_tail_risk_create(
                  engine.get(), chain.get(), positions.get(), given.data(), given.size(), &options, buckets, made);
          }) {}

    struct figures {
        std::vector<double> value_at_risk, expected_shortfall, value_at_risk_component, expected_shortfall_component;
        std::vector<poise_tail_total> totals;
    };

    std::size_t size() const { return poise_tail_risk_count(get()); }
    std::size_t scenarios() const { return poise_tail_risk_scenario_count(get()); }
    std::string_view label(std::size_t group, std::size_t grouping = 0) const {
        const char *text = poise_tail_risk_label(get(), group, grouping);
        return text ? text : "";
    }
    /// The name of a total, "total" or "total BTC".
    std::string_view total(std::size_t total) const { return text_of(poise_tail_risk_total(get(), total)); }
    /// When a scenario of a history began, in milliseconds since 1970.
    std::int64_t start(std::size_t scenario) const { return poise_tail_risk_start(get(), scenario); }
    std::vector<double> gains(std::size_t group) const {
        std::vector<double> gains(scenarios());
        check(poise_tail_risk_gains(get(), group, {gains.data(), 0}));
        return gains;
    }
    figures at(double level) const {
        std::vector<double> zero(size());
        figures found = {zero, zero, zero, zero, std::vector<poise_tail_total>(poise_tail_risk_total_count(get()))};
        const poise_tail_columns columns = {
            sizeof columns,
            {found.value_at_risk.data(), 0},
            {found.expected_shortfall.data(), 0},
            {found.value_at_risk_component.data(), 0},
            {found.expected_shortfall_component.data(), 0}};
        check(poise_tail_risk_measures(get(), level, &columns, found.totals.data()));
        return found;
    }
};

class trades : public handle<poise_trades, poise_trades_free> {
   public:
    explicit trades(const std::string &path)
        : handle([&](poise_trades **made) { return poise_trades_read(path.c_str(), made); }) {}
    /// Of a text, as a file has it; `name` is what errors call it.
    trades(std::string_view text, const char *name)
        : handle([&](poise_trades **made) { return poise_trades_parse(text.data(), text.size(), name, made); }) {}
    /// Of columns, as long as `quantity`; `fee` may be empty.
    trades(
        std::span<const char *const> book, std::span<const char *const> instrument, std::span<const double> quantity,
        std::span<const double> price, std::span<const double> fee = {})
        : handle([&](poise_trades **made) {
              const std::size_t count = quantity.size();
              if (book.size() != count || instrument.size() != count || price.size() != count ||
                  (!fee.empty() && fee.size() != count))
                  throw std::invalid_argument("poise::trades: columns of different lengths");
              return poise_trades_create(
                  count, {book.data(), nullptr, nullptr, nullptr}, {instrument.data(), nullptr, nullptr, nullptr},
                  {quantity.data(), 0}, {price.data(), 0}, {fee.empty() ? nullptr : fee.data(), 0}, made);
          }) {}

    std::size_t size() const { return poise_trades_count(get()); }
};

/// What positions have gained between two chains, and which Greek explains how much of it.
class explanation : public handle<poise_explanation, poise_explanation_free> {
   public:
    static poise_explanation_options standard() {
        poise_explanation_options options = {};
        options.size = sizeof options;
        return options;
    }

    explanation(
        const engine &engine, const chain &from, const chain &to, const positions &positions,
        const trades *trades = nullptr, const poise_explanation_options &options = standard())
        : handle([&](poise_explanation **made) {
              return poise_explanation_create(
                  engine.get(), from.get(), to.get(), positions.get(), trades ? trades->get() : nullptr, &options,
                  made);
          }) {}

    std::size_t size() const { return poise_explanation_count(get()); }
    std::string_view label(std::size_t group, std::size_t grouping) const {
        const char *text = poise_explanation_label(get(), group, grouping);
        return text ? text : "";
    }
    std::vector<double> values(poise_profit_part part) const {
        std::vector<double> values(size());
        check(poise_explanation_values(get(), part, {values.data(), 0}));
        return values;
    }
    /// A contract that expired on the way, its price, and whether that was given.
    struct settlement {
        std::string_view instrument;
        double price;
        bool is_given;
    };
    std::size_t settlements() const { return poise_explanation_settlement_count(get()); }
    settlement settled(std::size_t index) const {
        double price = 0;
        std::uint32_t is_given = 0;
        const char *name = poise_explanation_settlement(get(), index, &price, &is_given);
        return {text_of(name), price, is_given != 0};
    }
};

} // namespace poise
