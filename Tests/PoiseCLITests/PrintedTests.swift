import Foundation
import TestSupport
import Testing

/// What commands print and draw of the samples, beside what they printed and drew when somebody last looked at it.
///
/// Text is the same to the character, numbers to one in their last digit, which may differ between processors; times that
/// were measured are left out. Where a change is meant, `POISE_PRINTED=FOLDER` writes what is printed now into a folder:
/// look at it, and put it in place of `Fixtures`.
struct PrintedTests {
    private static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Fixtures")

    private static func sample(_ name: String) -> String { Poise.sample.appendingPathComponent(name).path }

    private static func example(_ name: String) -> String {
        SharedData.packageRoot.appendingPathComponent("Examples").appendingPathComponent(name).path
    }

    /// The arguments of a fixture; FILE stands for what the command draws.
    private static var commands: [String: [String]] {
        let books = ["--chain", Poise.sampleChain, "--positions", Poise.samplePositions]
        let limits = ["--limits", sample("limits.csv")]
        let grid = ["--grid", example("grids/deribit-btc.json")]
        let history = [
            "--history", "BTC=" + sample("btc-1d.csv"), "--history", "ETH=" + sample("eth-1d.csv"),
        ]
        let margin = ["margin"] + books + ["--skip-bad-rows", "--underlying"]
        let page = [
            "simulate", "--config", fixtures.appendingPathComponent("page.toml").path, "--report", "FILE",
        ]
        return [
            "hedge.txt": ["hedge"] + books + limits,
            "hedge.csv": ["hedge"] + books + limits + ["--format", "csv"],
            "risk.txt": ["risk"] + books + limits,
            "scenarios.txt": ["scenarios"] + books + grid + ["--by", "underlying"],
            "var.txt": ["var"] + books + history + ["--levels", "0.99"],
            "vega.txt": ["simulate", "--config", example("simulate/vega.toml"), "--paths", "16"],
            "margin-coin.txt": margin + [
                "BTC", "--account", example("margin/account-btc.toml"), "--model",
                example("margin/deribit-pm-btc.json"),
            ],
            "margin-dollars.txt": margin + [
                "ETH", "--account", example("margin/account-usd.toml"), "--model",
                example("margin/derive-pmrm2-eth.json"),
            ],
            "dollars.svg": ["scenarios"] + books + grid + ["--by", "underlying", "--svg", "FILE"],
            "coins.svg": ["scenarios"] + books + [
                "--grid", example("grids/derive-eth.json"), "--by", "underlying", "--numeraire", "coin",
                "--svg", "FILE",
            ],
            "page.html": page, "band.html": page + ["--policy", "3", "--path", "5"],
        ]
    }

    /// Text between numbers, and the numbers as they are written.
    private static func parts(_ text: String) -> (text: [Substring], numbers: [Substring]) {
        var (between, numbers): ([Substring], [Substring]) = ([], [])
        var rest = text[...]
        while let found = rest.firstMatch(of: /[0-9][0-9,]*(?:\.[0-9]+)?(?:e[-+]?[0-9]+)?/) {
            between.append(rest[..<found.range.lowerBound])
            numbers.append(found.output)
            rest = rest[found.range.upperBound...]
        }
        return (between + [rest], numbers)
    }

    /// Whether two written numbers are the same but for the last digit.
    private static func areSame(_ one: Substring, _ other: Substring) -> Bool {
        if one == other { return true }
        let plain = [one, other].map { $0.replacingOccurrences(of: ",", with: "") }
        guard let a = Double(plain[0]), let b = Double(plain[1]) else { return false }
        let mantissas = plain.map { $0.prefix { $0 != "e" } }
        let decimals = mantissas.map { mantissa in
            mantissa.firstIndex(of: ".").map { mantissa.distance(from: $0, to: mantissa.endIndex) - 1 } ?? 0
        }
        let exponent = plain[0].firstIndex(of: "e").flatMap { Int(plain[0][$0...].dropFirst()) } ?? 0
        // Digits before the decimals of a number without any may be rounded ones.
        let digits = mantissas[0].filter(\.isNumber).count
        let isWhole = decimals.max() == 0 && digits > 6
        let unit = isWhole ? 1e-6 * abs(a) : pow(10, Double(exponent - (decimals.min() ?? 0)))
        return abs(a - b) <= max(1.01 * unit, 1e-9 * abs(a))
    }

    @Test(
        "What is printed and drawn is what somebody looked at", arguments: Array(Self.commands.keys).sorted())
    func printed(_ name: String) throws {
        try Poise.inFolder { folder in
            let file = folder.appendingPathComponent(name)
            let arguments = try #require(Self.commands[name]).map { $0 == "FILE" ? file.path : $0 }
            let result = try Poise.run(arguments)
            #expect(result.status == 0, "\(result.errors)")
            var text =
                FileManager.default.fileExists(atPath: file.path)
                ? try String(contentsOf: file, encoding: .utf8) : result.output
            text.replace(/[0-9][0-9.,]* (?:ns|µs|ms|s)\b/, with: "TIME")
            text.replace(SharedData.packageRoot.path, with: "ROOT")
            // What is left of a gap that is next to nothing is rounding.
            text.replace(/gap [0-9.]+e-1[0-9]/, with: "gap 0.0e+00")
            // Which instruction set it was is the processor's.
            text.replace(/priced \((?:avx512|avx2|baseline)\)/, with: "priced (SET)")
            if let place = ProcessInfo.processInfo.environment["POISE_PRINTED"] {
                try Data(text.utf8).write(to: URL(fileURLWithPath: place).appendingPathComponent(name))
            }
            let wanted = try String(contentsOf: Self.fixtures.appendingPathComponent(name), encoding: .utf8)
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            let wantedLines = wanted.split(separator: "\n", omittingEmptySubsequences: false)
            #expect(lines.count == wantedLines.count)
            for (line, other) in zip(lines, wantedLines) where line != other {
                let (found, parts) = (Self.parts(String(line)), Self.parts(String(other)))
                let isSame =
                    found.text == parts.text && zip(found.numbers, parts.numbers).allSatisfy(Self.areSame)
                guard isSame else {
                    Issue.record("\(name): \(line.prefix(300)), not \(other.prefix(300))")
                    return
                }
            }
        }
    }
}
