import Foundation

/// A fitted expiry, and how good the fit is.
public struct SmileFit: Sendable {
    public enum Status: String, Sendable, CaseIterable {
        /// Fitted as asked, and proved to keep what was asked for.
        case ok
        /// Raw SVI could not be freed of what the rule forbids by a fit: what stands in is free of it, `repair` says what: the
        /// free fit mended by hand, or a curve of three parameters (eSSVI), in all slices of the underlying under `full`.
        case fallback
        /// Fewer than five two-sided quotes at different strikes that count: no curve.
        case tooFewQuotes = "too-few-quotes"
        /// The curve could not be freed of a butterfly, or that could not be proved.
        case butterfly
        /// Free of butterflies by itself, but it crosses the slice before or after it.
        case calendar
        /// The search for a curve found none.
        case unsolved
        /// Fitted and proved as asked, but without quotes that cannot be right: crossed, unreadable, or of a price that no
        /// volatility has.
        case badQuotes = "bad-quotes"
        /// The expiry is over, there is no forward, or no row could be read: no curve.
        case expired
        case noForward = "no-forward"
        case unreadable
    }

    /// What it took to keep the rule.
    public enum Repair: String, Sendable, CaseIterable {
        /// Nothing: the best fit keeps it.
        case none
        /// Fitted anew under the rule's conditions.
        case refit
        /// The free fit with its right wing and least variance moved as far as needed towards those of a slice without
        /// butterflies that has the same variance and skew at the money and the same left wing.
        case jumpWings = "jump-wings"
        /// The free fit made wider, and higher with it, as far as needed.
        case zoom
        /// A curve of three parameters.
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
        let figures = slice.map { SmileQuality(smile, loss, $0) }
        // Numbers so far from each other that they overflow: nothing can be said of such a slice.
        let isTold = figures?.isFinite ?? true
        self.slice = isTold ? slice : nil
        quality = isTold ? figures : nil
        let status = isTold ? status : .unsolved
        switch (status, smile.obstacle) {
        case (_, .expired): self.status = .expired
        case (_, .noForward): self.status = .noForward
        case (_, .unreadable): self.status = .unreadable
        case (.ok, nil) where smile.hasFaults: self.status = .badQuotes
        default: self.status = status
        }
        self.repair = repair
    }
}

/// How close a slice comes to its quotes.
public struct SmileQuality: Sendable, Equatable {
    /// Root of the mean square of model less mid over two-sided quotes that count, in points (0.01 of volatility).
    public let rootMeanSquare: Double
    /// The same in half spreads, each quote's own, at least 0.1 points.
    public let rootMeanSquareInHalfSpreads: Double
    /// The same in ticks of the price, over quotes whose tick is known; nil without any. Below one it is noise.
    public let rootMeanSquareInTicks: Double?
    /// The largest |model − mid| among them, in points, and its strike.
    public let largestError: Double
    public let largestErrorStrike: Double?
    /// The share of the quotes in the loss that the slice meets, to within 0.01 points.
    public let insideShare: Double
    /// How many quotes entered the loss, and how many did not: see `SmileQuotes.exclusions`.
    public let quotes, dropped: Int
    /// Seconds from the oldest quote in the loss to the latest of the chain; nil where times are not known.
    public let age: Double?

    fileprivate var isFinite: Bool {
        rootMeanSquare.isFinite && rootMeanSquareInHalfSpreads.isFinite && largestError.isFinite
    }

    init(_ smile: SmileQuotes, _ loss: SmileLoss, _ slice: SVISlice) {
        let counting = smile.quotes.filter(\.counts)
        let twoSided = counting.filter(\.isTwoSided)
        func volatility(_ quote: SmileQuote) -> Double {
            slice.volatility(at: log(quote.strike / smile.forward), years: smile.years)
        }
        let errors = twoSided.map { 100 * (volatility($0) - (($0.bid ?? 0) + ($0.ask ?? 0)) / 2) }
        func root(_ errors: [Double]) -> Double {
            errors.isEmpty ? 0 : (errors.reduce(0) { $0 + $1 * $1 } / Double(errors.count)).squareRoot()
        }
        rootMeanSquare = root(errors)
        rootMeanSquareInHalfSpreads = root(
            zip(errors, twoSided).map { error, quote in
                error / 100 / max(SmileLoss.leastHalfSpread, ((quote.ask ?? 0) - (quote.bid ?? 0)) / 2)
            })
        let inTicks = zip(errors, twoSided).compactMap { error, quote in
            quote.tick.map { error / 100 / $0 }
        }
        let rootInTicks = root(inTicks)
        rootMeanSquareInTicks = inTicks.isEmpty || !rootInTicks.isFinite ? nil : rootInTicks
        let worst = errors.indices.max { errors[$0].magnitude < errors[$1].magnitude }
        largestError = worst.map { errors[$0].magnitude } ?? 0
        largestErrorStrike = worst.map { twoSided[$0].strike }
        let used = loss == .band ? counting : twoSided
        let met = used.filter {
            let volatility = volatility($0)
            return volatility >= ($0.bid ?? 0) - 1e-4 && volatility <= ($0.ask ?? .infinity) + 1e-4
        }
        insideShare = used.isEmpty ? 0 : Double(met.count) / Double(used.count)
        quotes = used.count
        dropped = smile.exclusions(loss).values.reduce(0, +)
        age = used.compactMap(\.age).max()
    }
}

/// The least gap between neighbouring slices of an underlying; nil where the later one has a flatter wing.
public struct CalendarGap: Sendable {
    public let earlier, later: String
    public let least: LeastValue?
}
