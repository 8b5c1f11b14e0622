import Foundation

/// A fitted expiry, and how good the fit is.
public struct SmileFit: Sendable {
    public enum Status: String, Sendable, CaseIterable {
        /// Fitted as asked, and proved to keep what was asked for.
        case ok
        /// Raw SVI could not be freed of what the rule forbids: a curve of three parameters stands in that is free of it by
        /// construction (eSSVI), in all slices of the underlying under `full`.
        case fallback
        /// Fewer than five two-sided quotes at different strikes that count: no curve.
        case tooFewQuotes = "too-few-quotes"
        /// The curve could not be freed of a butterfly, or that could not be proved.
        case butterfly
        /// Free of butterflies by itself, but it crosses the slice before or after it.
        case calendar
        /// The search for a curve found none.
        case unsolved
    }

    /// What it took to keep the rule.
    public enum Repair: String, Sendable, CaseIterable {
        /// Nothing: the best fit keeps it.
        case none
        /// Fitted anew under the rule's conditions.
        case refit
        /// A simpler curve: see `Status.fallback`.
        case essvi
    }

    public let smile: SmileQuotes
    public let status: Status
    public let repair: Repair
    /// Nil where the status says why.
    public let slice: SVISlice?
    public let quality: SmileQuality?

    init(
        _ smile: SmileQuotes, _ loss: SmileLoss, _ slice: SVISlice?, _ status: Status, _ repair: Repair
    ) {
        self.smile = smile
        self.status = status
        self.repair = repair
        self.slice = slice
        quality = slice.map { SmileQuality(smile, loss, $0) }
    }
}

/// How close a slice comes to its quotes.
public struct SmileQuality: Sendable, Equatable {
    /// Root of the mean square of model less mid over two-sided quotes that count, in points (0.01 of volatility).
    public let rootMeanSquare: Double
    /// The largest |model − mid| among them, in points.
    public let largestError: Double
    /// The share of the quotes in the loss that the slice meets, to within 0.01 points.
    public let insideShare: Double
    /// How many quotes entered the loss, and how many did not: crossed, of one side under a loss of mids, without a side or
    /// a weight.
    public let quotes, dropped: Int

    init(_ smile: SmileQuotes, _ loss: SmileLoss, _ slice: SVISlice) {
        let counting = smile.quotes.filter(\.counts)
        let twoSided = counting.filter(\.isTwoSided)
        func volatility(_ quote: SmileQuote) -> Double {
            slice.volatility(at: log(quote.strike / smile.forward), years: smile.years)
        }
        let errors = twoSided.map { 100 * (volatility($0) - (($0.bid ?? 0) + ($0.ask ?? 0)) / 2) }
        rootMeanSquare =
            errors.isEmpty ? 0 : (errors.reduce(0) { $0 + $1 * $1 } / Double(errors.count)).squareRoot()
        largestError = errors.reduce(0) { max($0, $1.magnitude) }
        let used = loss == .mid ? twoSided : counting
        let met = used.filter {
            let volatility = volatility($0)
            return volatility >= ($0.bid ?? 0) - 1e-4 && volatility <= ($0.ask ?? .infinity) + 1e-4
        }
        insideShare = used.isEmpty ? 0 : Double(met.count) / Double(used.count)
        quotes = used.count
        dropped = smile.quotes.count - used.count
    }
}

/// The least gap between neighbouring slices of an underlying; nil where the later one has a flatter wing.
public struct CalendarGap: Sendable {
    public let earlier, later: String
    public let least: LeastValue?
}
