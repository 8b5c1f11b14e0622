import Checks

/// Times to expiry in buckets. A time on an edge is of the bucket below, as where exposures are grouped by tenor.
public struct TenorBuckets: Sendable, Equatable {
    /// Days at which one bucket ends and the next begins, ascending; the last bucket is open.
    public let days: [Double]

    public static let standardDays: [Double] = [4, 10, 25, 60, 120, 250]

    /// - Parameter name: what the buckets are of, for errors.
    /// - Throws: `SurfaceError.invalidValue` for days that are not finite or do not rise from above 0.
    public init(_ days: [Double], of name: String) throws(SurfaceError) {
        var last = 0.0
        for edge in days {
            try SurfaceError.require(.above(last, upTo: .infinity), edge, "tenor_days", of: name)
            last = edge
        }
        self.days = days
    }

    /// Edges that are known to ascend.
    init(_ days: [Double]) { self.days = days }

    public var count: Int { days.count + 1 }

    /// The bucket, from 0, of a time to expiry.
    public func place(years: Double) -> Int { Self.place(365 * years, days) }

    /// The bucket, from 0, between ascending edges.
    static func place(_ tenor: Double, _ edges: [Double]) -> Int {
        edges.firstIndex { tenor <= $0 } ?? edges.count
    }
}
