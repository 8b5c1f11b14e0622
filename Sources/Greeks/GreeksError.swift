import Checks
import GreeksKernel

/// What this module refuses.
public enum GreeksError: PoiseError, Equatable {
    /// `POISE_ISA` or an argument names no instruction set.
    case unknownInstructionSet(String)
    /// The processor cannot run it.
    case unsupportedInstructionSet(InstructionSet)
    /// A value outside what the formulas accept; `row` counts from 0.
    case invalidInput(row: Int, status: InputStatus, value: Double, model: OptionModel)
    /// Fewer than 1 thread, the calling one, or more than 1,024.
    case invalidThreadCount(Int)
    /// The system refused, with its reason.
    case cannotStartThreads(String)
    /// Columns of unequal length.
    case lengthMismatch(field: String, expected: Int, got: Int)

    public var place: Place? {
        if case .invalidInput(let row, _, _, _) = self { .row(row) } else { nil }
    }

    public var field: String {
        switch self {
        case .unknownInstructionSet, .unsupportedInstructionSet: "instruction_set"
        case .invalidInput(_, let status, _, _): status.field
        case .invalidThreadCount: "threads"
        case .cannotStartThreads: ""
        case .lengthMismatch(let field, _, _): field
        }
    }

    public var value: String? {
        switch self {
        case .unknownInstructionSet(let name): name
        case .unsupportedInstructionSet(let set): set.rawValue
        case .invalidInput(_, _, let value, _): value.shown
        case .invalidThreadCount(let count): "\(count)"
        case .cannotStartThreads, .lengthMismatch: nil
        }
    }

    public var reason: String {
        switch self {
        case .unknownInstructionSet:
            "expected one of \(InstructionSet.allCases.map(\.rawValue).joined(separator: ", "))"
        case .unsupportedInstructionSet: "this processor does not run it"
        case .invalidInput(_, let status, _, let model): status.reason(model)
        case .invalidThreadCount: "must be from 1 to 1024"
        case .cannotStartThreads(let reason): "cannot start threads: \(reason)"
        case .lengthMismatch(_, let expected, let got): "\(got) values where \(expected) are needed"
        }
    }

    /// An instruction set or a number of threads is asked for by option or environment.
    public var exitStatus: ExitStatus {
        switch self {
        case .unknownInstructionSet, .unsupportedInstructionSet, .invalidThreadCount: .usage
        case .invalidInput, .cannotStartThreads, .lengthMismatch: .badInput
        }
    }
}

/// Whether a row can be computed, and if not, which field stands in the way.
public enum InputStatus: UInt8, Sendable, CaseIterable {
    case ok = 0
    case invalidType, invalidSpot, invalidStrike, invalidYears, invalidVolatility, invalidRate,
        invalidDividend

    /// The field in the way, as `OptionBatch` names it; "" for `ok`.
    public var field: String {
        switch self {
        case .ok: ""
        case .invalidType: "type"
        case .invalidSpot: "spot"
        case .invalidStrike: "strike"
        case .invalidYears: "years"
        case .invalidVolatility: "volatility"
        case .invalidRate: "rate"
        case .invalidDividend: "dividend"
        }
    }

    /// The condition on the field under a model.
    public func reason(_ model: OptionModel) -> String {
        let range = model.range
        let price =
            range.allowsNegativePrices
            ? NumberRule.within(-range.largestPrice...range.largestPrice).complaint
            : "must be 0 or from \(range.leastPrice.shown) to \(range.largestPrice.shown)"
        return switch self {
        case .ok: "ok"
        case .invalidType: "must be 0 (call) or 1 (put)"
        case .invalidSpot, .invalidStrike: price
        case .invalidYears: NumberRule.within(0...Domain.largestYears).complaint
        case .invalidVolatility: NumberRule.within(0...range.largestVolatility).complaint
        case .invalidRate, .invalidDividend:
            "must be from \((-Domain.largestRate).shown) to \(Domain.largestRate.shown), |\(field)·years| at most "
                + range.largestExponent.shown
        }
    }
}
