import Checks
import Market

/// Books, what they hold, and their cash.
extension LiveRisk {
    /// The positions, in the order in which they came: also those that have come to 0, whose place is kept.
    public var positions: [PositionTable.Position] {
        plan.legs.map { leg in
            PositionTable.Position(
                book: plan.books[leg.book], instrument: contracts[contractOfRow[leg.row]],
                quantity: leg.quantity, line: leg.number)
        }
    }

    /// The book, contract and quantity of each leg, in the order in which they came.
    var legs: [LiveState.Position] {
        plan.legs.map {
            LiveState.Position(book: $0.book, contract: contractOfRow[$0.row], quantity: $0.quantity)
        }
    }

    /// What a book holds of a contract; 0 for books that are not there.
    public func quantity(book: String, contract: Int) -> Double {
        guard let listing = listings[contract], let number = plan.number(ofBook: book) else { return 0 }
        return plan.quantity(listing.template, listing.row, book: number)
    }

    /// A new book, for which there are groups from now on.
    /// - Parameter desk: what `Grouping.desk` has for it.
    /// - Throws: `alreadyThere`; `reservedName` for the label of books without a desk.
    public func addBook(_ name: String, desk: String? = nil) throws(RiskError) {
        guard plan.number(ofBook: name) == nil else { throw .alreadyThere(field: "book", name) }
        if let desk { try RiskError.requireDesk(desk) }
        if let desk { buckets.deskOfBook[name] = desk }
        _ = plan.add(book: name, desk: desk ?? buckets.deskOfBook[name])
        makeGroups()
        layoutVersion += 1
    }

    /// A trade: adds to what a book holds, in its place in the order of the positions, or behind the others. The exposure
    /// of its group is current at once, if nothing else has changed since the last `update`. Allocates where a book trades
    /// a contract that it has not held.
    /// - Throws: `notListed`, `unknownBook`, `invalidValue` for a quantity that is not finite or makes one that is not.
    public func fill(book: String, contract: Int, quantity: Double) throws(RiskError) {
        let (listing, number) = try place(book, contract, quantity)
        let held = plan.quantity(listing.template, listing.row, book: number)
        if !(held + quantity).isFinite {
            try RiskError.require(
                .finite, held + quantity, "quantity", of: "\(book), \(contracts[contract].name)")
        }
        sum(plan.fill(listing.template, listing.row, book: number, quantity))
    }

    /// Sets what a book holds of a contract, whatever it was.
    /// - Throws: as `fill` does.
    public func setPosition(book: String, contract: Int, quantity: Double) throws(RiskError) {
        let (listing, number) = try place(book, contract, quantity)
        sum(plan.set(listing.template, listing.row, book: number, quantity))
    }

    private func place(
        _ book: String, _ contract: Int, _ quantity: Double
    ) throws(RiskError) -> (Listing, Int) {
        guard let listing = listings[contract] else { throw .notListed(contracts[contract].name) }
        if !quantity.isFinite {
            try RiskError.require(.finite, quantity, "quantity", of: "\(book), \(contracts[contract].name)")
        }
        if let number = plan.number(ofBook: book) { return (listing, number) }
        // Books that no group names come by themselves.
        guard !plan.groupings.contains(.book), !plan.groupings.contains(.desk) else {
            throw .unknownBook(book)
        }
        return (listing, plan.add(book: book, desk: nil))
    }

    private func sum(_ group: Int) {
        plan.aggregate(figures, groups: group..<group + 1, into: exposures, engine)
    }

    /// Adds to the cash of a book: what it was paid or has paid out.
    /// - Throws: `unknownBook`, `invalidValue` for an amount that is not finite.
    public func addCash(_ amount: Double, _ currency: String, book: String) throws(RiskError) {
        guard plan.number(ofBook: book) != nil else { throw .unknownBook(book) }
        try RiskError.require(.finite, cash[book, currency] + amount, "cash", of: "\(book), \(currency)")
        cash.add(amount, currency, to: book)
    }
}
