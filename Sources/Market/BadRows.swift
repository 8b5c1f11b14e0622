/// A reader's treatment of rows that it cannot use, and the list of those it left out.
public struct BadRows: Sendable {
    /// Whether rows are left out rather than the whole file refused.
    public let areSkipped: Bool
    public private(set) var skipped: [MarketError] = []
    /// Assumptions of a reader, as sentences for people.
    public private(set) var remarks: [String] = []

    public init(skip: Bool) { areSkipped = skip }

    /// Notes an error of one row, or throws it where rows are not to be skipped or the whole file is bad.
    public mutating func note(_ error: MarketError) throws(MarketError) {
        guard areSkipped, error.isOfOneRow else { throw error }
        skipped.append(error)
    }

    /// Adds a remark, once.
    public mutating func remark(_ text: String) {
        if !remarks.contains(text) { remarks.append(text) }
    }
}
