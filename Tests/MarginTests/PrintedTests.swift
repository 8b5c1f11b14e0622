import Greeks
import Margin
import Market
import TestSupport
import Testing

/// Whole answers, beside what they were when somebody last looked at them.
struct PrintedTests {
    @Test("A case of each kind of model has every part, loss, contribution, figure and word that it had")
    func answers() throws {
        let engine = try GreeksEngine()
        var kinds: Set<String> = []
        var lines: [String] = []
        for one in try MarginCases(try Source(path: MarginCaseTests.own)).cases {
            if case .account(let model, _, _, let liquidation) = one.problem,
                !kinds.insert(model.kind + (liquidation == nil ? "" : " liquidation")).inserted
            {
                continue
            }
            lines += Printed.lines(one.name, try one.answer(engine))
        }
        let difference = try Printed.difference(lines.joined(separator: "\n"), from: "answers.txt")
        #expect(difference == nil)
    }

    @Test("A hedge's case says everything that its file says, and what it leaves out is as documented")
    func hedge() throws {
        let text = #"""
            [{"name": "whole", "comment": "", "source": "", "venue": "", "kind": "", "expected": 1, "currency": "USD",
            "model": {"kind": "rates", "initial_rate": 0.5, "maintenance_rate": 0.1, "venue": "", "source": "", "comment": ""},
            "market": {"underlyings": {"X": {"spot": 100}}, "contracts": {
            "P": {"kind": "perpetual", "underlying": "X", "price": 100}, "S": {"kind": "spot", "underlying": "X"}}},
            "cash": 200, "positions": [{"contract": "P", "quantity": 5, "unrealised": 7, "funding": 3}],
            "other_initial": {"orders": 11},
            "collateral": [{"asset": "X", "quantity": 2, "price": 99, "confidence": 0.75, "moves_with_spot": false,
            "maintenance_haircut": 0.125, "initial_haircut": 0.25}],
            "hedge": {"comment": "", "instruments": [
            {"comment": "", "name": "P", "costBuy": 1, "costSell": 2, "maxBuy": 8, "maxSell": 9, "lot": 0.5},
            {"name": "S", "costBuy": 3, "costSell": 4}],
            "bands": [{"comment": "", "label": "delta", "current": 6, "lo": -1, "hi": 4, "hard": false, "penalty": 2,
            "penaltyQuad": 3, "idx": [1, 0], "coef": [1, 2]}, {"label": "open", "current": 0, "idx": [], "coef": []}],
            "initial_margin_at_least": 13, "margin_price": 0.25}}]
            """#
        let one = try MarginCases(Source(name: "hedge", text: text)).cases[0]
        guard case .hedge(let model, let market, let account, let terms) = one.problem else {
            Issue.record("\(one)")
            return
        }
        #expect(model.kind == "rates" && market.contracts.map(\.name) == ["P", "S"])
        #expect(
            account.otherInitial.map(\.name) == ["orders"] && account.otherInitial.map(\.amount) == [11])
        var lines = Printed.lines("terms", terms)
        lines += Printed.lines("collateral", account.collateral)
        lines += Printed.lines("positions", account.positions)
        let difference = try Printed.difference(lines.joined(separator: "\n"), from: "hedge-case.txt")
        #expect(difference == nil)
    }
}
