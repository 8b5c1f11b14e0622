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

} // namespace poise

#include "poise_live.hpp"
#include "poise_margin.hpp"
#include "poise_risk.hpp"
