import Foundation
import Greeks
import Margin
import Market
import TestSupport
import Testing

/// Cases whose figures were made elsewhere: by `scripts/generate-margin`, or by the venues.
struct MarginCaseTests {
    static let engine = try? GreeksEngine()
    static let own = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Fixtures/cases.json").path
    static let shared = [
        "cases-derive-pmrm2-dev", "cases-derive-pmrm1-dev", "cases-derive-standard-dev", "auctions-dev",
        "deribit-vectors", "standard-short-option", "span-array", "generated-dev", "liquidation-price",
    ].map { "margin/\($0).json" }

    @Test(
        "Accounts of every kind of model get what a second implementation by other arithmetic makes of them")
    func ownCases() throws {
        let count = try check(Self.own, tolerance: 1e-12)
        #expect(count == 39)
    }

    @Test(
        "Published and recorded figures of venues come out",
        .enabled(if: SharedData.has(shared), "needs the venues' cases"), arguments: shared)
    func venues(_ file: String) throws {
        // Totals of a reply are rounded to nine decimals.
        let tolerance = file.contains("deribit-vectors") ? 5e-9 : 1e-12
        // Two rows of one contract are margined apart there; what it is about is asked below.
        let count = try check(
            SharedData.path(file), tolerance: tolerance, without: ["liquidation-standard-option-10"])
        #expect(count > 1)
    }

    @Test(
        "Short options of which long ones of the same contract are held are netted: apart they give the other prices",
        .enabled(if: SharedData.has(["margin/liquidation-price.json"]), "needs the venues' cases"))
    func nettedRows() throws {
        let text = try String(
            contentsOfFile: SharedData.path("margin/liquidation-price.json"), encoding: .utf8)
        let all = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]])
        var one = try #require(all.first { $0["name"] as? String == "liquidation-standard-option-10" })
        var market = try #require(one["market"] as? [String: Any])
        var contracts = try #require(market["contracts"] as? [String: Any])
        var positions = try #require(one["positions"] as? [[String: Any]])
        let last = try #require(positions.last?["contract"] as? String)
        contracts["twin"] = contracts[last]
        positions[positions.count - 1]["contract"] = "twin"
        market["contracts"] = contracts
        one["market"] = market
        one["positions"] = positions
        let data = try JSONSerialization.data(withJSONObject: [one])
        let cases = try MarginCases(Source(name: "twin", bytes: Array(data)))
        guard case .account(_, let prices?) = try cases.cases[0].answer(try #require(Self.engine)) else {
            Issue.record("no prices")
            return
        }
        let expected = try #require((one["expected"] as? [String: Any])?["liquidation_prices"] as? [Double])
        #expect(prices.count == expected.count)
        for (price, other) in zip(prices, expected) { #expect(abs(price / other - 1) < 1e-10) }
    }

    @Test("Figures are the same bits on AVX2 and on AVX-512")
    func instructionSets() throws {
        guard let narrow = try? GreeksEngine(.avx2), let wide = try? GreeksEngine(.avx512) else { return }
        for one in try MarginCases(try Source(path: Self.own)).cases {
            guard case .account(let a, let pricesA) = try one.answer(narrow),
                case .account(let b, let pricesB) = try one.answer(wide)
            else { continue }
            #expect(a.initialMargin == b.initialMargin && a.maintenanceMargin == b.maintenanceMargin)
            #expect(a.losses == b.losses && pricesA == pricesB)
        }
    }

    @Test(
        "The parts add up to the requirement, and what contracts and expiries add to the worst scenario's part"
    )
    func parts() throws {
        for one in try MarginCases(try Source(path: Self.own)).cases {
            guard case .account(let margin, _) = try one.answer(try #require(Self.engine)) else { continue }
            let size = max(margin.initialMargin.magnitude, margin.markToMarket.magnitude, 1e-9)
            for (sum, whole) in [
                (margin.parts.reduce(0) { $0 + $1.maintenance }, margin.maintenanceMargin),
                (margin.parts.reduce(0) { $0 + $1.initial }, margin.initialMargin),
            ] { #expect(abs(sum - whole) < 1e-12 * size, "\(one.name)") }
            guard one.name.hasPrefix("scan") || one.name.hasPrefix("deribit"),
                let first = margin.parts.first, first.name == "worst scenario", let worst = margin.worst,
                margin.losses[worst].key != "basis", !margin.byContract.isEmpty
            else { continue }
            let loss = max(margin.losses[worst].loss, margin.losses.map(\.loss).max() ?? 0)
            let linear = one.name.hasPrefix("deribit") ? 0 : collateralLoss(one, worst)
            let sum = margin.byContract.reduce(0) { $0 + $1.initial } / (first.initial / loss)
            #expect(abs(sum + linear - loss) < 1e-9 * size, "\(one.name): \(sum) + \(linear), not \(loss)")
        }
    }

    /// What collateral loses in a scenario of a grid.
    private func collateralLoss(_ one: MarginCases.Case, _ worst: Int) -> Double {
        guard case .account(let model, let market, let account, _) = one.problem,
            case .scan(let scan) = model.rule
        else { return 0 }
        let scenario = scan.grid.scenarios[worst]
        return account.collateral.filter(\.movesWithSpot).reduce(0) {
            $0 - $1.quantity * $1.price / market.stablePrice * scenario.spot * scenario.dampening
        }
    }

    // MARK: Comparison

    private static let figures = [
        "initial_margin", "maintenance_margin", "initial_margin_balance", "maintenance_margin_balance",
        "mark_to_market", "worst_loss", "roll_shock", "delta_shock",
    ]

    /// Compares the answers to a file with what stands beside the cases, in units of each case's size.
    private func check(_ path: String, tolerance: Double, without left: Set<String> = []) throws -> Int {
        let source = try Source(path: path)
        let cases = try MarginCases(source)
        let expected = try #require(
            try JSONSerialization.jsonObject(with: Data(source.bytes)) as? [[String: Any]])
        for (one, item) in zip(cases.cases, expected) where !left.contains(one.name) {
            switch try one.answer(try #require(Self.engine)) {
            case .account(let margin, let prices):
                compare(margin, prices, item, one, tolerance)
            case .auction(let steps):
                let bids = try #require((item["auction"] as? [String: Any])?["steps"] as? [[String: Any]])
                #expect(steps.count == bids.count)
                for (step, bid) in zip(steps, bids) { compare(step, bid, "\(one.name)") }
            }
        }
        return cases.cases.count
    }

    private func compare(
        _ margin: MarginRequirement, _ prices: [Double]?, _ item: [String: Any], _ one: MarginCases.Case,
        _ tolerance: Double
    ) {
        guard let wanted = item["expected"] as? [String: Any] else { return }
        var have = [
            "initial_margin": margin.initialMargin, "maintenance_margin": margin.maintenanceMargin,
            "initial_margin_balance": margin.initialBalance,
            "maintenance_margin_balance": margin.maintenanceBalance, "mark_to_market": margin.markToMarket,
        ]
        for (name, value) in margin.figures { have[name] = value }
        if wanted["truncated"] as? Bool == true {
            for name in ["initial_margin_balance", "maintenance_margin_balance"] {
                let value = have[name] ?? .nan
                let cut = (value + (value < 0 ? -1e-9 : 1e-9)).rounded(.towardZero)
                #expect(cut == wanted[name] as? Double, "\(one.name) \(name) \(value)")
            }
            return
        }
        let losses = wanted["scenario_losses"] as? [String: Double] ?? [:]
        let size = max(
            1e-6, Self.figures.compactMap { (wanted[$0] as? Double)?.magnitude }.max() ?? 0,
            losses.values.max() ?? 0)
        for name in Self.figures {
            guard let want = wanted[name] as? Double else { continue }
            let error = abs((have[name] ?? .nan) - want) / size
            #expect(error <= tolerance, "\(one.name) \(name): \(have[name] ?? .nan), not \(want)")
        }
        for loss in margin.losses {
            guard let want = losses[loss.key] else { continue }
            #expect(abs(loss.loss - want) <= 1e-12 * size, "\(one.name) scenario \(loss.key)")
        }
        #expect(losses.isEmpty || Set(losses.keys).subtracting(margin.losses.map(\.key)).isEmpty)
        guard let want = wanted["liquidation_prices"] as? [Double] else { return }
        #expect(prices?.count == want.count, "\(one.name): \(prices ?? []), not \(want)")
        for (price, other) in zip(prices ?? [], want) {
            #expect(abs(price / other - 1) < 1e-10, "\(one.name): \(price), not \(other)")
        }
    }

    private func compare(_ step: LiquidationAuction.Step, _ bid: [String: Any], _ name: String) {
        let have = [
            "buffer_margin_balance": step.bufferBalance, "largest_share": step.largestShare,
            "share": step.share, "bid": step.bid ?? .nan, "payout": step.payout ?? .nan,
            "mark_to_market_after": step.markToMarketAfter,
            "maintenance_margin_balance_after": step.maintenanceBalanceAfter,
        ]
        let size =
            [bid["mark_to_market"], bid["maintenance_margin_balance"]]
            .compactMap { ($0 as? Double)?.magnitude }.max() ?? 1
        for (key, want) in bid["expected"] as? [String: Double] ?? [:] {
            let scale = key.contains("share") ? 1 : size
            #expect(abs((have[key] ?? .nan) - want) <= 1e-12 * scale, "\(name) \(key)")
        }
    }
}
