import VenueProtocol

/// What follows from a desk's state and is asked at every price, by places in `DeskState.contracts`.
struct DeskPlaces {
    /// Contracts that a book holds.
    private(set) var held: [Int] = []
    /// Contracts to hedge with.
    private(set) var candidates: [Int] = []
    private var isHeld: [Bool] = []
    /// Those of `held` whose prices are missing or refused; nil until they are looked for.
    private var withoutFigures: [Int]?
    /// How often each order book has changed.
    private(set) var bookVersions: [Int] = []
    /// How often what is wanted has changed.
    private(set) var version = 0

    /// Makes everything anew.
    mutating func follow(_ state: DeskState, _ places: [String: Int]) {
        isHeld = .init(repeating: false, count: state.contracts.count)
        for holding in state.holdings {
            if let place = places[holding.instrumentName] { isHeld[place] = true }
        }
        held = isHeld.indices.filter { isHeld[$0] }
        while bookVersions.count < state.contracts.count { bookVersions.append(0) }
        candidates = state.contracts.indices.filter { state.contracts[$0].isCandidate }
        withoutFigures = nil
        version += 1
    }

    func isHeld(_ place: Int) -> Bool { place < isHeld.count && isHeld[place] }

    mutating func bookChanged(_ place: Int) { bookVersions[place] += 1 }

    /// A contract's first price has come, or one was refused or taken again.
    mutating func figuresChanged() { withoutFigures = nil }

    mutating func withoutFigures(_ state: DeskState) -> [Int] {
        if let withoutFigures { return withoutFigures }
        let found = held.filter { state.contracts[$0].ticker == nil || state.contracts[$0].refusal != nil }
        withoutFigures = found
        return found
    }
}
