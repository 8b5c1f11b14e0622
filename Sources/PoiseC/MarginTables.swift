import CPoise
import Poise

/// A table of `poise_margin_table`: labels and amounts of its rows.
struct MarginTable: Sendable {
    let count: Int
    /// By `poise_margin_label`, and by `poise_margin_amount`; nil for what the table does not have.
    private let labels: [CStrings?]
    private let amounts: [[Double]?]

    private init(
        count: Int, names: [String]? = nil, titles: [String]? = nil, underlyings: [String]? = nil,
        expiries: [String]? = nil, maintenance: [Double]? = nil, initial: [Double]? = nil,
        amount: [Double]? = nil, quantity: [Double]? = nil
    ) {
        self.count = count
        labels = [names, titles, underlyings, expiries].map { $0.map { CStrings($0) } }
        amounts = [maintenance, initial, amount, quantity]
    }

    /// In the order of `poise_margin_table`.
    static func all(_ found: MarginRequirement) -> [MarginTable] {
        [
            MarginTable(
                count: found.parts.count, names: found.parts.map(\.name),
                maintenance: found.parts.map(\.maintenance), initial: found.parts.map(\.initial)),
            MarginTable(
                count: found.losses.count, names: found.losses.map(\.key), titles: found.losses.map(\.title),
                amount: found.losses.map(\.loss)),
            MarginTable(
                count: found.byExpiry.count, underlyings: found.byExpiry.map(\.underlying),
                expiries: found.byExpiry.map(\.expiry), maintenance: found.byExpiry.map(\.maintenance),
                initial: found.byExpiry.map(\.initial)),
            MarginTable(
                count: found.byContract.count, names: found.byContract.map(\.contract),
                underlyings: found.byContract.map(\.underlying), expiries: found.byContract.map(\.expiry),
                maintenance: found.byContract.map(\.maintenance), initial: found.byContract.map(\.initial),
                quantity: found.byContract.map(\.quantity)),
            MarginTable(
                count: found.figures.count, names: found.figures.map(\.name),
                amount: found.figures.map(\.value)),
            MarginTable(found.vectors), MarginTable(found.contractVectors),
        ]
    }

    private init(_ vectors: [MarginRequirement.Vectors]) {
        var (names, titles, amounts): ([String], [String], [Double]) = ([], [], [])
        for vector in vectors {
            for (title, values) in [("standard", vector.standard), ("extended", vector.extended)] {
                names += values.map { _ in vector.name }
                titles += values.map { _ in title }
                amounts += values
            }
        }
        self.init(count: names.count, names: names, titles: titles, amount: amounts)
    }

    func label(_ row: Int, _ label: poise_margin_label) -> UnsafePointer<CChar>? {
        let place = Int(label.rawValue)
        return labels.indices.contains(place) ? labels[place]?[row] : nil
    }

    /// - Throws: `POISE_ERROR_ARGUMENT` for what the table does not have.
    func amount(_ amount: poise_margin_amount) throws(Failure) -> [Double] {
        let place = Int(amount.rawValue)
        guard amounts.indices.contains(place), let values = amounts[place] else {
            throw .argument("amount", "\(amount.rawValue) is none that the table has")
        }
        return values
    }
}

private func table(_ margin: OpaquePointer?, _ table: poise_margin_table) -> MarginTable? {
    let place = Int(table.rawValue)
    guard let tables = object(margin, as: MarginHandle.self)?.tables, tables.indices.contains(place) else {
        return nil
    }
    return tables[place]
}

@c @implementation
public func poise_margin_count(_ margin: OpaquePointer?, _ which: poise_margin_table) -> Int {
    table(margin, which)?.count ?? 0
}

@c @implementation
public func poise_margin_text(
    _ margin: OpaquePointer?, _ which: poise_margin_table, _ row: Int, _ label: poise_margin_label
) -> UnsafePointer<CChar>? {
    table(margin, which)?.label(row, label)
}

@c @implementation
public func poise_margin_amounts(
    _ margin: OpaquePointer?, _ which: poise_margin_table, _ amount: poise_margin_amount,
    _ column: poise_column
) -> poise_status {
    attempt { () throws(Failure) in
        _ = try object(margin, as: MarginHandle.self, "margin")
        guard let table = table(margin, which) else {
            throw .argument("table", "\(which.rawValue) is no table")
        }
        let values = try table.amount(amount)
        guard !values.isEmpty else { return }
        let target = try Target(column, "column")
        for row in values.indices { target.set(row, values[row]) }
    }
}
