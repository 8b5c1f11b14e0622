import AmericanBaseline
import AmericanKernel
import Checks
import Greeks
import GreeksKernel
import VectorMath

#if arch(x86_64)
    import AmericanAVX2
    import AmericanAVX512
#endif

@_exported import enum AmericanKernel.AmericanDomain
@_exported import enum AmericanKernel.AmericanLevel
@_exported import enum AmericanKernel.AmericanStatus
@_exported import enum AmericanKernel.AmericanVolatilityStatus

/// Prices, Greeks and implied volatilities of options that may be exercised at any time before expiry, on an underlying
/// with a continuous dividend yield or borrow cost, eight at a time.
///
/// The exercise boundary is solved for by Andersen, Lake and Offengenden's fixed point, and the premium over the European
/// price of the same engine is Kim's integral along it. Any number of threads may use one engine.
public struct AmericanEngine: Sendable {
    public let level: AmericanLevel
    private let european: GreeksEngine
    private let table: any AmericanTable.Type

    /// - Parameter engine: of European options; its instruction set is that of the American ones.
    public init(_ engine: GreeksEngine, level: AmericanLevel = .accurate) {
        european = engine
        self.level = level
        #if arch(x86_64)
            table =
                switch engine.instructionSet {
                case .avx512: AmericanAVX512.table
                case .avx2: AmericanAVX2.table
                case .baseline: AmericanBaseline.table
                }
        #else
            table = AmericanBaseline.table
        #endif
    }

    /// The best instruction set of this processor, or the one that `POISE_ISA` names.
    public init(level: AmericanLevel = .accurate) throws(GreeksError) {
        self.init(try GreeksEngine(), level: level)
    }

    /// Greeks of every option, with its boundary and status.
    /// - Parameter selection: of `GreekSet.american`.
    /// - Precondition: the batch was made for `.blackScholesMerton`, whose range is that of the spot and strike here.
    public func greeks(_ selection: GreekSet = .american, of batch: OptionBatch) -> AmericanGreeks {
        precondition(selection.isSubset(of: .american), "the selection has Greeks that are not computed")
        precondition(batch.model == .blackScholesMerton, "validated for another model")
        let count = batch.count
        let padded = (count + 7) & ~7
        let inputs = PaddedColumns(
            batch.type,
            [
                batch.spot, batch.strike, batch.years, batch.volatility, batch.rate, batch.dividend,
            ])
        let results = ColumnStorage<Double>(repeating: 0, count: (Greek.allCases.count + 1) * padded)
        let statuses = ColumnStorage<UInt8>(repeating: 0, count: padded)
        var rule = level.rule
        let working = ColumnStorage<Double>(repeating: 0, count: 8 * rule.workingLanes)
        let place = unsafe results.pointer
        var columns = unsafe AmericanColumns(
            greeks: place, stride: padded, selection: selection,
            boundary: place + Greek.allCases.count * padded, status: statuses.pointer)
        unsafe table.greeks(inputs.fullForm, padded, &rule, working.pointer, &columns)
        extendLifetime(inputs)
        extendLifetime(results)
        func column(_ index: Int) -> [Double] { (0..<count).map { results[index * padded + $0] } }
        var greeks: [Greek: [Double]] = [:]
        for greek in selection.greeks { greeks[greek] = column(greek.rawValue) }
        return AmericanGreeks(
            selection: selection, columns: greeks, boundary: column(Greek.allCases.count),
            status: (0..<count).map { AmericanStatus(rawValue: statuses[$0]) ?? .outsideRange })
    }

    /// The volatility of every price, or NaN and the reason.
    public func impliedVolatilities(
        of batch: PriceBatch
    ) -> (volatility: [Double], status: [AmericanVolatilityStatus]) {
        let count = batch.count
        let padded = (count + 7) & ~7
        let inputs = PaddedColumns(
            batch.type, [batch.spot, batch.strike, batch.years, batch.price, batch.rate, batch.dividend])
        let results = ColumnStorage<Double>(repeating: 0, count: padded)
        let statuses = ColumnStorage<UInt8>(repeating: 0, count: padded)
        var rule = level.rule
        let working = ColumnStorage<Double>(repeating: 0, count: 8 * rule.workingLanes)
        unsafe table.impliedVolatilities(
            inputs.prices, padded, &rule, working.pointer, volatility: results.pointer,
            status: statuses.pointer)
        extendLifetime(inputs)
        var volatility = (0..<count).map { results[$0] }
        var status = (0..<count).map { AmericanVolatilityStatus(rawValue: statuses[$0]) ?? .notANumber }
        if status.contains(.european) {
            let (others, otherStatus) = european.impliedVolatilities(of: batch)
            for row in 0..<count where status[row] == .european {
                volatility[row] = others[row]
                status[row] = AmericanVolatilityStatus(otherStatus[row])
            }
        }
        return (volatility, status)
    }
}

/// What an engine computed of a batch: a column per Greek of the selection.
public struct AmericanGreeks: Sendable {
    public let selection: GreekSet
    private let columns: [Greek: [Double]]
    /// The spot at or beyond which the option is exercised today; NaN where it never is, or nothing was computed.
    public let boundary: [Double]
    public let status: [AmericanStatus]

    init(selection: GreekSet, columns: [Greek: [Double]], boundary: [Double], status: [AmericanStatus]) {
        self.selection = selection
        self.columns = columns
        self.boundary = boundary
        self.status = status
    }

    /// A Greek's column, in the units of `Greek`; nil where it was not asked for. NaN where the status refuses.
    public subscript(greek: Greek) -> [Double]? { columns[greek] }
}

/// Columns of inputs padded to eights with their last row.
private struct PaddedColumns: ~Copyable {
    private let types: ColumnStorage<UInt8>
    private let values: ColumnStorage<Double>
    private let padded: Int

    init(_ type: [UInt8], _ columns: [[Double]]) {
        let count = type.count
        padded = (count + 7) & ~7
        types = ColumnStorage(repeating: 0, count: padded)
        values = ColumnStorage(repeating: 1, count: columns.count * padded)
        for row in 0..<padded where count > 0 {
            types[row] = type[min(row, count - 1)]
            for (index, column) in columns.enumerated() {
                values[index * padded + row] = column[min(row, count - 1)]
            }
        }
    }

    @unsafe private func column(_ index: Int) -> UnsafePointer<Double> {
        unsafe UnsafePointer(values.pointer + index * padded)
    }

    @unsafe var fullForm: FullFormColumns {
        unsafe FullFormColumns(
            type: types.pointer, spot: column(0), strike: column(1), years: column(2), volatility: column(3),
            rate: column(4), dividend: column(5))
    }

    @unsafe var prices: PriceColumns {
        unsafe PriceColumns(
            type: types.pointer, spot: column(0), strike: column(1), years: column(2), price: column(3),
            rate: column(4), dividend: column(5))
    }
}
