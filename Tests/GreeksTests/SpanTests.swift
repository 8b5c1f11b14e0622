import Greeks
import Testing
import TestSupport

/// The doors for columns that stay where their owner has them.
@Suite struct SpanTests {
    @Test(
        "The caller's columns give the bits of a batch, in the caller's memory too, and nothing else is written",
        arguments: [0, 1, 7, 8, 9, 300])
    func columns(_ count: Int) throws {
        let engine = try GreeksEngine()
        let batch = try OptionBatch.random(count, seed: 77)
        let stride = count + 3
        for selection in [GreekSet.price, .book, .all, GreekSet([.vega, .veta])] {
            let expected = engine.greeks(selection, of: batch)
            let options = try OptionColumns(
                type: batch.type.span, spot: batch.spot.span, strike: batch.strike.span,
                years: batch.years.span, volatility: batch.volatility.span, rate: batch.rate.span,
                dividend: batch.dividend.span)
            let matrix = GreekMatrix(selection, count: count)
            engine.fullForm(selection, options, into: matrix)
            var results = [Double](repeating: -7, count: selection.greeks.count * stride)
            var room = results.mutableSpan
            engine.fullForm(selection, options, into: &room, stride: stride)
            for (column, greek) in selection.greeks.enumerated() {
                let values = try #require(expected[greek])
                #expect(
                    matrix[greek].map { Array($0).map(\.bitPattern) } == values.map(\.bitPattern), "\(greek)")
                let own = results[column * stride..<column * stride + count]
                #expect(own.map(\.bitPattern) == values.map(\.bitPattern), "\(greek)")
                #expect(results[column * stride + count..<(column + 1) * stride].allSatisfy { $0 == -7 })
            }
        }
    }

    @Test("A column of another length is refused with its name and both lengths")
    func lengths() {
        let (type, ones, short) = ([UInt8](repeating: 0, count: 3), [1.0, 1, 1], [1.0, 1])
        #expect(throws: GreeksError.lengthMismatch(field: "years", expected: 3, got: 2)) {
            _ = try OptionColumns(
                type: type.span, spot: ones.span, strike: ones.span, years: short.span, volatility: ones.span,
                rate: ones.span, dividend: ones.span)
        }
        #expect(throws: GreeksError.lengthMismatch(field: "price", expected: 3, got: 2)) {
            _ = try OptionPrices(
                type: type.span, spot: ones.span, strike: ones.span, years: ones.span, price: short.span,
                rate: ones.span, dividend: ones.span)
        }
        #expect(throws: GreeksError.lengthMismatch(field: "volatility", expected: 3, got: 2)) {
            _ = try SliceColumns(
                type: type.span, strike: ones.span, logStrikeHigh: ones.span, logStrikeLow: ones.span,
                volatility: short.span)
        }
    }

    @Test("Storage is zero where nothing was written, on a cache line, and as long as asked for")
    func storage() {
        for count in [0, 1, 7, 8, 9] {
            let column = ColumnStorage(repeating: 2.5, count: count)
            #expect(column.count == count && column.span.count == count)
            #expect(UInt(bitPattern: column.pointer) & 63 == 0)
            #expect((0..<count).allSatisfy { column[$0] == 2.5 })
            #expect((count..<(max(1, count) + 7) / 8 * 8).allSatisfy { column.pointer[$0] == 0 })
        }
    }
}
