/// A node of a search with what nothing below it costs less than.
protocol BoundedNode {
    var bound: Double { get }
}

/// What a search has still to look at, lowest bound first.
struct BoundQueue<Node: BoundedNode> {
    private var heap: [Node] = []

    /// Infinite where nothing is open.
    var lowestBound: Double { heap.first?.bound ?? .infinity }

    mutating func push(_ node: Node) {
        heap.append(node)
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            if heap[parent].bound <= heap[child].bound { break }
            heap.swapAt(parent, child)
            child = parent
        }
    }

    mutating func pop() -> Node? {
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

    /// Moves all of them to an array.
    mutating func drain(into nodes: inout [Node]) {
        nodes += heap
        heap.removeAll(keepingCapacity: true)
    }
}

/// Open nodes of branch and bound, and nodes to use again.
struct OpenNodes {
    private var queue = BoundQueue<SearchNode>()
    private var spare: [SearchNode] = []

    /// The lowest bound; infinite where nothing is open.
    var lowestBound: Double { queue.lowestBound }

    mutating func push(_ node: SearchNode) { queue.push(node) }

    mutating func pop() -> SearchNode? { queue.pop() }

    /// A node to fill.
    mutating func fresh(_ scaled: ScaledProblem) -> SearchNode { spare.popLast() ?? SearchNode(scaled) }

    mutating func discard(_ node: SearchNode) { spare.append(node) }

    mutating func discardAll() { queue.drain(into: &spare) }
}

/// A box of trades.
final class SearchNode: BoundedNode {
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
