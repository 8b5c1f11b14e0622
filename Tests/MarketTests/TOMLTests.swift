import Foundation
import TestSupport
import Testing

import Market

/// TOML against Python's reader, and what the specification allows and forbids.
struct TOMLTests {
    static func read(_ text: String) throws(MarketError) -> JSON {
        var reader = TOMLReader(Source(name: "file.toml", text: text))
        return try reader.document()
    }

    /// Foundation's view of a tree, to compare with a document of Foundation's.
    static func plain(_ json: JSON) -> NSObject {
        switch json.content {
        case .null: NSNull()
        case .boolean(let value): NSNumber(value: value)
        case .number(let value): NSNumber(value: value)
        case .string(let text): text as NSString
        case .array(let elements): elements.map(plain) as NSArray
        case .object(let members): members.mapValues(plain) as NSDictionary
        }
    }

    @Test("400 random documents read as Python's tomllib reads them")
    func oracle() throws {
        let url = SharedData.packageRoot.appendingPathComponent("Tests/MarketTests/Fixtures/toml.json")
        let cases = try #require(
            try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [[String: Any]])
        #expect(cases.count == 400)
        var valid = 0
        for example in cases {
            let text = try #require(example["toml"] as? String)
            guard let expected = example["json"] as? NSDictionary else {
                #expect(throws: MarketError.self, "accepted: \(text)") { try Self.read(text) }
                continue
            }
            valid += 1
            #expect(try Self.plain(Self.read(text)) == expected, "\(text)")
        }
        #expect(valid > 150 && valid < 350)
    }

    @Test(
        "what the specification allows",
        arguments: [
            ("a = 1 # remark\n\n\tb.c = 2\r\n\"d e\".'f' = 3", "{\"a\":1,\"b\":{\"c\":2},\"d e\":{\"f\":3}}"),
            (
                "a = +1_000\nb = -0x0\n".replacingOccurrences(of: "-0x0", with: "0xDead_beef"),
                "{\"a\":1000,\"b\":3735928559}"
            ),
            ("a = 0o17\nb = 0b1_1\nc = 6.5E-1_0\nd = -0.0", "{\"a\":15,\"b\":3,\"c\":6.5e-10,\"d\":-0.0}"),
            ("a = \"\"\"\\\n   one \\\n\n  two\\u00e9\\\"\"\"\"", "{\"a\":\"one twoé\\\"\"}"),
            ("a = \"\"\"\n\"\"quoted\"\"\"\"\"", "{\"a\":\"\\\"\\\"quoted\\\"\\\"\"}"),
            ("a = '''\nraw \\n'''\nb = ''", "{\"a\":\"raw \\\\n\",\"b\":\"\"}"),
            ("a = [ # first\n 1, [true, 'x'],\n]", "{\"a\":[1,[true,\"x\"]]}"),
            ("a = {b.c = 1, d = {}}", "{\"a\":{\"b\":{\"c\":1},\"d\":{}}}"),
            (
                "[[a]]\nb = 1\n[a.c]\nd = 2\n[[a]]\n[[a.e]]",
                "{\"a\":[{\"b\":1,\"c\":{\"d\":2}},{\"e\":[{}]}]}"
            ),
            ("[a.b]\nc = 1\n[a]\nd = 2", "{\"a\":{\"b\":{\"c\":1},\"d\":2}}"),
            (
                "a = 1979-05-27T07:32:00.5-07:00\nb = 07:32:00\nc = 1979-05-27 07:32:00z",
                "{\"a\":\"1979-05-27T07:32:00.5-07:00\",\"b\":\"07:32:00\",\"c\":\"1979-05-27 07:32:00z\"}"
            ),
            (
                "a.b = 1\n[a.c]\nd = 2".replacingOccurrences(of: "[a.c]", with: "[e.c]"),
                "{\"a\":{\"b\":1},\"e\":{\"c\":{\"d\":2}}}"
            ),
            ("3.14 = 1\n- = 2", "{\"3\":{\"14\":1},\"-\":2}"), ("\u{FEFF}a = 1", "{\"a\":1}"), ("", "{}"),
        ])
    func allowed(_ text: String, _ json: String) throws {
        let expected = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? NSDictionary
        #expect(try Self.plain(Self.read(text)) == expected)
    }

    @Test("numbers without a value in JSON: infinities and what is no number")
    func notFinite() throws {
        let tree = try Self.read("a = inf\nb = -inf\nc = +nan")
        #expect(tree["a"]?.number == .infinity && tree["b"]?.number == -.infinity)
        #expect(tree["c"]?.number?.isNaN == true)
    }

    @Test(
        "what the specification forbids is refused, with the line",
        arguments: [
            ("a = 1\na = 2", 2), ("a = 1 b = 2", 1), ("[a]\n[a]", 2), ("a.b = 1\n[a]", 2),
            ("[a]\nb.c = 1\n[a.b]", 3),
            ("[a.b.c]\n[a]\nb.c.d = 1", 3), ("a = []\n[[a]]", 2), ("[a]\n[[a]]", 2), ("[[a]]\n[a]", 2),
            ("a = {b = 1}\na.c = 2", 2), ("a = {b = 1}\n[a.c]", 2), ("a = {b = 1,}", 1), ("a = {b = 1\n}", 1),
            ("a = 01", 1), ("a = 1__0", 1), ("a = _1", 1), ("a = 1_", 1), ("a = 1.", 1), ("a = .5", 1),
            ("a = 1e", 1),
            ("a = 0x", 1), ("a = +0x1", 1), ("a = 0b2", 1), ("a = 1.e5", 1), ("a = True", 1), ("a = INF", 1),
            ("a = \"x", 1), ("a = 'x\n'", 1), ("a = \"\\q\"", 1), ("a = \"\\u12\"", 1),
            ("a = \"\\ud800\"", 1),
            ("a = \"\u{1}\"", 1), ("# \u{0}", 1), ("a", 1), ("a =", 1), ("= 1", 1), ("a. = 1", 1), ("[a", 1),
            ("[]", 1),
            ("[[a]", 1), ("[a]]", 1), ("a = [1, 2", 1), ("a = [1 2]", 1), ("a = [,]", 1),
            ("\n\na = 1979-02-30", 3),
            ("a = 24:00:00", 1), ("a = 9223372036854775808", 1), ("a = 9007199254740993", 1), ("a = 1\r", 1),
            ("[+", 1), ("a =[[ ", 1), ("[{\"a\": 1}]", 1), ("a = \"\"\"x\"\"", 1), ("\"\"\"a\"\"\" = 1", 1),
        ])
    func forbidden(_ text: String, _ line: Int) {
        do throws(MarketError) {
            _ = try Self.read(text)
            Issue.record("accepted: \(text)")
        } catch {
            #expect("\(error)".hasPrefix("file.toml:\(line): no valid TOML: "), "\(error)")
        }
    }

    @Test("no sequence of tokens does more than be refused, however deep")
    func tokens() throws {
        let tokens = [
            "[", "]", "[[", "]]", "{", "}", "=", ".", ",", "\"", "'", "\"\"\"", "'''", "\\", "#", "\n",
            "\r\n", " ", "a", "b",
            "1", "-", "+", "_", "0x", "e", "1979-05-27", "T", "07:32:00", "inf", "nan", "true", "\u{0}", "é",
            "\\u",
        ]
        var generator = SeededGenerator(seed: 5)
        var accepted = 0
        for _ in 0..<20_000 {
            let text = (0..<Int.random(in: 1...12, using: &generator)).map { _ in
                tokens[Int.random(in: 0..<tokens.count, using: &generator)]
            }.joined()
            if (try? Self.read(text)) != nil { accepted += 1 }
        }
        #expect(accepted > 100)
        for opening in ["a = ", "a = " + String(repeating: "{a = ", count: 100_000)] {
            #expect(throws: MarketError.self) {
                try Self.read(opening + String(repeating: "[", count: 100_000))
            }
        }
        #expect(throws: MarketError.self) {
            try Self.read("[" + (0..<100_000).map { _ in "a" }.joined(separator: ".") + "]")
        }
        #expect(throws: MarketError.self) {
            try Self.read(String(decoding: [97, 61, 34, 0xFF, 34], as: UTF8.self) + "\u{1}")
        }
    }
}

/// SplitMix64.
private struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
