import GreeksKernel
import VectorMath

/// Whether an American price has an implied volatility; the first five are those of `VolatilityStatus`.
public enum AmericanVolatilityStatus: UInt8, Sendable, CaseIterable {
    case ok = 0
    /// The price is below what exercise gives, or below the European price's own floor.
    case belowIntrinsic
    /// The price is at least the strike of a put, or the spot of a call.
    case aboveMaximum
    /// An input is not a number or outside `Domain`, or the type is neither call nor put.
    case notANumber
    /// No time is left.
    case expired
    /// The price is what exercise gives: every volatility below some limit has it.
    case exercise
    /// Between two boundaries, as in `AmericanStatus`.
    case doubleBoundary
    /// The volatility would be beyond `AmericanDomain`.
    case outsideRange
    /// Never exercised early: the European volatility is the answer.
    case european = 255
}

extension AmericanKernel {
    /// By Newton's method in the logarithm of the time value, held within a bracket that shrinks at every step. The
    /// derivative is the European vega and the premium's slope from the last two steps.
    @inlinable
    static func impliedVolatilities(
        _ input: PriceColumns, _ count: Int, _ rule: AmericanRule,
        _ working: UnsafeMutablePointer<Double>, volatility: UnsafeMutablePointer<Double>,
        status: UnsafeMutablePointer<UInt8>
    ) {
        let place = UnsafeMutableRawPointer(working).assumingMemoryBound(to: Lanes.self)
        let premiums = UnsafeMutableRawPointer(place + (rule.workingLanes - 8 * PremiumVariant.count))
            .assumingMemoryBound(to: Premium.self)
        var index = 0
        while index < count {
            var search = VolatilitySearch(A.self, input, at: index)
            let columns = FullFormColumns(
                type: input.type, spot: input.spot, strike: input.strike, years: input.years,
                volatility: UnsafePointer(volatility), rate: input.rate, dividend: input.dividend)
            var step = 0
            while A.any(search.isMoving) && step < 240 {
                UnsafeMutableRawPointer(volatility + index).storeBytes(of: search.volatility, as: Lanes.self)
                solve(rule, place, search.options(A.self).moved(0), premiums, false)
                let european = BlackScholesMerton.greeks(A.self, columns, at: index)
                search.advance(
                    A.self, european: european[.price], vega: european[.vega],
                    premium: search.strike * premiums[0].value.atLeast(0),
                    // Every fourth step halves the bracket, so that it closes whatever Newton's steps do.
                    halves: step & 3 == 3)
                step &+= 1
            }
            search.status = search.status.marked(
                AmericanVolatilityStatus.outsideRange.rawValue, where: search.isMoving)
            UnsafeMutableRawPointer(volatility + index).storeBytes(of: search.result, as: Lanes.self)
            UnsafeMutableRawPointer(status + index).storeBytes(
                of: SIMD8<UInt8>(truncatingIfNeeded: search.status), as: SIMD8<UInt8>.self)
            index &+= 8
        }
    }
}
