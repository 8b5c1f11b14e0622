import Foundation
import Testing

@testable import VenueProtocol

struct JSONTests {
    @Test(
        "Numbers are the nearest doubles, as the standard library reads them", arguments: [UInt64(1), 2, 3])
    func numbers(seed: UInt64) throws {
        var generator = SplitMix(state: seed)
        for _ in 0..<20_000 {
            let text: String
            switch generator.next() % 3 {
            case 0:
                text = "\(Double(Int64.random(in: -1_000_000_000...1_000_000_000, using: &generator)) / 1e4)"
            case 1:
                let value = Double(bitPattern: generator.next())
                guard value.isFinite else { continue }
                text = value.description
            default:
                let digits = (0..<Int.random(in: 1...25, using: &generator)).map { _ in
                    String(Int.random(in: 0...9, using: &generator))
                }
                text = "0.\(digits.joined())e\(Int.random(in: -30...30, using: &generator))"
            }
            let number = try JSONTape(text).root.number
            #expect(number?.bitPattern == Double(text)?.bitPattern, "\(text)")
        }
    }

    @Test("Whole numbers are exact to 63 bits, and may be spelled as floats")
    func integers() throws {
        #expect(try JSONTape("9223372036854775807").root.integer == .max)
        #expect(try JSONTape("-9223372036854775808").root.integer == .min)
        #expect(try JSONTape("9223372036854775808").root.integer == nil)
        #expect(try JSONTape("10.0").root.integer == 10)
        #expect(try JSONTape("3.2e4").root.integer == 32_000)
        #expect(try JSONTape("10.5").root.integer == nil)
    }

    @Test(
        "What is not JSON is refused",
        arguments: [
            "", " ", "{", "[", "[1,]", "{\"a\":1,}", "{\"a\"}", "{a:1}", "01", "1.", ".5", "+1", "1e", "--1",
            "nul",
            "tru", "\"", "\"\\x\"", "\"\\u12\"", "\"\\ud800\"", "\"\\udc00\"", "1 2", "[1 2]", "\u{0}", "NaN",
            "Infinity", "\"a\u{1}\"", "{\"a\":1 \"b\":2}", "[1}", "{\"a\":1]",
        ])
    func invalid(text: String) {
        #expect(throws: VenueProtocolError.self) { try JSONTape(text) }
    }

    @Test("A text that is not UTF-8, and nesting without end, are refused")
    func hostile() {
        #expect(throws: VenueProtocolError.self) { try JSONTape([34, 0xFF, 34]) }
        #expect(throws: VenueProtocolError.self) {
            try JSONTape(Array(repeating: UInt8(ascii: "["), count: 1_000_000))
        }
    }

    @Test("Texts come back as they went in, escapes and all")
    func texts() throws {
        for text in ["", "plain", "\"\\/\u{8}\u{C}\n\r\t", "Grüße 😀", "\u{1}\u{1F}"] {
            var writer = JSONWriter()
            writer.string(text)
            #expect(try JSONTape(writer.bytes).root.string == text)
        }
        #expect(try JSONTape(#""\ud83d\ude00\u00e9\/\b""#).root.string == "😀é/\u{8}")
    }

    @Test("Mutated messages are read as Foundation reads them, or refused: 20,000 of them")
    func mutations() throws {
        let message = Array(
            #"{"jsonrpc":"2.0","id":7,"result":[{"a":[1,-2.503,true,null],"b":"x\u00e9\n"},"é",{}],"usIn":1}"#
                .utf8)
        var generator = SplitMix(state: 5)
        for _ in 0..<20_000 {
            var mutant = message
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let place = Int.random(in: 0..<mutant.count, using: &generator)
                switch generator.next() % 3 {
                case 0: mutant[place] = message[Int.random(in: 0..<message.count, using: &generator)]
                case 1: mutant.remove(at: place)
                default: mutant.insert(UInt8.random(in: 0...255, using: &generator), at: place)
                }
            }
            let mine = try? JSONTape(mutant)
            let theirs = try? JSONSerialization.jsonObject(with: Data(mutant), options: .fragmentsAllowed)
            // Numbers beyond a double are JSON all the same: whoever asks for the number gets none.
            let hasExponent = String(decoding: mutant, as: UTF8.self).contains(/[0-9][eE][0-9+-]/)
            if theirs == nil, !hasExponent {
                #expect(mine == nil, "\(String(decoding: mutant, as: UTF8.self))")
            }
        }
    }

    @Test("Lists that a record is read from in another order, or with keys that nobody knows, say the same")
    func keys() throws {
        let plain = try Quote(
            try JSONTape(#"{"timestamp":1,"instrument_name":"A","best_bid_price":2.5,"best_bid_amount":1}"#)
                .root)
        let shuffled = try Quote(
            try JSONTape(
                #"{"best_bid_amount":1.0,"x":{"timestamp":[7]},"best_bid_price":2.5,"instrument_name":"A","timestamp":1e0}"#
            ).root)
        #expect(plain.json == shuffled.json)
    }

    @Test("A missing key and a wrong type are named with the keys that lead to them")
    func paths() {
        #expect(throws: VenueProtocolError.missing(path: "timestamp")) { try Quote(try JSONTape("{}").root) }
        #expect(
            throws: VenueProtocolError.unexpected(
                path: "params.data.price", expected: "a number", found: "\"x\"")
        ) {
            try Notification<IndexPrice>(
                try JSONTape(
                    #"{"jsonrpc":"2.0","method":"subscription","params":{"channel":"c","data":{"timestamp":1,"index_name":"i","price":"x"}}}"#
                ).root)
        }
    }

    @Test("Numbers and booleans as texts are read from queries only")
    func leniency() throws {
        let query = #"{"instrument_name":"A","amount":"10","post_only":"true"}"#
        #expect(throws: VenueProtocolError.self) { try OrderRequest(try JSONTape(query).root) }
        let order = try OrderRequest(try JSONTape(query, isLenient: true).root)
        #expect(order.amount == MessageAmount(10))
        #expect(order.isPostOnly == true)
    }
}

struct SplitMix: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
