import CPoise
import Checks
import Foundation
import Poise

/// Behind `poise_surface`.
final class SurfaceHandle: Sendable {
    /// In order of time.
    let slices: [SmileFit]
    /// Nil where no slice has a curve.
    let surface: VolatilitySurface?
    private let least: [LeastValue?]

    init(_ fit: SurfaceFit, spot: Double?) throws(Failure) {
        slices = fit.slices.sorted { $0.smile.years < $1.smile.years }
        least = slices.map { $0.slice?.leastDurrleman }
        if slices.contains(where: { $0.slice != nil }) {
            surface = try failing { () throws(SurfaceError) in try VolatilitySurface(fit, spot: spot) }
        } else {
            surface = nil
        }
    }

    func slice(_ index: Int) -> poise_surface_slice {
        let fit = slices[index]
        var result = poise_surface_slice()
        result.size = MemoryLayout<poise_surface_slice>.stride
        result.years = fit.smile.years
        result.forward = fit.smile.forward
        result.a = fit.slice?.a ?? .nan
        result.b = fit.slice?.b ?? .nan
        result.rho = fit.slice?.rho ?? .nan
        result.m = fit.slice?.m ?? .nan
        result.sigma = fit.slice?.sigma ?? .nan
        result.least_g = least[index]?.value ?? .nan
        result.least_g_at = least[index]?.at ?? .nan
        let quality = fit.quality
        result.root_mean_square = (quality?.rootMeanSquare ?? .nan) / 100
        result.root_mean_square_in_half_spreads = quality?.rootMeanSquareInHalfSpreads ?? .nan
        result.largest_error = (quality?.largestError ?? .nan) / 100
        result.inside = quality?.insideShare ?? .nan
        result.quotes = UInt64(quality?.quotes ?? 0)
        result.dropped = UInt64(quality?.dropped ?? fit.smile.quotes.count)
        result.status =
            switch fit.status {
            case .ok: POISE_FIT_OK
            case .fallback: POISE_FIT_FALLBACK
            case .tooFewQuotes: POISE_FIT_TOO_FEW_QUOTES
            case .butterfly: POISE_FIT_BUTTERFLY
            case .calendar: POISE_FIT_CALENDAR
            case .badQuotes: POISE_FIT_BAD_QUOTES
            // What a chain's expiries may have does not come of columns.
            case .unsolved, .expired, .noForward, .unreadable: POISE_FIT_UNSOLVED
            }
        result.repair =
            switch fit.repair {
            case .none: POISE_REPAIR_NONE
            case .refit: POISE_REPAIR_REFIT
            case .essvi: POISE_REPAIR_ESSVI
            case .jumpWings: POISE_REPAIR_JUMP_WINGS
            case .zoom: POISE_REPAIR_ZOOM
            }
        return result
    }
}

// MARK: Fits

@c @implementation
public func poise_surface_fit(
    _ quotes: UnsafePointer<poise_smile_quotes>?, _ surface: UnsafeMutablePointer<OpaquePointer?>?
) -> poise_status {
    make(surface, "surface") { () throws(Failure) in
        let given = try taken(quotes, "quotes", poise_smile_quotes())
        try checkCount(given.count)
        guard given.count > 0 else { throw .count("count", "0 rows: a surface has quotes") }
        let loss: SmileLoss
        switch given.loss {
        case POISE_LOSS_BAND: loss = .band
        case POISE_LOSS_MID: loss = .mid
        case POISE_LOSS_SPREAD: loss = .spread
        default: throw .argument("loss", "\(given.loss.rawValue) is no loss")
        }
        let rule: ArbitrageRule
        switch given.arbitrage {
        case POISE_ARBITRAGE_FULL: rule = .full
        case POISE_ARBITRAGE_BUTTERFLY: rule = .butterfly
        case POISE_ARBITRAGE_NONE: rule = .none
        default: throw .argument("arbitrage", "\(given.arbitrage.rawValue) is no rule")
        }
        try check(given.spot, .notNegative, "spot")
        let smiles = try SmileColumns(given).smiles(given.count)
        return try SurfaceHandle(
            SurfaceFit(smiles, loss: loss, rule: rule), spot: given.spot > 0 ? given.spot : nil)
    }
}

/// The columns of quotes.
private struct SmileColumns {
    let years, forward, strike, bid, ask: Strided<Double>
    let weight: Strided<Double>?

    init(_ quotes: poise_smile_quotes) throws(Failure) {
        years = try Strided(quotes.years, "years")
        forward = try Strided(quotes.forward, "forward")
        strike = try Strided(quotes.strike, "strike")
        bid = try Strided(quotes.bid, "bid")
        ask = try Strided(quotes.ask, "ask")
        weight = try Strided(optional: quotes.weight, "weight")
    }

    func smiles(_ count: Int) throws(Failure) -> [SmileQuotes] {
        var rows: [Double: (forward: Double, quotes: [SmileQuote])] = [:]
        for row in 0..<count {
            let years = try number(years, row, "years", .positive)
            let forward = try number(forward, row, "forward", .positive)
            let quote = SmileQuote(
                strike: try number(strike, row, "strike", .positive), bid: try side(bid, row, "bid"),
                ask: try side(ask, row, "ask"),
                weight: try weight.map { column throws(Failure) in
                    try number(column, row, "weight", .notNegative)
                } ?? 1)
            if let known = rows[years]?.forward, known != forward {
                throw .value(
                    row: row, "forward", forward, "differs from \(known) of the slice's earlier rows")
            }
            rows[years, default: (forward, [])].quotes.append(quote)
        }
        return rows.keys.sorted().map { years in
            let slice = rows[years] ?? (.nan, [])
            return SmileQuotes(
                name: "\(years)", underlying: "", years: years, forward: slice.forward, quotes: slice.quotes)
        }
    }

    private func number(
        _ column: Strided<Double>, _ row: Int, _ name: String, _ rule: NumberRule
    ) throws(Failure) -> Double {
        let value = column[row]
        guard rule.accepts(value) else { throw .value(row: row, name, value, rule.complaint) }
        return value
    }

    private func side(_ column: Strided<Double>, _ row: Int, _ name: String) throws(Failure) -> Double? {
        column[row].isNaN ? nil : try number(column, row, name, .notNegative)
    }
}

@c @implementation
public func poise_surface_free(_ surface: OpaquePointer?) { release(surface, as: SurfaceHandle.self) }

@c @implementation
public func poise_surface_count(_ surface: OpaquePointer?) -> Int {
    object(surface, as: SurfaceHandle.self)?.slices.count ?? 0
}

@c @implementation
public func poise_surface_slice_at(
    _ surface: OpaquePointer?, _ index: Int, _ slice: UnsafeMutablePointer<poise_surface_slice>?
) -> poise_status {
    attempt { () throws(Failure) in
        let handle = try object(surface, as: SurfaceHandle.self, "surface")
        let target = try sized(slice, "slice")
        try checkIndex(index, below: handle.slices.count, "index")
        target.pointee = handle.slice(index)
    }
}

@c @implementation
public func poise_surface_gap(
    _ surface: OpaquePointer?, _ index: Int, _ least: UnsafeMutablePointer<Double>?,
    _ at: UnsafeMutablePointer<Double>?
) -> poise_status {
    attempt { () throws(Failure) in
        let handle = try object(surface, as: SurfaceHandle.self, "surface")
        try checkIndex(index, below: handle.slices.count, "index")
        let targets = (try requiredIfGiven(least, "least"), try requiredIfGiven(at, "at"))
        let later = handle.slices[(index + 1)...].lazy.compactMap(\.slice).first
        let gap = handle.slices[index].slice.flatMap { slice in later.flatMap { slice.leastGap(to: $0) } }
        targets.0?.pointee = gap?.value ?? .nan
        targets.1?.pointee = gap?.at ?? .nan
    }
}

// MARK: Queries

@c @implementation
public func poise_surface_query(
    _ surface: OpaquePointer?, _ count: Int, _ strike: poise_values, _ years: poise_values,
    _ quantities: UInt32, _ columns: UnsafePointer<poise_column>?, _ column_count: Int,
    _ row_status: UnsafeMutablePointer<UInt8>?
) -> poise_status {
    attempt { () throws(Failure) in
        let handle = try object(surface, as: SurfaceHandle.self, "surface")
        try checkCount(count)
        guard quantities >> POISE_SURFACE_QUANTITY_COUNT == 0 else {
            throw .argument("quantities", "bit \(31 - quantities.leadingZeroBitCount) is no quantity")
        }
        guard column_count == quantities.nonzeroBitCount else {
            throw .count(
                "column_count",
                "\(UInt(bitPattern: column_count)): there are \(quantities.nonzeroBitCount) quantities")
        }
        guard let surface = handle.surface else {
            throw .argument("surface", "no slice of it has a curve")
        }
        guard count > 0, column_count > 0 || row_status != nil else { return }
        let strikes = try Strided(strike, "strike")
        let times = try Strided(years, "years")
        for column in 0..<column_count {
            _ = try Target(try required(columns, "columns")[column], "columns")
        }
        var section: SmileSection?
        /// Whether the surface has an answer, by the section of the row's time.
        func isAnswered(_ row: Int) -> Bool {
            if section?.years != times[row] { section = surface.section(years: times[row]) }
            return section?.logMoneyness(ofStrike: strikes[row]).isFinite ?? false
        }
        if row_status == nil {
            for row in 0..<count {
                try requirePositive(strikes, row, "strike")
                try requirePositive(times, row, "years")
                guard isAnswered(row) else {
                    throw .value(
                        row: row, section == nil ? "years" : "strike",
                        section == nil ? times[row] : strikes[row],
                        section == nil
                            ? "the surface has no forward for it"
                            : "is too far from the forward to be a number")
                }
            }
        }
        for row in 0..<count {
            let (strike, years) = (strikes[row], times[row])
            let isKnown =
                NumberRule.positive.accepts(strike) && NumberRule.positive.accepts(years) && isAnswered(row)
            row_status?[row] = isKnown ? 0 : 1
            var column = 0
            for quantity in 0..<UInt32(POISE_SURFACE_QUANTITY_COUNT) where quantities >> quantity & 1 == 1 {
                let value = isKnown ? section?.figure(quantity, strike: strike) ?? .nan : .nan
                if let columns { try Target(columns[column], "columns").set(row, value) }
                column += 1
            }
        }
    }
}

private func requirePositive(
    _ column: Strided<Double>, _ row: Int, _ name: StaticString
) throws(Failure) {
    guard NumberRule.positive.accepts(column[row]) else {
        throw .value(row: row, "\(name)", column[row], NumberRule.positive.complaint)
    }
}

extension SmileSection {
    fileprivate func figure(_ quantity: UInt32, strike: Double) -> Double {
        let k = logMoneyness(ofStrike: strike)
        return switch poise_surface_quantity(quantity) {
        case POISE_SURFACE_VOLATILITY: volatility(at: k)
        case POISE_SURFACE_SLOPE: volatilityPoint(at: k).slope
        case POISE_SURFACE_CURVATURE: volatilityPoint(at: k).curvature
        case POISE_SURFACE_VARIANCE: variance(at: k)
        case POISE_SURFACE_DENSITY: density(at: k)
        case POISE_SURFACE_LOCAL_VARIANCE: localVariance(at: k)
        default: forward
        }
    }
}
