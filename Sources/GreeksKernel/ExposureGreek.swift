/// The currency in which exposures are counted.
public enum Numeraire: String, Sendable, CaseIterable {
    /// US dollars; stablecoins count as dollars. Adds across underlyings.
    case usd
    /// The underlying coin. Adds within one underlying only.
    case coin
}

/// The exposures that are reported of a book. All are signed from the book's side: long options have positive vega.
///
/// F is the price of the contract's own future (perpetual, coin), V its value in quote currency, p = V/F;
/// Δ, Γ, ν and so on are the natural Greeks of `Greek` with S = F.
///
/// In US dollars the delta is the amount of dollars that moves with the price, and gamma, vanna and charm are the
/// derivatives of Δ, times F. In coin, value and vega, theta, rho, volga are those of the coin value p, and
/// gamma, vanna and charm are derivatives of the net delta.
///
/// While the delivery price is averaged before expiry, F moves by a share of the index's move: delta, gamma, vanna and
/// charm are derivatives by the index (`SettlementWindow`).
public enum ExposureGreek: Int, CaseIterable, Sendable {
    /// V dollars or p coins. Futures and perpetuals are worth nothing at their mark.
    case value
    /// Black delta: ΔF dollars or Δ coins, per 1.00 of relative move of F.
    case delta
    /// Delta less what the premium moves: (Δ − p)F or Δ − p for inverse options, whose premium is coin;
    /// the delta for everything else.
    case netDelta
    /// For a rise of F by 1%: ΓF²/100 dollars or F/100 · ∂(net delta)/∂F coins.
    case gamma
    /// Per volatility point: ν/100 or ν/(100 F).
    case vega
    /// Per calendar day: θ/365 or θ/(365 F), the present rate of decay.
    case theta
    /// Per percentage point (0.01) of rate, of discounting alone: −T·V/100 or −T·V/(100 F). F is what options are priced off, and
    /// stays where it is, as in scenarios whose rates move and in explained profits. What exchanges publish as rho is the
    /// spot formula's, in which F rises with the rate: `Greek.rho`, `Deribit.published`.
    case rho
    /// Delta per volatility point: F·vanna/100 or ∂(net delta)/∂σ/100.
    case vanna
    /// Vega per volatility point.
    case volga
    /// Delta per calendar day: F·charm/365 or ∂(net delta)/∂t/365; while the delivery price is averaged beside that the delta times
    /// how fast its share fades per day.
    case charm

    /// The raw value, known to the compiler where the case is.
    @_transparent public var index: Int { Int(unsafeBitCast(self, to: UInt8.self)) }

    /// Calls a body with each case, spelled out so that the compiler unrolls what is made of it.
    @_transparent public static func forEach(_ body: (ExposureGreek) -> Void) {
        body(.value)
        body(.delta)
        body(.netDelta)
        body(.gamma)
        body(.vega)
        body(.theta)
        body(.rho)
        body(.vanna)
        body(.volga)
        body(.charm)
    }

    /// The definition of an option's exposure: the unit, and the Greeks that make it up, each with its factor. Those of
    /// futures, perpetuals and coins are in `UnitExposures.setDelta`.
    @_transparent public func definition(of c: ExposureTerms) -> ExposureDefinition {
        // Multiplied, since divisions would cost more than the Greeks themselves.
        let hundredth = 0.01
        let perDay = 1.0 / 365
        // In coin, what the premium adds to the derivatives of the net delta Δ − V/F.
        let premium = c.isInverse ? 1.0 : 0.0
        let isInDollars = c.numeraire == .usd
        switch self {
        case .value:
            return ExposureDefinition(.amount, .price, isInDollars ? 1 : c.coins)
        case .delta:
            return ExposureDefinition(.amount, .delta, isInDollars ? c.left.delta * c.forward : c.left.delta)
        case .netDelta:
            return ExposureDefinition(
                .amount, .delta, isInDollars ? c.left.delta * c.forward : c.left.delta,
                .price,
                isInDollars ? (c.isInverse ? -c.left.delta : 0) : -c.left.delta * premium * c.coins)
        case .gamma:
            return ExposureDefinition(
                .perPercent,
                .gamma,
                isInDollars
                    ? c.left.gamma * c.forward * c.forward * hundredth
                    : c.left.gamma * c.forward * hundredth,
                .delta, isInDollars ? 0 : -c.left.gamma * premium * hundredth,
                .price, isInDollars ? 0 : c.left.gamma * premium * c.coins * hundredth)
        case .vega:
            return ExposureDefinition(.perPoint, .vega, isInDollars ? hundredth : c.coins * hundredth)
        case .theta:
            return ExposureDefinition(.perDay, .theta, isInDollars ? perDay : c.coins * perDay)
        case .rho:
            let perPercent = -c.years * hundredth
            return ExposureDefinition(.perPercent, .price, isInDollars ? perPercent : perPercent * c.coins)
        case .vanna:
            return ExposureDefinition(
                .perPoint,
                .vanna, isInDollars ? c.left.vanna * c.forward * hundredth : c.left.vanna * hundredth,
                .vega, isInDollars ? 0 : -c.left.vanna * premium * c.coins * hundredth)
        case .volga:
            return ExposureDefinition(
                .perPointSquared,
                .volga, isInDollars ? hundredth * hundredth : c.coins * (hundredth * hundredth))
        case .charm:
            return ExposureDefinition(
                .perDay, .charm, isInDollars ? c.left.charm * c.forward * perDay : c.left.charm * perDay,
                .theta, isInDollars ? 0 : -c.left.charm * premium * c.coins * perDay)
        }
    }

    /// The exposure's name.
    public var name: String { self == .netDelta ? "net delta" : "\(self)" }

    /// The name in files and in the C interface.
    public var key: String { self == .netDelta ? "net_delta" : "\(self)" }

    public var unit: ExposureUnit { definition(of: ExposureTerms()).unit }

    /// The unit of the exposure.
    public func unit(_ numeraire: Numeraire) -> String { numeraire.rawValue + unit.suffix }

    /// The column in tables: the name with its unit.
    public func column(_ numeraire: Numeraire) -> String { key + "_" + unit(numeraire) }
}

extension GreekSet {
    /// The Greeks that exposures are made of, which is `book` as long as no definition needs another.
    public static let exposures = GreekSet(
        ExposureGreek.allCases.flatMap { exposure in
            let definition = exposure.definition(of: ExposureTerms())
            return [definition.first] + [definition.second, definition.third].compactMap { $0 }
        }
    ).union(.book)
}

/// One element per exposure.
public typealias ExposureArray<Element> = InlineArray<10, Element>

/// One element per term of all definitions; by chance as many as there are Greeks.
public typealias ExposureFactors<Element> = InlineArray<15, Element>

/// What the money of an exposure is counted per: nothing, a percent, a volatility point, a day.
public enum ExposureUnit: Sendable {
    case amount, perPercent, perPoint, perPointSquared, perDay

    /// In the names of columns, behind the currency.
    public var suffix: String {
        switch self {
        case .amount: ""
        case .perPercent: "_per_percent"
        case .perPoint: "_per_point"
        case .perPointSquared: "_per_point_squared"
        case .perDay: "_per_day"
        }
    }

    /// As people write it: pt is a volatility point.
    public var symbol: String {
        switch self {
        case .amount: ""
        case .perPercent: "/1%"
        case .perPoint: "/pt"
        case .perPointSquared: "/pt²"
        case .perDay: "/day"
        }
    }
}

/// Facts beside its Greeks on which the exposures of a contract depend.
public struct ExposureTerms: Sendable {
    /// Whether the premium is paid in coin.
    public var isInverse = false
    /// F, the price of the contract's own future.
    public var forward = 1.0
    /// T, the time to expiry for which options are discounted.
    public var years = 0.0
    public var numeraire = Numeraire.usd
    /// The shares that are left of sensitivities to the index while the delivery price is averaged.
    public var left = (delta: 1.0, gamma: 1.0, vanna: 1.0, charm: 1.0)

    /// 1/F.
    @_transparent public var coins: Double { 1 / forward }

    @_transparent public init() {}
}

/// An exposure as a sum of one to three Greeks, each times a factor.
public struct ExposureDefinition {
    public var unit: ExposureUnit
    public var first: Greek
    public var second, third: Greek?
    public var factors: (Double, Double, Double)

    @_transparent @usableFromInline
    init(
        _ unit: ExposureUnit, _ first: Greek, _ factor: Double, _ second: Greek? = nil,
        _ secondFactor: Double = 0, _ third: Greek? = nil, _ thirdFactor: Double = 0
    ) {
        self.unit = unit
        self.first = first
        self.second = second
        self.third = third
        factors = (factor, secondFactor, thirdFactor)
    }
}

/// The map from the Greeks of a contract to its exposures: the factors of all definitions, worked out once.
public struct ExposureMap: BitwiseCopyable, Sendable {
    /// One after the other, as many as the definitions have terms: desks keep hundreds of maps in the nearest cache.
    @usableFromInline var factors = ExposureFactors<Double>(repeating: 0)

    @inlinable @inline(__always)
    public init(_ terms: ExposureTerms) { set(terms) }

    /// Makes it the map of these terms, in its place: copying one costs as much as making it.
    @inlinable @inline(__always)
    public mutating func set(_ terms: ExposureTerms) {
        // Which terms there are, and so each place, is known to the compiler.
        var place = 0
        ExposureGreek.forEach { exposure in
            let definition = exposure.definition(of: terms)
            factors[place] = definition.factors.0
            place += 1
            if definition.second != nil {
                factors[place] = definition.factors.1
                place += 1
            }
            if definition.third != nil {
                factors[place] = definition.factors.2
                place += 1
            }
        }
    }

    /// Calls a body with each exposure.
    /// - Parameters:
    ///   - greek: a Greek of the contract, or of eight contracts that share the map.
    ///   - product: a Greek times a factor.
    ///   - sum: a Greek times a factor, plus a number.
    @_transparent
    public static func forEach<Number>(
        _ map: UnsafePointer<ExposureMap>, _ greek: (Greek) -> Number, _ product: (Number, Double) -> Number,
        _ sum: (Number, Double, Number) -> Number, _ body: (ExposureGreek, Number) -> Void
    ) {
        var place = 0
        ExposureGreek.forEach { exposure in
            // Which Greeks make up an exposure is the same for all contracts; only the factors differ.
            let definition = exposure.definition(of: ExposureTerms())
            var value = product(greek(definition.first), map.pointee.factors[place])
            place += 1
            if let second = definition.second {
                value = sum(greek(second), map.pointee.factors[place], value)
                place += 1
            }
            if let third = definition.third {
                value = sum(greek(third), map.pointee.factors[place], value)
                place += 1
            }
            body(exposure, value)
        }
    }
}
