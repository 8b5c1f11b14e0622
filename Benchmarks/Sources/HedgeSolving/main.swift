// Microseconds per hedge problem, cold and from tick to tick, beside other solvers in the same run.
//
//     HedgeSolving [FILE.json ...]    own sequences of ticks, or those of files
//     HedgeSolving lots [FILE.json]   whole lots alone
//     HedgeSolving alone              without the other solvers
//
// Poise's times include everything from the problem's numbers to a certified answer. The peers, in Python, get the
// same problems split into bought and sold amounts and equilibrated; only their own set-up and solve times count,
// as they report them, so what Python adds does not.
import CAllocationCounter
import Foundation
import Poise
import Timing

struct Sequence {
    let name: String
    let problems: [HedgeProblem]
}

let clock = ContinuousClock()

/// Whole lots: the proven optimum, or what a tenth of a second brings.
func measureLots(_ name: String, _ problems: [HedgeProblem], seconds: Double) throws {
    var results: [(milliseconds: Double, nodes: Int, gap: Double)] = []
    var statuses: [String: Int] = [:]
    for problem in problems {
        let solver = HedgeSolver()
        solver.search.timeLimit = seconds
        let time = try clock.measure { _ = try solver.solve(problem) }
        statuses[solver.solution.status.rawValue, default: 0] += 1
        guard solver.solution.gap < .infinity else { continue }
        results.append((time / .milliseconds(1), solver.solution.nodes, solver.solution.gap))
    }
    func middle(_ values: [Double], _ format: String) -> String {
        let sorted = values.sorted()
        return sorted.isEmpty
            ? "-" : String(format: format, sorted[sorted.count / 2], sorted[sorted.count - 1])
    }
    let title = "  \(name)\(seconds < 1 ? ", stopped at \(seconds) s" : "")"
    print(
        title.padding(toLength: 48, withPad: " ", startingAt: 0)
            + middle(results.map(\.milliseconds), "%8.1f %8.1f")
            + middle(results.map { Double($0.nodes) }, "   %9.0f %8.0f")
            + middle(results.map { 100 * $0.gap }, " %8.2f%% %7.2f%%") + "  "
            + statuses.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", "))
}

/// Lots of the desk's own sequences, 12 problems each, or of files.
func measureLots(_ files: [Sequence]) throws {
    print(
        "\nwhole lots                                  milliseconds p50      max   nodes p50      max   gap p50      max"
    )
    for file in files { try measureLots(file.name, file.problems, seconds: 0.1) }
    guard files.isEmpty else { return }
    for (count, underlyings, seconds) in [(10, 2, 10.0), (20, 3, 10), (60, 6, 0.1)] {
        var problems = TickSequence.problems(
            instruments: count, underlyings: underlyings, softShare: 0, ticks: 12)
        for k in problems.indices {
            for i in problems[k].instruments.indices {
                let lot = i < underlyings ? 0.4 : 2.0
                let instrument = problems[k].instruments[i]
                problems[k].instruments[i].lot = lot
                problems[k].instruments[i].maximumBuy = (instrument.maximumBuy / lot).rounded(.up) * lot
                problems[k].instruments[i].maximumSell = (instrument.maximumSell / lot).rounded(.up) * lot
            }
        }
        try measureLots("n = \(count)", problems, seconds: seconds)
    }
}

var sequences: [Sequence] = []
let files = CommandLine.arguments.dropFirst()
for path in files
where path != "loop" && path != "debug" && path != "all" && path != "pivots" && path != "lots"
    && path != "alone"
{
    let problems = try HedgeProblemFile(Source(path: path)).problems
    sequences.append(Sequence(name: String(path.split(separator: "/").last ?? ""), problems: problems))
}
if files.contains("loop") {
    let solver = HedgeSolver()
    let p = sequences[0].problems
    if files.contains("all") {
        for sequence in sequences {
            for problem in sequence.problems {
                var best = 1e9
                let time = try clock.measure { _ = try solver.solve(problem, start: .warm) }
                best = time / .microseconds(1)
                let s = solver.solution
                print("\(s.status) pivots \(s.pivots) interior \(s.interiorSteps) \(best)")
            }
        }
        exit(0)
    }
    for _ in 0..<200_000 {
        _ = try solver.solve(p[3], start: .warm); _ = try solver.solve(p[4], start: .warm)
    }
    exit(0)
}
if files.first == "lots" {
    try measureLots(sequences)
    exit(0)
}
let isAlone = files.first == "alone" || files.contains("pivots")
if files.isEmpty || files.count == 1 && isAlone {
    for (name, count, underlyings, soft, ticks) in [
        ("hard, n = 10", 10, 2, 0.0, 40), ("hard, n = 30", 30, 4, 0, 40), ("hard, n = 60", 60, 6, 0, 40),
        ("half soft, n = 30", 30, 4, 0.5, 40), ("half soft, n = 60", 60, 6, 0.5, 40),
        ("hard, n = 500", 500, 20, 0, 5),
    ] {
        sequences.append(
            Sequence(
                name: name,
                problems: TickSequence.problems(
                    instruments: count, underlyings: underlyings, softShare: soft, ticks: ticks)))
    }
    for (count, underlyings, ticks) in [(30, 4, 40), (60, 6, 40), (1000, 2, 10)] {
        for levels in [0, 1, 10] {
            sequences.append(
                Sequence(
                    name:
                        "n = \(count), \(levels == 0 ? "one price and no impact" : "\(levels) levels a side")",
                    problems: TickSequence.problems(
                        instruments: count, underlyings: underlyings, softShare: 0, ticks: ticks,
                        levels: levels)))
        }
    }
    for levels in [1, 5] {
        sequences.append(
            Sequence(
                name: "n = 30 on 5 venues, \(levels) levels a side each",
                problems: TickSequence.problems(
                    instruments: 30, underlyings: 4, softShare: 0, ticks: 40, levels: levels, venues: 5)))
    }
}

func shown(_ times: [Double]) -> String {
    let sorted = times.sorted()
    guard let last = sorted.last else { return "-" }
    func at(_ share: Double) -> String {
        String(format: "%9.1f", sorted[min(sorted.count - 1, Int(share * Double(sorted.count)))])
    }
    return at(0.5) + at(0.99) + String(format: "%9.1f", last)
}

/// - Parameter mode: "ticks" for DAQP from tick to tick alone, those without a solution included.
func runPeers(_ problems: [HedgeProblem], _ mode: String...) throws {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("poise-hedges-\(getpid()).json")
    try Data(("[" + problems.map(\.json).joined(separator: ",") + "]").utf8).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../Peers/hedge.py").path
    process.arguments =
        [ProcessInfo.processInfo.environment["POISE_PYTHON"] ?? "python3", script, file.path] + mode
    fflush(nil)
    try process.run()
    process.waitUntilExit()
}

var totalAllocations: UInt = 0
var levelAllocations: UInt = 0
print("microseconds per problem                        p50      p99      max")
for sequence in sequences {
    let solver = HedgeSolver()
    // What has no solution is counted, not timed: it takes no part in a tick-to-tick comparison.
    let problems = try sequence.problems.filter { try solver.solve($0) == .optimal }
    guard !problems.isEmpty else { continue }
    print("\n\(sequence.name): \(problems.count) of \(sequence.problems.count) with a solution")
    let rounds = max(7, 2000 / problems.count / max(1, problems[0].instruments.count / 30))
    for start in [HedgeStart.cold, .warm] {
        var times: [Double] = []
        var fallbacks = 0
        var allocations: UInt = 0
        for round in 0..<rounds {
            for (index, problem) in problems.enumerated() {
                let before = allocation_count()
                let time = try clock.measure { _ = try solver.solve(problem, start: start) }
                if round > 0 { allocations += allocation_count() - before }
                // A sequence's first tick follows its last: no tick of it.
                guard round > 0, start == .cold || index > 0 else { continue }
                times.append(time / .microseconds(1))
                fallbacks += start == .warm && solver.solution.interiorSteps > 0 ? 1 : 0
            }
        }
        let note =
            start == .warm
            ? String(format: "  %.1f%% began anew", 100 * Double(fallbacks) / Double(times.count)) : ""
        if problems[0].curves.isEmpty {
            totalAllocations += allocations
        } else {
            levelAllocations += allocations
        }
        if start == .warm, files.contains("pivots") {
            var best = [Double](repeating: .infinity, count: problems.count)
            var pivots = [Int](repeating: 0, count: problems.count)
            for _ in 0..<200 {
                for (index, problem) in problems.enumerated() {
                    let time = try clock.measure { _ = try solver.solve(problem, start: start) }
                    best[index] = min(best[index], time / .microseconds(1));
                    pivots[index] = solver.solution.pivots
                }
            }
            print(zip(pivots, best).map { String(format: "%d:%.1f", $0, $1) }.joined(separator: " "))
        }
        print("  Poise \(start)".padding(toLength: 42, withPad: " ", startingAt: 0) + shown(times) + note)
    }
    if problems.count < sequence.problems.count {
        // As a desk would see them: with those that have no solution.
        var times: [Double] = []
        var fallbacks = 0
        for _ in 0..<rounds {
            for (index, problem) in sequence.problems.enumerated() {
                let time = try clock.measure { _ = try solver.solve(problem, start: .warm) }
                guard index > 0 else { continue }
                times.append(time / .microseconds(1))
                fallbacks += solver.solution.interiorSteps > 0 ? 1 : 0
            }
        }
        print(
            "  Poise warm, all \(sequence.problems.count)".padding(toLength: 42, withPad: " ", startingAt: 0)
                + shown(times)
                + String(format: "  %.1f%% began anew", 100 * Double(fallbacks) / Double(times.count)))
    }
    // The others know no costs by level.
    if isAlone || !problems[0].curves.isEmpty { continue }
    try runPeers(problems)
    if problems.count < sequence.problems.count { try runPeers(sequence.problems, "ticks") }
}
if files.isEmpty || isAlone { try measureLots([]) }
// The first problem of a shape may allocate, the others may not, except where costs go by level.
print(
    "\nheap allocations after the first problem of a shape: \(totalAllocations), by level: \(levelAllocations)"
)
if totalAllocations > 0 { exit(1) }
