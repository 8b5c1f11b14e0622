import Checks
import Market

/// Instruments of a hedge whose lots no list of instruments states.
public struct AmountNotes: Sendable, Equatable {
    /// By what is traded alike, such as `BTC_USDC perpetual`: the step that is assumed.
    public private(set) var assumed: [(kind: String, step: Double)] = []
    /// Of these any amount is traded.
    public private(set) var unknown: [String] = []

    mutating func add(_ instrument: Instrument, _ found: (amount: TradedAmount, isListed: Bool)?) {
        let pair =
            instrument.settlement == .inverse ? instrument.base : "\(instrument.base)_\(instrument.quote)"
        let kind = "\(pair) \(VenueCosts.Class(instrument).rawValue)"
        guard let found else {
            if !unknown.contains(kind) { unknown.append(kind) }
            return
        }
        if !found.isListed, !assumed.contains(where: { $0.kind == kind }) {
            assumed.append((kind, found.amount.step))
        }
    }

    public var isEmpty: Bool { assumed.isEmpty && unknown.isEmpty }

    public static func == (a: AmountNotes, b: AmountNotes) -> Bool {
        a.unknown == b.unknown && a.assumed.elementsEqual(b.assumed, by: ==)
    }
}

extension AmountNotes: CustomStringConvertible {
    /// Two sentences at most.
    public var description: String {
        var sentences: [String] = []
        if !assumed.isEmpty {
            let kinds = assumed.map { "\($0.kind) \($0.step.shown)" }.joined(separator: ", ")
            sentences.append("lots assumed, for lack of a list of instruments: \(kinds)")
        }
        if !unknown.isEmpty {
            sentences.append("lots unknown, traded in any amount: \(unknown.joined(separator: ", "))")
        }
        return sentences.joined(separator: "; ")
    }
}
