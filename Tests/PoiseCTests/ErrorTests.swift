import CPoise
import Foundation
import Poise
import Testing

/// An error apart, as hosts take it.
struct LastError: Equatable, Sendable {
    var kind = POISE_PLACE_NONE
    var place = ""
    var row: Int64 = -1
    var field = ""
    var text = ""
    var reason = ""

    static var now: LastError {
        LastError(
            kind: poise_last_error_place_kind(), place: String(cString: poise_last_error_place()),
            row: poise_last_error_row(), field: lastField, text: String(cString: poise_last_error_text()),
            reason: String(cString: poise_last_error_reason()))
    }

    /// `place: field: value: reason` of the parts.
    var sentence: String {
        let place =
            switch kind {
            case POISE_PLACE_LINE: "\(place):\(row)"
            case POISE_PLACE_ROW: place.isEmpty ? "row \(row)" : "\(place): row \(row)"
            default: place
            }
        let value = Double(text) == nil && !text.isEmpty ? "\"\(text)\"" : text
        return [place, field, value, reason].filter { !$0.isEmpty }.joined(separator: ": ")
    }
}

/// Errors of the C ABI as data: place, field, value and reason apart from the sentence.
@Suite struct ErrorTests {
    /// Calls that fail, each in another way.
    private static let calls: [(status: poise_status, error: LastError, call: @Sendable () -> poise_status)] =
        [
            (
                POISE_ERROR_NULL, LastError(field: "engine", reason: "is NULL"),
                { poise_engine_create(nil, nil) }
            ),
            (
                POISE_ERROR_SYSTEM,
                LastError(
                    kind: POISE_PLACE_FILE, place: "/nowhere/chain.csv",
                    reason: "cannot read: No such file or directory"),
                { made { poise_chain_read("/nowhere/chain.csv", $0) } }
            ),
            (
                POISE_ERROR_TEXT,
                LastError(
                    kind: POISE_PLACE_LINE, place: "mine", row: 1, field: "instrument",
                    reason: "is missing (found: book)"),
                { made { poise_positions_parse("book\n", 5, "mine", $0) } }
            ),
            (
                POISE_ERROR_VALUE,
                LastError(
                    kind: POISE_PLACE_LINE, place: "positions", row: 3, field: "quantity", text: "x",
                    reason: "is not a number"),
                {
                    let text = "book,instrument,quantity\na,BTC-PERPETUAL,1\nb,BTC-PERPETUAL,x\n"
                    return made { poise_positions_parse(text, text.utf8.count, nil, $0) }
                }
            ),
            (
                POISE_ERROR_VALUE,
                LastError(
                    kind: POISE_PLACE_ROW, row: 1, field: "quantity", text: "inf",
                    reason: "must be finite"),
                { made { positions(["a", "b"], ["BTC-PERPETUAL", "BTC-PERPETUAL"], [1, .infinity], $0) } }
            ),
            (
                POISE_ERROR_VALUE,
                LastError(
                    kind: POISE_PLACE_ROW, row: 0, field: "quantity", text: "-inf", reason: "must be finite"),
                { made { positions(["a"], ["BTC-PERPETUAL"], [-.infinity], $0) } }
            ),
            (
                POISE_ERROR_VALUE,
                LastError(kind: POISE_PLACE_ROW, row: 1, field: "book", reason: "is empty"),
                { made { positions(["a", ""], ["BTC-PERPETUAL", "BTC-PERPETUAL"], [1, 2], $0) } }
            ),
            (
                POISE_ERROR_ARGUMENT,
                LastError(field: "threads", text: "1025", reason: "must be from 1 to 1024"),
                {
                    var options = poise_engine_options(
                        size: MemoryLayout<poise_engine_options>.stride, instruction_set: POISE_ISA_AUTOMATIC,
                        threads: 1_025)
                    return made { poise_engine_create(&options, $0) }
                }
            ),
        ]

    @Test(
        "An error has status, place, field, value and reason apart from its sentence",
        arguments: calls.indices)
    func parts(_ index: Int) {
        let (status, error, call) = Self.calls[index]
        #expect(call() == status)
        #expect(LastError.now == error)
        #expect(lastError == error.sentence)
        let number = poise_last_error_value()
        #expect(number == Double(error.text) ?? 0 || error.text.isEmpty == number.isNaN || number.isNaN)
    }

    @Test(
        "A position without a price is at its line where it came from a text, at its row where from columns")
    func unknownContracts() throws {
        let (engine, chain) = (try makeEngine(), try makeChain())
        let text = "book,instrument,quantity\na,DOGE-PERPETUAL,1\n"
        let read = try Handle(poise_positions_free) {
            poise_positions_parse(text, text.utf8.count, "positions", $0)
        }
        let columns = try Handle(poise_positions_free) {
            Self.positions(["a", "a"], ["BTC-PERPETUAL", "DOGE-PERPETUAL"], [1, 1], $0)
        }
        for (positions, kind, row) in [(read, POISE_PLACE_LINE, 2), (columns, POISE_PLACE_ROW, 1)] {
            #expect(
                Self.made {
                    poise_exposures_create(engine.pointer, chain.pointer, positions.pointer, nil, $0)
                }
                    == POISE_ERROR_UNKNOWN_NAME)
            let error = LastError.now
            #expect(error.kind == kind && error.row == row && error.place == "positions")
            #expect(error.field == "instrument" && error.text == "DOGE-PERPETUAL")
            #expect(error.reason.hasPrefix("has no price in "))
        }
    }

    @Test("A limit on what is not there is at its line or row too, whatever its file is called")
    func unknownLimits() throws {
        let (engine, chain, positions) = (try makeEngine(), try makeChain(), try makePositions())
        let text = "book,underlying,greek,low,high\n,BTC,vega,-1,1\nnobody,BTC,vega,-1,1\n"
        // The name that limits of columns have.
        let read = try Handle(poise_limits_free) {
            poise_limits_parse(text, text.utf8.count, "limits", $0)
        }
        let columns = try Handle(poise_limits_free) { Self.limits(["", "nobody"], $0) }
        for (limits, kind, row) in [(read, POISE_PLACE_LINE, 3), (columns, POISE_PLACE_ROW, 1)] {
            #expect(
                Self.made {
                    poise_live_create(
                        engine.pointer, chain.pointer, positions.pointer, limits.pointer, nil, $0)
                } == POISE_ERROR_UNKNOWN_NAME)
            let error = LastError.now
            #expect(error.kind == kind && error.row == row && error.place == "limits")
            #expect(error.field == "book" && error.text == "nobody" && error.reason == "holds no positions")
        }
    }

    @Test("What a live desk refuses is told by the name of the contract, slice or book")
    func names() throws {
        let (engine, chain, positions) = (try makeEngine(), try makeChain(), try makePositions())
        let desk = try Handle(poise_live_free) {
            poise_live_create(engine.pointer, chain.pointer, positions.pointer, nil, nil, $0)
        }
        let option = poise_live_find_contract(desk.pointer, "BTC-27MAR26-60000-C")
        #expect(poise_live_set_volatility(desk.pointer, Int(option), -1) == POISE_ERROR_VALUE)
        var error = LastError.now
        #expect(error.kind == POISE_PLACE_NAME && error.place == "BTC-27MAR26-60000-C" && error.row == -1)
        #expect(error.field == "volatility" && error.text == "-1.0" && poise_last_error_value() == -1)
        #expect(poise_live_fill(desk.pointer, "nobody", 0, 1) == POISE_ERROR_UNKNOWN_NAME)
        error = LastError.now
        #expect(error.kind == POISE_PLACE_NONE && error.field == "book" && error.text == "nobody")
    }

    private static func made(_ create: (UnsafeMutablePointer<OpaquePointer?>) -> poise_status) -> poise_status
    {
        var handle: OpaquePointer?
        let status = create(&handle)
        #expect(handle == nil)
        return status
    }

    private static func positions(
        _ books: [String], _ names: [String], _ quantities: [Double],
        _ handle: UnsafeMutablePointer<OpaquePointer?>
    ) -> poise_status {
        withTexts(books) { books in
            withTexts(names) { names in
                quantities.withUnsafeBufferPointer {
                    poise_positions_create(
                        quantities.count, books, names, poise_values(data: $0.baseAddress, stride: 0), handle)
                }
            }
        }
    }

    /// Limits of ±1 on BTC vega.
    private static func limits(
        _ books: [String], _ handle: UnsafeMutablePointer<OpaquePointer?>
    ) -> poise_status {
        withTexts(books) { book in
            withTexts(books.map { _ in "BTC" }) { underlying in
                withPointers([books.map { _ in -1.0 }, books.map { _ in 1.0 }]) { edges in
                    books.map { _ in UInt8(POISE_EXPOSURE_VEGA.rawValue) }.withUnsafeBufferPointer {
                        var columns = poise_limit_columns()
                        columns.size = MemoryLayout<poise_limit_columns>.stride
                        columns.count = books.count
                        columns.book = book
                        columns.underlying = underlying
                        columns.exposure = poise_bytes(data: $0.baseAddress, stride: 0)
                        columns.low = poise_values(data: edges[0], stride: 0)
                        columns.high = poise_values(data: edges[1], stride: 0)
                        return poise_limits_create(&columns, handle)
                    }
                }
            }
        }
    }
}

/// Calls `body` with texts as Arrow has them.
func withTexts<R>(_ texts: [String], _ body: (poise_texts) throws -> R) rethrows -> R {
    let bytes = Array(texts.joined().utf8CString)
    let offsets = texts.reduce(into: [Int64(0)]) { $0.append($0[$0.count - 1] + Int64($1.utf8.count)) }
    return try bytes.withUnsafeBufferPointer { bytes in
        try offsets.withUnsafeBufferPointer { offsets in
            try body(
                poise_texts(
                    strings: nil, bytes: bytes.baseAddress, offsets32: nil, offsets64: offsets.baseAddress))
        }
    }
}
