import CPoise
import Foundation
import Poise
import Testing

/// Every precondition comes back as a status, with what is wrong.
struct ArgumentTests {
    /// A call of `poise_greeks` on ten options, spoilt by `body`.
    private func spoilt(
        _ body: (inout poise_full_form, inout [poise_column], inout UInt32) -> Void
    ) throws -> poise_status {
        let engine = try makeEngine()
        var prices = [Double](repeating: 0, count: 12)
        return RandomColumns(10, seed: 1).withForm { form in
            prices.withUnsafeMutableBufferPointer { prices in
                var columns = [poise_column(data: prices.baseAddress, stride: 0)]
                var greeks: UInt32 = 1
                body(&form, &columns, &greeks)
                return poise_greeks(engine.pointer, &form, greeks, columns, columns.count, nil)
            }
        }
    }

    private func misaligned(_ pointer: UnsafePointer<Double>?) -> UnsafePointer<Double>? {
        UnsafeRawPointer(pointer).map { ($0 + 4).assumingMemoryBound(to: Double.self) }
    }

    @Test("Wrong arguments of the full form are refused with their own status and argument")
    func formArguments() throws {
        #expect(try spoilt { _, _, _ in } == POISE_OK)
        let cases:
            [(poise_status, String, (inout poise_full_form, inout [poise_column], inout UInt32) -> Void)] = [
                (POISE_ERROR_NULL, "spot", { form, _, _ in form.spot.data = nil }),
                (POISE_ERROR_NULL, "type", { form, _, _ in form.type.data = nil }),
                (POISE_ERROR_NULL, "columns", { _, columns, _ in columns[0].data = nil }),
                (POISE_ERROR_SIZE, "options", { form, _, _ in form.size -= 8 }),
                (POISE_ERROR_SIZE, "options", { form, _, _ in form.size = 0 }),
                (POISE_ERROR_COUNT, "count", { form, _, _ in form.count = 1 << 31 }),
                (POISE_ERROR_COUNT, "count", { form, _, _ in form.count = -1 }),
                (POISE_ERROR_COUNT, "column_count", { _, _, greeks in greeks = 3 }),
                (
                    POISE_ERROR_ALIGNMENT, "years",
                    { form, _, _ in form.years.data = misaligned(form.years.data) }
                ),
                (POISE_ERROR_ALIGNMENT, "rate", { form, _, _ in form.rate.stride = 12 }),
                (POISE_ERROR_ALIGNMENT, "columns", { _, columns, _ in columns[0].stride = 4 }),
                (POISE_ERROR_ARGUMENT, "columns", { _, columns, _ in columns[0].stride = .min }),
                (POISE_ERROR_ARGUMENT, "greeks", { _, _, greeks in greeks = 1 << 15 }),
                (POISE_ERROR_ARGUMENT, "model", { form, _, _ in form.model = poise_model(3) }),
            ]
        for (status, field, spoil) in cases {
            #expect(try spoilt(spoil) == status, "\(field): \(lastError)")
            #expect(lastField == field)
            #expect(lastError.hasPrefix(field), "\(lastError)")
        }
        // Nothing is read where there are no rows.
        #expect(
            try spoilt { form, columns, _ in
                form.count = 0
                form.spot.data = nil
                columns[0].data = nil
            } == POISE_OK)
        var form = poise_full_form()
        #expect(poise_greeks(nil, &form, 0, nil, 0, nil) == POISE_ERROR_NULL)
        #expect(poise_greeks(try makeEngine().pointer, nil, 0, nil, 0, nil) == POISE_ERROR_NULL)
    }

    /// The first bad row by number, field and value, wherever it stands; with statuses, NaN there and numbers elsewhere.
    @Test(
        "The first bad row is named by number, field and value, wherever it stands",
        arguments: [0, 7, 8, 511, 512, 999, 1_002], [0, 24])
    func badRows(_ row: Int, _ stride: Int) throws {
        let engine = try makeEngine()
        let count = 1_003
        for (field, code, spoil) in [
            ("type", POISE_ROW_TYPE, { $0.type[row] = 2 }),
            ("spot", POISE_ROW_SPOT, { $0.spot[row] = .nan }),
            ("strike", POISE_ROW_STRIKE, { $0.strike[row] = -1 }),
            ("years", POISE_ROW_YEARS, { $0.years[row] = .infinity }),
            ("volatility", POISE_ROW_VOLATILITY, { $0.volatility[row] = -0.1 }),
            ("rate", POISE_ROW_RATE, { ($0.rate[row], $0.years[row]) = (1_000, 1) }),
            ("dividend", POISE_ROW_DIVIDEND, { $0.dividend[row] = .nan }),
        ] as [(String, poise_row_status, (inout RandomColumns) -> Void)] {
            var columns = RandomColumns(count, seed: 2)
            spoil(&columns)
            var greeks = [Double](repeating: 0, count: 3 * count)
            var statuses = [UInt8](repeating: 99, count: count)
            columns.withForm { form in
                greeks.withUnsafeMutableBufferPointer { greeks in
                    var target = poise_column(data: greeks.baseAddress, stride: stride)
                    #expect(poise_greeks(engine.pointer, &form, 2, &target, 1, nil) == POISE_ERROR_VALUE)
                    #expect(lastField == field)
                    #expect(poise_last_error_row() == row)
                    #expect(lastError.hasPrefix("row \(row): "))
                    #expect(poise_greeks(engine.pointer, &form, 2, &target, 1, &statuses) == POISE_OK)
                }
            }
            for place in 0..<count {
                #expect(statuses[place] == (place == row ? UInt8(code.rawValue) : 0))
                #expect(greeks[stride == 0 ? place : 3 * place].isNaN == (place == row))
            }
        }
    }

    @Test("Errors belong to their thread, and calls that succeed leave them")
    func errorsPerThread() async throws {
        #expect(poise_engine_create(nil, nil) == POISE_ERROR_NULL)
        #expect(lastError == "engine: is NULL")
        #expect(poise_last_error_row() == -1)
        #expect(poise_last_error_value().isNaN)
        await withCheckedContinuation { continuation in
            Thread {
                #expect(lastError == "")
                #expect(poise_last_error_row() == -1)
                var options = poise_engine_options(
                    size: 1, instruction_set: POISE_ISA_AUTOMATIC, threads: 0)
                var made: OpaquePointer?
                #expect(poise_engine_create(&options, &made) == POISE_ERROR_SIZE)
                #expect(lastField == "options")
                continuation.resume()
            }.start()
        }
    }

    @Test("An engine of an unknown or unsupported instruction set is refused")
    func engines() throws {
        for (set, own) in [
            (POISE_ISA_BASELINE, InstructionSet.baseline), (POISE_ISA_AVX2, .avx2),
            (POISE_ISA_AVX512, .avx512),
        ] {
            var options = poise_engine_options(
                size: MemoryLayout<poise_engine_options>.stride, instruction_set: set, threads: 0)
            var made: OpaquePointer?
            let status = poise_engine_create(&options, &made)
            #expect(status == (own.isSupported ? POISE_OK : POISE_ERROR_UNSUPPORTED))
            #expect(poise_engine_instruction_set(made) == (own.isSupported ? set : POISE_ISA_AUTOMATIC))
            poise_engine_free(made)
        }
        for (set, threads) in [(4, 0), (0, 1_025), (UInt32.max, 1)] as [(UInt32, UInt32)] {
            var options = poise_engine_options(
                size: MemoryLayout<poise_engine_options>.stride, instruction_set: poise_instruction_set(set),
                threads: threads)
            var made = OpaquePointer(bitPattern: 1)
            #expect(poise_engine_create(&options, &made) == POISE_ERROR_ARGUMENT)
            #expect(made == nil)
        }
    }

    @Test("Freeing NULL does nothing, for every handle")
    func freeNothing() {
        poise_engine_free(nil)
        poise_slices_free(nil)
        poise_chain_free(nil)
        poise_positions_free(nil)
        poise_exposures_free(nil)
        poise_grid_free(nil)
        poise_scenario_profits_free(nil)
        poise_limits_free(nil)
        poise_live_free(nil)
        poise_hedger_free(nil)
        #expect(poise_chain_count(nil) == 0 && poise_chain_instrument(nil, 0) == nil)
    }

    @Test("Faults in texts name line and column, faults in files also the file")
    func texts() throws {
        var made: OpaquePointer?
        let text = "book,instrument,quantity\na,BTC-PERPETUAL,1\nb,BTC-PERPETUAL,x\n"
        #expect(poise_positions_parse(text, text.utf8.count, "mine", &made) == POISE_ERROR_VALUE)
        #expect(lastError.contains("mine:3") && lastField == "quantity" && poise_last_error_row() == 3)
        #expect(poise_positions_parse("book\n", 5, nil, &made) == POISE_ERROR_TEXT)
        #expect(lastField == "instrument")
        #expect(poise_chain_read("/nowhere/chain.csv", &made) == POISE_ERROR_SYSTEM)
        #expect(lastError.contains("/nowhere/chain.csv"))
        #expect(poise_chain_read(nil, &made) == POISE_ERROR_NULL)
        #expect(poise_grid_parse("{", 1, nil, &made) == POISE_ERROR_TEXT)
        #expect(made == nil)
    }
}
