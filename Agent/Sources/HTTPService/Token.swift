import VenueProtocol

/// 32 bytes that cannot be guessed, as text.
public func secretToken() -> String {
    var generator = SystemRandomNumberGenerator()
    return hexadecimalDigits((0..<32).map { _ in UInt8.random(in: 0...255, using: &generator) })
}

/// Compares without stopping at the first difference.
public func areSameSecrets(_ one: String, _ two: String) -> Bool {
    let (one, two) = (Array(one.utf8), Array(two.utf8))
    guard one.count == two.count else { return false }
    return zip(one, two).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
}
