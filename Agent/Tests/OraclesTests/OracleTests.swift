import Crypto
import Foundation
import Testing
import VenueProtocol

@testable import Oracles

struct OracleTests {
    static let now = 1_780_000_000_000

    static func aggregate(_ count: Int) -> OracleAggregate? {
        OracleAggregate("BTC", (0..<count).map { OracleSource("s\($0)") })
    }

    static func quote(_ source: Int, _ price: Double, age: Int = 0, confidence: Double = 0) -> OracleQuote {
        OracleQuote("s\(source)", "BTC", price: price, confidence: confidence, publishTime: now - age)
    }

    /// Random rounds; a million where `scripts/agent faults` says so.
    private static var rounds: Int {
        ProcessInfo.processInfo.environment["POISE_LIARS"].flatMap { Int($0) } ?? 100_000
    }

    @Test(
        "With n sources, any f < n/3 liars, and any of the others late, never move it outside the honest range"
    )
    func liars() throws {
        var random = SystemRandomNumberGenerator()
        var (priced, refused) = (0, 0)
        for _ in 0..<Self.rounds {
            let count = Int.random(in: 3...13, using: &random)
            var aggregate = try #require(Self.aggregate(count))
            #expect(3 * aggregate.mostLiars < count && 3 * (aggregate.mostLiars + 1) >= count)
            aggregate.mostDeviation = [0.002, 0.05, 1e9].randomElement(using: &random) ?? 1
            let liars = Int.random(in: 0...aggregate.mostLiars, using: &random)
            var (low, high) = (Double.infinity, 0.0)
            for source in 0..<count {
                let isLate = Int.random(in: 0..<8, using: &random) == 0
                let price: Double
                if source < liars {
                    price =
                        [0.01, 1, 89_999, 90_500, 1e9, .infinity, -5, .nan, .greatestFiniteMagnitude]
                        .randomElement(using: &random) ?? 1
                } else {
                    price = 90_000 * (1 + Double.random(in: -0.003...0.003, using: &random))
                    if !isLate { (low, high) = (min(low, price), max(high, price)) }
                }
                aggregate.take(Self.quote(source, price, age: isLate ? 20_000 : 0), at: Self.now)
            }
            switch aggregate.price(at: Self.now) {
            case .price(let price):
                priced += 1
                if !(price >= low && price <= high) {
                    Issue.record("\(price) outside \(low)...\(high), \(count) sources, \(liars) liars")
                }
            default: refused += 1
            }
        }
        #expect(priced > Self.rounds / 20 && refused > Self.rounds / 1_000)
    }

    @Test("Too few are never a price", arguments: [3, 4, 7, 10])
    func tooFew(count: Int) throws {
        var aggregate = try #require(Self.aggregate(count))
        let quorum = aggregate.quorum
        #expect(quorum >= 3)
        for source in 0..<quorum - 1 { aggregate.take(Self.quote(source, 90_000), at: Self.now) }
        #expect(aggregate.price(at: Self.now) == .tooFew(found: quorum - 1, needed: quorum))
        aggregate.take(Self.quote(quorum - 1, 90_000), at: Self.now)
        #expect(aggregate.price(at: Self.now) == .price(90_000))
        #expect(aggregate.price(at: Self.now + 10_001) == .tooFew(found: 0, needed: quorum))
    }

    @Test("Each source has its own age, counted from publication, not from when it was fetched")
    func ages() throws {
        var slow = OracleSource("slow", mostAge: 3_600_000)
        slow.mostConfidence = 0.02
        var aggregate = try #require(OracleAggregate("BTC", [slow, OracleSource("fast", mostAge: 1_000)]))
        func quote(_ name: String, age: Int) -> OracleQuote {
            OracleQuote(name, "BTC", price: 90_000, publishTime: Self.now - age)
        }
        #expect(aggregate.take(quote("slow", age: 3_600_000), at: Self.now) == nil)
        #expect(aggregate.take(quote("slow", age: 3_600_001), at: Self.now) == .stale)
        #expect(aggregate.take(quote("fast", age: 1_000), at: Self.now) == nil)
        #expect(aggregate.take(quote("fast", age: 1_001), at: Self.now) == .stale)
        #expect(aggregate.refusals[.stale] == 2)
    }

    @Test(
        "What is not positive, at a clamp's edge, unsure, from the future, out of order or of another coin is refused"
    )
    func checks() throws {
        var source = OracleSource("s0")
        (source.lowEdge, source.highEdge) = (100, 200_000)
        var aggregate = try #require(OracleAggregate("BTC", [source]))
        func refusal(_ price: Double, confidence: Double = 0, age: Int = 0) -> OracleRefusal? {
            aggregate.take(Self.quote(0, price, age: age, confidence: confidence), at: Self.now)
        }
        for price: Double in [0, -1, .nan, .infinity, -.infinity] { #expect(refusal(price) == .noPrice) }
        #expect(refusal(100) == .atEdge && refusal(200_000) == .atEdge)
        #expect(refusal(100.01) == nil && refusal(199_999) == nil)
        #expect(refusal(90_000, confidence: 900) == nil)
        #expect(refusal(90_000, confidence: 900.01) == .unsure)
        #expect(refusal(90_000, confidence: -1) == .unsure && refusal(90_000, confidence: .nan) == .unsure)
        #expect(refusal(90_000, age: -1_001) == .fromTheFuture)
        #expect(refusal(90_000, age: -1_000) == nil && refusal(90_000, age: 0) == .outOfOrder)
        var other = Self.quote(0, 90_000)
        other.underlying = "ETH"
        #expect(aggregate.take(other, at: Self.now) == .otherUnderlying)
        #expect(aggregate.take(Self.quote(5, 90_000), at: Self.now) == .unknownSource)
        var extreme = Self.quote(0, 90_000)
        extreme.publishTime = .min
        #expect(aggregate.take(extreme, at: Self.now) == .stale)
        extreme.publishTime = .max
        #expect(aggregate.take(extreme, at: Self.now) == .fromTheFuture)
    }

    @Test("Sources that are apart, and a price that jumps, are no price; time lets it move on")
    func apart() throws {
        var aggregate = try #require(Self.aggregate(3))
        for (source, price) in [90_000.0, 90_100, 92_000].enumerated() {
            aggregate.take(Self.quote(source, price), at: Self.now)
        }
        #expect(aggregate.price(at: Self.now) == .apart(near: 2, needed: 3))
        aggregate.take(Self.quote(2, 90_200), at: Self.now)
        #expect(aggregate.price(at: Self.now) == .price(90_100))
        for source in 0..<3 { aggregate.take(Self.quote(source, 99_000, age: -1_000), at: Self.now + 1_000) }
        #expect(aggregate.price(at: Self.now + 1_000) == .jumped(from: 90_100, to: 99_000))
        #expect(aggregate.last?.price == 90_100)
        #expect(aggregate.price(at: Self.now + 2_000) == .price(99_000))
    }

    @Test("A quote that its source has not signed is refused, whatever is changed in it")
    func signatures() throws {
        let key = Curve25519.Signing.PrivateKey()
        let text = Hexadecimal.text(Array(key.publicKey.rawRepresentation))
        var aggregate = try #require(OracleAggregate("BTC", [OracleSource("s0", publicKey: text)]))
        var quote = Self.quote(0, 90_000.25, confidence: 12.5)
        #expect(aggregate.take(quote, at: Self.now) == .noSignature)
        try quote.sign(with: Array(key.rawRepresentation))
        #expect(aggregate.take(quote, at: Self.now) == nil)
        var changed = quote
        changed.price = 90_000.26
        #expect(aggregate.take(changed, at: Self.now) == .noSignature)
        changed = quote
        changed.publishTime += 1
        #expect(aggregate.take(changed, at: Self.now) == .noSignature)
        changed = quote
        changed.confidence = 0
        #expect(aggregate.take(changed, at: Self.now) == .noSignature)
        changed = quote
        try changed.sign(with: Array(Curve25519.Signing.PrivateKey().rawRepresentation))
        #expect(aggregate.take(changed, at: Self.now) == .noSignature)
        changed.signature = "xyz"
        #expect(aggregate.take(changed, at: Self.now) == .noSignature)
        // The vector of RFC 8032, 7.1, test 3, checks that the bytes are Ed25519's and not another scheme's.
        let public3 = "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025"
        let signature3 =
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
        let bytes = try #require(Hexadecimal.bytes(public3))
        let known = try Curve25519.Signing.PublicKey(rawRepresentation: bytes)
        #expect(known.isValidSignature(try #require(Hexadecimal.bytes(signature3)), for: [0xaf, 0x82]))
    }

    @Test("A file of quotes is read as it was written, and a line that is none is named")
    func file() throws {
        let key = Curve25519.Signing.PrivateKey()
        var signed = Self.quote(1, 0.1 + 0.2, confidence: 1e-9)
        try signed.sign(with: Array(key.rawRepresentation))
        let quotes = [Self.quote(0, 90_000), signed]
        let text = quotes.map(OracleFile.line).joined()
        #expect(try OracleFile.quotes(text) == quotes)
        #expect(try OracleFile.quotes(text)[1].isSigned(by: Array(key.publicKey.rawRepresentation)))
        #expect {
            _ = try OracleFile.quotes(text + "{\"source\":\"a\"}\n")
        } throws: { "\($0)".contains("line 3") && "\($0)".contains("underlying") }
    }

    @Test("Sources that stand twice, and keys that are none, are no aggregate")
    func settings() {
        #expect(OracleAggregate("BTC", []) == nil)
        #expect(OracleAggregate("BTC", [OracleSource("a"), OracleSource("a")]) == nil)
        #expect(OracleAggregate("BTC", [OracleSource("a", publicKey: "abcd")]) == nil)
    }
}
