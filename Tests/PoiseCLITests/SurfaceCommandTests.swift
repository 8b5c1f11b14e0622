import Foundation
import TestSupport
import Testing

struct SurfaceCommandTests {
    private static let references = ["check.py", "smiles-dev.csv", "expected-dev.json"].map {
        "surface/\($0)"
    }

    @Test(
        "Slices pass the reference's own checker, which decides butterflies and crossings in exact arithmetic",
        .enabled(if: SharedData.has(references) && SharedData.finds("python3"), "needs the reference smiles"),
        arguments: [["mid", "none"], ["band", "butterfly"]])
    func reference(_ terms: [String]) throws {
        try Poise.inFolder { folder in
            let answer = folder.appendingPathComponent("answer.json").path
            let smiles = SharedData.path("surface/smiles-dev.csv")
            let result = try Poise.run([
                "surface", "--quotes", smiles, "--loss", terms[0], "--arbitrage", terms[1], "--format",
                "json",
                "--output", answer,
            ])
            #expect(result.status == 0, "\(result.errors)")
            let check = Process()
            let pipe = Pipe()
            check.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            check.arguments =
                [
                    "python3", SharedData.path("surface/check.py"),
                    SharedData.path("surface/expected-dev.json"),
                ]
                + [smiles, answer, "--loss", terms[0], "--arbitrage", terms[1]]
            check.standardOutput = pipe
            try check.run()
            let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            check.waitUntilExit()
            #expect(check.terminationStatus == 0, "\(text)")
        }
    }

    @Test("Rows of a slice that disagree on its time, forward or underlying are refused by name")
    func disagreement() throws {
        let header = "slice,years,forward,strike,bid_vol,ask_vol,underlying\n"
        for (row, column) in [
            ("X-1,0.2,100,90,0.5,0.6,X", "years"), ("X-1,0.1,101,90,0.5,0.6,X", "forward"),
            ("X-1,0.1,100,90,0.5,0.6,Y", "underlying"), ("X-1,0.1,100,0,0.5,0.6,X", "strike"),
            ("X-1,0.1,100,90,-0.5,0.6,X", "bid_vol"), ("X-1,0,100,90,0.5,0.6,X", "years"),
        ] {
            try Poise.inFolder { folder in
                let path = folder.appendingPathComponent("quotes.csv")
                try Data((header + "X-1,0.1,100,80,0.5,0.6,X\n" + row + "\n").utf8).write(to: path)
                let result = try Poise.run(["surface", "--quotes", path.path])
                #expect(result.status == 1, "\(row)")
                #expect(result.errors.contains(":3: column \"\(column)\""), "\(row): \(result.errors)")
            }
        }
    }

    @Test("Quotes come from a table or a chain, never both or none")
    func oneSource() throws {
        #expect(try Poise.run(["surface"]).status == 2)
        #expect(try Poise.run(["surface", "--quotes", "a.csv", "--chain", "b.csv"]).status == 2)
    }
}
