import GreeksKernel

/// What the doors of this module refuse.
public enum GreeksError: Error, Equatable, CustomStringConvertible {
    /// `POISE_ISA` or an argument names no instruction set.
    case unknownInstructionSet(String)
    /// The processor cannot run it.
    case unsupportedInstructionSet(InstructionSet)
    /// A value outside what the formulas accept; `row` counts from 0.
    case invalidInput(row: Int, status: InputStatus, value: Double)
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
        case .invalidInput(let row, let status, let value):
            return "row \(row): \(status) (\(value))"
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
public enum InputStatus: UInt8, Sendable, CaseIterable, CustomStringConvertible {
    case ok = 0
    case invalidType, invalidSpot, invalidStrike, invalidYears, invalidVolatility, invalidRate,
        invalidDividend

    private static var normalPrice: String { "bachelier's in ±\(Domain.largestNormalPrice)" }
    private static var exponent: String {
        "at most \(Domain.largestExponent), bachelier's \(Domain.largestNormalExponent)"
    }

    public var description: String {
        switch self {
        case .ok: "ok"
        case .invalidType: "type must be 0 (call) or 1 (put)"
        case .invalidSpot: "spot must be in [0, \(Domain.largestPrice)], \(Self.normalPrice)"
        case .invalidStrike: "strike must be in [0, \(Domain.largestPrice)], \(Self.normalPrice)"
        case .invalidYears: "years must be in [0, \(Domain.largestYears)]"
        case .invalidVolatility: "vol must be in [0, \(Domain.largestVolatility)]"
        case .invalidRate: "rate must be finite, |rate·years| \(Self.exponent)"
        case .invalidDividend: "dividend must be finite, |dividend·years| \(Self.exponent)"
        }
    }
}
