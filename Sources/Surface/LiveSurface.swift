import Checks
import Foundation
import SurfaceKernel
import VectorMath

/// The smiles of one underlying that follow their quotes: a quote changes, the slices that it concerns are fitted again from
/// where they are, and the volatilities of their contracts are written out.
///
/// After the first `refit` nothing is allocated but by `refitFromAllStarts`. A value: a copy is another surface.
public struct LiveSurface: Sendable {
    /// How a slice stands.
    public enum State: Sendable, Equatable {
        /// The best of all starts as quotes are.
        case cold
        /// Fitted from where it was, and as good as the best of all starts by all that is cheap to see: no other optimum is
        /// near, and the loss is about that of the last fit from all starts.
        case warm
        /// Fitted from where it was; a fit from all starts may be better.
        case unsure
        /// Not fitted to its latest quotes, of which fewer than five strikes with two sides are left: kept as it was, or,
        /// under a rule, moved with its neighbours by the quotes it had.
        case tooFewQuotes
        /// Not fitted to its latest quotes, but kept as it was: no slices near those that keep the rule were found.
        case kept
    }

    /// One smile.
    public struct Slice: Sendable {
        public let name: String
        public fileprivate(set) var years: Double
        public fileprivate(set) var forward: Double
        public fileprivate(set) var state = State.cold
        /// The loss of its quotes.
        public fileprivate(set) var loss: Double
        public fileprivate(set) var slice: SVISlice
        /// Rows of its contracts among those of the surface.
        public let contracts: Range<Int>

        fileprivate var logForward: Double
        fileprivate var quotes: [SmileQuote]
        fileprivate var order: QuoteOrder
        fileprivate var isStale = false
        /// The loss of the last fit from all starts, how many fits ago that was, and how many optima it passed over.
        fileprivate var coldLoss: Double
        fileprivate var age = 0
        fileprivate var rivalCount = 0
        /// Where it ended.
        fileprivate var coldVector = SliceVector.zero
    }

    public private(set) var slices: [Slice] = []
    public let loss: SmileLoss
    public let rule: ArbitrageRule
    /// How many contracts there are: the quotes of all smiles, smile by smile.
    public let contractCount: Int
    /// The joint fit: quotes and parameters of all slices.
    private var fit: ConstrainedFit
    private var before: [SliceVector] = []
    /// The optima that fits from all starts passed over, eight places for each slice, and by how much they were worse.
    private var rivals: [SliceVector] = []
    private var rivalGaps: [Double] = []
    /// Of the contracts of a slice.
    private var moneyness: [Double] = []
    /// After how many warm fits a slice without a rule is fitted from all starts.
    private static let period = 64

    /// Fits the smiles from all starts.
    ///
    /// - Parameter smiles: of one underlying, in any order; contracts are counted in this order of time.
    /// - Throws: `SurfaceError` for smiles of several underlyings, of equal times, or that cannot be fitted as asked.
    public init(
        _ smiles: [SmileQuotes], loss: SmileLoss = .band, rule: ArbitrageRule = .full
    ) throws(SurfaceError) {
        guard let first = smiles.first else { throw .noSlices(of: "surface") }
        let ascending = smiles.sorted { $0.years < $1.years }
        if let other = smiles.first(where: { $0.underlying != first.underlying }) {
            throw .severalUnderlyings(first.underlying, other.underlying)
        }
        for (one, other) in zip(ascending, ascending.dropFirst()) where one.years == other.years {
            throw .sameExpiry(of: other.name, other: one.name)
        }
        let cold = SurfaceFit(ascending, loss: loss, rule: rule)
        self.loss = loss
        self.rule = rule
        var vectors: [SliceVector] = []
        var lanes: [QuoteLanes] = []
        var count = 0
        for found in cold.slices {
            let smile = found.smile
            guard let slice = found.slice else { throw .noSlices(of: smile.name) }
            var order = QuoteOrder(smile.quotes)
            let own = QuoteLanes(smile, loss: loss, &order)
            vectors.append(slice.vector)
            lanes.append(own)
            let rows = count..<(count + smile.quotes.count)
            count = rows.upperBound
            let value = own.loss(slice.vector)
            slices.append(
                Slice(
                    name: smile.name, years: smile.years, forward: smile.forward,
                    state: found.isAsAsked ? .cold : .kept, loss: value, slice: slice, contracts: rows,
                    logForward: log(smile.forward), quotes: smile.quotes,
                    order: order, coldLoss: value))
        }
        contractCount = count
        fit = ConstrainedFit(lanes, rule: rule, from: vectors)
        before = vectors
        rivals = Array(repeating: .zero, count: 8 * slices.count)
        rivalGaps = Array(repeating: 0, count: 8 * slices.count)
        moneyness.reserveCapacity(count)
        if rule == .none { for place in slices.indices { noteRivals(place, FreeFit(lanes[place])) } }
    }

    /// The row of a slice's contract; nil where there is none of that strike.
    public func contract(slice name: String, strike: Double) -> Int? {
        guard let slice = slices.first(where: { $0.name == name }),
            let place = slice.quotes.firstIndex(where: { $0.strike == strike })
        else { return nil }
        return slice.contracts.lowerBound + place
    }

    /// The slice that a contract belongs to.
    public func slice(ofContract contract: Int) -> Int? {
        guard contract >= 0, contract < contractCount else { return nil }
        var low = 0
        var high = slices.count - 1
        while low < high {
            let middle = (low + high) / 2
            if contract < slices[middle].contracts.upperBound { high = middle } else { low = middle + 1 }
        }
        return low
    }

    /// Takes a quote in volatilities; a missing side is nil. Nothing is fitted yet.
    ///
    /// - Throws: `SurfaceError.unknown` for no such contract, `invalidValue` for a side or weight that is below 0 or not
    ///   finite; nothing changes then.
    public mutating func setQuote(
        bid: Double?, ask: Double?, weight: Double = 1, ofContract contract: Int
    ) throws(SurfaceError) {
        guard let place = slice(ofContract: contract) else {
            throw .unknown(field: "contract", "\(contract)")
        }
        if let bid { try SurfaceError.require(.notNegative, bid, "bid_vol", of: slices[place].name) }
        if let ask { try SurfaceError.require(.notNegative, ask, "ask_vol", of: slices[place].name) }
        try SurfaceError.require(.notNegative, weight, "weight", of: slices[place].name)
        let row = contract - slices[place].contracts.lowerBound
        slices[place].quotes[row] = SmileQuote(
            strike: slices[place].quotes[row].strike, bid: bid, ask: ask, weight: weight,
            tick: slices[place].quotes[row].tick)
        slices[place].isStale = true
    }

    /// Takes an expiry's forward and the years that are left to it.
    ///
    /// - Throws: `SurfaceError` for no such slice, values that are not above 0, and years that come before or after a
    ///   neighbour's; nothing changes then.
    public mutating func setForward(
        _ forward: Double, years: Double? = nil, ofSlice place: Int
    ) throws(SurfaceError) {
        guard slices.indices.contains(place) else { throw .unknown(field: "slice", "\(place)") }
        let name = slices[place].name
        try SurfaceError.require(.positive, forward, "forward", of: name)
        let years = years ?? slices[place].years
        try SurfaceError.require(.positive, years, "years", of: name)
        if place > 0, !(years > slices[place - 1].years) {
            throw .sameExpiry(of: name, other: slices[place - 1].name)
        }
        if place + 1 < slices.count, !(years < slices[place + 1].years) {
            throw .sameExpiry(of: name, other: slices[place + 1].name)
        }
        slices[place].forward = forward
        slices[place].logForward = log(forward)
        slices[place].years = years
        slices[place].isStale = true
    }

    /// Has the next `refit` fit a slice from all starts, without allocations; under a rule it still is one with the others,
    /// from where they are.
    ///
    /// - Throws: `SurfaceError.unknown`.
    public mutating func requireAllStarts(ofSlice place: Int) throws(SurfaceError) {
        guard slices.indices.contains(place) else { throw .unknown(field: "slice", "\(place)") }
        slices[place].isStale = true
        slices[place].age = Self.period
    }

    /// Fits what has changed since the last time, from where it is, and writes the volatilities of the contracts of all
    /// slices that moved, others' rows being left as they are.
    ///
    /// - Parameter volatilities: a row for each contract.
    /// - Returns: how many slices have new volatilities.
    /// - Throws: `SurfaceError.differentLengths`.
    @discardableResult
    public mutating func refit(into volatilities: inout MutableSpan<Double>) throws(SurfaceError) -> Int {
        try SurfaceError.require(volatilities.count, "volatilities", is: contractCount)
        refit()
        var count = 0
        for place in slices.indices where slices[place].isStale {
            slices[place].isStale = false
            count += 1
            let first = slices[place].contracts.lowerBound
            let size = slices[place].order.logStrikes.count
            let section = SmileSection(slices[place].slice, years: slices[place].years, forward: 1)
            let logForward = slices[place].logForward
            moneyness.removeAll(keepingCapacity: true)
            for row in 0..<size { moneyness.append(slices[place].order.logStrikes[row] - logForward) }
            section.volatilities(moneyness.span, first: first, &volatilities)
        }
        return count
    }

    /// The fits alone. Slices that moved stay marked until their volatilities are written.
    private mutating func refit() {
        guard takeQuotes() else { return }
        guard rule == .none else { return refitTogether() }
        for place in slices.indices where slices[place].isStale && slices[place].state != .tooFewQuotes {
            refitAlone(place)
        }
    }

    /// Brings the quotes of what changed to the joint fit.
    /// - Returns: whether any are enough.
    private mutating func takeQuotes() -> Bool {
        var isAny = false
        for place in slices.indices where slices[place].isStale {
            let isEnough = fit.quotes[place].update(
                slices[place].quotes, &slices[place].order, logForward: slices[place].logForward,
                years: slices[place].years, loss: loss, least: 5)
            slices[place].state = isEnough ? .warm : .tooFewQuotes
            isAny = isAny || isEnough
        }
        return isAny
    }

    /// One slice without a rule.
    private mutating func refitAlone(_ place: Int) {
        slices[place].age += 1
        guard slices[place].age < Self.period else { return refitAnew(place) }
        var own = SliceFit(from: fit.vectors[place])
        own.isWarm = true
        fit.quotes[place].run(&own)
        let coldLoss = slices[place].coldLoss
        var isSure = own.isDone && own.loss < .infinity && fit.quotes[place].isHighEnough(own.vector)
        isSure = isSure && own.loss <= 4 * coldLoss && coldLoss <= 4 * own.loss
        // Far from where all starts were compared there may be optima that none of them led to.
        isSure = isSure && Self.isNear(own.vector, slices[place].coldVector, by: 0.25)
        for rival in (8 * place)..<(8 * place + slices[place].rivalCount) where isSure {
            // Another optimum has come half of the way down to this one.
            let gap = fit.quotes[place].loss(rivals[rival]) - own.loss
            isSure = gap > 0.5 * rivalGaps[rival] * own.loss / max(coldLoss, 1e-300)
        }
        if isSure {
            take(own.vector, place, own.loss, .warm)
        } else {
            finish(place, FreeFit(fit.quotes[place], known: own.isDone ? own : nil), own)
        }
    }

    /// One slice without a rule, from all starts; where it is now is one only where the best of them is elsewhere.
    private mutating func refitAnew(_ place: Int) {
        var cold = FreeFit(fit.quotes[place])
        var own = SliceFit(from: fit.vectors[place])
        if !(cold.loss < .infinity && Self.isNear(own.vector, cold.vector)) {
            own.isWarm = true
            fit.quotes[place].run(&own)
            if own.loss < cold.loss { cold = FreeFit(fit.quotes[place], known: own) }
        }
        finish(place, cold, own)
    }

    private mutating func finish(_ place: Int, _ cold: FreeFit, _ own: SliceFit) {
        if cold.loss < .infinity, fit.quotes[place].isHighEnough(cold.vector) {
            take(cold.vector, place, cold.loss, .cold)
            noteRivals(place, cold)
        } else if own.loss < .infinity {
            // At the least variance: only the fit under conditions knows.
            take(own.vector, place, own.loss, .unsure)
        } else {
            slices[place].state = .kept
        }
    }

    private static func isNear(_ one: SliceVector, _ other: SliceVector, by share: Double = 0.05) -> Bool {
        let apart = one - other
        return apart[4].magnitude < share && apart[3].magnitude < share * exp(other[4])
    }

    private mutating func noteRivals(_ place: Int, _ cold: FreeFit) {
        slices[place].age = 0
        slices[place].coldLoss = cold.loss
        slices[place].coldVector = cold.vector
        var count = 0
        for rival in 0..<cold.rivalCount where !Self.isNear(cold.rivals[rival], cold.vector) {
            rivals[8 * place + count] = cold.rivals[rival]
            rivalGaps[8 * place + count] = cold.rivalLosses[rival] - cold.loss
            count += 1
        }
        slices[place].rivalCount = count
    }

    private mutating func take(_ vector: SliceVector, _ place: Int, _ loss: Double, _ state: State) {
        fit.set(vector, place)
        slices[place].slice = SVISlice(vector)
        slices[place].loss = loss
        slices[place].state = state
    }

    /// All slices under the rule. Slices that kept it keep it whatever the quotes: they stay where nothing better is found.
    private mutating func refitTogether() {
        for place in slices.indices { before[place] = fit.vectors[place] }
        fit.run(most: 16, isWarm: true)
        guard fit.violation <= ConstrainedFit.tolerance, fit.loss < .infinity, isFree(fit.vectors) else {
            fit.restart(from: before)
            for place in slices.indices where slices[place].isStale && slices[place].state != .tooFewQuotes {
                slices[place].state = .kept
            }
            return
        }
        for place in slices.indices {
            let vector = fit.vectors[place]
            let isMoved = slices[place].isStale || vector != before[place]
            // What could not be fitted to its quotes the last time now is where they want it, too.
            guard isMoved || slices[place].state == .kept else { continue }
            slices[place].isStale = isMoved
            let own = fit.quotes[place].loss(vector)
            var state = slices[place].state
            if state != .tooFewQuotes {
                let coldLoss = slices[place].coldLoss
                state = fit.isDone && own <= 4 * coldLoss && coldLoss <= 4 * own ? .warm : .unsure
            }
            slices[place].slice = SVISlice(vector)
            slices[place].loss = own
            slices[place].state = state
        }
    }

    /// Fits all slices to their latest quotes from all starts, as `SurfaceFit` does: many times as long as `refit`, and with
    /// allocations. Those with too few quotes stay as they are. Under a rule the others come together, and only where they
    /// keep it with those, too. Volatilities are written by the next `refit`.
    ///
    /// - Returns: the largest share by which a sum of losses under the rule was above the one found now; below 0 where it
    ///   was lower, 0 where nothing could be compared.
    @discardableResult
    public mutating func refitFromAllStarts() -> Double {
        _ = takeQuotes()
        let places = slices.indices.filter { slices[$0].state != .tooFewQuotes }
        let found = SurfaceFit(
            places.map { place in
                SmileQuotes(
                    name: slices[place].name, underlying: "", years: slices[place].years,
                    forward: slices[place].forward, quotes: slices[place].quotes)
            }, loss: loss, rule: rule)
        var anew = fit.vectors
        var (now, then) = (0.0, 0.0)
        for (place, fitted) in zip(places, found.slices) {
            guard let slice = fitted.slice, fitted.isAsAsked || rule == .none else { continue }
            anew[place] = slice.vector
            then += fit.quotes[place].loss(fit.vectors[place])
            now += fit.quotes[place].loss(slice.vector)
        }
        let isWhole = found.slices.allSatisfy(\.isAsAsked)
        let isFound = rule == .none || isWhole && now < then && isFree(anew)
        for (place, fitted) in zip(places, found.slices) where isFound && fitted.slice != nil {
            take(anew[place], place, fit.quotes[place].loss(anew[place]), .cold)
            slices[place].isStale = true
            if rule == .none { noteRivals(place, FreeFit(fit.quotes[place])) }
        }
        let share = now > 0 ? then / now - 1 : then > 0 ? .infinity : 0
        guard rule != .none else { return share }
        let isBest = isFound || isWhole && then <= now
        for place in places where isBest || slices[place].isStale {
            slices[place].loss = fit.quotes[place].loss(fit.vectors[place])
            slices[place].state = isBest ? .cold : .kept
            if isBest { slices[place].coldLoss = slices[place].loss }
        }
        return share
    }

    /// Whether slices keep the rule.
    private func isFree(_ vectors: [SliceVector]) -> Bool {
        for place in vectors.indices {
            let slice = SVISlice(vectors[place])
            guard slice.butterfly == .free else { return false }
            if rule == .full, place > 0 {
                guard SVISlice(vectors[place - 1]).calendar(to: slice) == .free else { return false }
            }
        }
        return true
    }

    /// The surface as it is.
    public func surface(
        spot: Double? = nil, clock: VarianceClock = .calendar
    ) throws(SurfaceError) -> VolatilitySurface {
        try VolatilitySurface(
            slices.map {
                VolatilitySurface.Expiry(name: $0.name, years: $0.years, forward: $0.forward, slice: $0.slice)
            }, spot: spot, clock: clock)
    }
}
