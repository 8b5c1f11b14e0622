// poise.hpp: the C library for C++20, as objects that free themselves, spans and exceptions. Nothing but inline calls of
// poise.h, whose descriptions hold.
#pragma once

#include <cstdint>
#include <memory>
#include <poise.h>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace poise {

/// A failed call: its sentence, and the parts of poise_last_error_reason and its kin.
class error : public std::runtime_error {
   public:
    explicit error(poise_status status)
        : std::runtime_error(poise_last_error()),
          status(status),
          place_kind(poise_last_error_place_kind()),
          place(poise_last_error_place()),
          row(poise_last_error_row()),
          field(poise_last_error_field()),
          value(poise_last_error_value()),
          text(poise_last_error_text()),
          reason(poise_last_error_reason()) {}

    poise_status status;
    poise_place_kind place_kind;
    std::string place;
    std::int64_t row;
    std::string field;
    double value;
    std::string text, reason;
};

inline void check(poise_status status) {
    if (status != POISE_OK) throw error(status);
}

/// A handle that is freed with its object.
template <typename T, void (*Free)(T *)>
class handle {
   public:
    T *get() const { return pointer.get(); }

   protected:
    /// From a function that hands one out.
    template <typename Create>
    explicit handle(Create create) {
        T *made = nullptr;
        check(create(&made));
        pointer.reset(made);
    }

   private:
    struct deleter {
        void operator()(T *made) const { Free(made); }
    };
    std::unique_ptr<T, deleter> pointer;
};

/// Options in full form. Columns are as long as `type`, or hold one value that stands for all.
struct options {
    std::span<const std::uint8_t> type;
    std::span<const double> spot, strike, years, volatility, rate, dividend;
    poise_model model = POISE_MODEL_BLACK_SCHOLES_MERTON;

    poise_full_form form() const {
        return {
            sizeof(poise_full_form), type.size(),        model,        {type.data(), 0}, column(spot), column(strike),
            column(years),           column(volatility), column(rate), column(dividend)};
    }

   private:
    poise_values column(std::span<const double> values) const {
        if (values.size() == type.size()) return {values.data(), 0};
        if (values.size() == 1) return {values.data(), POISE_BROADCAST};
        throw std::invalid_argument("poise::options: columns of different lengths");
    }
};

class engine : public handle<poise_engine, poise_engine_free> {
   public:
    explicit engine(poise_instruction_set set = POISE_ISA_AUTOMATIC, std::uint32_t threads = 1)
        : handle([=](poise_engine **made) {
              const poise_engine_options chosen = {sizeof chosen, set, threads};
              return poise_engine_create(&chosen, made);
          }) {}

    /// `columns`: one per bit of `greeks`, in their order, each as long as the options.
    void greeks(const options &options, poise_greek_set greeks, std::span<const std::span<double>> columns) const {
        poise_column places[POISE_GREEK_COUNT];
        if (columns.size() > POISE_GREEK_COUNT) throw std::invalid_argument("poise::engine: too many columns");
        for (std::size_t i = 0; i < columns.size(); i++) {
            if (columns[i].size() < options.type.size())
                throw std::invalid_argument("poise::engine: a column is too short");
            places[i] = {columns[i].data(), 0};
        }
        const poise_full_form form = options.form();
        check(poise_greeks(get(), &form, greeks, places, columns.size(), nullptr));
    }
};

class chain : public handle<poise_chain, poise_chain_free> {
   public:
    explicit chain(const std::string &path)
        : handle([&](poise_chain **made) { return poise_chain_read(path.c_str(), made); }) {}
    explicit chain(const poise_tickers &tickers)
        : handle([&](poise_chain **made) { return poise_chain_create(&tickers, made); }) {}
};

class positions : public handle<poise_positions, poise_positions_free> {
   public:
    explicit positions(const std::string &path)
        : handle([&](poise_positions **made) { return poise_positions_read(path.c_str(), made); }) {}
};

class limits : public handle<poise_limits, poise_limits_free> {
   public:
    explicit limits(const std::string &path)
        : handle([&](poise_limits **made) { return poise_limits_read(path.c_str(), made); }) {}
};

/// Books over a chain, tick by tick, with the hedges that limits ask for. One thread at a time.
class live : public handle<poise_live, poise_live_free> {
   public:
    live(
        const engine &engine, const chain &chain, const positions &positions, const limits *limits = nullptr,
        const poise_live_options *options = nullptr)
        : handle([&](poise_live **made) {
              return poise_live_create(
                  engine.get(), chain.get(), positions.get(), limits ? limits->get() : nullptr, options, made);
          }) {}

    void tick(std::size_t underlying, double price, std::int64_t milliseconds = 0) {
        check(poise_live_tick(get(), underlying, price, milliseconds));
    }
    poise_hedge_result decide(std::size_t hedge) {
        poise_hedge_result result = {};
        result.size = sizeof result;
        check(poise_live_decide(get(), hedge, &result));
        return result;
    }
    std::size_t candidates(std::size_t hedge) const { return poise_live_candidate_count(get(), hedge); }
    /// The trades of the last decision, one per candidate: `trades` must be as long.
    void trades(std::size_t hedge, std::span<double> trades) const {
        if (trades.size() < candidates(hedge)) throw std::invalid_argument("poise::live: too short");
        check(poise_live_trades(get(), hedge, {trades.data(), 0}));
    }
    std::string_view candidate(std::size_t hedge, std::size_t number) const {
        const auto contract = poise_live_candidate(get(), hedge, number);
        return contract < 0 ? "" : poise_live_contract(get(), static_cast<std::size_t>(contract));
    }
    void book_trades(std::size_t hedge, const std::string &book) {
        check(poise_live_book_trades(get(), hedge, book.c_str()));
    }
    std::vector<double> band_exposures(std::size_t hedge) const {
        std::vector<double> exposures(poise_live_band_count(get(), hedge));
        check(poise_live_bands(get(), hedge, {exposures.data(), 0}, {nullptr, 0}));
        return exposures;
    }
    std::string_view band(std::size_t hedge, std::size_t number) const {
        const char *name = poise_live_band(get(), hedge, number);
        return name ? name : "";
    }
    std::size_t groupings() const { return poise_live_grouping_count(get()); }
    std::string_view label(std::size_t group, std::size_t grouping) const {
        const char *label = poise_live_label(get(), group, grouping);
        return label ? label : "";
    }
};

} // namespace poise
