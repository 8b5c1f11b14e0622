import CPoise
import Poise

/// Why a call of the C ABI fails: its status, and what `poise_last_error` and its kin will say.
struct Failure: Error {
    var status: poise_status
    var message: String
    var row: Int64 = -1
    var field = ""
    var value = Double.nan

    static func null(_ name: StaticString) -> Failure {
        Failure(status: POISE_ERROR_NULL, message: "\(name) is NULL", field: "\(name)")
    }

    static func argument(_ name: String, _ reason: String) -> Failure {
        Failure(status: POISE_ERROR_ARGUMENT, message: "\(name): \(reason)", field: name)
    }

    static func count(_ name: String, _ reason: String) -> Failure {
        Failure(status: POISE_ERROR_COUNT, message: "\(name): \(reason)", field: name)
    }

    /// Keeps it for this thread.
    @inline(never)
    func keep() -> poise_status {
        poise_private_set_error(message, row, field, value)
        return status
    }
}

/// Runs the body of a call.
@inline(__always)
func attempt(_ body: () throws(Failure) -> Void) -> poise_status {
    do throws(Failure) {
        try body()
        return POISE_OK
    } catch {
        return error.keep()
    }
}

// MARK: Errors of the modules

extension Failure {
    /// - Parameter first: the caller's number of the row that the error calls 0.
    init(_ error: GreeksError, first: Int = 0) {
        self.init(status: POISE_ERROR_ARGUMENT, message: "\(error)")
        switch error {
        case .unknownInstructionSet: field = "instruction_set"
        case .unsupportedInstructionSet:
            status = POISE_ERROR_UNSUPPORTED
            field = "instruction_set"
        case .invalidInput(let row, let status, let value, let model):
            self.status = POISE_ERROR_VALUE
            self.row = Int64(first + row)
            message = "row \(first + row): \(status.reason(model)) (\(value))"
            field = status.field
            self.value = value
        case .invalidThreadCount(let count):
            field = "threads"
            value = Double(count)
        case .cannotStartThreads: status = POISE_ERROR_SYSTEM
        case .lengthMismatch(let name, _, _):
            status = POISE_ERROR_COUNT
            field = name
        }
    }

    /// `row` is the line of a text, from 1, or with `fromColumns` the row of columns, from 0, that the readers of
    /// this module passed as line.
    init(_ error: MarketError, fromColumns: Bool = false) {
        self.init(status: POISE_ERROR_TEXT, message: "\(error)")
        switch error {
        case .unreadable: status = POISE_ERROR_SYSTEM
        case .empty: break
        case .notText(_, let line), .malformedQuotes(_, let line), .invalidJSON(_, let line, _),
            .lineTooLong(_, let line, _, _):
            row = Int64(line)
        case .missingColumn(_, let column, _), .repeatedColumn(_, let column): field = column
        case .ragged(_, let line, _, _, let column, _):
            (row, field) = (Int64(line), column)
        case .invalidValue(_, let line, let column, let value, let reason):
            self.init(
                status: POISE_ERROR_VALUE, message: "\(error)", row: Int64(line), field: column,
                value: Double(value) ?? .nan)
            if fromColumns {
                message = "row \(line): \(column): \(value.isEmpty ? "" : "\"\(value)\": ")\(reason)"
            }
        case .conflict(_, let line, let column, let value, _, let earlier, let other):
            self.init(
                status: POISE_ERROR_VALUE, message: "\(error)", row: Int64(line), field: column,
                value: Double(value) ?? .nan)
            if fromColumns {
                message =
                    "row \(line): \(column): \"\(value)\": row \(earlier) of the same instrument and time has "
                    + "\"\(other)\""
            }
        }
    }

    init(_ error: RiskError) {
        self.init(status: POISE_ERROR_ARGUMENT, message: "\(error)")
        switch error {
        case .unknownBook: (status, field) = (POISE_ERROR_UNKNOWN_NAME, "book")
        case .unknownContract: (status, field) = (POISE_ERROR_UNKNOWN_NAME, "contract")
        case .invalidValue(_, let field, let value, _):
            (status, self.field, self.value) = (POISE_ERROR_VALUE, field, value)
        default: break
        }
    }

    init(_ error: HedgeError) {
        self.init(status: POISE_ERROR_VALUE, message: "\(error)")
        switch error {
        case .invalidValue(let field, _, let value, _): (self.field, self.value) = (field, value)
        case .lengthMismatch(let field, _, _): (status, self.field) = (POISE_ERROR_COUNT, field)
        case .noInstruments: (status, field) = (POISE_ERROR_COUNT, "instruments")
        case .notSymmetric(_, _, let value, _): (field, self.value) = ("risk.cov", value)
        case .notPositiveSemidefinite(let smallest, _): (field, value) = ("risk.cov", smallest)
        }
    }
}

extension InputStatus {
    /// The field of `poise_full_form` that it is about.
    var field: String {
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
}

// MARK: What the header says of errors

@c @implementation
public func poise_last_error() -> UnsafePointer<CChar>? { poise_private_message() }

@c @implementation
public func poise_last_error_row() -> Int64 { poise_private_row() }

@c @implementation
public func poise_last_error_field() -> UnsafePointer<CChar>? { poise_private_field() }

@c @implementation
public func poise_last_error_value() -> Double { poise_private_value() }

@c @implementation
public func poise_status_name(_ status: poise_status) -> UnsafePointer<CChar>? {
    let name: StaticString
    switch status {
    case POISE_OK: name = "POISE_OK"
    case POISE_ERROR_NULL: name = "POISE_ERROR_NULL"
    case POISE_ERROR_SIZE: name = "POISE_ERROR_SIZE"
    case POISE_ERROR_COUNT: name = "POISE_ERROR_COUNT"
    case POISE_ERROR_ALIGNMENT: name = "POISE_ERROR_ALIGNMENT"
    case POISE_ERROR_ARGUMENT: name = "POISE_ERROR_ARGUMENT"
    case POISE_ERROR_VALUE: name = "POISE_ERROR_VALUE"
    case POISE_ERROR_TEXT: name = "POISE_ERROR_TEXT"
    case POISE_ERROR_UNKNOWN_NAME: name = "POISE_ERROR_UNKNOWN_NAME"
    case POISE_ERROR_UNSUPPORTED: name = "POISE_ERROR_UNSUPPORTED"
    case POISE_ERROR_SYSTEM: name = "POISE_ERROR_SYSTEM"
    default: name = "unknown"
    }
    return name.cString
}

@c @implementation
public func poise_abi_version() -> UInt32 { UInt32(POISE_ABI_VERSION) }
