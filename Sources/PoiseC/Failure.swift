import CPoise
import Checks
import Poise

/// Why a call of the C ABI fails: its status, and the parts that `poise_last_error` and its kin will tell.
struct Failure: PoiseError {
    var status: poise_status
    var place: Place?
    var field = ""
    var value: String?
    var reason: String
    var earlierRow: Int?

    static func null(_ name: StaticString) -> Failure {
        Failure(status: POISE_ERROR_NULL, field: "\(name)", reason: "is NULL")
    }

    static func argument(_ name: String, _ reason: String) -> Failure {
        Failure(status: POISE_ERROR_ARGUMENT, field: name, reason: reason)
    }

    static func count(_ name: String, _ reason: String) -> Failure {
        Failure(status: POISE_ERROR_COUNT, field: name, reason: reason)
    }

    static func alignment(_ name: StaticString, _ reason: String) -> Failure {
        Failure(status: POISE_ERROR_ALIGNMENT, field: "\(name)", reason: reason)
    }

    /// A number or text among the data, empty if it has none; `row` where it is one of many.
    static func value(
        row: Int? = nil, _ field: String, _ value: some CustomStringConvertible, _ reason: String
    ) -> Failure {
        let text = "\(value)"
        return Failure(
            status: POISE_ERROR_VALUE, place: row.map { .row($0) }, field: field,
            value: text.isEmpty ? nil : text, reason: reason)
    }

    /// Makes it the last error of this thread.
    @inline(never)
    func record() -> poise_status {
        var kind = POISE_PLACE_NONE
        var (name, row) = ("", Int64(-1))
        switch place {
        case nil: break
        case .file(let file): (kind, name) = (POISE_PLACE_FILE, file)
        case .line(let file, let line): (kind, name, row) = (POISE_PLACE_LINE, file, Int64(line))
        case .row(let index, let table): (kind, name, row) = (POISE_PLACE_ROW, table, Int64(index))
        case .name(let text): (kind, name) = (POISE_PLACE_NAME, text)
        }
        poise_private_set_error(
            description, reason, kind, name, row, field, value ?? "", number,
            earlierRow.map(Int64.init) ?? -1)
        return status
    }
}

/// Runs the body of a call, in the floating point environment that results are promised in.
@inline(__always)
func attempt(_ body: () throws(Failure) -> Void) -> poise_status {
    let environment = poise_private_enter()
    defer { poise_private_leave(environment) }
    do throws(Failure) {
        try body()
        return POISE_OK
    } catch {
        return error.record()
    }
}

/// Runs a call that makes an object: `*handle` is NULL until the body has succeeded.
@inline(__always)
func make(
    _ handle: UnsafeMutablePointer<OpaquePointer?>?, _ name: StaticString,
    _ body: () throws(Failure) -> some AnyObject
) -> poise_status {
    attempt { () throws(Failure) in
        let handle = try required(handle, name)
        handle.pointee = nil
        handle.pointee = retain(try body())
    }
}

/// Runs a body whose room refuses in its own words.
@inline(__always)
func failing<R, Refusal: PoiseError>(_ body: () throws(Refusal) -> R) throws(Failure) -> R {
    do throws(Refusal) { return try body() } catch { throw Failure(error) }
}

// MARK: Errors of the rooms

extension Failure {
    /// - Parameter first: added to the error's number of a row.
    init(_ error: any PoiseError, first: Int = 0) {
        self.init(
            status: Self.status(of: error), place: error.place, field: error.field, value: error.value,
            reason: error.reason, earlierRow: error.earlierRow)
        if case .row(let row, let table) = place { place = .row(first + row, table: table) }
    }

    private static func status(of error: any PoiseError) -> poise_status {
        switch error {
        case let error as Failure: error.status
        case TailRiskError.cancelled: POISE_ERROR_CANCELLED
        case let error as GreeksError:
            switch error {
            case .unknownInstructionSet, .invalidThreadCount: POISE_ERROR_ARGUMENT
            case .unsupportedInstructionSet: POISE_ERROR_UNSUPPORTED
            case .invalidInput: POISE_ERROR_VALUE
            case .cannotStartThreads: POISE_ERROR_SYSTEM
            case .lengthMismatch: POISE_ERROR_COUNT
            }
        case let error as MarketError:
            switch error {
            case .unreadable: POISE_ERROR_SYSTEM
            case .invalidValue, .conflict, .invalidSetting: POISE_ERROR_VALUE
            case .unknownName: POISE_ERROR_UNKNOWN_NAME
            default: POISE_ERROR_TEXT
            }
        case let error as RiskError:
            switch error {
            case .unknownBook, .unknownContract, .unknownSlice, .notListed: POISE_ERROR_UNKNOWN_NAME
            case .invalidValue, .invalidEdge, .timeRunsBack, .notExpired, .stillHeld, .reservedName:
                POISE_ERROR_VALUE
            case .missingGrouping, .missing, .alreadyThere: POISE_ERROR_ARGUMENT
            case .unreadableState: POISE_ERROR_TEXT
            }
        case let error as HedgeError:
            switch error {
            case .lengthMismatch, .noInstruments: POISE_ERROR_COUNT
            default: POISE_ERROR_VALUE
            }
        default: POISE_ERROR_VALUE
        }
    }
}

// MARK: The last error

@c @implementation
public func poise_last_error() -> UnsafePointer<CChar>? { poise_private_message() }

@c @implementation
public func poise_last_error_reason() -> UnsafePointer<CChar>? { poise_private_reason() }

@c @implementation
public func poise_last_error_place_kind() -> poise_place_kind { poise_private_place_kind() }

@c @implementation
public func poise_last_error_place() -> UnsafePointer<CChar>? { poise_private_place() }

@c @implementation
public func poise_last_error_row() -> Int64 { poise_private_row() }

@c @implementation
public func poise_last_error_earlier_row() -> Int64 { poise_private_earlier_row() }

@c @implementation
public func poise_last_error_field() -> UnsafePointer<CChar>? { poise_private_field() }

@c @implementation
public func poise_last_error_value() -> Double { poise_private_value() }

@c @implementation
public func poise_last_error_text() -> UnsafePointer<CChar>? { poise_private_text() }

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
    case POISE_ERROR_CANCELLED: name = "POISE_ERROR_CANCELLED"
    default: name = "unknown"
    }
    return name.cString
}
