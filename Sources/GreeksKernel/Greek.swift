/// The outputs of the kernel, in the order of every table, matrix and C array that holds them.
///
/// Notation: S spot, K strike, T years to expiry, σ volatility, r rate, q dividend yield (both continuous),
/// w = +1 for a call and −1 for a put, F = S e^((r−q)T),
/// d1 = (ln(F/K) + σ²T/2)/(σ√T), d2 = d1 − σ√T, N and n the normal distribution and density.
/// q = r is Black-76 with S as the forward, discounted at r.
///
/// - Units: an option on one unit of the underlying. A Greek's unit is that of V divided by those of the variables of
///   its derivative (`orders`): S in quote currency, σ, r and q 1.00, t one year. Gamma is per unit of quote currency,
///   vanna per 1.00 of volatility, charm per year; nothing is divided by 100 or 365. ∂t is calendar time, so T falls as
///   t rises.
/// - Sign: a long option. Greeks marked "equal" are the same number for a call and a put.
/// - Edges: at T = 0 or σ = 0 the option is worth its discounted forward intrinsic value and has that
///   value's derivatives; exactly at the money N(0) = ½ counts and vega keeps its limit S e^(−qT) √T/√(2π), while all
///   other Greeks with a density in them are 0, whether their limit is infinite (gamma) or not (vanna, veta). S = 0 and
///   K = 0 are computed as 2⁻²⁵⁰; both at once are therefore at the money, of a gamma (1e75) that means nothing.
/// - Accuracy: measured against 60-digit values by `ReferenceTests`, which states the limits. For small σ√T the price
///   near the money is a small difference: its error is that of the last bits of S and K, some 1e-16/(σ√T) of the
///   price and more with rates (`EdgeTests`).
/// - Range: S and K 0 or 2⁻²⁵⁰ to 2²⁵⁰, T and σ up to 1e6, |r| and |q| up to 3.5e8, |rT| and |qT| up to 350 (`Domain`).
/// - Source: Haug, The Complete Guide to Option Pricing Formulas, 2nd ed., ch. 1–2; all derivatives were
///   checked against numerical ones in 60 digits.
public enum Greek: Int, CaseIterable, Sendable {
    /// V = w (S e^(−qT) N(w d1) − K e^(−rT) N(w d2)), in quote currency.
    case price
    /// ∂V/∂S = w e^(−qT) N(w d1), in units of the underlying.
    case delta
    /// ∂²V/∂S² = e^(−qT) n(d1)/(S σ√T). Equal.
    case gamma
    /// ∂V/∂σ = S e^(−qT) n(d1) √T, per 1.00 of volatility. Equal.
    case vega
    /// ∂V/∂t = −S e^(−qT) n(d1) σ/(2√T) − w r K e^(−rT) N(w d2) + w q S e^(−qT) N(w d1), per year.
    case theta
    /// ∂V/∂r at fixed q and S = w K T e^(−rT) N(w d2), per 1.00 of rate.
    case rho
    /// ∂V/∂q at fixed r and S = −w S T e^(−qT) N(w d1), per 1.00 of dividend yield.
    case phi
    /// ∂²V/∂S∂σ = −e^(−qT) n(d1) d2/σ: how delta moves with volatility. Equal.
    case vanna
    /// ∂²V/∂σ² = vega d1 d2/σ, per 1.00 of volatility squared. Equal.
    case volga
    /// ∂²V/∂S∂t = w q e^(−qT) N(w d1) − e^(−qT) n(d1) ((r−q)/(σ√T) − d2/(2T)): delta's drift, per year.
    case charm
    /// ∂³V/∂S³ = −gamma/S (1 + d1/(σ√T)). Equal.
    case speed
    /// ∂³V/∂S²∂σ = gamma (d1 d2 − 1)/σ. Equal.
    case zomma
    /// ∂³V/∂S²∂t = gamma (q + 1/(2T) + d1 ((r−q)/(σ√T) − d2/(2T))), per year. Equal.
    case color
    /// ∂²V/∂σ∂t = vega (q − 1/(2T) + d1 ((r−q)/(σ√T) − d2/(2T))), per year. Equal.
    case veta
    /// ∂³V/∂σ³ = vega/σ² (d1 d2 (d1 d2 − 1) − d1² − d2²). Equal.
    case ultima

    /// The name used in every table and file: the case's own.
    public var name: String { "\(self)" }

    /// The raw value, known to the compiler where the case is.
    @_transparent public var index: Int { Int(unsafeBitCast(self, to: UInt8.self)) }

    /// Calls a body with each case, spelled out so that the compiler unrolls what is made of it.
    @_transparent public static func forEach(_ body: (Greek) -> Void) {
        body(.price)
        body(.delta)
        body(.gamma)
        body(.vega)
        body(.theta)
        body(.rho)
        body(.phi)
        body(.vanna)
        body(.volga)
        body(.charm)
        body(.speed)
        body(.zomma)
        body(.color)
        body(.veta)
        body(.ultima)
    }

    @_transparent @usableFromInline init(index: Int) {
        self = unsafeBitCast(UInt8(truncatingIfNeeded: index), to: Greek.self)
    }
}

extension Greek {
    /// Orders of the derivative of V by S, σ, t, r and q.
    public struct Orders: Equatable, Sendable {
        public var spot = 0
        public var volatility = 0
        public var time = 0
        public var rate = 0
        public var dividend = 0
    }

    public var orders: Orders {
        switch self {
        case .price: Orders()
        case .delta: Orders(spot: 1)
        case .gamma: Orders(spot: 2)
        case .vega: Orders(volatility: 1)
        case .theta: Orders(time: 1)
        case .rho: Orders(rate: 1)
        case .phi: Orders(dividend: 1)
        case .vanna: Orders(spot: 1, volatility: 1)
        case .volga: Orders(volatility: 2)
        case .charm: Orders(spot: 1, time: 1)
        case .speed: Orders(spot: 3)
        case .zomma: Orders(spot: 2, volatility: 1)
        case .color: Orders(spot: 2, time: 1)
        case .veta: Orders(volatility: 1, time: 1)
        case .ultima: Orders(volatility: 3)
        }
    }

    /// The Greek of which this one is the derivative by S.
    public var spotAntiderivative: Greek? {
        var orders = orders
        orders.spot -= 1
        return Greek.allCases.first { $0.orders == orders }
    }
}

/// One element per Greek.
public typealias GreekArray<Element> = InlineArray<15, Element>
