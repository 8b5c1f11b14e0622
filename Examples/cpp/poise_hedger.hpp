// poise_hedger.hpp: hedge problems of one's own of poise.h for C++20. Included by poise.hpp. Nothing but inline calls of poise.h,
// whose descriptions hold.
#pragma once

#include <cstddef>
#include <span>
#include <stdexcept>
#include <vector>

namespace poise {

/// Solves problems, the next from the last one's answer. One thread at a time.
class hedger : public handle<poise_hedger, poise_hedger_free> {
   public:
    explicit hedger(const poise_hedger_options *options = nullptr)
        : handle([=](poise_hedger **made) { return poise_hedger_create(options, made); }) {}

    struct answer {
        /// One per instrument, above 0 buys; one per band.
        std::vector<double> trades, shadow_prices;
        poise_hedge_result result;
    };
    struct diagnosis {
        std::vector<double> trades, violations, shadow_prices;
        poise_hedge_diagnosis totals;
    };

    /// When searches end; NULL: as at the start.
    void set_search(const poise_hedge_search *search) { check(poise_hedger_set_search(get(), search)); }
    answer solve(const poise_hedge_problem &problem, poise_hedge_start start = POISE_HEDGE_WARM) {
        answer found = {std::vector<double>(problem.instrument_count), std::vector<double>(problem.band_count), {}};
        solve(problem, found.trades, found.shadow_prices, found.result, start);
        return found;
    }
    /// Into memory that is there: allocates nothing.
    void solve(
        const poise_hedge_problem &problem, std::span<double> trades, std::span<double> shadow_prices,
        poise_hedge_result &result, poise_hedge_start start = POISE_HEDGE_WARM) {
        if (trades.size() < problem.instrument_count || shadow_prices.size() < problem.band_count)
            throw std::invalid_argument("poise::hedger: a column is too short");
        result = {};
        result.size = sizeof result;
        check(poise_hedger_solve(get(), &problem, start, {trades.data(), 0}, {shadow_prices.data(), 0}, &result));
    }
    /// Why no trades bring every band that must hold within its limits.
    diagnosis diagnose(const poise_hedge_problem &problem) {
        const std::vector<double> bands(problem.band_count);
        diagnosis found = {std::vector<double>(problem.instrument_count), bands, bands, {}};
        found.totals.size = sizeof found.totals;
        check(poise_hedger_diagnose(
            get(), &problem, {found.trades.data(), 0}, {found.violations.data(), 0}, {found.shadow_prices.data(), 0},
            &found.totals));
        return found;
    }
};

} // namespace poise
