/// Open nodes of a search, lowest bound first, and nodes to use again.
struct OpenNodes {
    private var heap: [SearchNode] = []
    private var spare: [SearchNode] = []

    /// The lowest bound; infinite where nothing is open.
    var lowestBound: Double { heap.first?.bound ?? .infinity }

    mutating func push(_ node: SearchNode) {
        heap.append(node)
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            if heap[parent].bound <= heap[child].bound { break }
            heap.swapAt(parent, child)
            child = parent
        }
    }

    mutating func pop() -> SearchNode? {
        guard let top = heap.first else { return nil }
        let last = heap.removeLast()
        if !heap.isEmpty {
            heap[0] = last
            var parent = 0
            while true {
                var child = 2 * parent + 1
                guard child < heap.count else { break }
                if child + 1 < heap.count, heap[child + 1].bound < heap[child].bound { child += 1 }
                if heap[parent].bound <= heap[child].bound { break }
                heap.swapAt(parent, child)
                parent = child
            }
        }
        return top
    }

    /// A node to fill.
    mutating func fresh(_ scaled: ScaledProblem) -> SearchNode { spare.popLast() ?? SearchNode(scaled) }

    mutating func discard(_ node: SearchNode) { spare.append(node) }

    mutating func discardAll() {
        spare += heap
        heap.removeAll(keepingCapacity: true)
    }
}

/// A box of trades.
final class SearchNode {
    let lower, upper: Vector
    /// Whether an instrument's fixed cost is paid whatever the amount.
    let isPaid: SolverVector<Bool>
    /// Of the relaxation above or, once solved, its own.
    let guess: ActiveSet.Guess
    var bound = -Double.infinity
    /// The branch that led here: instrument, amount cut off, and whether upwards.
    var branched = -1
    var cut = 0.0
    var isUp = false
    var boundAbove = 0.0

    init(_ scaled: ScaledProblem) {
        lower = Vector(scaled.count)
        upper = Vector(scaled.count)
        isPaid = SolverVector(repeating: false, count: scaled.count)
        guess = ActiveSet.Guess(scaled)
    }
}
