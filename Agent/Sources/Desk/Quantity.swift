import VenueProtocol

/// An amount of an instrument in whole hundred-millionths of the unit that its messages count in: dollars for inverse
/// futures, coins for the rest. Sums of fills are exact, so that they can be compared with the venue's to the unit.
public struct Quantity: VenueValue, Hashable, Comparable {
    public static let unitsPerOne = 100_000_000

    /// Positive is long, or bought.
    public var units: Int

    public init(units: Int) { self.units = units }

    /// - Returns: nil for what no amount can be.
    public init?(_ amount: Double) {
        let scaled = (amount * Double(Self.unitsPerOne)).rounded()
        guard scaled.magnitude < 0x1p62 else { return nil }
        units = Int(scaled)
    }

    public init?(_ amount: MessageAmount, _ direction: Direction = .buy) {
        guard let quantity = Quantity(amount.value) else { return nil }
        units = quantity.units * direction.sign
    }

    public init(_ json: JSONValue) throws(VenueProtocolError) { units = try Int(json) }
    public func write(to writer: inout JSONWriter) { writer.integer(units) }

    public static let zero = Quantity(units: 0)

    /// In the instrument's unit.
    public var amount: Double { Double(units) / Double(Self.unitsPerOne) }
    public var messageAmount: MessageAmount { MessageAmount(magnitude.amount) }
    public var direction: Direction { units < 0 ? .sell : .buy }
    public var magnitude: Quantity { Quantity(units: abs(units)) }

    public static func < (a: Self, b: Self) -> Bool { a.units < b.units }
    public static func + (a: Self, b: Self) -> Self { Quantity(units: a.units + b.units) }
    public static func - (a: Self, b: Self) -> Self { Quantity(units: a.units - b.units) }
    public static prefix func - (a: Self) -> Self { Quantity(units: -a.units) }
    public static func += (a: inout Self, b: Self) { a.units += b.units }
    public static func -= (a: inout Self, b: Self) { a.units -= b.units }

    /// Towards nothing, to a whole number of a step.
    public func rounded(toStep step: Quantity) -> Quantity {
        step.units > 0 ? Quantity(units: units / step.units * step.units) : self
    }
}
