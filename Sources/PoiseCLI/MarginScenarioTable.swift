import Poise

/// The scenarios of a margin as tables: moves of the price from top to bottom, everything else from left to right.
struct MarginScenarioTable {
    private struct Move: Hashable {
        let move: Double
        let inPart: Bool

        /// `-66% ×` where its profits count in part.
        var title: String {
            ScenarioGrid.percent((move * 1e4).rounded() / 1e4) + (inPart ? " ×" : "")
        }
    }

    private struct Row {
        let title: String
        let profits: [String: Double]
    }

    private let requirement: MarginRequirement
    private let currency: String

    init(_ requirement: MarginRequirement, currency: String) {
        (self.requirement, self.currency) = (requirement, currency)
    }

    func write(to output: Output) throws {
        let losses = requirement.losses
        guard !losses.isEmpty else { return }
        let inPart = losses.contains(where: \.countsInPart)
        try output.write(
            "\n\(currency) gained by scenario, as the rule counts it" + (inPart ? "; × in part\n" : "\n"))
        var names: [String] = []
        for loss in losses where loss.move != nil && !names.contains(loss.underlying) {
            names.append(loss.underlying)
        }
        for name in names {
            try output.write("\n")
            try write(losses.filter { $0.move != nil && $0.underlying == name }, name, to: output)
        }
        let others = losses.filter { $0.move == nil }.map { "\($0.title) \((0 - $0.loss).significant)" }
        if !others.isEmpty { try output.write(others.joined(separator: ", ") + "\n") }
    }

    private func write(_ losses: [MarginRequirement.Loss], _ name: String, to output: Output) throws {
        var profits: [Move: [String: Double]] = [:]
        var titles: [String] = []
        for loss in losses {
            let move = Move(move: loss.move ?? 0, inPart: loss.countsInPart)
            if profits[move]?[loss.besides] == nil {
                profits[move, default: [:]][loss.besides] = 0 - loss.loss
            }
            if !titles.contains(loss.besides) { titles.append(loss.besides) }
        }
        let rows = profits.keys.sorted { ($0.inPart ? 1 : 0, $0.move) < ($1.inPart ? 1 : 0, $1.move) }
            .map { Row(title: $0.title, profits: profits[$0] ?? [:]) }
        typealias Column = Report<Row>.Column
        try Report(
            columns: [Column("move", title: name.isEmpty ? "price" : name) { .text($0.title) }]
                + titles.map { title in
                    Column(title, title: title.isEmpty ? currency : title) { Cell($0.profits[title]) }
                }, rows: rows
        ).writeTable(to: output)
    }
}
