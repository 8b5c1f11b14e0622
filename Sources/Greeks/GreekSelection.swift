import GreeksKernel

/// Which Greeks a call computes. Resolved before the loop: what is left out costs nothing.
public enum GreekSelection: Sendable, CaseIterable {
    /// The price alone.
    case price
    /// Price, delta, gamma, vega, theta, rho, vanna, volga, charm: what a book is run on.
    case book
    /// All fifteen.
    case all

    /// The Greeks that it computes, in `Greek` order.
    public var greeks: [Greek] { Greek.allCases.filter(contains) }

    /// Whether it computes a Greek.
    public func contains(_ greek: Greek) -> Bool {
        switch (self, greek) {
        case (.all, _), (_, .price): true
        case (.book, .delta), (.book, .gamma), (.book, .vega), (.book, .theta), (.book, .rho),
            (.book, .vanna), (.book, .volga), (.book, .charm):
            true
        default: false
        }
    }
}
