import Checks
import Market
import Testing

/// Files of settings, JSON and TOML, key by key: what is read, what holds where nothing is said, what is refused and how.
struct SettingsTests {
    private enum Word: String, CaseIterable { case first, second }

    private static let json = #"""
        {"number": 2.5, "whole": 7, "list": [1, 2.5], "text": "a", "texts": ["a", "b"], "flag": true, "word": "second",
        "none": null, "table": {"inner": 1, "deep": {"number": "x"}}, "tables": [{"n": 1},
        {"n": 2}], "empty": []}
        """#
    private static let toml = """
        number = 2.5
        whole = 7
        list = [1, 2.5]
        text = "a"
        texts = ["a", "b"]
        flag = true
        word = "second"
        empty = []
        [table]
        inner = 1
        [table.deep]
        number = "x"
        [[tables]]
        n = 1
        [[tables]]
        n = 2
        """

    private static func settings(_ text: String, renamed: [String: String] = [:]) throws -> Settings {
        try Settings(Source(name: "f", text: text), renamed: renamed)
    }

    private static func refuses(
        _ field: String, _ reason: String, value: String? = nil, line: Int? = nil, _ body: () throws -> Void
    ) {
        let error = #expect(throws: MarketError.self) { try body() }
        guard let error else { return }
        #expect(error.field == field && "\(error)".contains(reason), "\(error)")
        if let value { #expect(error.value == value, "\(error)") }
        if let line { #expect(error.place == .line(file: "f", line), "\(error)") }
    }

    @Test("A flag is what is said, and not what holds where nothing is said")
    func flags() throws {
        for text in [#"{"yes": true, "no": false}"#, "yes = true\nno = false\n"] {
            let settings = try Self.settings(text)
            #expect(try settings.flag("yes", default: false) && !settings.flag("no", default: true))
            #expect(try settings.flag("none", default: true) && !settings.flag("none", default: false))
        }
    }

    @Test("Both kinds of file have the same values", arguments: [json, toml])
    func values(_ text: String) throws {
        let settings = try Self.settings(text)
        #expect(settings.file == "f" && settings.path.isEmpty)
        #expect(
            try settings.number("number", .positive) == 2.5 && settings.number("number", default: 1) == 2.5)
        #expect(
            try settings.integer("whole", 7...7) == 7 && settings.integer("whole", 0...9, default: 1) == 7)
        #expect(try settings.numbers("list") == [1, 2.5] && settings.oneOrMore("list") == [1, 2.5])
        #expect(try settings.oneOrMore("number") == [2.5])
        #expect(try settings.text("text") == "a" && settings.text("text", default: "z") == "a")
        #expect(try settings.texts("texts") == ["a", "b"] && settings.texts("text") == ["a"])
        #expect(try settings.flag("flag", default: false))
        #expect(
            try settings.word("word") as Word == .second
                && settings.word("word", default: Word.first) == .second)
        let table = try settings.required("table")
        #expect(table.path == "table" && table.keys == ["inner", "deep"])
        #expect(try table.number("inner") == 1 && table.required("deep").text("number") == "x")
        let tables = try settings.tables("tables")
        #expect(
            try tables.map { try $0.number("n") } == [1, 2]
                && tables.map(\.path) == ["tables[0]", "tables[1]"])
        #expect(settings.has("number") && !settings.has("none") && !settings.has("other"))
        #expect(try settings.array("empty").isEmpty)
        settings.ignore("none")
        try settings.finish()
    }

    @Test("What is not there, or null in JSON, is its default or missing by name")
    func missing() throws {
        let settings = try Self.settings(Self.json)
        for key in ["none", "other"] {
            #expect(try settings.optionalNumber(key) == nil && settings.number(key, default: 3) == 3)
            #expect(try settings.integer(key, 0...9, default: 4) == 4 && settings.numbers(key).isEmpty)
            #expect(try settings.flag(key, default: true) && !settings.flag(key, default: false))
            #expect(try settings.optionalText(key) == nil && settings.text(key, default: "z") == "z")
            #expect(try settings.texts(key).isEmpty && settings.word(key, default: Word.first) == .first)
            #expect(
                try settings.table(key) == nil && settings.tables(key).isEmpty && settings.node(key) == nil)
            Self.refuses(key, "is missing") { _ = try settings.number(key) }
            Self.refuses(key, "is missing") { _ = try settings.integer(key, 0...9) }
            Self.refuses(key, "is missing") { _ = try settings.text(key) }
            Self.refuses(key, "is missing") { _ = try settings.word(key) as Word }
            Self.refuses(key, "is missing") { _ = try settings.required(key) }
            Self.refuses(key, "is missing") { _ = try settings.oneOrMore(key) }
        }
        // What stands there is no default, whatever tables take for missing.
        for text in ["", "n/a", "NaN", "-", "null"] {
            let settings = try Self.settings("{\"step\": \"\(text)\"}")
            Self.refuses("step", "must be a number", value: "\"\(text)\"", line: 1) {
                _ = try settings.number("step", default: 60)
            }
            Self.refuses("step", "must be a number") { _ = try settings.optionalNumber("step") }
            Self.refuses("step", "must be a whole number") {
                _ = try settings.integer("step", 0...9, default: 1)
            }
        }
        // A missing key that seems to be misspelt is named by what stands there, one that was read is not.
        let near = try Self.settings(#"{"nubmer": 1, "texts": "a"}"#)
        Self.refuses("nubmer", "is unknown; is it \"number\"?") { _ = try near.number("number") }
        _ = try near.texts("texts")
        Self.refuses("text", "is missing") { _ = try near.text("text") }
    }

    @Test("What is of the wrong kind or out of range is refused by line, key, value and what it must be")
    func wrong() throws {
        let settings = try Self.settings(Self.json)
        Self.refuses("text", "must be a number", value: "\"a\"", line: 1) { _ = try settings.number("text") }
        Self.refuses("number", "must be from 0 to 1", value: "2.5") {
            _ = try settings.number("number", .share)
        }
        Self.refuses("number", "must be from 0 to 1") { _ = try settings.optionalNumber("number", .share) }
        Self.refuses("number", "must be from 0 to 1") {
            _ = try settings.number("number", .share, default: 0)
        }
        Self.refuses("number", "must be a whole number from 0 to 9") {
            _ = try settings.integer("number", 0...9)
        }
        Self.refuses("whole", "must be a whole number from 8 to 9") {
            _ = try settings.integer("whole", 8...9)
        }
        Self.refuses("whole", "from 0 to 6") { _ = try settings.integer("whole", 0...6, default: 1) }
        Self.refuses("list[1]", "must be from 0 to 1", value: "2.5") {
            _ = try settings.numbers("list", .share)
        }
        Self.refuses("number", "must be an array") { _ = try settings.numbers("number") }
        Self.refuses("empty", "must have at least one number") { _ = try settings.oneOrMore("empty") }
        Self.refuses("number", "must be from 0 to 1") { _ = try settings.oneOrMore("number", .share) }
        Self.refuses("number", "must be true or false") { _ = try settings.flag("number", default: true) }
        Self.refuses("number", "must be a text") { _ = try settings.text("number") }
        Self.refuses("list[0]", "must be a text", value: "1") { _ = try settings.texts("list") }
        Self.refuses("text", "must be one of first, second", value: "\"a\"") {
            _ = try settings.word("text") as Word
        }
        Self.refuses("number", "must be an array") { _ = try settings.tables("number") }
        Self.refuses("list[0]", "must be an object") { _ = try settings.tables("list") }
        Self.refuses("table", "must be a number", value: "{…}", line: 2) { _ = try settings.number("table") }
        Self.refuses("tables[1].n", "must be from 0 to 1", value: "2", line: 3) {
            for table in try settings.tables("tables") { _ = try table.number("n", .share) }
        }
        Self.refuses("table.deep.number", "must be a number", line: 2) {
            _ = try settings.required("table").required("deep").number("number")
        }
        let toml = try Self.settings(Self.toml)
        Self.refuses("list[0]", "must be a table", line: 3) { _ = try toml.tables("list") }
        Self.refuses("number", "must be a table", line: 1) { _ = try toml.table("number") }
        Self.refuses("table", "must be a number", value: "a table") { _ = try toml.number("table") }
        Self.refuses("tables", "must be a number", value: "tables") { _ = try toml.number("tables") }
        Self.refuses("table.deep.number", "must be a number", line: 12) {
            _ = try toml.required("table").required("deep").number("number")
        }
        // Also of an object that is read by itself: it is JSON unless somebody says otherwise.
        var reader = JSONReader(Source(name: "f", text: #"{"a": 1}"#))
        let object = try #require(try reader.values().first)
        let own = Settings(Source(name: "f", text: #"{"a": 1}"#), object, path: "here")
        Self.refuses("here.a", "must be an object") { _ = try own.table("a") }
    }

    @Test("Keys that nobody asked for are refused, below too, with what they may have meant")
    func unknown() throws {
        let settings = try Self.settings(#"{"a": 1, "numbr": 2, "table": {"b": 1, "c": 2}}"#)
        _ = try settings.number("a")
        let table = try settings.required("table")
        _ = try table.number("b")
        Self.refuses("numbr", "is unknown; known are a, table") { try settings.finish() }
        Self.refuses("table.c", "is unknown; known are b") { try settings.finishTables() }
        _ = try settings.optionalNumber("number")
        Self.refuses("numbr", "known are a, number, table; is it \"number\"?") { try settings.finish() }
        settings.ignore("numbr")
        Self.refuses("table.c", "is unknown") { try settings.finish() }
        table.ignore("c")
        try settings.finish()
        Self.refuses("a", "is unknown; known are numbr, table") {
            try settings.refuseOthers(than: ["numbr", "table"])
        }
        try settings.refuseOthers(than: ["a", "numbr", "table"])
    }

    @Test("A key of an earlier version says what it is now, at any depth and in any element")
    func renamed() throws {
        let text = #"{"list": [{"old": 1}], "was": 2}"#
        let settings = try Self.settings(text, renamed: ["list.old": "list.new", "was": "is"])
        let first = try settings.tables("list")[0]
        Self.refuses("list[0].old", "is now list.new") { _ = try first.number("new") }
        Self.refuses("other", "is missing") { _ = try settings.number("other") }
        Self.refuses("was", "is now is") { _ = try settings.number("is") }
        Self.refuses("was", "is now is") { try settings.finish() }
    }

    @Test("What is made of settings and refused is about the key that the error names, if it is here")
    func checked() throws {
        let settings = try Self.settings(#"{"low": 1, "high": [2, 3]}"#)
        #expect(try settings.checked("low") { 5 } == 5)
        struct Other: Error, CustomStringConvertible { let description = "no" }
        Self.refuses("low", "no", value: "1") { try settings.checked("low") { throw Other() } }
        let inner = MarketError.invalidSetting(.name("x"), key: "low", value: "1", reason: "is low")
        let same = #expect(throws: MarketError.self) { try settings.checked("high") { throw inner } }
        #expect(same?.place == .name("x"))
        let numbers = try settings.oneOrMore("high") { $0 * 2 }
        #expect(numbers.map(\.number) == [2, 3] && numbers.map(\.made) == [4, 6])
        #expect(try settings.oneOrMore("low") { -$0 }.map(\.made) == [-1])
        Self.refuses("high[1]", "no") {
            _ = try settings.oneOrMore("high") { number in
                if number == 3 { throw Other() }
                return 1
            }
        }
        Self.refuses("low", "no", value: "1") { _ = try settings.oneOrMore("low") { _ in throw Other() } }
    }

    @Test("A file is JSON where it begins with a brace; it holds one object")
    func files() throws {
        #expect(try Self.settings("  \n {\"a\": 1}").number("a") == 1)
        #expect(try Self.settings("a = 1").number("a") == 1)
        #expect(try Settings(json: Source(name: "f", text: "{\"a\": 1}")).number("a") == 1)
        for (text, reason) in [
            ("{} {}", "expected one object"), ("[1]", "expected one object"), ("3", "expected one object"),
        ] {
            let error = #expect(throws: MarketError.self) {
                try Settings(json: Source(name: "f", text: text))
            }
            #expect(error.map { "\($0)" }?.contains(reason) == true, "\(String(describing: error))")
        }
        #expect(throws: MarketError.self) { try Settings(json: Source(name: "f", text: "")) }
    }

    @Test("Settings are one JSON object for readers of others, whatever they are written in")
    func asJSON() throws {
        let toml = """
            seed = 7
            speed = 1.5
            prices = { btc_usd = 90000 }
            lenient = true

            [[accounts]]
            name = "a \\"b\\""
            deposits.BTC = 1

            [[faults]]
            kind = "close"
            at = 2026-11-30T08:00:00Z
            """
        let expected =
            #"{"accounts": [{"deposits": {"BTC": 1}, "name": "a \"b\""}], "faults": [{"at": "2026-11-30T08:00:00Z", "kind": "close"}], "#
            + #""lenient": true, "prices": {"btc_usd": 90000}, "seed": 7, "speed": 1.5}"#
        let read = try Source(name: "f.toml", text: toml).settingsAsJSON()
        #expect(String(decoding: read, as: UTF8.self) == expected)
        let json = #" {"a": [1,2]}"#
        #expect(try Source(name: "f.json", text: json).settingsAsJSON() == Array(json.utf8))
        #expect(throws: MarketError.self) { try Source(name: "f.toml", text: "a = ").settingsAsJSON() }
    }
}
