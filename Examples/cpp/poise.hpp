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
#include <type_traits>
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
          reason(poise_last_error_reason()),
          earlier_row(poise_last_error_earlier_row()) {}

    poise_status status;
    poise_place_kind place_kind;
    std::string place;
    std::int64_t row;
    std::string field;
    double value;
    std::string text, reason;
    /// The row that contradicts it, or −1.
    std::int64_t earlier_row;
};

/// A text of the library, which may be NULL.
inline std::string_view text_of(const char *text) { return text ? text : ""; }

/// The version of the library, "0.1.0", and of what programs are compiled against.
inline std::string_view version() { return poise_version(); }
inline std::uint32_t abi_version() { return poise_abi_version(); }

/// Names, empty for unknown enumerators.
inline std::string_view name(poise_status status) { return text_of(poise_status_name(status)); }
inline std::string_view name(poise_greek greek) { return text_of(poise_greek_name(greek)); }
inline std::string_view name(poise_model model) { return text_of(poise_model_name(model)); }
inline std::string_view name(poise_exposure exposure) { return text_of(poise_exposure_name(exposure)); }
inline std::string_view name(poise_profit_part part) { return text_of(poise_profit_part_name(part)); }

inline void check(poise_status status) {
    if (status != POISE_OK) throw error(status);
}

/// Milliseconds since 1970 of a time as all tables have it.
inline std::int64_t time(std::string_view text) {
    std::int64_t milliseconds;
    check(poise_time_parse(text.data(), text.size(), &milliseconds));
    return milliseconds;
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

/// Options with prices in place of volatilities.
struct priced_options {
    std::span<const std::uint8_t> type;
    std::span<const double> spot, strike, years, price, rate, dividend;
    poise_model model = POISE_MODEL_BLACK_SCHOLES_MERTON;

    poise_prices form() const {
        const poise_full_form form = options{type, spot, strike, years, price, rate, dividend, model}.form();
        return {sizeof(poise_prices), form.count,      form.type, form.spot,     form.strike,
                form.years,           form.volatility, form.rate, form.dividend, form.model};
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
    /// `volatility` and, where it is wanted, `status` (`poise_volatility_status`) are as long as the options.
    void implied_volatility(
        const priced_options &options, std::span<double> volatility, std::span<std::uint8_t> status = {}) const {
        if (volatility.size() < options.type.size() || (!status.empty() && status.size() < options.type.size()))
            throw std::invalid_argument("poise::engine: a column is too short");
        const poise_prices form = options.form();
        check(poise_implied_volatility(get(), &form, {volatility.data(), 0}, status.empty() ? nullptr : status.data()));
    }
    poise_instruction_set instruction_set() const { return poise_engine_instruction_set(get()); }
};

/// Options by underlying and expiry, which share spot, years, rate and dividend. One thread at a time.
class slices : public handle<poise_slices, poise_slices_free> {
   public:
    /// The options of slice s are those from `offsets[s]` to `offsets[s + 1] − 1`.
    slices(
        const engine &engine, std::span<const std::size_t> offsets, std::span<const std::uint8_t> type,
        std::span<const double> strike)
        : handle([&](poise_slices **made) {
              const std::size_t options = offsets.empty() ? 0 : offsets.back();
              if (offsets.empty() || type.size() < options || strike.size() < options)
                  throw std::invalid_argument("poise::slices: columns of different lengths");
              return poise_slices_create(
                  engine.get(), offsets.size() - 1, offsets.data(), {type.data(), 0}, {strike.data(), 0}, made);
          }) {}

    std::size_t size() const { return poise_slices_count(get()); }
    /// Of slices from `first` on; columns as long as `spot`.
    void set_market(
        std::size_t first, std::span<const double> spot, std::span<const double> years, std::span<const double> rate,
        std::span<const double> dividend) {
        if (years.size() != spot.size() || rate.size() != spot.size() || dividend.size() != spot.size())
            throw std::invalid_argument("poise::slices: columns of different lengths");
        check(poise_slices_set_market(
            get(), first, spot.size(), {spot.data(), 0}, {years.data(), 0}, {rate.data(), 0}, {dividend.data(), 0}));
    }
    /// Of options from `first` on.
    void set_volatility(std::size_t first, std::span<const double> volatility) {
        check(poise_slices_set_volatility(get(), first, volatility.size(), {volatility.data(), 0}));
    }
    /// Of the options of `count` slices from `first` on, of which there are `options`: columns as of `engine::greeks`.
    void greeks(
        std::size_t first, std::size_t count, std::size_t options, poise_greek_set greeks,
        std::span<const std::span<double>> columns) {
        poise_column places[POISE_GREEK_COUNT];
        if (columns.size() > POISE_GREEK_COUNT) throw std::invalid_argument("poise::slices: too many columns");
        for (std::size_t i = 0; i < columns.size(); i++) {
            if (columns[i].size() < options) throw std::invalid_argument("poise::slices: a column is too short");
            places[i] = {columns[i].data(), 0};
        }
        check(poise_slices_greeks(get(), first, count, greeks, places, columns.size()));
    }
};

} // namespace poise

#include "poise_live.hpp"
#include "poise_hedger.hpp"
#include "poise_margin.hpp"
#include "poise_risk.hpp"
#include "poise_surface.hpp"
