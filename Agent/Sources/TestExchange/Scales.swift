/// Whole numbers that the exchange counts in, so that the same orders give the same bits everywhere.
public enum Scales {
    /// Prices and amounts are counted in ten-thousandths.
    public static let units = 10_000
    /// Money is counted in hundred-millionths of its currency, and so are marks.
    public static let money = 100_000_000
    /// Commissions are counted in ten-millionths.
    public static let commission = 10_000_000

    public static func units(_ value: Double) -> Int? { whole(value, units) }
    public static func money(_ value: Double) -> Int? { whole(value, money) }
    public static func price(_ units: Int) -> Double { Double(units) / Double(Self.units) }
    public static func amount(_ units: Int) -> Double { Double(units) / Double(Self.units) }
    public static func money(_ money: Int) -> Double { Double(money) / Double(Self.money) }

    /// The nearest count; nil for what no order and no price can be.
    private static func whole(_ value: Double, _ scale: Int) -> Int? {
        let scaled = (value * Double(scale)).rounded()
        guard scaled.magnitude < 0x1p60 else { return nil }
        return Int(scaled)
    }
}

/// `value · factor / divisor`, to the nearest and half away from zero: the same for both sides of a trade but for the
/// sign. The product may have 128 bits; a result beyond 63 bits is the largest there is.
func scaled(_ value: Int, by factor: Int, over divisor: Int) -> Int {
    let product = Int128(value) * Int128(factor)
    let half = Int128(divisor.magnitude / 2)
    let rounded = (product.magnitude + half.magnitude) / Int128(divisor.magnitude).magnitude
    let isNegative = (product < 0) != (divisor < 0)
    let magnitude = Int(clamping: rounded)
    return isNegative ? -magnitude : magnitude
}
