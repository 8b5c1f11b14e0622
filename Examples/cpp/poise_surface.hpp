// poise_surface.hpp: volatility surfaces of poise.h for C++20. Included by poise.hpp. Nothing but inline calls of poise.h, whose
// descriptions hold.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <vector>

namespace poise {

/// A surface fitted to quotes. Never changes: threads may share it.
class surface : public handle<poise_surface, poise_surface_free> {
   public:
    explicit surface(const poise_smile_quotes &quotes)
        : handle([&](poise_surface **made) { return poise_surface_fit(&quotes, made); }) {}

    /// How near a slice comes to the next one in total variance, and at which ln(strike/forward).
    struct gap {
        double least, at;
    };

    std::size_t size() const { return poise_surface_count(get()); }
    poise_surface_slice operator[](std::size_t index) const {
        poise_surface_slice slice = {};
        slice.size = sizeof slice;
        check(poise_surface_slice_at(get(), index, &slice));
        return slice;
    }
    gap gap_after(std::size_t index) const {
        gap found;
        check(poise_surface_gap(get(), index, &found.least, &found.at));
        return found;
    }
    /// A column for each bit of `quantities`, in their order, a row for each strike and years; `status`, where it is wanted, is
    /// `poise_query_status`.
    std::vector<std::vector<double>> query(
        std::span<const double> strike, std::span<const double> years, std::uint32_t quantities,
        std::span<std::uint8_t> status = {}) const {
        if (years.size() != strike.size() || (!status.empty() && status.size() < strike.size()))
            throw std::invalid_argument("poise::surface: columns of different lengths");
        std::vector<std::vector<double>> found(
            static_cast<std::size_t>(std::popcount(quantities)), std::vector<double>(strike.size()));
        std::vector<poise_column> columns;
        for (auto &column : found) columns.push_back({column.data(), 0});
        check(poise_surface_query(
            get(), strike.size(), {strike.data(), 0}, {years.data(), 0}, quantities, columns.data(), columns.size(),
            status.empty() ? nullptr : status.data()));
        return found;
    }
};

} // namespace poise
