/// A year of 365 days, as options on coins count it.
package enum Year {
    package static let days = 365.0
    package static let hours = 8760.0
    package static let minutes = 525_600.0
    /// Eight hours each.
    package static let fundingPeriods = 1095.0
}
