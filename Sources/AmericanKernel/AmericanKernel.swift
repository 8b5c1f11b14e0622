import GreeksKernel
import VectorMath

/// The bodies of `AmericanTable` with one instruction set's arithmetic.
public enum AmericanKernel<A: LaneArithmetic> {
    @inlinable
    static func greeks(
        _ input: FullFormColumns, _ count: Int, _ rule: AmericanRule,
        _ working: UnsafeMutablePointer<Double>, _ output: AmericanColumns
    ) {
        let bumped = VariantSet(of: output.selection)
        let place = UnsafeMutableRawPointer(working).assumingMemoryBound(to: Lanes.self)
        let premiums = UnsafeMutableRawPointer(place + (rule.workingLanes - 8 * PremiumVariant.count))
            .assumingMemoryBound(to: Premium.self)
        var index = 0
        while index < count {
            let options = AmericanLanes(A.self, input, at: index)
            let european = BlackScholesMerton.greeks(A.self, input, at: index)
            var boundary = Lanes(repeating: .nan)
            if A.any(options.isSolved) {
                // The unmoved inputs come last: their boundary is what is left in the working memory.
                var variant = PremiumVariant.count &- 1
                while variant >= 0 {
                    if bumped.contains(variant) {
                        solve(
                            rule, place, options.moved(variant), premiums + variant,
                            variant == 0 || bumped.isWhole)
                    }
                    variant &-= 1
                }
                let logBoundary = options.logBoundary(A.self, root: place[0])
                boundary = boundary.replacing(
                    with: options.strike * exponential(A.self, logBoundary), where: options.isSolved)
            }
            let result = options.greeks(A.self, european, premiums, boundary, bumped)
            var greek = 0
            while greek < GreekArray<Lanes>.count {
                if let column = output.column(greek) {
                    UnsafeMutableRawPointer(column + index).storeBytes(
                        of: result.greeks.lanes(greek), as: Lanes.self)
                }
                greek &+= 1
            }
            UnsafeMutableRawPointer(output.boundary + index).storeBytes(of: boundary, as: Lanes.self)
            UnsafeMutableRawPointer(output.status + index).storeBytes(
                of: SIMD8<UInt8>(truncatingIfNeeded: result.status), as: SIMD8<UInt8>.self)
            index &+= 8
        }
    }

    /// The boundary, and the premium from it.
    @inlinable @inline(never)
    static func solve(
        _ rule: AmericanRule, _ place: UnsafeMutablePointer<Lanes>, _ options: MovedOptions,
        _ result: UnsafeMutablePointer<Premium>, _ hasDerivatives: Bool
    ) {
        let room = BoundaryRoom(place, rule)
        let puts = options.puts
        let limit = logOfLimit(A.self, puts)
        startBoundary(A.self, rule, puts, logOfLimit: limit, room)
        var count = 0
        while count < rule.sweeps {
            sweep(A.self, rule, puts, logOfLimit: limit, room, isFirst: count == 0)
            count &+= 1
        }
        result.pointee = premium(
            A.self, rule, puts, logOfLimit: limit, room, options.input, hasDerivatives: hasDerivatives)
    }
}

/// Which variants a selection of Greeks needs.
@usableFromInline
struct VariantSet {
    @usableFromInline let hasVolatility, hasFarVolatility, hasRate, hasDividend: Bool
    /// Whether moved premiums are needed with their derivatives by spot.
    @usableFromInline let isWhole: Bool

    @inlinable @inline(__always)
    init(of selection: GreekSet) {
        isWhole =
            selection.contains(.vanna) || selection.contains(.zomma) || selection.contains(.veta)
        hasFarVolatility = selection.contains(.ultima)
        hasVolatility =
            isWhole || hasFarVolatility || selection.contains(.vega) || selection.contains(.volga)
        hasRate = selection.contains(.rho)
        hasDividend = selection.contains(.phi)
    }

    @inlinable @inline(__always)
    func contains(_ variant: Int) -> Bool {
        switch variant {
        case 0: true
        case ..<PremiumVariant.rate: hasVolatility
        case ..<PremiumVariant.dividend: hasRate
        case ..<PremiumVariant.farVolatility: hasDividend
        default: hasFarVolatility
        }
    }
}

/// Inputs of a premium, as they are or with one of them moved.
@usableFromInline
struct MovedOptions {
    @usableFromInline let puts: MirroredPuts
    @usableFromInline let input: PremiumInput

    @inlinable @inline(__always)
    init(puts: MirroredPuts, input: PremiumInput) {
        self.puts = puts
        self.input = input
    }
}
