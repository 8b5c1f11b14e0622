import CPoise
import Foundation
import Poise
import TestSupport
import Testing

/// Options with every kind of market, the same for the same seed.
struct RandomColumns {
    var type: [UInt8] = []
    var spot: [Double] = []
    var strike: [Double] = []
    var years: [Double] = []
    var volatility: [Double] = []
    var rate: [Double] = []
    var dividend: [Double] = []

    init(_ count: Int, seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<count {
            let spot = Double.random(in: 20...70_000, using: &generator)
            type.append(UInt8.random(in: 0...1, using: &generator))
            self.spot.append(spot)
            strike.append(spot * Double.random(in: 0.3...2.5, using: &generator))
            years.append(Double.random(in: 0...3, using: &generator))
            volatility.append(Double.random(in: 0.05...2, using: &generator))
            rate.append(Double.random(in: -0.05...0.1, using: &generator))
            dividend.append(Double.random(in: -0.05...0.1, using: &generator))
        }
    }

    func batch(_ model: OptionModel = .blackScholesMerton) throws -> OptionBatch {
        try OptionBatch(
            type: type, spot: spot, strike: strike, years: years, volatility: volatility, rate: rate,
            dividend: dividend, model: model)
    }

    /// Calls `body` with the columns as C takes them.
    func withForm<R>(
        _ model: poise_model = POISE_MODEL_BLACK_SCHOLES_MERTON, _ body: (inout poise_full_form) throws -> R
    ) rethrows -> R {
        try type.withUnsafeBufferPointer { type in
            try withPointers([spot, strike, years, volatility, rate, dividend]) { columns in
                var form = poise_full_form()
                form.size = MemoryLayout<poise_full_form>.stride
                form.count = type.count
                form.model = model
                form.type = poise_bytes(data: type.baseAddress, stride: 0)
                form.spot = poise_values(data: columns[0], stride: 0)
                form.strike = poise_values(data: columns[1], stride: 0)
                form.years = poise_values(data: columns[2], stride: 0)
                form.volatility = poise_values(data: columns[3], stride: 0)
                form.rate = poise_values(data: columns[4], stride: 0)
                form.dividend = poise_values(data: columns[5], stride: 0)
                return try body(&form)
            }
        }
    }
}

/// Calls `body` with where arrays stand.
func withPointers<R>(
    _ arrays: [[Double]], _ body: ([UnsafePointer<Double>?]) throws -> R
) rethrows -> R {
    func descend(_ number: Int, _ found: [UnsafePointer<Double>?]) throws -> R {
        guard number < arrays.count else { return try body(found) }
        return try arrays[number].withUnsafeBufferPointer {
            try descend(number + 1, found + [$0.baseAddress])
        }
    }
    return try descend(0, [])
}

/// A handle that lives as long as the tests: freed with an object it would be gone after the object's last use, in the
/// middle of the call that it is passed to. (`poise_fuzz` frees what it makes.)
struct Handle {
    let pointer: OpaquePointer

    nonisolated(unsafe) private static var alive: [(OpaquePointer, (OpaquePointer?) -> Void)] = []
    private static let lock = NSLock()

    init(
        _ free: @escaping (OpaquePointer?) -> Void, sourceLocation: SourceLocation = #_sourceLocation,
        _ create: (UnsafeMutablePointer<OpaquePointer?>) -> poise_status
    ) throws {
        var made: OpaquePointer?
        let status = create(&made)
        try #require(status == POISE_OK, "\(lastError)", sourceLocation: sourceLocation)
        pointer = try #require(made, sourceLocation: sourceLocation)
        Self.lock.withLock { [pointer] in Self.alive.append((pointer, free)) }
    }
}

var lastError: String { String(cString: poise_last_error()) }
var lastField: String { String(cString: poise_last_error_field()) }

func makeEngine() throws -> Handle { try Handle(poise_engine_free) { poise_engine_create(nil, $0) } }

/// A file of the sample that comes with the project.
func sample(_ name: String) -> String {
    SharedData.packageRoot.appendingPathComponent("Examples/sample/\(name)").path
}

func makeChain() throws -> Handle {
    try Handle(poise_chain_free) { poise_chain_read(sample("chain.csv"), $0) }
}

func makePositions() throws -> Handle {
    try Handle(poise_positions_free) { poise_positions_read(sample("positions.csv"), $0) }
}

func makeLimits() throws -> Handle {
    try Handle(poise_limits_free) { poise_limits_read(sample("limits.csv"), $0) }
}

/// Whether two columns have the same bits.
func sameBits(_ a: some Sequence<Double>, _ b: some Sequence<Double>) -> Bool {
    a.map(\.bitPattern) == b.map(\.bitPattern)
}
