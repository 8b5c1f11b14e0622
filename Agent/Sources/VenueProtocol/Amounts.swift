/// An amount as it stands in a message. What it counts is the instrument's affair: dollars for inverse futures, coins
/// for options and linear contracts. `Instrument.size` says which.
public struct MessageAmount: VenueValue, Hashable, Comparable {
    public var value: Double

    public init(_ value: Double) { self.value = value }
    public init(_ json: JSONValue) throws(VenueProtocolError) { value = try Double(json) }
    public func write(to writer: inout JSONWriter) { writer.number(value) }
    public static func < (left: Self, right: Self) -> Bool { left.value < right.value }
    public static let zero = MessageAmount(0)
}

/// Contracts: an amount over the instrument's `contract_size`.
public struct ContractCount: VenueValue, Hashable {
    public var value: Double

    public init(_ value: Double) { self.value = value }
    public init(_ json: JSONValue) throws(VenueProtocolError) { value = try Double(json) }
    public func write(to writer: inout JSONWriter) { writer.number(value) }
    public static let zero = ContractCount(0)
}

/// Units of the base currency.
public struct CoinAmount: Hashable, Sendable {
    public var value: Double
    public init(_ value: Double) { self.value = value }
}

/// Units of the quote currency: dollars.
public struct QuoteAmount: Hashable, Sendable {
    public var value: Double
    public init(_ value: Double) { self.value = value }
}

/// How much of an instrument, with its unit.
public enum InstrumentSize: Hashable, Sendable {
    case coin(CoinAmount)
    case quote(QuoteAmount)
}
