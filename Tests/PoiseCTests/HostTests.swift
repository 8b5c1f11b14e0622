import CPoise
import CPoiseFuzz
import Foundation
import Testing

/// What a host's threads bring along: their floating point environment, and little stack.
struct HostTests {
    /// Prices and vegas of options, and the value of a position whose quantity takes more than 19 digits to write.
    /// The columns are the host's, drawn before.
    private static func bits(_ options: RandomColumns = RandomColumns(300, seed: 11)) throws -> [UInt64] {
        let (engine, chain) = (try makeEngine(), try makeChain())
        var numbers: [Double] = []
        var (price, vega) = ([Double](repeating: 0, count: 300), [Double](repeating: 0, count: 300))
        let status = options.withForm { form in
            price.withUnsafeMutableBufferPointer { price in
                vega.withUnsafeMutableBufferPointer { vega in
                    var columns = [
                        poise_column(data: price.baseAddress, stride: 0),
                        poise_column(data: vega.baseAddress, stride: 0),
                    ]
                    return poise_greeks(engine.pointer, &form, 1 | 1 << 3, &columns, 2, nil)
                }
            }
        }
        try #require(status == POISE_OK)
        numbers += price + vega
        let text = "book,instrument,quantity\na,BTC-PERPETUAL,0.12345678901234567890123\n"
        let positions = try Handle(poise_positions_free) {
            poise_positions_parse(text, text.utf8.count, nil, $0)
        }
        let exposures = try Handle(poise_exposures_free) {
            poise_exposures_create(engine.pointer, chain.pointer, positions.pointer, nil, $0)
        }
        var value = 0.0
        try withUnsafeMutablePointer(to: &value) { value in
            let column = poise_column(data: value, stride: 0)
            try #require(
                poise_exposures_values(exposures.pointer, POISE_EXPOSURE_DELTA, column) == POISE_OK)
        }
        return (numbers + [value]).map(\.bitPattern)
    }

    #if arch(x86_64)
        @Test("Results do not follow the caller's rounding mode, which stays as it was")
        func rounding() throws {
            let options = RandomColumns(300, seed: 11)
            let expected = try Self.bits(options)
            // Down, up, to zero, as fenv.h has them here.
            for mode: Int32 in [0x400, 0x800, 0xC00] {
                let before = fegetround()
                fesetround(mode)
                let found = Result { try Self.bits(options) }
                let after = fegetround()
                fesetround(before)
                #expect(after == mode)
                #expect(try found.get() == expected, "rounding mode \(mode)")
            }
        }
    #endif

    @Test("Nothing traps where the caller's exceptions are unmasked")
    func traps() throws {
        let expected = try Self.bits()
        let engine = try makeEngine()
        var status = POISE_ERROR_NULL
        var price = 0.0
        // Only the call: what is around it may well be inexact.
        var form = poise_full_form()
        form.size = MemoryLayout<poise_full_form>.stride
        form.count = 1
        withPointers([[1e70], [1e-60], [0.5], [3], [0.01], [0.02]]) { columns in
            let type: UInt8 = 0
            withUnsafePointer(to: type) { type in
                withUnsafeMutablePointer(to: &price) { price in
                    form.type = poise_bytes(data: type, stride: 0)
                    form.spot = poise_values(data: columns[0], stride: 0)
                    form.strike = poise_values(data: columns[1], stride: 0)
                    form.years = poise_values(data: columns[2], stride: 0)
                    form.volatility = poise_values(data: columns[3], stride: 0)
                    form.rate = poise_values(data: columns[4], stride: 0)
                    form.dividend = poise_values(data: columns[5], stride: 0)
                    var column = poise_column(data: price, stride: 0)
                    poise_test_unmask()
                    status = poise_greeks(engine.pointer, &form, 1, &column, 1, nil)
                    poise_test_mask()
                }
            }
        }
        #expect(status == POISE_OK && isNear(price, 1e70 * exp(-0.01)))
        #expect(try Self.bits() == expected)
    }

    @Test(
        "128 KiB of stack suffice for texts as deep as they may be, and for one that is deeper",
        arguments: ["{\"a\":", "["])
    func stack(_ opening: String) {
        let closing = opening == "[" ? "]" : "}"
        for depth in [60, 63, 64, 65, 5_000] {
            let text =
                String(repeating: opening, count: depth) + "1" + String(repeating: closing, count: depth)
            let done = DispatchSemaphore(value: 0)
            let worker = Thread {
                var chain: OpaquePointer?
                _ = poise_chain_parse(text, text.utf8.count, nil, &chain)
                poise_chain_free(chain)
                var model: OpaquePointer?
                let table = "a = " + text.replacingOccurrences(of: "\"a\":", with: "a=")
                _ = poise_margin_model_parse(table, table.utf8.count, nil, &model)
                poise_margin_model_free(model)
                done.signal()
            }
            // A thread's own variables stand there, too: some 160 KiB in a program of tests with OpenBLAS.
            worker.stackSize = (128 + 192) << 10
            worker.start()
            done.wait()
        }
    }

    @Test("An engine of several threads gives the bits of one where columns are scalars, piece after piece")
    func pieces() throws {
        let count = (1 << 17) + 1_003
        let spot = (0..<count).map { 50 + Double($0 % 977) / 10 }
        func greeks(_ threads: UInt32) throws -> [UInt64] {
            var options = poise_engine_options(
                size: MemoryLayout<poise_engine_options>.stride, instruction_set: POISE_ISA_AUTOMATIC,
                threads: threads)
            let engine = try Handle(poise_engine_free) { poise_engine_create(&options, $0) }
            var price = [Double](repeating: -1, count: count)
            var statuses = [UInt8](repeating: 9, count: count)
            var spots = spot
            // A row of the second piece that cannot be computed.
            spots[count - 7] = -1
            let status = withPointers([spots, [100], [0.5], [0.3], [0]]) { columns in
                let type: UInt8 = 1
                return withUnsafePointer(to: type) { type in
                    var form = poise_full_form()
                    form.size = MemoryLayout<poise_full_form>.stride
                    form.count = count
                    form.type = poise_bytes(data: type, stride: .min)
                    form.spot = poise_values(data: columns[0], stride: 0)
                    form.strike = poise_values(data: columns[1], stride: .min)
                    form.years = poise_values(data: columns[2], stride: .min)
                    form.volatility = poise_values(data: columns[3], stride: .min)
                    form.rate = poise_values(data: columns[4], stride: .min)
                    form.dividend = poise_values(data: columns[4], stride: .min)
                    return price.withUnsafeMutableBufferPointer {
                        var column = poise_column(data: $0.baseAddress, stride: 0)
                        return poise_greeks(engine.pointer, &form, 1, &column, 1, &statuses)
                    }
                }
            }
            try #require(status == POISE_OK)
            #expect(statuses[count - 7] == 2 && statuses.filter { $0 != 0 }.count == 1)
            #expect(price[count - 7].isNaN)
            return price.map(\.bitPattern)
        }
        let one = try greeks(1)
        #expect(try greeks(3) == one)
        let last = blackScholes(isPut: true, spot[count - 1], 100, 0.5, 0.3)
        #expect(isNear(Double(bitPattern: one[count - 1]), last, 1e-12))
    }
}
