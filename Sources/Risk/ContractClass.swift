import Market

/// The kind of a contract: it decides how its Greeks become exposures of a book.
enum ContractClass: UInt8, Sendable {
    case inverseOption, linearOption
    /// Dated futures and perpetuals.
    case inverseFuture, linearFuture
    case spot

    init(_ instrument: Instrument) {
        switch (instrument.kind, instrument.settlement) {
        case (.option, .inverse): self = .inverseOption
        case (.option, .linear): self = .linearOption
        case (.spot, _): self = .spot
        case (_, .inverse): self = .inverseFuture
        case (_, .linear): self = .linearFuture
        }
    }

    var isOption: Bool { self == .inverseOption || self == .linearOption }
}
