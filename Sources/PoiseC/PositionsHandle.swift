import CPoise
import Poise

/// Behind `poise_positions`.
final class PositionsHandle: Sendable {
    let table: PositionTable

    init(_ table: PositionTable) { self.table = table }
}

@c @implementation
public func poise_positions_create(
    _ count: Int, _ book: poise_texts, _ instrument: poise_texts, _ quantity: poise_values,
    _ positions: UnsafeMutablePointer<OpaquePointer?>?
) -> poise_status {
    attempt { () throws(Failure) in
        let place = try required(positions, "positions")
        place.pointee = nil
        try checkCount(count)
        var table: [PositionTable.Position] = []
        if count > 0 {
            let books = try Texts(book, "book")
            let names = try Texts(instrument, "instrument")
            let quantities = try Strided(quantity, "quantity")
            table.reserveCapacity(count)
            var known: [String: Instrument] = [:]
            for row in 0..<count {
                table.append(try position(row, books, names, quantities, &known))
            }
        }
        handOut(PositionsHandle(PositionTable(name: "positions", table)), place)
    }
}

private func position(
    _ row: Int, _ books: Texts, _ names: Texts, _ quantities: Strided<Double>,
    _ known: inout [String: Instrument]
) throws(Failure) -> PositionTable.Position {
    func invalid(_ field: String, _ value: Double, _ reason: String) -> Failure {
        Failure(
            status: POISE_ERROR_VALUE, message: "row \(row): \(field): \(reason)", row: Int64(row),
            field: field, value: value)
    }
    let book = try books.text(row)
    guard !book.isEmpty else { throw invalid("book", .nan, "is empty") }
    let name = try names.text(row)
    let held: Instrument
    if let seen = known[name] {
        held = seen
    } else {
        do throws(InstrumentNameError) {
            held = try Instrument(name: name)
        } catch {
            throw invalid("instrument", .nan, "\"\(name)\": \(error)")
        }
        known[name] = held
    }
    let quantity = quantities[row]
    guard quantity.isFinite else { throw invalid("quantity", quantity, "\(quantity) is not finite") }
    return PositionTable.Position(book: book, instrument: held, quantity: quantity, line: row)
}

@c @implementation
public func poise_positions_parse(
    _ text: UnsafePointer<CChar>?, _ length: Int, _ name: UnsafePointer<CChar>?,
    _ positions: UnsafeMutablePointer<OpaquePointer?>?
) -> poise_status {
    attempt { () throws(Failure) in
        let place = try required(positions, "positions")
        place.pointee = nil
        let source = try Source(text, length, name, default: "positions")
        let table = try reading { badRows throws(MarketError) in try PositionTable(source, &badRows) }
        handOut(PositionsHandle(table), place)
    }
}

@c @implementation
public func poise_positions_read(
    _ path: UnsafePointer<CChar>?, _ positions: UnsafeMutablePointer<OpaquePointer?>?
) -> poise_status {
    attempt { () throws(Failure) in
        let place = try required(positions, "positions")
        place.pointee = nil
        let source = try Source(reading: path)
        let table = try reading { badRows throws(MarketError) in try PositionTable(source, &badRows) }
        handOut(PositionsHandle(table), place)
    }
}

@c @implementation
public func poise_positions_free(_ positions: OpaquePointer?) {
    takeBack(positions, as: PositionsHandle.self)
}

@c @implementation
public func poise_positions_count(_ positions: OpaquePointer?) -> Int {
    object(positions, as: PositionsHandle.self)?.table.positions.count ?? 0
}
