import Checks
import Market
import Poise

/// Self-contained hedges under a margin, one after another.
struct MarginHedgeCases {
    /// The answer to one.
    struct Answer {
        let name: String
        let status: HedgeStatus
        let answer: RequirementAnswer
        /// What the venue's own rule makes of the trades; nil without any.
        let exact: MarginRequirement?
        let objective: Double
        let notes: [String]
    }

    let answers: [Answer]

    init(_ file: MarginCases, _ engine: GreeksEngine, isWarm: Bool, search: HedgeSearch) throws {
        let solver = RequirementSolver()
        solver.search = search
        answers = try file.cases.map { one in
            do {
                guard let (problem, terms) = one.hedgeProblem(),
                    let margin = try one.marginedHedge(engine)
                else {
                    throw MarketError.invalidSetting(
                        one.place, key: "hedge", value: "", reason: "is missing: the case is no hedge")
                }
                let status: HedgeStatus
                do throws(HedgeError) {
                    status = try solver.solve(
                        problem, margin.requirement, terms, start: isWarm ? .warm : .cold)
                } catch {
                    throw HedgeInputError(file: file.file, problem: one.name, error: error)
                }
                let answer = solver.answer
                let cost = answer.hedge.cost.total
                var exact: MarginRequirement?
                if status == .optimal || status == .budget {
                    exact = try margin.exact(after: answer.hedge.trades, paying: cost)
                }
                return Answer(
                    name: one.name, status: status, answer: answer, exact: exact,
                    objective: cost + terms.price * (exact?.initialMargin ?? answer.required),
                    notes: margin.requirement.notes)
            } catch let error as MarginError {
                throw one.refusal(error)
            }
        }
    }

    func write(as format: Format, to output: Output) throws {
        guard format == .json else {
            typealias Column = Report<Answer>.Column
            return try Report(
                columns: [
                    Column("case") { .text($0.name) }, Column("status") { .text($0.status.rawValue) },
                    Column("objective", style: .significant) { Cell($0.objective.ifFinite) },
                    Column("initial margin", style: .significant) { Cell($0.exact?.initialMargin) },
                    Column("headroom", style: .significant) {
                        Cell($0.exact?.initialBalance ?? $0.answer.largestBalance)
                    },
                    Column("price of a unit", style: .significant) { Cell($0.answer.limitPrice) },
                    Column("gap", style: .significant) { Cell($0.answer.gap.ifFinite) },
                ], rows: answers
            ).write(as: format, to: output)
        }
        try output.writeJSON { json in
            json.object { json in
                for answer in answers {
                    json.line(1)
                    json.member(answer.name) { json in
                        json.object { answer.write(to: &$0) }
                    }
                }
                json.line()
            }
        }
    }
}

extension MarginHedgeCases.Answer {
    func write(to json: inout JSONWriter) {
        json.member("status", status.rawValue)
        if let exact {
            json.member("x", answer.hedge.trades)
            json.member("objective", objective)
            json.member("initial_margin", exact.initialMargin)
            json.member("initial_margin_balance", exact.initialBalance)
            json.member("dualMargin", answer.limitPrice)
            json.member("gap", answer.gap.ifFinite)
            json.member("requirement_by_planes", answer.required)
        }
        if let largest = answer.largestBalance {
            json.member("largest_initial_margin_balance", largest)
            json.member("nearest_x", answer.hedge.trades)
        }
        json.member("planes", answer.planesAdded)
        json.member("problems", answer.rounds)
        json.member("notes", notes)
    }
}
