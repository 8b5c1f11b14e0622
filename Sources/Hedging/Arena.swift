/// One block of doubles from which a solver takes all its vectors, so that nothing is allocated while it runs.
final class Arena {
    private let base: UnsafeMutablePointer<Double>
    private let capacity: Int
    private var used = 0

    init(capacity: Int) {
        self.capacity = capacity
        base = UnsafeMutableRawPointer.allocate(byteCount: max(capacity, 1) * 8, alignment: 64)
            .bindMemory(to: Double.self, capacity: max(capacity, 1))
        base.initialize(repeating: 0, count: max(capacity, 1))
    }

    deinit { UnsafeMutableRawPointer(base).deallocate() }

    /// The bytes that `take(count)` uses up.
    static func room(_ count: Int) -> Int { (count + 7) / 8 * 8 }

    /// The next `count` doubles, all 0, on a cache line.
    func take(_ count: Int) -> UnsafeMutablePointer<Double> {
        precondition(used + Self.room(count) <= capacity, "arena too small")
        defer { used += Self.room(count) }
        return base + used
    }
}
