import CMachineLimits
import COpenBLASPeer
import Foundation
import Poise
import Timing
import VectorMath

/// Books times contracts, for exposures and for scenarios, one thread, in processor time.
///
///     Scenarios [PEER.so …] [revaluation] [product] [exposures] [bulk]
///
/// - revaluation: 5,000 contracts in 400 scenarios (20 moves, 20 volatilities), against loops in C;
/// - product: their profits by 200 dense books, as one matrix product and as Poise takes it, against the machine's
///   multiply-adds;
/// - exposures: 200 books of 5,000 contracts, 5% held and all held, against OpenBLAS in its orientations;
/// - bulk: a million legs in 400 scenarios, summed to 1,000 books as they come, with the largest memory.
///
/// OpenBLAS takes as many threads as its environment says: scripts/bench sets one.

let arguments = CommandLine.arguments.dropFirst()
let parts = arguments.filter { !$0.hasSuffix(".so") }
func isAsked(_ part: String) -> Bool { parts.isEmpty || parts.contains(part) }
let rounds = 15

/// Contracts as on a crypto exchange, seeded.
struct Contracts {
    var type: [UInt8] = []
    var sign, spot, strike, years, volatility, rate: [Double]
    let batch: OptionBatch

    init(_ count: Int) throws {
        var uniform = UniformNumbers()
        sign = []; spot = []; strike = []; years = []; volatility = []; rate = []
        for _ in 0..<count {
            let put = uniform() < 0.5
            type.append(put ? 1 : 0)
            sign.append(put ? -1 : 1)
            spot.append(60_000 * (0.98 + 0.04 * uniform()))
            strike.append(60_000 * exp(uniform() - 0.5))
            years.append(0.02 + uniform())
            volatility.append(0.4 + 0.6 * uniform())
            rate.append(0.05 * uniform())
        }
        batch = try OptionBatch(
            type: type, spot: spot, strike: strike, years: years, volatility: volatility, rate: rate,
            dividend: rate)
    }
}

/// Twenty moves by twenty volatilities.
func scenarioGrid() throws -> ScenarioGrid {
    let rules = (0..<20).map { number -> (name: String, rule: ScenarioGrid.VolatilityRule) in
        var rule = ScenarioGrid.VolatilityRule()
        rule.relative = -0.3 + 0.04 * Double(number)
        return ("\(number)", rule)
    }
    let scenarios = (0..<400).map { number -> ScenarioGrid.Scenario in
        var scenario = ScenarioGrid.Scenario()
        scenario.spot = -0.2 + 0.02 * Double(number % 20)
        scenario.rule = number / 20
        return scenario
    }
    return try ScenarioGrid(name: "20 × 20", rules: rules, scenarios: scenarios)
}

func row(_ name: String, _ value: String, _ ratio: Double?) {
    print(
        name.padding(toLength: 52, withPad: " ", startingAt: 0) + value
            + (ratio.map { String(format: "  %6.2f", $0) } ?? ""))
}

func revaluation() throws {
    let contracts = try Contracts(5_000)
    let grid = try scenarioGrid()
    let engines = try InstructionSet.supported.reversed().map { try GreeksEngine($0) }
    let factors = grid.scenarios.map { 1 + $0.spot }
    let multiples = grid.scenarios.map { 1 + grid.rules[$0.rule].relative }
    let discounts = zip(contracts.rate, contracts.years).map { exp(-$0 * $1) }
    let a = zip(contracts.spot, discounts).map { $0 * $1 }
    let b = zip(contracts.strike, discounts).map { $0 * $1 }
    let moneyness = zip(contracts.spot, contracts.strike).map { log($0 / $1) }
    let deviation = zip(contracts.volatility, contracts.years).map { $0 * $1.squareRoot() }
    var prices = [Double](repeating: 0, count: 2_000_000)
    var contestants: [(name: String, body: () -> Void)] = []
    var matrices: [ScenarioMatrix] = []
    for engine in engines {
        let revaluation = ScenarioRevaluation(grid, engine: engine)
        let matrix = try revaluation.prices(of: contracts.batch)
        matrices.append(matrix)
        contestants.append(
            (
                "Poise \(engine.instructionSet), prices",
                {
                    try? revaluation.prices(of: contracts.batch.columns, into: matrix)
                }
            ))
        if engine.instructionSet == engines[0].instructionSet {
            let books = [Int32](repeating: 0, count: 5_000)
            let quantities = [Double](repeating: 1, count: 5_000)
            contestants.append(
                (
                    "Poise \(engine.instructionSet), profits summed to one book",
                    {
                        _ = try? revaluation.profits(
                            of: contracts.batch, quantities: quantities, books: books, bookCount: 1)
                    }
                ))
        }
    }
    typealias Peer =
        @convention(c) (
            Int, Int, UnsafePointer<Double>, UnsafePointer<Double>, UnsafePointer<Double>,
            UnsafePointer<Double>, UnsafePointer<Double>, UnsafePointer<Double>, UnsafePointer<Double>,
            UnsafePointer<Double>, UnsafeMutablePointer<Double>
        ) -> Void
    typealias SharedPeer =
        @convention(c) (
            Int, Int, UnsafePointer<Double>, UnsafePointer<Double>, UnsafePointer<Double>,
            UnsafePointer<Double>, UnsafePointer<Double>, UnsafePointer<Double>, UnsafePointer<Double>,
            UnsafeMutablePointer<Double>
        ) -> Void
    prices.withUnsafeMutableBufferPointer { prices in
        guard let out = prices.baseAddress else { return }
        for path in arguments where path.hasSuffix(".so") {
            guard let library = dlopen(path, RTLD_NOW), let full = dlsym(library, "peer_scenarios"),
                let shared = dlsym(library, "peer_scenarios_shared")
            else {
                print("skipped: cannot load \(path)")
                continue
            }
            let name = path.split(separator: "/").last ?? "peer"
            let fullForm = unsafeBitCast(full, to: Peer.self)
            let sharedForm = unsafeBitCast(shared, to: SharedPeer.self)
            contestants.append(
                (
                    "C, \(name), a loop per scenario",
                    {
                        fullForm(
                            5_000, 400, factors, multiples, contracts.sign, contracts.spot, contracts.strike,
                            contracts.years, contracts.volatility, contracts.rate, out)
                    }
                ))
            contestants.append(
                (
                    "C, \(name), what scenarios share hoisted",
                    {
                        sharedForm(
                            5_000, 400, factors, multiples, contracts.sign, a, b, moneyness, deviation, out)
                    }
                ))
        }
        let medians = interleavedProcessorMedians(rounds: rounds, contestants.map(\.body))
        print("5,000 contracts in 400 scenarios                      ns/price   × Poise")
        for (contestant, seconds) in zip(contestants, medians) {
            row(contestant.name, String(format: "%10.2f", seconds / 2e6 * 1e9), seconds / medians[0])
        }
        guard contestants.count > engines.count + 1 else { return }
        contestants[contestants.count - 1].body()
        var worst = 0.0
        for scenario in 0..<400 {
            for contract in 0..<5_000 {
                let difference = matrices[0][contract, scenario] - out[scenario * 5_000 + contract]
                worst = max(worst, abs(difference) / contracts.spot[contract])
            }
        }
        print(String(format: "(largest difference from C: %.1e of the price)", worst))
    }
}

/// Zeros on a cache line, for as long as the program runs.
func cacheLines(_ count: Int) -> UnsafeMutablePointer<Double> {
    let memory = UnsafeMutableRawPointer.allocate(byteCount: 8 * count, alignment: 64)
        .bindMemory(to: Double.self, capacity: count)
    memory.initialize(repeating: 0, count: count)
    return memory
}

func product() throws {
    var uniform = UniformNumbers()
    let (books, contracts, scenarios) = (200, 5_000, 400)
    let q = (0..<books * contracts).map { _ in uniform() - 0.5 }
    let engines = try InstructionSet.supported.reversed().map { try GreeksEngine($0) }
    let sums = cacheLines(books * scenarios)
    let rows = cacheLines(contracts * scenarios)
    for place in 0..<contracts * scenarios { rows[place] = uniform() - 0.5 }
    let p = UnsafePointer(rows)
    var e = [Double](repeating: 0, count: books * scenarios)
    nonisolated(unsafe) var sink = 0.0
    let count = 100_000
    // In blocks of 256 contracts, each block's quantities side by side.
    var blocks: [[Double]] = []
    for start in stride(from: 0, to: contracts, by: 256) {
        var block = [Double](repeating: 0, count: books * 256)
        for book in 0..<books {
            for contract in start..<min(start + 256, contracts) {
                block[book * 256 + contract - start] = q[book * contracts + contract]
            }
        }
        blocks.append(block)
    }
    let eights = blocks.enumerated().map { number, block in
        let count = min(256, contracts - number * 256)
        return (0..<books * count).map { place in
            block[(place / 8 / count * 8 + place % 8) * 256 + place / 8 % count]
        }
    }
    e.withUnsafeMutableBufferPointer { e in
        guard let out = e.baseAddress else { return }
        let contestants: [() -> Void] = [
            { sink += machine_multiply_adds(count) },
            {
                cblas_dgemm(
                    CblasRowMajor, CblasNoTrans, CblasNoTrans, blasint(books), blasint(scenarios),
                    blasint(contracts), 1, q, blasint(contracts), p, blasint(scenarios), 0, out,
                    blasint(scenarios))
            },
            {
                for (number, block) in blocks.enumerated() {
                    let start = number * 256
                    cblas_dgemm(
                        CblasRowMajor, CblasNoTrans, CblasNoTrans, blasint(books), blasint(scenarios),
                        blasint(min(256, contracts - start)), 1, block, 256,
                        p + start * scenarios,
                        blasint(scenarios), number == 0 ? 0 : 1, out, blasint(scenarios))
                }
            },
        ]
        let blockwise = engines.map { engine in
            {
                sums.update(repeating: 0, count: books * scenarios)
                for (number, weights) in eights.enumerated() {
                    let start = number * 256
                    engine.kernel.addRowProducts(
                        p + start * scenarios, rowCount: min(256, contracts - start), stride: scenarios,
                        vectors: scenarios / 8, weights: weights, eights: books / 8, into: sums)
                }
            }
        }
        // Every leg by itself, as for books that hold little.
        let everyBook = (0..<books).map { Int32($0) }
        let offsets = (0...books).map { $0 * 256 }
        let rowOfTerm = (0..<books * 256).map { Int32($0 % 256) }
        let legByLeg = {
            sums.update(repeating: 0, count: books * scenarios)
            for (number, block) in blocks.enumerated() {
                let start = min(number * 256, contracts - 256)
                engines[0].kernel.addWeightedRows(
                    p + start * scenarios, stride: scenarios, vectors: scenarios / 8, rowOfTerm: rowOfTerm,
                    weights: block, sumOfGroup: everyBook, offsets: offsets, groupCount: books,
                    into: sums)
            }
        }
        let medians = interleavedProcessorMedians(rounds: rounds, contestants + blockwise + [legByLeg])
        let peak = 2 * 24 * Double(machine_width()) * Double(count) / medians[0] / 1e9
        print(String(format: "200 × 5,000 × 400; multiply-adds of this machine: %.1f GFLOP/s", peak))
        let names =
            ["OpenBLAS, one product", "OpenBLAS, 256 contracts at a time"]
            + engines.map { "Poise \($0.instructionSet), 256 contracts at a time" } + ["Poise, leg by leg"]
        for (name, seconds) in zip(names, medians.dropFirst()) {
            let rate = 2 * Double(books * contracts * scenarios) / seconds / 1e9
            row(name, String(format: "%8.1f GFLOP/s, of the peak", rate), rate / peak)
        }
        if sink == 0 { print("") }
    }
}

func exposures() throws {
    let engine = try GreeksEngine()
    let names = (0..<5_000).map { "BTC-\(1 + $0 % 28)JUN26-\(20_000 + 10 * $0)-\($0 % 2 == 0 ? "C" : "P")" }
    let instruments = try names.map { try Instrument(name: $0) }
    var uniform = UniformNumbers()
    let figures = UnitExposures(count: 5_000)
    for contract in 0..<5_000 {
        for greek in ExposureGreek.allCases { figures[contract, greek] = uniform() - 0.5 }
    }
    func positions(_ density: Double) -> [PositionTable.Position] {
        (0..<200).flatMap { book in
            instruments.compactMap { instrument in
                uniform() < density
                    ? PositionTable.Position(
                        book: "\(book)", instrument: instrument, quantity: uniform() - 0.5, line: 0) : nil
            }
        }
    }
    let (few, all) = (positions(0.05), positions(1.1))
    let sparse = ExposurePlan(few, contracts: instruments, by: [.book])
    let dense = ExposurePlan(all, contracts: instruments, by: [.book])
    let denseBySparse = ExposurePlan(all, contracts: instruments, by: [.book], path: .sparse)
    let (sums, others) = (Exposures(sparse), Exposures(dense))
    let q = all.map(\.quantity)
    // Twelve Greeks of options, as rows: price to zomma.
    let greeks = engine.greeks(.all, of: try Contracts(5_000).batch)
    let twelve = Greek.allCases.prefix(12).compactMap { greeks[$0] }
    let rows = cacheLines(5_000 * 16)
    var g = [Double](repeating: 0, count: 5_000 * 12)
    var transposed = g
    for contract in 0..<5_000 {
        for (place, column) in twelve.enumerated() {
            let value = column[contract]
            rows[contract * 16 + place] = value
            g[contract * 12 + place] = value
            transposed[place * 5_000 + contract] = value
        }
    }
    let numbers = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, Int32($0)) })
    var offsets = [0]
    for book in 0..<200 {
        offsets.append(offsets[book] + few[offsets[book]...].prefix { $0.book == "\(book)" }.count)
    }
    func kept<T>(_ values: [T]) -> UnsafePointer<T> {
        let memory = UnsafeMutablePointer<T>.allocate(capacity: values.count)
        memory.initialize(from: values, count: values.count)
        return UnsafePointer(memory)
    }
    let legs = WeightedRows(
        rows: rows, rowOfTerm: kept(few.map { numbers[$0.instrument.name] ?? 0 }),
        weights: kept(few.map(\.quantity)), offsets: kept(offsets), groupCount: 200)
    // The quantities of eight books side by side.
    var columns = q
    var eights = q
    for book in 0..<200 {
        for contract in 0..<5_000 {
            columns[contract * 200 + book] = q[book * 5_000 + contract]
            eights[(book / 8 * 5_000 + contract) * 8 + book % 8] = q[book * 5_000 + contract]
        }
    }
    let twelveSums = cacheLines(200 * 16)
    var e = [Double](repeating: 0, count: 200 * 12)
    e.withUnsafeMutableBufferPointer { e in
        guard let out = e.baseAddress else { return }
        /// E = Q·G row by row, with either factor stored by columns; or the transposed product.
        func blas(_ q: [Double], _ qByColumns: Bool, _ g: [Double], _ gByColumns: Bool) -> () -> Void {
            {
                cblas_dgemm(
                    CblasRowMajor, qByColumns ? CblasTrans : CblasNoTrans,
                    gByColumns ? CblasTrans : CblasNoTrans, 200, 12, 5_000, 1, q, qByColumns ? 200 : 5_000, g,
                    gByColumns ? 5_000 : 12, 0, out, 12)
            }
        }
        func flipped(_ q: [Double], _ qByColumns: Bool, _ g: [Double], _ gByColumns: Bool) -> () -> Void {
            {
                cblas_dgemm(
                    CblasRowMajor, gByColumns ? CblasNoTrans : CblasTrans,
                    qByColumns ? CblasNoTrans : CblasTrans, 12, 200, 5_000, 1, g, gByColumns ? 5_000 : 12, q,
                    qByColumns ? 200 : 5_000, 0, out, 200)
            }
        }
        let contestants: [(name: String, body: () -> Void)] = [
            (
                "Poise, 5% held: \(few.count) legs, twelve Greeks",
                { engine.kernel.sumWeightedRows(legs, into: twelveSums) }
            ),
            (
                "Poise, all held, twelve Greeks",
                {
                    engine.kernel.exposureProducts(
                        rows: rows, rowCount: 5_000, weights: eights, groupEights: 25, width: 12,
                        into: twelveSums)
                }
            ),
            ("OpenBLAS, Q by rows, G by rows", blas(q, false, g, false)),
            ("OpenBLAS, Q by rows, G by columns", blas(q, false, transposed, true)),
            ("OpenBLAS, Q by columns, G by rows", blas(columns, true, g, false)),
            ("OpenBLAS, Q by columns, G by columns", blas(columns, true, transposed, true)),
            ("OpenBLAS, transposed, Q by rows, G by rows", flipped(q, false, g, false)),
            ("OpenBLAS, transposed, Q by rows, G by columns", flipped(q, false, transposed, true)),
            ("OpenBLAS, transposed, Q by columns, G by rows", flipped(columns, true, g, false)),
            ("OpenBLAS, transposed, Q by columns, G by columns", flipped(columns, true, transposed, true)),
            (
                "Poise, 5% held, the ten figures of a book (\(sparse.path))",
                { sparse.aggregate(figures, into: sums, engine) }
            ),
            (
                "Poise, all held, ten figures (\(dense.path))",
                { dense.aggregate(figures, into: others, engine) }
            ),
            (
                "Poise, all held, ten figures leg by leg",
                { denseBySparse.aggregate(figures, into: others, engine) }
            ),
        ]
        let medians = interleavedProcessorMedians(rounds: rounds, contestants.map(\.body))
        print("200 books × 5,000 contracts × 12 Greeks                    µs   × dense")
        for (contestant, seconds) in zip(contestants, medians) {
            row(contestant.name, String(format: "%10.1f", seconds * 1e6), seconds / medians[1])
        }
        let best = medians[2..<10].min() ?? .nan
        print(String(format: "Poise, all held, takes %.2f of the best of OpenBLAS", medians[1] / best))
        contestants[1].body()
        contestants[2].body()
        var worst = 0.0
        for greek in 0..<12 {
            let scale = twelve[greek].reduce(0) { $0 + abs($1) }
            for book in 0..<200 {
                let difference = twelveSums[book * 16 + greek] - out[book * 12 + greek]
                worst = max(worst, abs(difference) / scale)
            }
        }
        print(String(format: "(largest difference from it: %.1e of the sum of magnitudes)", worst))
    }
}

func bulk() throws {
    let contracts = try Contracts(1_000_000)
    let revaluation = ScenarioRevaluation(try scenarioGrid(), engine: try GreeksEngine())
    var uniform = UniformNumbers()
    let quantities = (0..<1_000_000).map { _ in uniform() - 0.5 }
    let books = (0..<1_000_000).map { _ in Int32(uniform() * 1_000) }
    func peak() -> Double {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return Double(usage.ru_maxrss) / 1024
    }
    let before = peak()
    var sum = 0.0
    let time = try processorSeconds {
        let profits = try revaluation.profits(
            of: contracts.batch, quantities: quantities, books: books, bookCount: 1_000)
        sum = (0..<1_000).reduce(0) { $0 + profits[$1, 0] }
    }
    print(
        String(
            format:
                "a million legs × 400 scenarios, 1,000 books: %.2f s of a processor, %.2f ns per leg and scenario; largest memory "
                + "%.0f MiB, of which inputs %.0f (sum %.6g)", time,
            time / 4e8 * 1e9, peak(), before, sum))
    // Threads by the clock, which needs a core for each, and in the processor time of all of them.
    guard ProcessInfo.processInfo.activeProcessorCount > 1 else { return }
    func processorTime() -> Double {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return Double(usage.ru_utime.tv_sec) + Double(usage.ru_utime.tv_usec) * 1e-6
    }
    let clock = ContinuousClock()
    var seconds: [(clock: [Double], processor: [Double])] = [([], []), ([], [])]
    for _ in 0..<7 {
        for threads in [1, 2] {
            let before = processorTime()
            let duration = try clock.measure {
                _ = try revaluation.profits(
                    of: contracts.batch, quantities: quantities, books: books, bookCount: 1_000,
                    threads: threads)
            }
            seconds[threads - 1].clock.append(duration / .seconds(1))
            seconds[threads - 1].processor.append(processorTime() - before)
        }
    }
    for (threads, own) in zip(["one thread", "two threads"], seconds) {
        print(
            String(
                format: "%@: %.2f s by the clock, %.2f s of processors", threads, own.clock.sorted()[3],
                own.processor.sorted()[3]))
    }
}

if isAsked("revaluation") { try revaluation() }
if isAsked("product") { try product() }
if isAsked("exposures") { try exposures() }
if isAsked("bulk") { try bulk() }
