import CPoise
import Foundation
import Poise
import TestSupport
import Testing

/// Through C the same bits come out as through Swift.
struct BitTests {
    private static let models: [(poise_model, OptionModel)] = [
        (POISE_MODEL_BLACK_SCHOLES_MERTON, .blackScholesMerton), (POISE_MODEL_BACHELIER, .bachelier),
        (POISE_MODEL_CASH_OR_NOTHING, .cashOrNothing),
    ]
    private static let selections: [GreekSet] = [
        .price, .book, .all, GreekSet([.vega]), GreekSet([.delta, .ultima]), [],
    ]

    /// Sizes around blocks of 8, of 256 (strided) and of 512, each layout of inputs and outputs.
    @Test(
        "The full form through C has Swift's bits, for any size and layout",
        arguments: [0, 1, 7, 8, 9, 255, 257, 512, 513, 1_025, 3_001], [1, 2])
    func fullForm(_ count: Int, _ threads: Int) throws {
        let columns = RandomColumns(count, seed: UInt64(count))
        var options = poise_engine_options(
            size: MemoryLayout<poise_engine_options>.stride, instruction_set: POISE_ISA_AUTOMATIC,
            threads: UInt32(threads))
        let engine = try Handle(poise_engine_free) { poise_engine_create(&options, $0) }
        for (model, own) in Self.models {
            let batch = try columns.batch(own)
            for selection in Self.selections {
                let expected = try GreeksEngine().greeks(selection, of: batch)
                let greeks = selection.greeks
                for isRowMajor in [false, true] {
                    var matrix = [Double](repeating: -1, count: max(1, count * greeks.count))
                    let status = columns.withForm(model) { form in
                        matrix.withUnsafeMutableBufferPointer { matrix in
                            let targets = greeks.indices.map { column in
                                let first = matrix.baseAddress.map {
                                    $0 + (isRowMajor ? column : column * count)
                                }
                                return poise_column(data: first, stride: isRowMajor ? 8 * greeks.count : 0)
                            }
                            return poise_greeks(
                                engine.pointer, &form, UInt32(selection.rawValue), targets, targets.count, nil
                            )
                        }
                    }
                    #expect(status == POISE_OK, "\(lastError)")
                    for (column, greek) in greeks.enumerated() {
                        let got = (0..<count).map {
                            matrix[isRowMajor ? $0 * greeks.count + column : column * count + $0]
                        }
                        #expect(sameBits(got, try #require(expected[greek])), "\(own) \(greek) \(count)")
                    }
                }
            }
        }
    }

    @Test(
        "Columns backwards, interleaved and of one value have Swift's bits",
        arguments: [1, 9, 256, 700], [1, 2])
    func strides(_ count: Int, _ threads: Int) throws {
        var columns = RandomColumns(count, seed: 5)
        columns.rate = columns.rate.map { _ in 0.03 }
        let expected = try GreeksEngine().greeks(.price, of: try columns.batch())
        var options = poise_engine_options(
            size: MemoryLayout<poise_engine_options>.stride, instruction_set: POISE_ISA_AUTOMATIC,
            threads: UInt32(threads))
        let engine = try Handle(poise_engine_free) { poise_engine_create(&options, $0) }
        let backwards = Array(columns.spot.reversed())
        let pairs = zip(columns.strike, columns.years).flatMap { [$0, $1] }
        let types: [UInt8] = columns.type.flatMap { [$0, 9, 9] as [UInt8] }
        let rate = 0.03
        var prices = [Double](repeating: 0, count: count)
        let status = columns.withForm { form in
            withPointers([backwards, pairs]) { arrays in
                types.withUnsafeBufferPointer { types in
                    withUnsafePointer(to: rate) { rate in
                        prices.withUnsafeMutableBufferPointer { prices in
                            form.spot = poise_values(data: arrays[0].map { $0 + count - 1 }, stride: -8)
                            form.strike = poise_values(data: arrays[1], stride: 16)
                            form.years = poise_values(data: arrays[1].map { $0 + 1 }, stride: 16)
                            form.type = poise_bytes(data: types.baseAddress, stride: 3)
                            form.rate = poise_values(data: rate, stride: .min)
                            var target = poise_column(data: prices.baseAddress, stride: 0)
                            return poise_greeks(engine.pointer, &form, 1, &target, 1, nil)
                        }
                    }
                }
            }
        }
        #expect(status == POISE_OK, "\(lastError)")
        #expect(sameBits(prices, try #require(expected[.price])))
    }

    @Test("C's bits of the reference table are Swift's, row by row")
    func reference() throws {
        let path = SharedData.packageRoot.appendingPathComponent("Tests/GreeksTests/Fixtures/european.csv")
            .path
        var badRows = BadRows(skip: false)
        var table = try OptionTable(try Source(path: path), quote: .volatility, &badRows)
        let batch = try table.batch(&badRows)
        var columns = RandomColumns(0, seed: 0)
        (columns.type, columns.spot, columns.strike) = (batch.type, batch.spot, batch.strike)
        (columns.years, columns.volatility) = (batch.years, batch.volatility)
        (columns.rate, columns.dividend) = (batch.rate, batch.dividend)
        #expect(batch.count == 160)
        let engine = try makeEngine()
        let expected = try GreeksEngine().greeks(.all, of: batch)
        var greeks = [Double](repeating: 0, count: 15 * batch.count)
        let status = columns.withForm { form in
            greeks.withUnsafeMutableBufferPointer { greeks in
                let targets = (0..<15).map {
                    poise_column(
                        data: greeks.baseAddress.map { [count = batch.count, number = $0] in
                            $0 + number * count
                        }, stride: 0)
                }
                return poise_greeks(engine.pointer, &form, UInt32(POISE_GREEKS_ALL), targets, 15, nil)
            }
        }
        #expect(status == POISE_OK, "\(lastError)")
        for greek in Greek.allCases {
            let got = greeks[greek.rawValue * batch.count..<(greek.rawValue + 1) * batch.count]
            #expect(sameBits(got, try #require(expected[greek])), "\(greek)")
        }
    }

    @Test(
        "Implied volatilities through C have Swift's bits and statuses, under every model",
        arguments: [0, 1, 9, 300], OptionModel.allCases)
    func impliedVolatility(_ count: Int, _ model: OptionModel) throws {
        let columns = RandomColumns(count, seed: 3)
        let engine = try makeEngine()
        let prices = Array(
            try #require(try GreeksEngine().greeks(.price, of: try columns.batch(model))[.price]))
        let expected = try GreeksEngine().impliedVolatilities(
            of: try PriceBatch(
                type: columns.type, spot: columns.spot, strike: columns.strike, years: columns.years,
                price: prices, rate: columns.rate, dividend: columns.dividend), model: model)
        for stride in [0, 16] {
            var volatility = [Double](repeating: 0, count: 2 * max(1, count))
            var statuses = [UInt8](repeating: 9, count: count)
            let status = columns.withForm { form in
                prices.withUnsafeBufferPointer { prices in
                    var given = poise_prices(
                        size: MemoryLayout<poise_prices>.stride, count: count, type: form.type,
                        spot: form.spot, strike: form.strike, years: form.years,
                        price: poise_values(data: prices.baseAddress, stride: 0), rate: form.rate,
                        dividend: form.dividend, model: poise_model(UInt32(model.rawValue)))
                    return volatility.withUnsafeMutableBufferPointer { volatility in
                        poise_implied_volatility(
                            engine.pointer, &given,
                            poise_column(data: volatility.baseAddress, stride: stride),
                            &statuses)
                    }
                }
            }
            #expect(status == POISE_OK, "\(lastError)")
            let got = (0..<count).map { volatility[stride == 0 ? $0 : 2 * $0] }
            #expect(sameBits(got, expected.map { $0.volatility ?? .nan }))
            #expect(statuses == expected.map(\.status.rawValue))
        }
    }

    /// Slices of odd sizes, also empty ones, against the kernel's own slice form; and near the full form.
    @Test("Slices of any size have the bits of the kernel's slice form")
    func slices() throws {
        let sizes = [3, 0, 8, 17, 1, 40, 0, 9]
        let offsets = sizes.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1) }
        let count = offsets[sizes.count]
        var columns = RandomColumns(count, seed: 8)
        let market = RandomColumns(sizes.count, seed: 9)
        for (slice, size) in sizes.enumerated() {
            for row in offsets[slice]..<offsets[slice] + size {
                columns.spot[row] = market.spot[slice]
                columns.strike[row] = market.spot[slice] * (0.6 + 0.01 * Double(row))
                columns.years[row] = market.years[slice]
                columns.rate[row] = market.rate[slice]
                columns.dividend[row] = market.dividend[slice]
            }
        }
        let engine = try makeEngine()
        let slices = try columns.withForm { form in
            try Handle(poise_slices_free) {
                poise_slices_create(engine.pointer, sizes.count, offsets, form.type, form.strike, $0)
            }
        }
        #expect(poise_slices_count(slices.pointer) == count)
        try columns.withForm { form in
            try market.withForm { market in
                try #require(
                    poise_slices_set_market(
                        slices.pointer, 0, sizes.count, market.spot, market.years, market.rate,
                        market.dividend)
                        == POISE_OK, "\(lastError)")
            }
            try #require(
                poise_slices_set_volatility(slices.pointer, 0, count, form.volatility) == POISE_OK,
                "\(lastError)")
        }
        let expected = try GreeksEngine().greeks(.all, of: try columns.batch())
        var rows: [[Double]] = []
        for isRowMajor in [false, true] {
            for (first, end) in [(0, sizes.count), (2, 6), (3, 4), (1, 2)] {
                let rowCount = offsets[end] - offsets[first]
                var greeks = [Double](repeating: 0, count: 15 * rowCount + 1)
                let status = greeks.withUnsafeMutableBufferPointer { greeks in
                    let targets = (0..<15).map { number in
                        poise_column(
                            data: greeks.baseAddress.map { $0 + (isRowMajor ? number : number * rowCount) },
                            stride: isRowMajor ? 120 : 0)
                    }
                    return poise_slices_greeks(
                        slices.pointer, first, end - first, UInt32(POISE_GREEKS_ALL), targets, 15)
                }
                #expect(status == POISE_OK, "\(lastError)")
                let table = (0..<rowCount).map { row in
                    (0..<15).map { greeks[isRowMajor ? 15 * row + $0 : $0 * rowCount + row] }
                }
                if rows.isEmpty { rows = table }
                #expect(sameBits(table.joined(), rows[offsets[first]..<offsets[end]].joined()))
            }
        }
        for row in 0..<count {
            for greek in Greek.allCases {
                let truth = try #require(expected[greek])[row]
                let scale = max(truth.magnitude, greek == .price ? 1e-9 * columns.spot[row] : 1e-12)
                #expect((rows[row][greek.rawValue] - truth).magnitude <= 1e-9 * scale, "\(greek) \(row)")
            }
        }
    }

    @Test("Exposures through C have Swift's bits, labels and order")
    func exposures() throws {
        let (engine, chain, positions) = (try makeEngine(), try makeChain(), try makePositions())
        var badRows = BadRows(skip: false)
        let valuation = try BookValuation(
            try PositionTable(try Source(path: sample("positions.csv")), &badRows),
            in: try Chain(try Source(path: sample("chain.csv")), &badRows), &badRows)
        for (numeraire, own) in [(POISE_NUMERAIRE_USD, Numeraire.usd), (POISE_NUMERAIRE_COIN, .coin)] {
            let plan = ExposurePlan(
                valuation.positions, contracts: valuation.contracts, by: [.expiry, .underlying])
            let figures = UnitExposures(count: valuation.contracts.count)
            let sums = Exposures(plan)
            valuation.greeks.compute(try GreeksEngine())
            figures.update(from: valuation.greeks, in: own)
            plan.aggregate(figures, into: sums, try GreeksEngine())
            var options = poise_exposure_options()
            options.size = MemoryLayout<poise_exposure_options>.stride
            options.numeraire = numeraire
            options.grouping_count = 2
            options.groupings = (POISE_BY_EXPIRY, POISE_BY_UNDERLYING, POISE_BY_BOOK, POISE_BY_BOOK)
            let exposures = try Handle(poise_exposures_free) {
                poise_exposures_create(engine.pointer, chain.pointer, positions.pointer, &options, $0)
            }
            #expect(poise_exposures_count(exposures.pointer) == plan.groups.count)
            for greek in ExposureGreek.allCases {
                var column = [Double](repeating: 0, count: plan.groups.count)
                let status = column.withUnsafeMutableBufferPointer {
                    poise_exposures_values(
                        exposures.pointer, poise_exposure(UInt32(greek.rawValue)),
                        poise_column(data: $0.baseAddress, stride: 0))
                }
                #expect(status == POISE_OK)
                #expect(sameBits(column, plan.groups.indices.map { sums[$0, greek] }), "\(greek)")
            }
            for (group, labels) in plan.groups.enumerated() {
                for (column, label) in labels.enumerated() {
                    #expect(
                        String(cString: try #require(poise_exposures_label(exposures.pointer, group, column)))
                            == label)
                }
                #expect(poise_exposures_label(exposures.pointer, group, 2) == nil)
            }
        }
    }

    @Test("The names and numbers of the header are those of the modules")
    func numbers() throws {
        #expect(POISE_VERSION == poiseVersion)
        #expect(String(cString: poise_version()) == poiseVersion)
        #expect(poise_abi_version() == 1)
        #expect(Greek.allCases.count == Int(POISE_GREEK_COUNT))
        for greek in Greek.allCases {
            #expect(String(cString: poise_greek_name(poise_greek(UInt32(greek.rawValue)))) == greek.name)
        }
        #expect(poise_greek_name(poise_greek(15)) == nil)
        for (number, model) in OptionModel.allCases.enumerated() {
            #expect(String(cString: poise_model_name(poise_model(UInt32(number)))) == model.name)
        }
        #expect(poise_model_name(poise_model(UInt32(OptionModel.allCases.count))) == nil)
        #expect(GreekSet.book.rawValue == UInt32(POISE_GREEKS_BOOK))
        #expect(GreekSet.all.rawValue == UInt32(POISE_GREEKS_ALL))
        #expect(ExposureGreek.allCases.count == Int(POISE_EXPOSURE_COUNT))
        for exposure in ExposureGreek.allCases {
            let name = String(cString: poise_exposure_name(poise_exposure(UInt32(exposure.rawValue))))
            #expect(name == exposure.name.replacingOccurrences(of: " ", with: "_"))
        }
        let rows: [(InputStatus, poise_row_status)] = [
            (.ok, POISE_ROW_OK), (.invalidType, POISE_ROW_TYPE), (.invalidSpot, POISE_ROW_SPOT),
            (.invalidStrike, POISE_ROW_STRIKE), (.invalidYears, POISE_ROW_YEARS),
            (.invalidVolatility, POISE_ROW_VOLATILITY), (.invalidRate, POISE_ROW_RATE),
            (.invalidDividend, POISE_ROW_DIVIDEND),
        ]
        #expect(rows.count == InputStatus.allCases.count)
        for (own, c) in rows { #expect(UInt32(own.rawValue) == c.rawValue) }
        let volatilities: [(VolatilityStatus, poise_volatility_status)] = [
            (.ok, POISE_VOLATILITY_OK), (.belowIntrinsic, POISE_VOLATILITY_BELOW_INTRINSIC),
            (.aboveMaximum, POISE_VOLATILITY_ABOVE_MAXIMUM), (.notANumber, POISE_VOLATILITY_NOT_A_NUMBER),
            (.expired, POISE_VOLATILITY_EXPIRED),
            (.two, POISE_VOLATILITY_TWO),
        ]
        #expect(volatilities.count == VolatilityStatus.allCases.count)
        for (own, c) in volatilities { #expect(UInt32(own.rawValue) == c.rawValue) }
    }
}
