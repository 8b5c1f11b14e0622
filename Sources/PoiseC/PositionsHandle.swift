import CPoise
import Poise

/// Behind `poise_positions`.
final class PositionsHandle: Sendable {
    let table: PositionTable

    init(_ table: PositionTable) { self.table = table }

    convenience init(_ source: Source, _ badRows: inout BadRows) throws(MarketError) {
        self.init(try PositionTable(source, &badRows))
    }
}

@c @implementation
public func poise_positions_create(
    _ count: Int, _ book: poise_texts, _ instrument: poise_texts, _ quantity: poise_values,
    _ positions: UnsafeMutablePointer<OpaquePointer?>?
) -> poise_status {
    make(positions, "positions") { () throws(Failure) in
        try checkCount(count)
        var table: [PositionTable.Position] = []
        if count > 0 {
            let books = try TextColumn(book, "book")
            let names = try TextColumn(instrument, "instrument")
            let quantities = try Strided(quantity, "quantity")
            table.reserveCapacity(count)
            var known: [String: Instrument] = [:]
            for row in 0..<count {
                table.append(try position(row, books, names, quantities, &known))
            }
        }
        return PositionsHandle(PositionTable(name: "positions", table))
    }
}

private func position(
    _ row: Int, _ books: TextColumn, _ names: TextColumn, _ quantities: Strided<Double>,
    _ known: inout [String: Instrument]
) throws(Failure) -> PositionTable.Position {
    let book = try books.text(row)
    guard !book.isEmpty else { throw .value(row: row, "book", "", "is empty") }
    return PositionTable.Position(
        book: book, instrument: try instrument(row, names, &known), quantity: try quantity(row, quantities),
        line: row)
}

/// The contract that a row names.
func instrument(
    _ row: Int, _ names: TextColumn, _ known: inout [String: Instrument]
) throws(Failure) -> Instrument {
    let name = try names.text(row)
    if let seen = known[name] { return seen }
    do throws(InstrumentNameError) {
        let named = try Instrument(name: name)
        known[name] = named
        return named
    } catch {
        throw .value(row: row, "instrument", name, error.reason)
    }
}

func quantity(_ row: Int, _ quantities: Strided<Double>) throws(Failure) -> Double {
    let quantity = quantities[row]
    guard NumberRule.finite.accepts(quantity) else {
        throw .value(row: row, "quantity", quantity, NumberRule.finite.complaint)
    }
    return quantity
}

@c @implementation
public func poise_positions_parse(
    _ text: UnsafePointer<CChar>?, _ length: Int, _ name: UnsafePointer<CChar>?,
    _ positions: UnsafeMutablePointer<OpaquePointer?>?
) -> poise_status {
    make(positions, "positions", text, length, name, PositionsHandle.init)
}

@c @implementation
public func poise_positions_read(
    _ path: UnsafePointer<CChar>?, _ positions: UnsafeMutablePointer<OpaquePointer?>?
) -> poise_status {
    make(positions, "positions", path, PositionsHandle.init)
}

@c @implementation
public func poise_positions_free(_ positions: OpaquePointer?) {
    release(positions, as: PositionsHandle.self)
}

@c @implementation
public func poise_positions_count(_ positions: OpaquePointer?) -> Int {
    object(positions, as: PositionsHandle.self)?.table.positions.count ?? 0
}
