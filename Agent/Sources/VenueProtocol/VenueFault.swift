/// What a client has to make of an error.
public enum FaultClass: Sendable, Hashable, CaseIterable {
    /// Authenticate again, once; then stop trading.
    case authentication
    /// The request was refused and did nothing. The same request would be refused again.
    case final
    /// Refused for now: the same request may be sent later.
    case retry
    /// The request may have been carried out or not: look the order up by its label before anything is sent again.
    case unknownOutcome
    /// The client is at fault: the message should never have been sent like this.
    case protocolFault
    /// The exchange or the account is shut: stop and call a person.
    case halt
}

/// An error's code and the word that the exchange uses for it.
public struct FaultCode: Hashable, Sendable {
    public let code: Int
    public let message: String

    init(_ code: Int, _ message: String) {
        self.code = code
        self.message = message
    }

    public static let authorizationRequired = FaultCode(10000, "authorization_required")
    public static let quantityTooLow = FaultCode(10002, "qty_too_low")
    public static let orderOverlap = FaultCode(10003, "order_overlap")
    public static let orderNotFound = FaultCode(10004, "order_not_found")
    public static let priceTooLow = FaultCode(10005, "price_too_low")
    public static let priceTooHigh = FaultCode(10007, "price_too_high")
    public static let notEnoughFunds = FaultCode(10009, "not_enough_funds")
    public static let alreadyClosed = FaultCode(10010, "already_closed")
    public static let bookClosed = FaultCode(10012, "book_closed")
    public static let lockedByAdmin = FaultCode(10019, "locked_by_admin")
    public static let invalidInstrument = FaultCode(10020, "invalid_or_unsupported_instrument")
    public static let invalidAmount = FaultCode(10021, "invalid_amount")
    public static let invalidPrice = FaultCode(10023, "invalid_price")
    public static let tooManyRequests = FaultCode(10028, "too_many_requests")
    public static let notOwner = FaultCode(10029, "not_owner_of_order")
    public static let mustBeWebSocket = FaultCode(10030, "must_be_websocket_request")
    public static let invalidArguments = FaultCode(10031, "invalid_args_for_instrument")
    public static let retry = FaultCode(10040, "retry")
    public static let settlementInProgress = FaultCode(10041, "settlement_in_progress")
    public static let priceWrongTick = FaultCode(10043, "price_wrong_tick")
    public static let triggerPriceWrongTick = FaultCode(10044, "trigger_price_wrong_tick")
    public static let queueFull = FaultCode(10047, "matching_engine_queue_full")
    public static let cannotEnableCancelOnDisconnect = FaultCode(10049, "not_on_this_connection")
    public static let tooManyConcurrent = FaultCode(10066, "too_many_concurrent_requests")
    public static let alreadyFilled = FaultCode(11008, "already_filled")
    public static let otherReject = FaultCode(11030, "other_reject")
    public static let permissionDenied = FaultCode(11042, "permission_denied")
    public static let notOpenOrder = FaultCode(11044, "not_open_order")
    public static let badRequest = FaultCode(11050, "bad_request")
    public static let maintenance = FaultCode(11051, "system_maintenance")
    public static let subscribeError = FaultCode(11052, "subscribe_error")
    public static let postOnlyReject = FaultCode(11054, "post_only_reject")
    public static let postOnlyNotAllowed = FaultCode(11055, "post_only_not_allowed")
    public static let unauthenticatedOff = FaultCode(
        11056, "unauthenticated_public_requests_temporarily_disabled")
    public static let internalError = FaultCode(11094, "internal_server_error")
    public static let accountLocked = FaultCode(11098, "account_locked")
    public static let loginOverLimit = FaultCode(12003, "login_over_limit")
    public static let invalidCredentials = FaultCode(13004, "invalid_credentials")
    public static let unauthorized = FaultCode(13009, "unauthorized")
    public static let notEnabled = FaultCode(13020, "not_found")
    public static let forbidden = FaultCode(13021, "forbidden")
    public static let temporarilyUnavailable = FaultCode(13028, "temporarily_unavailable")
    public static let cancelledByUser = FaultCode(13666, "request_cancelled_by_user")
    public static let timedOut = FaultCode(13888, "timed_out")
    public static let parseError = FaultCode(-32700, "Parse error")
    public static let invalidRequest = FaultCode(-32600, "request entity too large")
    public static let methodNotFound = FaultCode(-32601, "Method not found")
    public static let invalidParameters = FaultCode(-32602, "Invalid params")

    /// All of the above.
    static let known: [FaultCode] = [
        .authorizationRequired, .quantityTooLow, .orderOverlap, .orderNotFound, .priceTooLow,
        .priceTooHigh, .notEnoughFunds, .alreadyClosed, .bookClosed, .lockedByAdmin,
        .invalidInstrument, .invalidAmount, .invalidPrice, .tooManyRequests, .notOwner,
        .mustBeWebSocket, .invalidArguments, .retry, .settlementInProgress, .priceWrongTick,
        .triggerPriceWrongTick, .queueFull, .cannotEnableCancelOnDisconnect, .tooManyConcurrent,
        .alreadyFilled, .otherReject, .permissionDenied, .notOpenOrder, .badRequest, .maintenance,
        .subscribeError, .postOnlyReject, .postOnlyNotAllowed, .unauthenticatedOff,
        .internalError, .accountLocked, .loginOverLimit, .invalidCredentials, .unauthorized,
        .notEnabled, .forbidden, .temporarilyUnavailable, .cancelledByUser, .timedOut,
        .parseError, .invalidRequest, .methodNotFound, .invalidParameters,
    ]
}

/// The error of a reply. Match it by `code`: messages may carry a figure, "price_too_high 43666.4288".
public struct VenueFault: VenueRecord, Error {
    public struct Detail: VenueRecord, Equatable {
        public var reason: String?
        public var parameter: String?

        public init() {}
        public init(reason: String? = nil, parameter: String? = nil) {
            self.reason = reason
            self.parameter = parameter
        }

        public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
            try fields.field("reason", &reason)
            try fields.field("param", &parameter)
        }
    }

    public var code = 0
    public var message = ""
    public var detail: Presence<Detail> = .absent

    public init() {}

    public init(_ fault: FaultCode, figure: Double? = nil, detail: Detail? = nil) {
        code = fault.code
        message = figure.map { "\(fault.message) \($0)" } ?? fault.message
        self.detail = detail.map { .value($0) } ?? .absent
    }

    /// The fault of a code, with the exchange's word for it where that is known.
    public init(code: Int) {
        self.code = code
        message = FaultCode.known.first { $0.code == code }?.message ?? "error_\(code)"
    }

    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("message", &message)
        try fields.field("data", &detail)
        try fields.field("code", &code)
    }

    /// A code that is not listed is final where it is one of the exchange's own and a protocol fault where it is one
    /// of JSON-RPC's.
    public var faultClass: FaultClass {
        switch code {
        case 10000, 11042, 13004, 13009, 13021, 13668: .authentication
        case 10019, 11051, 11098, 12003: .halt
        case 10028, 10040, 10041, 10047, 10050, 10066, 11056, 13028, 13888: .retry
        case 11094: .unknownOutcome
        case 10030, 10048, 11050, 11052, 13666, (-32_800)...(-32_000): .protocolFault
        default: code < 0 ? .protocolFault : .final
        }
    }

    /// Whether the fault of a cancel says that there is nothing left to cancel: read the order's state.
    public var saysAlreadyClosed: Bool { [10004, 10008, 10010, 11008, 11044].contains(code) }
}
