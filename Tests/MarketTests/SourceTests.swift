import Foundation
import Market
import Testing

/// Files as programs write them: marks, packing, headers, locales.
struct SourceTests {
    static let table = "book,instrument,quantity\na,BTC-PERPETUAL,1.5\n"

    static func file(_ bytes: [UInt8], _ name: String = "positions.csv") throws -> String {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let file = folder.appendingPathComponent(name)
        try Data(bytes).write(to: file)
        return file.path
    }

    /// What gzip makes of bytes.
    static func packed(_ bytes: [UInt8]) throws -> [UInt8] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["gzip", "-c", try file(bytes)]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let packed = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return [UInt8](packed)
    }

    static func quantities(_ path: String) throws -> [Double] {
        var badRows = BadRows(skip: false)
        return try PositionTable(try Source(path: path), &badRows).positions.map(\.quantity)
    }

    static func error(_ bytes: [UInt8]) throws -> String {
        do {
            _ = try quantities(try file(bytes))
            return ""
        } catch let error as MarketError {
            return "\(error)"
        }
    }

    @Test("a byte order mark of UTF-8 is no part of a table or reply")
    func mark() throws {
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        #expect(try Self.quantities(try Self.file(mark + Array(Self.table.utf8))) == [1.5])
        let json = #"[{"book": "a", "instrument_name": "BTC-PERPETUAL", "size": 1.5}]"#
        #expect(try Self.quantities(try Self.file(mark + Array(json.utf8))) == [1.5])
        var badRows = BadRows(skip: false)
        let chain =
            #"[{"instrument_name": "BTC-PERPETUAL", "timestamp": 1711102028463, "mark_price": 65000}]"#
        let read = try Chain(Source(name: "c", bytes: mark + Array(chain.utf8)), &badRows)
        #expect(read.tickers[0].markPrice == 65000)
    }

    @Test("UTF-16 and other packings than gzip are named")
    func foreign() throws {
        let utf16 = Array(try #require(Self.table.data(using: .utf16)))
        #expect(try Self.error(utf16).contains("is UTF-16"))
        #expect(try Self.error([0x50, 0x4B, 3, 4, 0, 0]).contains("is a zip archive"))
        #expect(try Self.error([0x28, 0xB5, 0x2F, 0xFD, 0]).contains("is packed by zstd"))
    }

    @Test("what gzip has packed reads as what it has packed, in several members too, whatever its name")
    func gzip() throws {
        let packed = try Self.packed(Array(Self.table.utf8))
        #expect(try Self.quantities(try Self.file(packed)) == [1.5])
        #expect(try Self.quantities(try Self.file(packed, "positions.csv.gz")) == [1.5])
        let more = try Self.packed(Array("b,ETH-PERPETUAL,-2\n".utf8))
        #expect(try Self.quantities(try Self.file(packed + more + [0, 0, 0])) == [1.5, -2])
    }

    @Test("gzip data that are cut off, damaged or followed by others are refused")
    func brokenGzip() throws {
        let packed = try Self.packed(Array(Self.table.utf8))
        for end in [3, 10, packed.count - 9, packed.count - 1] {
            #expect(try Self.error(Array(packed[..<end])).contains("cut off"), "\(end)")
        }
        var damaged = packed
        damaged[packed.count - 6] ^= 1  // of the checksum
        #expect(try Self.error(damaged).contains("damaged"))
        #expect(try Self.error(packed + [7]).contains("something follows"))
    }

    @Test("gzip data that would fill the memory are refused")
    func bomb() throws {
        let packed = try Self.packed([UInt8](repeating: 0x20, count: 3 << 20))
        let source = Source(name: "spaces.gz", bytes: packed)
        #expect(packed.count < 5000)
        #expect(try Gzip.unpacked(source).count == 3 << 20)
        #expect(try Gzip.unpacked(source, limit: 3 << 20).count == 3 << 20)
        do throws(MarketError) {
            _ = try Gzip.unpacked(source, limit: 2 << 20)
            Issue.record("unpacked")
        } catch {
            #expect("\(error)".hasPrefix("spaces.gz: ") && "\(error)".contains("more than 2 MiB"))
        }
    }

    @Test("columns that nobody reads may have one name; one that is read may not")
    func repeated() throws {
        let extra = "book,note,instrument,note,quantity\na,x,BTC-PERPETUAL,y,1\n"
        #expect(try Self.quantities(try Self.file(Array(extra.utf8))) == [1])
        let twice = "book,instrument,quantity,quantity\na,BTC-PERPETUAL,1,2\n"
        #expect(try Self.error(Array(twice.utf8)).contains("column \"quantity\" stands twice"))
    }

    @Test("a header of 100,000 names is read in a moment", .timeLimit(.minutes(1)))
    func wide() throws {
        let names = (0..<100_000).map { "n\($0)" }.joined(separator: ",")
        let zeros = String(repeating: ",0", count: 100_000)
        let text = "book,instrument,quantity,\(names)\na,BTC-PERPETUAL,1\(zeros)\n"
        #expect(try Self.quantities(try Self.file(Array(text.utf8))) == [1])
    }

    @Test(
        "numbers don't depend on the decimal point of the host's locale",
        .enabled(if: CommaLocale.folder != nil, "localedef cannot make a locale with a decimal comma"))
    func locale() throws {
        setenv("LOCPATH", try #require(CommaLocale.folder), 1)
        defer { unsetenv("LOCPATH") }
        let comma = try #require(newlocale(1 << LC_NUMERIC, "comma", nil))
        let before = uselocale(comma)
        defer {
            uselocale(before)
            freelocale(comma)
        }
        #expect(strtod("0.5", nil) == 0, "the locale has a decimal comma")
        for (text, value) in [
            ("0.0066728959728139525", 0.0066728959728139525), ("1.5e-30", 1.5e-30), ("0.5", 0.5),
            ("-0.12345678901234567890123", -0.12345678901234567890123), ("1.5e300", 1.5e300),
        ] {
            let table = "book,instrument,quantity\na,BTC-PERPETUAL,\(text)\n"
            #expect(try Self.quantities(try Self.file(Array(table.utf8))) == [value])
            let json = #"[{"instrument": "BTC-PERPETUAL", "size": "\#(text)"}]"#
            #expect(try Self.quantities(try Self.file(Array(json.utf8))) == [value])
        }
    }
}

/// A locale whose numbers have a decimal comma, made where the system's tools allow it.
private enum CommaLocale {
    static let folder: String? = {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let definition = folder.appendingPathComponent("definition")
            let numbers =
                "LC_NUMERIC\ndecimal_point \"<U002C>\"\nthousands_sep \"<U002E>\"\ngrouping 3;3\nEND LC_NUMERIC\n"
            try Data(numbers.utf8).write(to: definition)
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments = [
                "localedef", "-c", "-i", definition.path, folder.appendingPathComponent("comma").path,
            ]
            process.standardOutput = FileHandle.nullDevice
            process.standardError = FileHandle.nullDevice
            try process.run()
            process.waitUntilExit()
            let made = folder.appendingPathComponent("comma/LC_NUMERIC").path
            return FileManager.default.fileExists(atPath: made) ? folder.path : nil
        } catch {
            return nil
        }
    }()
}
