// A hedge under a scenario margin from tick to tick: what a tick costs, and how often it allocates.
//
//     MarginHedge MODEL [FILE]
//
// MODEL is a scan, Examples/margin/derive-pmrm2-eth.json. 64 options of five expiries are held; 29 of them and a perpetual
// may be traded. Each tick the index, the forwards and all volatilities move, the account is valued in all scenarios, the
// requirement is written anew and the hedge is solved from the last one. With FILE the problems of 40 ticks and their
// answers are written there, for scripts/check-margin-hedges --time.
import CAllocationCounter
import Glibc
import Poise

guard CommandLine.arguments.count >= 2 else {
    print("usage: MarginHedge MODEL [FILE]")
    exit(2)
}
let engine = try GreeksEngine()
let model = try MarginModel(try Source(path: CommandLine.arguments[1]))
guard case .scan(let scan) = model.rule else { fatalError("a scan") }

var state: UInt64 = 7
@MainActor func random() -> Double {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Double(state >> 11) * 0x1p-53
}

var market = MarginMarket()
var underlying = MarginMarket.Underlying("ETH", spot: 3000)
underlying.perpetual = MarginMarket.Perpetual(price: 3001)
underlying.expiries = [3.0, 10, 30, 60, 120].enumerated().map {
    MarginMarket.Expiry("\($1)d", seconds: 86400 * $1, forward: 3000 + 5 * Double($0))
}
market.underlyings = [underlying]
for number in 0..<64 {
    var contract = MarginMarket.Contract("option-\(number)", .option, underlying: 0, expiry: number % 5)
    contract.type = number & 1 == 0 ? .call : .put
    contract.strike = 2200 + 50 * Double(number / 5 * 3 % 33)
    contract.volatility = 0.5 + 0.004 * Double(number % 30)
    market.contracts.append(contract)
}
market.contracts.append(MarginMarket.Contract("ETH-PERPETUAL", .perpetual, underlying: 0))
let positions = market.contracts.indices.map {
    CrossMarginAccount.Position(contract: $0, quantity: (40 * random() - 20).rounded())
}
let account = try CrossMarginAccount(currency: "USD", cash: 4e5, positions, in: market)
let live = try LiveMargin(scan, account, in: market, engine)
let traded = [64] + Array(0..<29)
let followed = try LiveRequirement(live, trading: traded.map { MarginCandidate(contract: $0) })

/// Deltas and vegas stand still: what the hedge sees of a tick are the exposures and the whole requirement.
var problem = HedgeProblem(name: "tick", underlyings: ["ETH"])
let batch = try OptionBatch(
    type: market.contracts.dropLast().map { $0.type == .put ? 1 : 0 },
    spot: market.contracts.dropLast().map { underlying.expiries[$0.expiry ?? 0].forward },
    strike: market.contracts.dropLast().map { $0.strike ?? 1 },
    years: market.contracts.dropLast().map { underlying.expiries[$0.expiry ?? 0].years },
    volatility: market.contracts.dropLast().map { $0.volatility ?? 0.5 },
    rate: Array(repeating: 0, count: 64), dividend: Array(repeating: 0, count: 64))
let greeks = engine.greeks(.book, of: batch)
let deltas = greeks[.delta].map(Array.init) ?? []
let vegas = greeks[.vega].map(Array.init) ?? []
let values = greeks[.price].map(Array.init) ?? []
for place in traded {
    let price = place == 64 ? 1.0 : 0.4 + 0.01 * values[place]
    problem.add(
        market.contracts[place].name,
        HedgeInstrument(
            costBuy: price * (1 + 0.2 * random()), costSell: price, maximumBuy: 40 + 20 * random(),
            maximumSell: 40 + 20 * random()))
}
var exposures = [0.0, 0]
for place in 0..<64 {
    exposures[0] += positions[place].quantity * deltas[place]
    exposures[1] += positions[place].quantity * vegas[place]
}
exposures[0] += positions[64].quantity
problem.add(
    "delta", HedgeBand(hard: -2, 2, current: exposures[0]),
    coefficients: traded.enumerated().map { (instrument: $0, coefficient: $1 == 64 ? 1 : deltas[$1]) })
problem.add(
    "vega", HedgeBand(hard: -3000, 3000, current: exposures[1]),
    coefficients: traded.enumerated().dropFirst().map { (instrument: $0, coefficient: vegas[$1]) })

let solver = RequirementSolver()
let free = try solver.solve(problem, followed.requirement, RequirementTerms())
let unheld = solver.answer.balance
// More than the cheapest hedge leaves: the margin decides.
let terms = RequirementTerms(balanceAtLeast: unheld + 0.15 * solver.answer.required, price: 0)
guard free == .optimal, try solver.solve(problem, followed.requirement, terms) == .optimal else {
    fatalError("no hedge to begin with: \(solver.answer.largestBalance ?? .nan)")
}

/// Moments of a tick.
struct Times { var update = 0.0, write = 0.0, solve = 0.0 }
let clock = ContinuousClock()
var spot = 3000.0
var lines = ""
var (rounds, planes) = (0, 0)

@MainActor func move() {
    spot *= 1 + 0.0006 * (random() - 0.5)
    try? live.setSpot(spot)
    try? live.setPerpetual(64, spot + 1)
    for expiry in 0..<5 {
        try? live.setForward(
            of: expiry, spot + 5 * Double(expiry), seconds: market.underlyings[0].expiries[expiry].seconds)
    }
    for place in 0..<64 {
        try? live.setVolatility(
            of: place, (market.contracts[place].volatility ?? 0.5) * (1 + 0.004 * (random() - 0.5)))
    }
    problem.bands[0].current = exposures[0] + 0.02 * (spot - 3000)
    problem.bands[1].current = exposures[1] * (1 + 0.002 * (random() - 0.5))
}

@MainActor func tick() -> Times {
    move()
    let begin = clock.now
    live.update()
    let updated = clock.now
    followed.refresh()
    let written = clock.now
    _ = try? solver.solve(problem, followed.requirement, terms, start: .warm)
    let solved = clock.now
    rounds += solver.answer.rounds
    planes += solver.answer.planesAdded
    return Times(
        update: (updated - begin) / .microseconds(1), write: (written - updated) / .microseconds(1),
        solve: (solved - written) / .microseconds(1))
}

for _ in 0..<200 { _ = tick() }
(rounds, planes) = (0, 0)
let count = 4000
var times = Array(repeating: Times(), count: count)
let before = allocation_count()
for k in 0..<count { times[k] = tick() }
let allocations = allocation_count() - before
@MainActor func shown(_ name: String, _ figure: (Times) -> Double) {
    let sorted = times.map(figure).sorted()
    print(
        "\(name) p50 \(sorted[count / 2]) µs, p90 \(sorted[count * 9 / 10]) µs, p99 \(sorted[count * 99 / 100]) µs"
    )
}
print(
    "\(engine.instructionSet), \(problem.instruments.count) instruments, \(scan.grid.count) scenarios, "
        + "\(followed.requirement.lineCount) lines; last \(solver.answer.hedge.status)")
shown("values in all scenarios  ") { $0.update }
shown("requirement written      ") { $0.write }
shown("hedge                    ") { $0.solve }
shown("all                      ") { $0.update + $0.write + $0.solve }
print(
    "problems a tick \(Double(rounds) / Double(count)), planes \(Double(planes) / Double(count)), "
        + "allocations \(allocations) in \(count) ticks")

if CommandLine.arguments.count > 2 {
    for _ in 0..<40 {
        for _ in 0..<20 { _ = tick() }
        let answer = solver.answer
        let instruments = problem.instruments.map {
            "{\"costBuy\":\($0.costBuy),\"costSell\":\($0.costSell),\"maxBuy\":\($0.maximumBuy),\"maxSell\":\($0.maximumSell)}"
        }
        let bands = problem.bands.map { band in
            "{\"current\":\(band.current),\"lo\":\(band.low),\"hi\":\(band.high),"
                + "\"idx\":\(band.entries.map { problem.entries[$0].instrument }),"
                + "\"coef\":\(band.entries.map { problem.entries[$0].coefficient })}"
        }
        lines +=
            "{\"name\":\"tick\",\"problem\":{\"instruments\":[\(instruments.joined(separator: ","))],"
            + "\"bands\":[\(bands.joined(separator: ","))]},\"requirement\":\(followed.requirement.jsonText),"
            + "\"balanceAtLeast\":\(terms.balanceAtLeast),\"price\":0,\"status\":\"\(answer.hedge.status.rawValue)\","
            + "\"objective\":\(answer.objective),\"required\":\(answer.required),\"largestBalance\":null}\n"
    }
    let file = fopen(CommandLine.arguments[2], "w")
    fputs(lines, file)
    fclose(file)
}
