import VectorMath

/// Time that passes and what is added to rates: what the discount factors of a leg depend on.
public struct ScenarioTerm: Sendable {
    /// Time that passes, and what is added to interest rates.
    public var years, rate: Double
    /// The price of a leg rises by exp(growth T) over the time T that is left, before it moves.
    public let growth: Double
    /// What is added to dividend yields, less the growth.
    @usableFromInline let netDividend: Double

    /// - Parameter dividend: added to dividend yields: as much as to rates where the forward price is to stay where it is.
    @inlinable
    public init(years: Double, rate: Double, dividend: Double = 0, growth: Double = 0) {
        self.years = years
        self.rate = rate
        self.growth = growth
        netDividend = dividend - growth
    }
}

/// The change of volatilities at one term:
/// σ' = max(least, σ max(0, 1 + relative·t) · wing + (parallel + skew·k) t) with k = ln(K/F) before the move and
/// t = (30 days/max(T, leastYears))ᵖ, the short-term power up to 30 days, the long-term one beyond; never below 0.
///
/// The wing is 1 + min(cap, k·cap/width), for k < 0 max(−cap, k·cap/width), or with |k| for k, where
/// cap = capBase + capRoot √T and width = max(leastWidth, widthRoot √T + widthYears T); never below 0.
public struct ScenarioState: Sendable {
    public enum Wing: UInt8, Sendable { case none, linear, absolute }

    /// The term's place, and that of the column of volatilities from which it starts.
    public var term, source: Int
    public var relative, parallel, skew, leastVolatility: Double
    public var shortTermPower, longTermPower, leastYears: Double
    public var wing = Wing.none
    public var capBase, capRoot, widthRoot, widthYears, leastWidth: Double

    /// No change.
    @inlinable
    public init(term: Int, source: Int) {
        (self.term, self.source) = (term, source)
        (relative, parallel, skew, leastVolatility) = (0, 0, 0, 0)
        (shortTermPower, longTermPower, leastYears) = (0, 0, 0)
        (capBase, capRoot, widthRoot, widthYears, leastWidth) = (0, 0, 0, 0, 0)
    }
}

/// One scenario: how far the price moves, and in which state volatility and time are.
public struct ScenarioMove: Sendable {
    /// S'/S − 1, S'/S, its logarithm and its reciprocal.
    public var change, factor, logarithm, reciprocal: Double
    public var state: Int

    @inlinable
    public init(change: Double, factor: Double, logarithm: Double, reciprocal: Double, state: Int) {
        self.change = change
        self.factor = factor
        self.logarithm = logarithm
        self.reciprocal = reciprocal
        self.state = state
    }
}

/// Scenarios in the order in which they are computed. State 0 is the market as it is.
@unsafe public struct ScenarioPlan {
    public var terms: UnsafePointer<ScenarioTerm>
    public var termCount: Int
    public var states: UnsafePointer<ScenarioState>
    public var stateCount: Int
    public var moves: UnsafePointer<ScenarioMove>
    public var moveCount: Int
    /// `scratchCount` doubles, on a cache line.
    public var scratch: UnsafeMutablePointer<Double>

    @inlinable
    public init(
        terms: UnsafePointer<ScenarioTerm>, termCount: Int, states: UnsafePointer<ScenarioState>,
        stateCount: Int, moves: UnsafePointer<ScenarioMove>, moveCount: Int,
        scratch: UnsafeMutablePointer<Double>
    ) {
        (self.terms, self.termCount) = (terms, termCount)
        (self.states, self.stateCount) = (states, stateCount)
        (self.moves, self.moveCount) = (moves, moveCount)
        self.scratch = scratch
    }

    /// Doubles of scratch: six vectors per term and per state, and eight results.
    @safe public static func scratchCount(terms: Int, states: Int) -> Int { (6 * terms + 6 * states + 8) * 8 }
}

/// Legs that each bring their own market; columns of a multiple of 8.
@unsafe public struct ScenarioColumns {
    /// Its volatilities are not read: see `volatilities`.
    public var market: FullFormColumns
    /// The columns that `ScenarioState.source` counts; the first is the market as it is.
    public var volatilities: UnsafePointer<UnsafePointer<Double>>
    /// The part of each leg's price that still moves; nil where all do.
    public var share: UnsafePointer<Double>?
    /// 1 for legs whose premium is paid in quote currency, 0 where it is paid in coin; only read for profits in
    /// coin, nil for 0.
    public var isLinear: UnsafePointer<UInt8>?

    @inlinable
    public init(
        market: FullFormColumns, volatilities: UnsafePointer<UnsafePointer<Double>>,
        share: UnsafePointer<Double>? = nil, isLinear: UnsafePointer<UInt8>? = nil
    ) {
        self.market = market
        self.volatilities = volatilities
        self.share = share
        self.isLinear = isLinear
    }
}

/// In what a scenario's result is counted, chosen when the loop is compiled.
public protocol ScenarioMeasure {
    /// Whether results are profits in coin, else in quote currency.
    static var isInCoin: Bool { get }
    /// Whether the present value of the leg is subtracted.
    static var isProfit: Bool { get }
}

/// V', in quote currency.
public enum ScenarioPrice: ScenarioMeasure {
    @inlinable @inline(__always) public static var isInCoin: Bool { false }
    @inlinable @inline(__always) public static var isProfit: Bool { false }
}

/// V' − V, in quote currency.
public enum ScenarioProfit: ScenarioMeasure {
    @inlinable @inline(__always) public static var isInCoin: Bool { false }
    @inlinable @inline(__always) public static var isProfit: Bool { true }
}

/// V'/S' − V/S where the premium is coin, (V' − V)/S' where it is quote currency.
public enum ScenarioCoinProfit: ScenarioMeasure {
    @inlinable @inline(__always) public static var isInCoin: Bool { true }
    @inlinable @inline(__always) public static var isProfit: Bool { true }
}

/// Full revaluation of `count` legs (a multiple of 8) in every scenario: row i, `stride` doubles after the one
/// before, gets leg i's results in the order of the plan's moves; behind the last, up to the next eight, stands anything.
///
/// Shared parts of scenarios are computed once for eight legs: discount factors per term, σ√T and its reciprocal per
/// state of volatility. A scenario itself costs an exponential and two Mills ratios.
@inlinable @inline(__always)
public func scenarioForm<A: RowArithmetic, M: ScenarioMeasure>(
    _ arithmetic: A.Type, _ measure: M.Type, _ plan: ScenarioPlan, _ legs: ScenarioColumns, count: Int,
    into rows: UnsafeMutablePointer<Double>, stride: Int
) {
    let results = plan.scratch
    let terms = results + 64
    let states = terms + 48 &* plan.termCount
    var index = 0
    while index < count {
        prepareScenarioTerms(arithmetic, measure, plan, legs.market, at: index, into: terms)
        prepareScenarioStates(arithmetic, measure, plan, legs, at: index, terms, into: states)
        let putSign = putSigns(legs.market.type, index)
        let one = Lanes(repeating: 1)
        let reciprocalSpot = one / lanes(legs.market.spot, index).atLeast(Domain.leastPrice)
        let base =
            M.isProfit
            ? scenarioPrice(arithmetic, states, factor: one, logarithm: Lanes.zero, putSign) : Lanes.zero
        // What is taken off before and after the conversion to coin.
        var moving = base
        var fixed = Lanes.zero
        if M.isInCoin {
            moving = Lanes.zero
            if let isLinear = legs.isLinear {
                let bytes = UnsafeRawPointer(isLinear + index).loadUnaligned(as: SIMD8<UInt8>.self)
                moving = base * Lanes(bytes)
            }
            fixed = (base - moving) * reciprocalSpot
        }
        let row = rows + index &* stride
        var scenario = 0
        while scenario < plan.moveCount {
            let laneCount = min(8, plan.moveCount &- scenario)
            var lane = 0
            if let share = legs.share {
                while lane < laneCount {
                    let move = plan.moves + (scenario &+ lane)
                    let factor = A.multiplyAdd(
                        lanes(share, index), Lanes(repeating: move.pointee.change), one)
                    let state = states + 48 &* move.pointee.state
                    let price = scenarioPrice(
                        arithmetic, state, factor: factor,
                        logarithm: logarithmOfRatio(arithmetic, factor, one), putSign)
                    var result = price - moving
                    if M.isInCoin { result = result * (reciprocalSpot / factor * lanes(state, 40)) - fixed }
                    GreeksKernel.store(result, to: results, at: 8 &* lane)
                    lane &+= 1
                }
            } else {
                while lane < laneCount {
                    let move = plan.moves + (scenario &+ lane)
                    let state = states + 48 &* move.pointee.state
                    let price = scenarioPrice(
                        arithmetic, state, factor: Lanes(repeating: move.pointee.factor),
                        logarithm: Lanes(repeating: move.pointee.logarithm), putSign)
                    var result = price - moving
                    if M.isInCoin {
                        let reciprocal = reciprocalSpot * Lanes(repeating: move.pointee.reciprocal)
                        result = result * (reciprocal * lanes(state, 40)) - fixed
                    }
                    GreeksKernel.store(result, to: results, at: 8 &* lane)
                    lane &+= 1
                }
            }
            A.storeTransposed(
                (
                    lanes(results, 0), lanes(results, 8), lanes(results, 16), lanes(results, 24),
                    lanes(results, 32), lanes(results, 40), lanes(results, 48), lanes(results, 56)
                ), to: row + scenario, stride: stride)
            scenario &+= 8
        }
        index &+= 8
    }
}

/// Eight prices in one scenario, accurate beside the prices that are exchanged; `greeks` is so beside the option's own.
@_transparent @inlinable
func scenarioPrice<A: LaneArithmetic>(
    _ arithmetic: A.Type, _ state: UnsafeMutablePointer<Double>, factor: Lanes, logarithm: Lanes,
    _ putSign: LaneBits
) -> Lanes {
    let discountedSpot = lanes(state, 24) * factor
    let discountedStrike = lanes(state, 32)
    let standardised = (lanes(state, 16) + logarithm) * lanes(state, 0)
    let halfDeviation = lanes(state, 8)
    let d1 = standardised + halfDeviation
    let d2 = standardised - halfDeviation
    let (spotTail, strikeTail) = centralTails(arithmetic, d1, d2, scale: discountedSpot)
    // As in `greeks`: bases (0 or the whole) first, then what is left of the tails.
    let sign1 = d1.bits ^ putSign
    let sign2 = d2.bits ^ putSign
    let base =
        discountedSpot.kept(where: .!isNegative(sign1)) - discountedStrike.kept(where: .!isNegative(sign2))
    let rest = spotTail.flippingSign(~sign1 & signBit) - strikeTail.flippingSign(~sign2 & signBit)
    return (base + rest).flippingSign(putSign).atLeast(0)
}

/// Of each term six vectors: √T, ln(F/K), S e^(−qT), K e^(−rT), T, and in coin e^(−gT) of the growth g of prices, which
/// q has taken off.
@_transparent @inlinable
func prepareScenarioTerms<A: LaneArithmetic, M: ScenarioMeasure>(
    _ arithmetic: A.Type, _ measure: M.Type, _ plan: ScenarioPlan, _ market: FullFormColumns, at index: Int,
    into terms: UnsafeMutablePointer<Double>
) {
    let spot = lanes(market.spot, index).atLeast(Domain.leastPrice)
    let strike = lanes(market.strike, index).atLeast(Domain.leastPrice)
    let logSpotMoneyness = logarithmOfRatio(arithmetic, spot, strike)
    let ownDividend = lanes(market.dividend, index)
    var term = 0
    while term < plan.termCount {
        let change = plan.terms + term
        let years = (lanes(market.years, index) - Lanes(repeating: change.pointee.years)).atLeast(0)
        let rate = lanes(market.rate, index) + Lanes(repeating: change.pointee.rate)
        let dividend = ownDividend + Lanes(repeating: change.pointee.netDividend)
        let (dividendFactor, discount) = exponentials(
            arithmetic, (dividend * years).negated, (rate * years).negated)
        let own = terms + 48 &* term
        GreeksKernel.store(A.squareRoot(years), to: own, at: 0)
        GreeksKernel.store(
            A.multiplyAdd(rate - dividend, years, logSpotMoneyness), to: own, at: 8)
        GreeksKernel.store(spot * dividendFactor, to: own, at: 16)
        GreeksKernel.store(strike * discount, to: own, at: 24)
        GreeksKernel.store(years, to: own, at: 32)
        if M.isInCoin {
            let shrinking = (Lanes(repeating: change.pointee.growth) * years).negated
            GreeksKernel.store(exponential(arithmetic, shrinking), to: own, at: 40)
        }
        term &+= 1
    }
}

/// Of each state six vectors: 1/(σ√T), σ√T/2, ln(F/K), S e^(−qT), K e^(−rT), and in coin e^(−gT).
@_transparent @inlinable
func prepareScenarioStates<A: LaneArithmetic, M: ScenarioMeasure>(
    _ arithmetic: A.Type, _ measure: M.Type, _ plan: ScenarioPlan, _ legs: ScenarioColumns, at index: Int,
    _ terms: UnsafeMutablePointer<Double>, into states: UnsafeMutablePointer<Double>
) {
    let one = Lanes(repeating: 1)
    let month = Lanes(repeating: 30.0 / 365)
    var number = 0
    while number < plan.stateCount {
        let state = plan.states + number
        let term = terms + 48 &* state.pointee.term
        let root = lanes(term, 0)
        let years = lanes(term, 32)
        // Rules go by the price before it moves.
        let growth = plan.terms[state.pointee.term].growth
        let moneyness = A.multiplyAdd(Lanes(repeating: growth), years, lanes(term, 8).negated)
        var scale = one
        if state.pointee.shortTermPower != 0 || state.pointee.longTermPower != 0 {
            let power = Lanes(repeating: state.pointee.longTermPower).replacing(
                with: Lanes(repeating: state.pointee.shortTermPower), where: years .<= month)
            let bounded = years.atLeast(state.pointee.leastYears).atLeast(Floor.years)
            scale = exponential(arithmetic, power * logarithmOfRatio(arithmetic, month, bounded))
        }
        let relative = A.multiplyAdd(Lanes(repeating: state.pointee.relative), scale, one).atLeast(0)
        var volatility = lanes(legs.volatilities[state.pointee.source], index) * relative
        if state.pointee.wing != .none {
            let cap = A.multiplyAdd(
                Lanes(repeating: state.pointee.capRoot), root, Lanes(repeating: state.pointee.capBase))
            let width = A.multiplyAdd(
                Lanes(repeating: state.pointee.widthYears), years,
                Lanes(repeating: state.pointee.widthRoot) * root
            ).atLeast(state.pointee.leastWidth)
            let k = state.pointee.wing == .absolute ? moneyness.absolute : moneyness
            let slope = k * cap / width
            let below = cap.replacing(with: slope, where: slope .< cap)
            let above = cap.negated.replacing(with: slope, where: slope .> cap.negated)
            let wing = below.replacing(with: above, where: k .< Lanes.zero)
            volatility *= (one + wing).atLeast(0)
        }
        let shift = A.multiplyAdd(
            Lanes(repeating: state.pointee.skew), moneyness, Lanes(repeating: state.pointee.parallel))
        volatility = A.multiplyAdd(shift, scale, volatility).atLeast(state.pointee.leastVolatility)
        let deviation = (volatility * root).atLeast(Floor.deviation)
        let own = states + 48 &* number
        GreeksKernel.store(one / deviation, to: own, at: 0)
        GreeksKernel.store(deviation * Lanes(repeating: 0.5), to: own, at: 8)
        GreeksKernel.store(lanes(term, 8), to: own, at: 16)
        GreeksKernel.store(lanes(term, 16), to: own, at: 24)
        GreeksKernel.store(lanes(term, 24), to: own, at: 32)
        if M.isInCoin { GreeksKernel.store(lanes(term, 40), to: own, at: 40) }
        number &+= 1
    }
}
