import Checks
import Greeks
import Market
import VectorMath

/// Positions of a live desk by group: an `ExposurePlan` to which books, contracts and groups come and go.
///
/// Groups keep their numbers: those of the start are sorted, later ones stand behind them. Legs are summed one by one in
/// the order in which they came, so that sums have the same bits on every machine and do not depend on how the plan came
/// about.
///
/// What a contract says about its groups, labels with those of books left empty, is a template, which contracts share; what a book
/// says about them is a key. A group is where a template and a key meet. The labels of a template that come first, up to expiry
/// and tenor, are its lead: contracts of a slice that is priced anew can only be in groups of their leads.
public struct LivePlan: ~Copyable, Sendable {
    public let groupings: [Grouping]
    /// One label per grouping for each group.
    public private(set) var groups: [[String]] = []
    /// Books in the order in which they came.
    public private(set) var books: [String] = []

    /// How many of the groupings come first that depend on nothing but a contract's slice.
    private let leadingCount: Int
    private var templates: [[GroupLabel]] = []
    private var templateNumbers: [[GroupLabel]: Int] = [:]
    private var keys: [[GroupLabel]] = []
    private var keyNumbers: [[GroupLabel]: Int] = [:]
    private var keyOfBook: [Int] = []
    private var bookNumbers: [String: Int] = [:]
    /// By template and key.
    private var groupTable: [[Int]] = []
    private var labels: [[GroupLabel]] = []
    private var leadNumbers: [[GroupLabel]: Int] = [:]
    private var leadOfTemplate: [Int] = []
    private(set) var groupsOfLead: [[Range<Int>]] = []

    /// Group g holds the legs `offsets[g]` to `offsets[g + 1] − 1`.
    private var offsets = [0]
    private var legRows: [Int32] = []
    private var legQuantities: [Double] = []
    private var legBooks: [Int32] = []
    /// The order in which legs came.
    private var legNumbers: [Int] = []
    private var nextNumber = 0

    public var legCount: Int { legRows.count }

    /// No positions, and groups only where they do not depend on books.
    /// - Parameter groupings: those behind the underlying, which always comes first, then expiry and tenor, so that what
    ///   a slice can change stands together.
    init(by groupings: [Grouping]) {
        leadingCount = Self.leading(groupings).count
        self.groupings = Self.ordered(groupings)
        if !dependsOnBook {
            keys = [[]]
            keyNumbers = [[]: 0]
        }
    }

    private static func leading(_ groupings: [Grouping]) -> [Grouping] {
        [.underlying] + [.expiry, .tenor].filter(groupings.contains)
    }

    /// Groupings in the order that a plan has them in.
    static func ordered(_ groupings: [Grouping]) -> [Grouping] {
        var all = leading(groupings)
        for grouping in groupings where !all.contains(grouping) { all.append(grouping) }
        return all
    }

    /// What a contract says about its groups.
    /// - Parameter ranks: contracts by name, in the order of expiry and strike.
    static func template(
        _ instrument: Instrument, _ groupings: [Grouping], _ buckets: ExposureBuckets, _ ranks: [String: Int]
    ) -> [GroupLabel] {
        groupings.map { grouping in
            switch grouping {
            case .book, .desk: GroupLabel(text: "", rank: 0)
            default: grouping.label(book: "", instrument, buckets, ranks)
            }
        }
    }

    private var dependsOnBook: Bool { groupings.contains(.book) || groupings.contains(.desk) }

    // MARK: Groups

    /// The number of a book, if the plan has it.
    func number(ofBook name: String) -> Int? { bookNumbers[name] }

    /// The number of a book, for which there are groups from now on; `makeGroups` makes them.
    mutating func add(book name: String, desk: String?) -> Int {
        if let known = bookNumbers[name] { return known }
        let key = groupings.compactMap { grouping -> GroupLabel? in
            switch grouping {
            case .book: GroupLabel(text: name, rank: 0)
            case .desk: desk.map { GroupLabel(text: $0, rank: 0) } ?? GroupLabel.none
            default: nil
            }
        }
        let number = books.count
        books.append(name)
        bookNumbers[name] = number
        if keyNumbers[key] == nil {
            keyNumbers[key] = keys.count
            keys.append(key)
        }
        keyOfBook.append(keyNumbers[key] ?? 0)
        return number
    }

    /// The number of a contract's template, for which there are groups from now on; `makeGroups` makes them.
    mutating func add(template: [GroupLabel]) -> Int {
        if let known = templateNumbers[template] { return known }
        let number = templates.count
        templates.append(template)
        templateNumbers[template] = number
        groupTable.append([])
        let lead = Array(template.prefix(leadingCount))
        if leadNumbers[lead] == nil {
            leadNumbers[lead] = groupsOfLead.count
            groupsOfLead.append([])
        }
        leadOfTemplate.append(leadNumbers[lead] ?? 0)
        return number
    }

    /// The number of the labels that come first of a template.
    func lead(ofTemplate template: Int) -> Int { leadOfTemplate[template] }

    func labels(ofTemplate template: Int) -> [GroupLabel] { templates[template] }

    /// Makes the groups of all templates and books that have none yet, sorted among themselves.
    /// - Parameter order: labels of groups that are to come first, in this order.
    mutating func makeGroups(inOrderOf order: [[String]] = []) {
        var new: [(labels: [GroupLabel], template: Int, key: Int)] = []
        for template in templates.indices {
            for key in groupTable[template].count..<max(keys.count, groupTable[template].count) {
                var completed = templates[template]
                var next = 0
                for (place, grouping) in groupings.enumerated() where grouping == .book || grouping == .desk {
                    completed[place] = keys[key][next]
                    next += 1
                }
                new.append((completed, template, key))
            }
        }
        guard !new.isEmpty else { return }
        for template in templates.indices {
            for _ in groupTable[template].count..<max(keys.count, groupTable[template].count) {
                groupTable[template].append(0)
            }
        }
        new.sort { $0.labels.lexicographicallyPrecedes($1.labels) }
        if !order.isEmpty {
            let places = Dictionary(
                order.enumerated().map { ($0.element, $0.offset) }, uniquingKeysWith: { first, _ in first })
            let placed = new.map { (place: places[$0.labels.map(\.text)] ?? .max, group: $0) }
            // Stable where they have no place.
            new = placed.enumerated().sorted {
                ($0.element.place, $0.offset) < ($1.element.place, $1.offset)
            }.map(\.element.group)
        }
        for (labels, template, key) in new {
            let group = groups.count
            groupTable[template][key] = group
            groups.append(labels.map(\.text))
            self.labels.append(labels)
            offsets.append(legRows.count)
            let lead = leadOfTemplate[template]
            if let last = groupsOfLead[lead].last, last.upperBound == group {
                groupsOfLead[lead][groupsOfLead[lead].count - 1] = last.lowerBound..<group + 1
            } else {
                groupsOfLead[lead].append(group..<group + 1)
            }
        }
    }

    /// Groups in the order of their labels, whenever they came.
    /// - Parameter contracts: all that there are.
    package func sorted(_ members: [Int], _ contracts: [Instrument]) -> [Int] {
        guard let place = groupings.firstIndex(of: .instrument) else {
            return members.sorted { labels[$0].lexicographicallyPrecedes(labels[$1]) }
        }
        let ranks = Grouping.ranks(contracts)
        let keys = members.map { group in
            var key = labels[group]
            key[place] = GroupLabel(text: key[place].text, rank: ranks[key[place].text] ?? .max)
            return (group, key)
        }
        return keys.sorted { $0.1.lexicographicallyPrecedes($1.1) }.map(\.0)
    }

    // MARK: Legs

    private func group(_ template: Int, _ book: Int) -> Int { groupTable[template][keyOfBook[book]] }

    private func firstLeg(_ group: Int, _ row: ExposureRow, _ book: Int) -> Int? {
        for leg in offsets[group]..<offsets[group + 1]
        where legRows[leg] == Int32(row.index) && legBooks[leg] == Int32(book) {
            return leg
        }
        return nil
    }

    /// A leg of its own, behind the others of its group.
    mutating func append(_ template: Int, _ row: ExposureRow, book: Int, _ quantity: Double) -> Int {
        let group = group(template, book)
        let place = offsets[group + 1]
        legRows.insert(Int32(row.index), at: place)
        legQuantities.insert(quantity, at: place)
        legBooks.insert(Int32(book), at: place)
        legNumbers.insert(nextNumber, at: place)
        nextNumber += 1
        for later in group + 1..<offsets.count { offsets[later] += 1 }
        return group
    }

    /// Takes legs of a plan that has none.
    mutating func setLegs(_ legs: [(template: Int, row: ExposureRow, book: Int, quantity: Double)]) {
        let groupOfLeg = legs.map { group($0.template, $0.book) }
        offsets = Array(repeating: 0, count: groups.count + 1)
        for group in groupOfLeg { offsets[group + 1] += 1 }
        for group in groups.indices { offsets[group + 1] += offsets[group] }
        var next = offsets
        var order = Array(repeating: 0, count: legs.count)
        for (leg, group) in groupOfLeg.enumerated() {
            order[next[group]] = leg
            next[group] += 1
        }
        legRows = order.map { Int32(legs[$0].row.index) }
        legQuantities = order.map { legs[$0].quantity }
        legBooks = order.map { Int32(legs[$0].book) }
        legNumbers = order
        nextNumber = legs.count
    }

    /// Adds to what a book holds of a contract: in its place, or behind the others of its group.
    /// - Returns: the group that has changed.
    mutating func fill(_ template: Int, _ row: ExposureRow, book: Int, _ quantity: Double) -> Int {
        let group = group(template, book)
        guard let leg = firstLeg(group, row, book) else { return append(template, row, book: book, quantity) }
        legQuantities[leg] += quantity
        return group
    }

    /// Sets what a book holds of a contract, in the place of its first leg; others of the two are gone.
    /// - Returns: the group that has changed.
    mutating func set(_ template: Int, _ row: ExposureRow, book: Int, _ quantity: Double) -> Int {
        let group = group(template, book)
        guard let first = firstLeg(group, row, book) else {
            return append(template, row, book: book, quantity)
        }
        legQuantities[first] = quantity
        var leg = offsets[group + 1] - 1
        while leg > first {
            if legRows[leg] == Int32(row.index), legBooks[leg] == Int32(book) {
                legRows.remove(at: leg)
                legQuantities.remove(at: leg)
                legBooks.remove(at: leg)
                legNumbers.remove(at: leg)
                for later in group + 1..<offsets.count { offsets[later] -= 1 }
            }
            leg -= 1
        }
        return group
    }

    /// What a book holds of a contract.
    func quantity(_ template: Int, _ row: ExposureRow, book: Int) -> Double {
        let group = group(template, book)
        var sum = 0.0
        for leg in offsets[group]..<offsets[group + 1]
        where legRows[leg] == Int32(row.index) && legBooks[leg] == Int32(book) {
            sum += legQuantities[leg]
        }
        return sum
    }

    /// One leg, in the order in which they came.
    struct Leg {
        let number, row, book: Int
        let quantity: Double
    }

    /// All legs, in the order in which they came.
    var legs: [Leg] {
        legRows.indices.map { leg($0) }.sorted { $0.number < $1.number }
    }

    /// The first leg of a row that is not 0.
    func holder(of row: ExposureRow) -> Leg? {
        for leg in legRows.indices where legRows[leg] == Int32(row.index) && legQuantities[leg] != 0 {
            return self.leg(leg)
        }
        return nil
    }

    private func leg(_ place: Int) -> Leg {
        Leg(
            number: legNumbers[place], row: Int(legRows[place]), book: Int(legBooks[place]),
            quantity: legQuantities[place])
    }

    /// Takes out the legs of some rows, in one go.
    /// - Returns: them, in the order in which they came.
    mutating func remove(_ rows: [ExposureRow]) -> [Leg] {
        var isGoing = Array(repeating: false, count: 1 + Int(legRows.max() ?? 0))
        for row in rows where isGoing.indices.contains(row.index) { isGoing[row.index] = true }
        var removed: [Leg] = []
        var kept = 0
        var next = 0
        for group in groups.indices {
            let end = offsets[group + 1]
            offsets[group] = kept
            while next < end {
                if isGoing[Int(legRows[next])] {
                    removed.append(leg(next))
                } else if kept == next {
                    kept += 1
                } else {
                    legRows[kept] = legRows[next]
                    legQuantities[kept] = legQuantities[next]
                    legBooks[kept] = legBooks[next]
                    legNumbers[kept] = legNumbers[next]
                    kept += 1
                }
                next += 1
            }
        }
        offsets[groups.count] = kept
        legRows.removeLast(legRows.count - kept)
        legQuantities.removeLast(legQuantities.count - kept)
        legBooks.removeLast(legBooks.count - kept)
        legNumbers.removeLast(legNumbers.count - kept)
        return removed.sorted { $0.number < $1.number }
    }

    /// Sums the legs of groups, in the order in which they came. Allocates nothing.
    func aggregate(
        _ figures: UnitExposures, groups range: Range<Int>, into exposures: Exposures, _ engine: GreeksEngine
    ) {
        precondition(exposures.count == groups.count, "sizes differ")
        precondition(range.lowerBound >= 0 && range.upperBound <= groups.count, "groups out of range")
        // Rows of legs are those of listed contracts, which the figures have.
        unsafe engine.kernel.sumWeightedRows(
            WeightedRows(
                rows: figures.rows.base, rowOfTerm: legRows.span.start, weights: legQuantities.span.start,
                offsets: offsets.span.start + range.lowerBound, groupCount: range.count),
            into: exposures.rows.base + range.lowerBound * ExposureRows.stride)
    }
}
