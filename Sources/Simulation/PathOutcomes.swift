import Greeks
import Market
import VectorMath

/// Metrics and parts of profit of every policy on every path, as they come in.
public final class PathOutcomes: @unchecked Sendable {
    /// Names, in the order of the simulation.
    public let policies: [String]
    /// Paths requested, and paths completed; the completed ones come first.
    public let paths: Int
    public internal(set) var completed = 0

    /// Policies × (metrics, then parts) × paths.
    private let values: ColumnStorage<Double>
    static let columns = HedgingLoop.metricCount + HedgingLoop.partCount

    init(policies: [String], paths: Int) {
        self.policies = policies
        self.paths = paths
        values = ColumnStorage(repeating: 0, count: policies.count * Self.columns * paths)
    }

    /// Where a policy's column starts.
    private func start(_ policy: Int, _ column: Int) -> Int { (policy * Self.columns + column) * paths }

    /// The completed paths of a policy's column.
    private func column(_ policy: Int, _ column: Int) -> LazyMapSequence<Range<Int>, Double> {
        let start = start(policy, column)
        return (start..<start + completed).lazy.map { self.values[$0] }
    }

    /// A metric of the completed paths.
    public func values(_ metric: PathMetric, policy: Int) -> [Double] {
        Array(column(policy, metric.rawValue))
    }

    /// A part of profit and loss of the completed paths, summed over the steps.
    public func values(_ part: ProfitPart, policy: Int) -> [Double] {
        Array(column(policy, HedgingLoop.metricCount + part.rawValue))
    }

    /// Cost of trading and holding the hedge on each path: all parts that are costs, positive where they
    /// cost.
    public func costs(policy: Int) -> [Double] {
        var costs = [Double](repeating: 0, count: completed)
        for part in ProfitPart.allCases where part.isCost {
            let start = start(policy, HedgingLoop.metricCount + part.rawValue)
            for path in 0..<completed { costs[path] -= values[start + path] }
        }
        return costs
    }

    /// Takes over the loop's metrics for eight paths, those beyond the last left out.
    func store(_ loop: HedgingLoop, policy: Int, firstPath: Int) {
        let count = min(8, paths - firstPath)
        for index in 0..<Self.columns {
            let lanes =
                index < HedgingLoop.metricCount
                ? loop.metrics[index] : loop.parts[index - HedgingLoop.metricCount]
            let first = start(policy, index) + firstPath
            for lane in 0..<count { values[first + lane] = lanes[lane] }
        }
    }

    /// Takes over the first paths of another run.
    func copy(_ other: PathOutcomes, paths count: Int) {
        for policy in policies.indices {
            for index in 0..<Self.columns {
                let (target, source) = (start(policy, index), other.start(policy, index))
                for path in 0..<count { values[target + path] = other.values[source + path] }
            }
        }
    }
}

extension PathOutcomes {
    /// The completed paths as bytes: a header that names the policies and a fingerprint of the simulation,
    /// then doubles.
    public func archive(fingerprint: UInt64) -> [UInt8] {
        var bytes = Array("poise simulation 1\n".utf8)
        func append(_ value: UInt64) {
            for byte in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: value >> (8 * UInt64(byte)))) }
        }
        append(fingerprint)
        append(UInt64(policies.count))
        append(UInt64(Self.columns))
        append(UInt64(completed))
        for policy in policies.indices {
            for index in 0..<Self.columns {
                for value in column(policy, index) { append(value.bitPattern) }
            }
        }
        append(Checksum.of(bytes))
        return bytes
    }

    /// Figures from an archive of a simulation with that fingerprint and these policies; nil for bytes that
    /// are none, cut short, or another simulation's.
    public convenience init?(archive bytes: [UInt8], fingerprint: UInt64, policies: [String]) {
        let magic = Array("poise simulation 1\n".utf8)
        guard bytes.count >= magic.count + 40, bytes.starts(with: magic) else { return nil }
        func word(_ offset: Int) -> UInt64 {
            var value: UInt64 = 0
            for index in 0..<8 { value |= UInt64(bytes[offset + index]) << (8 * UInt64(index)) }
            return value
        }
        let start = magic.count
        guard Checksum.of(bytes.dropLast(8)) == word(bytes.count - 8), word(start) == fingerprint,
            word(start + 8) == UInt64(policies.count), word(start + 16) == UInt64(Self.columns)
        else { return nil }
        guard let completed = Int(exactly: word(start + 24)) else { return nil }
        let expected = (policies.count * Self.columns).multipliedReportingOverflow(by: completed)
        guard !expected.overflow, expected.partialValue == (bytes.count - start - 40) / 8,
            (bytes.count - start - 40) % 8 == 0
        else { return nil }
        self.init(policies: policies, paths: completed)
        self.completed = completed
        for index in 0..<values.count { values[index] = Double(bitPattern: word(start + 32 + 8 * index)) }
    }
}

extension PathOutcomes {
    /// The first completed path on which something cannot be said in numbers: prices, volatilities or costs have left
    /// what can be computed. nil where all is well.
    public var firstNotFinite: (policy: Int, path: Int)? {
        for policy in policies.indices {
            for index in 0..<Self.columns {
                let start = start(policy, index)
                if let path = (0..<completed).first(where: { !values[start + $0].isFinite }) {
                    return (policy, path)
                }
            }
        }
        return nil
    }
}
