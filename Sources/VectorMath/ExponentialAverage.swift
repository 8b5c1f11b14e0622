/// An average in which what is older counts less, for eight paths: each term takes `weight` and leaves `decay` of what
/// was there.
public struct ExponentialAverage {
    public private(set) var value: Lanes
    private let decay, weight: Lanes

    public init(decay: Double, weight: Double, start: Lanes = .zero) {
        value = start
        self.decay = Lanes(repeating: decay)
        self.weight = Lanes(repeating: weight)
    }

    public mutating func add(_ term: Lanes) { value = value * decay + term * weight }
}
