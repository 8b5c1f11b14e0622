import Foundation
import Testing

import Market

struct JSONWriterTests {
    @Test("Every text is written so that a JSON reader finds it again")
    func texts() throws {
        let texts =
            (0..<0x180).compactMap { Unicode.Scalar($0).map { "a\(Character($0))b" } } + [
                "", "é\u{301}😀\u{2028}",
            ]
        var json = JSONWriter()
        json.value(texts)
        let text = json.take()
        let read = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String]
        #expect(read == texts)
        #expect(!text.unicodeScalars.contains { $0.value < 32 || (127...159).contains($0.value) })
    }

    @Test("Quotes, backslashes and control characters are escaped in four digits, nothing else is")
    func escapes() {
        for (text, written) in [
            ("", ""), ("a\"b\\c", "a\\\"b\\\\c"), ("\u{0}\u{1}\u{1F} ", "\\u0000\\u0001\\u001f "),
            ("~\u{7F}\u{80}\u{9F}\u{A0}é", "~\\u007f\\u0080\\u009f\u{A0}é"), ("/\u{2028}😀", "/\u{2028}😀"),
        ] {
            #expect(JSON.quoted(text) == "\"\(written)\"")
        }
    }

    @Test("Members, elements, lines and nothing at all have their commas")
    func layout() {
        var json = JSONWriter()
        json.object { json in
            json.member("a", 1)
            json.member("b", [1.5, nil])
            json.line(1)
            json.member("c") { json in
                json.array(lines: 2) { json in
                    json.object { $0.member("d", true) }
                    json.array { _ in }
                }
            }
            json.member("e") { $0.array(lines: 2) { _ in } }
            json.line()
        }
        #expect(
            json.take()
                == "{\"a\": 1, \"b\": [1.5, null],\n \"c\": [\n  {\"d\": true},\n  []\n], \"e\": []\n}")
        #expect(json.refused == nil)
    }

    @Test("A number that is not finite is refused with the members that lead to it")
    func refusals() throws {
        for value in [Double.infinity, -.infinity, .nan] {
            var json = JSONWriter()
            json.object { json in
                json.member("fine", 1e308)
                json.member("rows") { json in json.array { $0.object { $0.member("delta", value) } } }
            }
            let refused = try #require(json.refused)
            #expect(refused.path == "rows.delta" && (refused.value == value || value.isNaN))
            #expect(!json.take().contains("inf"))
        }
    }
}
