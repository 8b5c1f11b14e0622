import Foundation
import TestSupport
import Testing

struct MarginCommandTests {
    private static let models = SharedData.packageRoot.appendingPathComponent("Examples/margin")
    private static let files = [
        "cases-derive-pmrm2-dev", "cases-derive-pmrm1-dev", "cases-derive-standard-dev", "auctions-dev",
        "deribit-vectors", "standard-short-option", "span-array", "generated-dev",
    ]

    @Test(
        "Cases pass the reference's own checker",
        .enabled(
            if: SharedData.has(files.map { "margin/\($0).json" }) && SharedData.finds("python3"),
            "needs the venues' cases"), arguments: files)
    func reference(_ file: String) throws {
        try Poise.inFolder { folder in
            let answer = folder.appendingPathComponent("answer.json").path
            let cases = SharedData.path("margin/\(file).json")
            let result = try Poise.run(["margin", "--cases", cases, "--format", "json", "--output", answer])
            #expect(result.status == 0, "\(result.errors)")
            let check = Process()
            let pipe = Pipe()
            check.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            check.arguments = ["python3", SharedData.path("margin/check.py"), cases, answer]
            check.standardOutput = pipe
            try check.run()
            let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            check.waitUntilExit()
            #expect(check.terminationStatus == 0, "\(text)")
        }
    }

    @Test("The sample book is margined under a venue's model in coin, with parts that add up")
    func sample() throws {
        let result = try Poise.run([
            "margin", "--chain", Poise.sampleChain, "--positions", Poise.samplePositions, "--underlying",
            "BTC",
            "--account", Self.models.appendingPathComponent("account-btc.toml").path, "--model",
            Self.models.appendingPathComponent("deribit-pm-btc.json").path, "--format", "json",
        ])
        #expect(result.status == 0, "\(result.errors)")
        let all = try #require(
            try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: [[String: Any]]])
        let one = try #require(all["models"]?.first)
        let parts = try #require(one["parts"] as? [[String: Any]])
        let sum = parts.reduce(0) { $0 + ($1["initial"] as? Double ?? .nan) }
        let margin = try #require(one["initial_margin"] as? Double)
        #expect(margin > 0 && abs(sum - margin) < 1e-9 * margin)
        #expect((one["left_out"] as? [String])?.isEmpty == false)
        #expect((one["scenario_losses"] as? [String: Any])?.count == 35)
    }

    @Test("The table says what is left out, and where nothing is liquidated")
    func table() throws {
        let result = try Poise.run([
            "margin", "--chain", Poise.sampleChain, "--positions", Poise.samplePositions, "--underlying",
            "ETH",
            "--skip-bad-rows", "--account", Self.models.appendingPathComponent("account-usd.toml").path,
            "--model", Self.models.appendingPathComponent("derive-pmrm2-eth.json").path,
        ])
        #expect(result.status == 0, "\(result.errors)")
        for part in ["worst scenario", "required", "headroom", "ETH at", "left out: ", "2026-03-26"] {
            #expect(result.output.contains(part), "\(part)")
        }
    }

    @Test("A file that an option takes one of and is given twice is refused; what takes several is not")
    func repeated() throws {
        let book = [
            "--chain", Poise.sampleChain, "--chain", Poise.sampleChain, "--positions", Poise.samplePositions,
        ]
        let account = ["--account", Self.models.appendingPathComponent("account-btc.toml").path]
        let model = Self.models.appendingPathComponent("deribit-pm-btc.json").path
        let twice = try Poise.run(["margin"] + book + account + account + ["--model", model])
        #expect(twice.status == 2 && twice.errors.contains("--account takes one file: it is given 2 times"))
        let mixed = try Poise.run(
            ["hedge"] + book + account + ["--margin=\(model)", "--margin", model, "--limits", "-"])
        #expect(mixed.status == 2 && mixed.errors.contains("--margin takes one file: it is given 2 times"))
        let models = try Poise.run(
            ["margin"] + book + account + ["--underlying", "BTC", "--model", model, "--model", model])
        #expect(!models.errors.contains("takes one file"))
    }
}
