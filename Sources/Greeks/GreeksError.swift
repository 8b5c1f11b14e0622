import GreeksKernel

/// What the doors of this module refuse.
public enum GreeksError: Error, Equatable, CustomStringConvertible {
    /// `POISE_ISA` or an argument names no instruction set.
    case unknownInstructionSet(String)
    /// The processor cannot run it.
    case unsupportedInstructionSet(InstructionSet)
    /// A value outside what the formulas accept; `row` counts from 0.
    case invalidInput(row: Int, status: InputStatus, value: Double, model: OptionModel)
    /// A pool needs at least the calling thread.
    case invalidThreadCount(Int)
    /// The system refused, with its reason.
    case cannotStartThreads(String)
    /// Columns of unequal length.
    case lengthMismatch(field: String, expected: Int, got: Int)

    public var description: String {
        switch self {
        case .unknownInstructionSet(let name):
            let known = InstructionSet.allCases.map(\.rawValue).joined(separator: ", ")
            return "unknown instruction set \"\(name)\": expected one of \(known)"
        case .unsupportedInstructionSet(let set):
            return "this processor does not run \(set)"
        case .invalidInput(let row, let status, let value, let model):
            return "row \(row): \(status.reason(model)) (\(value))"
        case .invalidThreadCount(let count):
            return "\(count) threads: expected 1 to 1024"
        case .cannotStartThreads(let reason):
            return "cannot start threads: \(reason)"
        case .lengthMismatch(let field, let expected, let got):
            return "\(field): \(got) values where \(expected) are needed"
        }
    }
}

/// Whether a row can be computed, and if not, which field stands in the way.
public enum InputStatus: UInt8, Sendable, CaseIterable {
    case ok = 0
    case invalidType, invalidSpot, invalidStrike, invalidYears, invalidVolatility, invalidRate,
        invalidDividend

    /// What a field must be for a model.
    public func reason(_ model: OptionModel) -> String {
        let range = model.range
        let prices = "[\(range.leastPrice), \(range.largestPrice)]"
        return switch self {
        case .ok: "ok"
        case .invalidType: "type must be 0 (call) or 1 (put)"
        case .invalidSpot: "spot must be in \(prices)"
        case .invalidStrike: "strike must be in \(prices)"
        case .invalidYears: "years must be in [0, \(Domain.largestYears)]"
        case .invalidVolatility: "vol must be in [0, \(range.largestVolatility)]"
        case .invalidRate: "rate must be finite, |rate·years| at most \(range.largestExponent)"
        case .invalidDividend: "dividend must be finite, |dividend·years| at most \(range.largestExponent)"
        }
    }
}
