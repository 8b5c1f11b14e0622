import CMachineLimits
import Foundation
import Timing

/// What the machine can do at most, measured in the same run.
///
/// The port model: a loop takes at least the sum over its instructions of what one of a kind costs beside
/// multiply-adds, none of which waits for another. What additions, logic and loads cost so is next to nothing where
/// the processor has units for them beside those of multiply-adds.
struct MachineLimits: CustomStringConvertible {
    static let kinds: [(kind: machine_kind, name: String, perRound: Double)] = [
        (MACHINE_MULTIPLY_ADD, "multiply-add", 8), (MACHINE_ADD, "add", 8), (MACHINE_LOGIC, "logic", 8),
        (MACHINE_LOAD, "load", 8), (MACHINE_STORE, "store", 8), (MACHINE_DIVIDE, "divide", 2),
    ]

    /// Seconds of an instruction of each kind, and of a multiply-add.
    private let seconds: [Double]
    private let multiplyAdd: Double
    /// Seconds per option of columns in and out of memory.
    private let memory: [Int: Double]

    init() {
        let rounds = 20_000
        let n = 1 << 20
        let columns = (0..<21).map { _ -> UnsafeMutablePointer<Double> in
            let column = UnsafeMutableRawPointer.allocate(byteCount: 8 * n + 4096, alignment: 64)
                .bindMemory(to: Double.self, capacity: n)
            column.initialize(repeating: 1, count: n)
            return column
        }
        let ins = columns.prefix(6).map { UnsafePointer($0) as UnsafePointer<Double>? }
        let outs = columns.dropFirst(6).map { $0 as UnsafeMutablePointer<Double>? }
        let shapes: [(Int32, Int32)] = [(4, 9), (4, 15), (6, 9), (6, 15)]
        nonisolated(unsafe) var sink = 0.0
        let bodies: [() -> Void] =
            [{ sink += machine_multiply_adds(rounds) }]
            + Self.kinds.map { kind in { sink += machine_mix(kind.kind, rounds) } }
            + shapes.map { shape in { machine_stream(n, ins, shape.0, outs, shape.1) } }
        let medians = interleavedProcessorMedians(rounds: 15, bodies)
        multiplyAdd = medians[0] / Double(24 * rounds)
        seconds = zip(Self.kinds, medians.dropFirst()).map { kind, median in
            max(0, (median - medians[0]) / (kind.perRound * Double(rounds)))
        }
        memory = Dictionary(
            uniqueKeysWithValues: zip(shapes, medians.suffix(shapes.count)).map {
                (Int($0.0) * 100 + Int($0.1), $1 / Double(n))
            })
        for column in columns { column.deallocate() }
        if sink == 0 { print("") }
    }

    /// Seconds per option that a loop of that many columns needs at least, from memory.
    func memory(ins: Int, outs: Int) -> Double? { memory[ins * 100 + outs] }

    /// How much of `seconds` the instructions would take at least.
    func share(of counts: [Double], seconds measured: Double) -> String {
        let least = zip(counts, [multiplyAdd] + seconds.dropFirst()).reduce(0) { $0 + $1.0 * $1.1 }
        let mix = zip(counts, Self.kinds).map { String(format: "%.0f %@", $0, $1.name) }.joined(
            separator: ", ")
        return String(
            format: "for 8 options %@: %.1f ns at least, %.1f measured: %.0f%% of the limit", mix,
            least * 1e9,
            measured * 1e9, 100 * least / measured)
    }

    var description: String {
        let beside = zip(Self.kinds, seconds).dropFirst().map {
            String(format: "%@ %.3f", $0.name, $1 * 1e9)
        }.joined(separator: ", ")
        return String(
            format: """
                this machine: %.1f billion multiply-adds of doubles per second; past the caches %.1f GB/s
                nanoseconds of an instruction on %d doubles: multiply-add %.3f; beside multiply-adds %@
                """, 1e-9 * Double(machine_width()) / multiplyAdd,
            8e-9 * 15 / (memory(ins: 6, outs: 9) ?? .nan), machine_width(), multiplyAdd * 1e9, beside)
    }
}
