// Microseconds per hedge problem, cold and warm: HedgeSolving FILE.json...
import Poise

let clock = ContinuousClock()
for path in CommandLine.arguments.dropFirst() {
    let problems = try HedgeProblemFile(Source(path: path)).problems
    for start in [HedgeStart.warm] {
        let solver = HedgeSolver()
        var times: [Double] = []
        var cold = 0
        var infeasible = 0
        for round in 0..<3000 {
            for problem in problems {
                let time = try clock.measure { _ = try solver.solve(problem, start: start) }
                if round > 0 {
                    if solver.solution.status == .infeasible { infeasible += 1; continue }
                    times.append(time / .microseconds(1))
                    if solver.solution.interiorSteps > 0 { cold += 1 }
                }
            }
        }
        times.sort()
        guard !times.isEmpty else { continue }
        print(
            path.split(separator: "/").last!, start, "solved", times.count, "infeasible", infeasible, "p50",
            times[times.count / 2], "p99", times[times.count * 99 / 100], "max", times.last!, "cold", cold)
    }
}
