import Crypto
import VenueProtocol

/// A price that a source says an underlying has, in one format for all sources.
public struct OracleQuote: VenueRecord, Equatable {
    public var source = ""
    /// The coin.
    public var underlying = ""
    /// Dollars.
    public var price = 0.0
    /// Dollars by which the source thinks that it may be off, either way; 0 where it does not say.
    public var confidence = 0.0
    /// When the source made it, in milliseconds since 1970: ages count from here, never from when it was fetched.
    public var publishTime = 0
    /// When it came, where a file keeps it.
    public var receiveTime: Int?
    /// Ed25519 over `signedText`, in hexadecimal; sources without a key have none.
    public var signature: String?

    public init() {}
    public init(
        _ source: String, _ underlying: String, price: Double, confidence: Double = 0, publishTime: Int
    ) {
        self.source = source
        self.underlying = underlying
        self.price = price
        self.confidence = confidence
        self.publishTime = publishTime
    }

    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("source", &source)
        try fields.field("underlying", &underlying)
        try fields.field("price", &price)
        try fields.field("confidence", &confidence)
        try fields.field("publish_time", &publishTime)
        try fields.field("receive_time", &receiveTime)
        try fields.field("signature", &signature)
    }

    /// What is signed: the lines source, underlying, price, confidence, publish time, numbers in the shortest digits that
    /// read back as the same double.
    public var signedText: String { "\(source)\n\(underlying)\n\(price)\n\(confidence)\n\(publishTime)" }

    /// Signs it with a private key of 32 bytes.
    public mutating func sign(with key: [UInt8]) throws {
        let key = try Curve25519.Signing.PrivateKey(rawRepresentation: key)
        signature = Hexadecimal.text(Array(try key.signature(for: Array(signedText.utf8))))
    }

    /// Whether its signature is that key's.
    /// - Parameter key: 32 bytes.
    public func isSigned(by key: [UInt8]) -> Bool {
        guard let signature, let bytes = Hexadecimal.bytes(signature),
            let key = try? Curve25519.Signing.PublicKey(rawRepresentation: key)
        else { return false }
        return key.isValidSignature(bytes, for: Array(signedText.utf8))
    }
}

/// Bytes as pairs of digits.
public enum Hexadecimal {
    public static func text(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef")
        return String(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }

    /// - Returns: nil for what is no pairs of digits.
    public static func bytes(_ text: String) -> [UInt8]? {
        let digits = text.utf8.map { byte -> UInt8? in
            switch byte {
            case 48...57: byte - 48
            case 97...102: byte - 87
            case 65...70: byte - 55
            default: nil
            }
        }
        guard digits.count % 2 == 0 else { return nil }
        return stride(from: 0, to: digits.count, by: 2).reduce(into: [UInt8]?([])) { bytes, place in
            guard let high = digits[place], let low = digits[place + 1] else { return bytes = nil }
            bytes?.append(high << 4 | low)
        }
    }
}

/// A file of quotes: one JSON object a line.
public enum OracleFile {
    /// - Throws: `VenueProtocolError` with the line's number in front of its path.
    public static func quotes(_ text: String) throws(VenueProtocolError) -> [OracleQuote] {
        var result: [OracleQuote] = []
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            guard line.contains(where: { !$0.isWhitespace }) else { continue }
            do {
                result.append(try OracleQuote(JSONTape(String(line)).root))
            } catch {
                throw .unexpected(path: "line \(number + 1)", expected: "a quote", found: "\(error)")
            }
        }
        return result
    }

    /// The line of a quote.
    public static func line(_ quote: OracleQuote) -> String {
        String(decoding: quote.json, as: UTF8.self) + "\n"
    }
}
