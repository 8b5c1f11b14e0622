// Keeps a desk within its limits, tick by tick, from Swift.
//
//     swift run -c release hedge chain.csv positions.csv limits.csv
@preconcurrency import Glibc
import Poise

guard CommandLine.arguments.count == 4 else {
    fputs("usage: hedge CHAIN POSITIONS LIMITS\n", stderr)
    exit(2)
}
do {
    var badRows = BadRows(skip: false)
    let (risk, hedges) = try LiveHedge.all(
        try PositionTable(try Source(path: CommandLine.arguments[2]), &badRows),
        in: try Chain(try Source(path: CommandLine.arguments[1]), &badRows),
        try LimitTable(try Source(path: CommandLine.arguments[3]), &badRows), BookHedge.Options(), try GreeksEngine(),
        &badRows)

    // Hedge 0 is that of all books together. Its trades go to the book of the first group.
    let desk = hedges[0]
    let book = risk.plan.groups[0][risk.plan.groupings.count - 1]
    var price = 64250.0
    var state: UInt64 = 7
    for tick in 0..<200 {
        // A random walk of a basis point or so stands for the market.
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        price *= 1 + 4e-4 * (Double(state >> 11) / 9_007_199_254_740_992 - 0.5)
        try risk.tick(0, price: price)
        switch try desk.decide() {
        case .withinLimits: continue
        case .hedge(.optimal): break
        case .hedge:
            print("tick \(padded(tick)): no trades keep the limits")
            continue
        }
        let solution = desk.solution
        let cost = format("%.2f", solution.cost.linear + solution.cost.impact)
        print(
            "tick \(padded(tick)), price \(format("%.2f", price)): cost \(cost) USD, gap",
            format("%.0e", solution.gap))
        for (candidate, trade) in zip(desk.candidates, solution.trades) where trade != 0 {
            print("    \(trade > 0 ? "buy " : "sell") \(format("%g", trade.magnitude)) \(candidate.instrument.name)")
        }
        try desk.book(solution.trades, in: book)
    }
    _ = try desk.decide()
    for (limit, band) in zip(desk.limits, desk.problem.bands) {
        print(limit.name, format("%.17g", band.current))
    }
} catch {
    fputs("\(error)\n", stderr)
    exit(1)
}

func padded(_ tick: Int) -> String { String(repeating: " ", count: 3 - "\(tick)".count) + "\(tick)" }

func format(_ pattern: String, _ value: Double) -> String {
    var text = [CChar](repeating: 0, count: 64)
    withVaList([value]) { _ = vsnprintf(&text, text.count, pattern, $0) }
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
