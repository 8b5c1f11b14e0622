import Checks
import Market
import Risk

extension MarginModel {
    /// Reads a model from a file of JSON or, where it has no grid, TOML:
    ///
    ///     {"name": "…", "venue": "…", "source": "…", "date": "2026-03-26", "omitted": ["…"],
    ///      "haircuts": {"ETH": {"maintenance": 0.056, "initial": 0.07}},
    ///      "kind": "scan", …}
    ///
    /// and the parameters of its kind, which `docs/margin.md` lists.
    /// - Throws: `MarketError` with file, line, field and value: without a name, venue, source or date, for a kind that
    ///   is unknown, for fields that are missing, unknown or out of range.
    public init(_ source: Source) throws(MarketError) {
        let settings = try Settings(source)
        settings.ignore("comment")
        var model = try MarginModel(settings, source)
        model.name = try settings.text("name")
        model.venue = try settings.text("venue")
        model.source = try settings.text("source")
        model.date = try settings.day("date")
        model.omitted = try settings.texts("omitted")
        if let table = try settings.table("haircuts") {
            for asset in table.keys {
                let entry = try table.required(asset)
                model.haircuts[asset] = Haircut(
                    maintenance: try entry.number("maintenance", .share),
                    initial: try entry.number("initial", .share),
                    movesWithSpot: entry.has("moves_with_spot")
                        ? try entry.flag("moves_with_spot", default: true) : nil)
            }
        }
        try settings.finish()
        self = model
    }

    /// The rule of a case or of a file. Fields are refused by whoever calls `finish`.
    init(_ settings: Settings, _ source: Source) throws(MarketError) {
        enum Kind: String, CaseIterable {
            case scan, rates
            case deriveStandard = "derive-standard"
            case deribit = "deribit-pm"
            case deribitCross = "deribit-cross"
            case standardOption = "standard-option"
            case span = "span-array"
        }
        switch try settings.word("kind") as Kind {
        case .scan: self.init(.scan(try settings.scanMargin(source)))
        case .deriveStandard: self.init(.deriveStandard(try settings.deriveStandardMargin()))
        case .deribit:
            self.init(
                .deribit(
                    try settings.required("parameters").deribitMargin(
                        maintenance: try settings.number("mm_factor", factor))))
        case .deribitCross: self.init(.deribitCross(try settings.deribitCrossMargin()))
        case .standardOption: self.init(.standardOption(try settings.shortOptionMargin()))
        case .span: self.init(.span(try settings.spanMargin()))
        case .rates: self.init(.rates(try settings.rateMargin()))
        }
    }
}

/// A factor, rate or threshold: at least 0, and no slip of the comma.
private let factor = NumberRule.within(0...1000)

extension Settings {
    /// A day, `2026-03-26`.
    fileprivate func day(_ key: String) throws(MarketError) -> String {
        let text = try text(key)
        let parts = text.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
        guard text.utf8.count == 10, parts.count == 3, let year = parts[0], let month = parts[1],
            let day = parts[2], Day(year: year, month: month, day: day) != nil
        else { throw failure(key, "must be a day, as 2026-03-26") }
        return text
    }

    fileprivate func scanMargin(_ source: Source) throws(MarketError) -> ScanMargin {
        guard let node = node("grid") else { throw missing("grid") }
        guard case .object = node.content, node.end <= source.bytes.count, node.end > node.start else {
            throw failure("grid", node, "must be an object of JSON")
        }
        // The grid's own reader, on its own lines of the file.
        let lines = Array(repeating: UInt8(ascii: "\n"), count: max(0, node.line - 1))
        let part = Source(name: source.name, bytes: lines + Array(source.bytes[node.start..<node.end]))
        let grid: ScenarioGrid
        do throws(MarketError) {
            grid = try ScenarioGrid(part)
        } catch .invalidSetting(let place, let key, let value, let reason) {
            throw .invalidSetting(
                place, key: [path, "grid", key].filter { !$0.isEmpty }.joined(separator: "."), value: value,
                reason: reason)
        } catch {
            throw error
        }
        var scan = ScanMargin(grid)
        scan.isDiscounted = try flag("discounted", default: true)
        if let table = try table("basis") {
            var basis = ScanMargin.Basis(moves: try table.numbers("spot", .above(-1, upTo: 1000)))
            if basis.moves.isEmpty { throw table.missing("spot") }
            basis.added = try table.number("added", factor, default: 0)
            basis.perYear = try table.number("per_year", factor, default: 0)
            scan.basis = basis
        }
        if let table = try table("least_delta") {
            scan.deltaCharge = ScanMargin.DeltaCharge(
                net: try table.number("net", factor), hedged: try table.number("hedged", factor))
        }
        if let table = try table("contingencies") {
            scan.perpetual = try table.contingency("perpetual")
            scan.spot = try table.contingency("spot")
            scan.nakedShort = try table.contingency("naked_short")
        }
        if let table = try table("confidence") {
            scan.confidenceThreshold = try table.number("threshold", .share)
            scan.confidenceFactor = try table.number("factor", factor)
        }
        if let table = try table("factors") {
            scan.maintenanceFactor = try table.number("maintenance", factor)
            scan.initialFactor = try table.number("initial", factor)
            scan.areContingenciesScaled = try table.flag("contingencies_scaled", default: false)
        }
        if let table = try table("peg") {
            scan.pegThreshold = try table.number("threshold", factor)
            scan.pegFactor = try table.number("factor", factor)
        }
        return scan
    }

    private func contingency(_ key: String) throws(MarketError) -> ScanMargin.Contingency {
        guard let table = try table(key) else { return ScanMargin.Contingency() }
        return ScanMargin.Contingency(
            maintenance: try table.number("maintenance", factor, default: 0),
            initial: try table.number("initial", factor, default: 0))
    }

    fileprivate func deriveStandardMargin() throws(MarketError) -> DeriveStandardMargin {
        // Options are undiscounted in this rule; files may say so.
        if try flag("discounted", default: false) {
            throw failure("discounted", "must be false: options are undiscounted in this rule")
        }
        let option = try required("option")
        var margin = DeriveStandardMargin(
            initialRate: try option.number("initial_rate", factor),
            initialLeast: try option.number("initial_least", factor),
            maintenanceCall: try option.number("maintenance_call", factor),
            maintenancePut: try option.number("maintenance_put", factor),
            maintenancePutOfMark: try option.number("maintenance_put_of_mark", factor),
            putInitialOfMaintenance: try option.number("put_initial_of_maintenance", factor),
            unpairedInitial: try option.number("unpaired_initial", factor),
            unpairedMaintenance: try option.number("unpaired_maintenance", factor))
        let perpetual = try required("perpetual")
        margin.perpetualInitial = try perpetual.number("initial", factor)
        margin.perpetualMaintenance = try perpetual.number("maintenance", factor)
        let spot = try required("spot")
        margin.spotMaintenance = try spot.number("maintenance", .share)
        margin.spotInitialScale = try spot.number("initial_scale", .share)
        if let table = try table("confidence") {
            margin.confidenceThreshold = try table.number("threshold", .share)
            margin.confidenceFactor = try table.number("factor", factor)
        }
        if let table = try table("peg") {
            margin.pegThreshold = try table.number("threshold", factor)
            margin.pegFactor = try table.number("factor", factor)
        }
        return margin
    }

    fileprivate func deribitCrossMargin() throws(MarketError) -> DeribitCrossMargin {
        let maintenance = try number("mm_factor", factor)
        let table = try required("units")
        var units: [String: DeribitCrossMargin.Unit] = [:]
        for name in table.keys {
            let own = try table.required(name)
            let assets = try own.texts("assets")
            for asset in assets {
                let isTaken =
                    table.keys.contains(asset) || units.values.contains { $0.assets.contains(asset) }
                if isTaken { throw own.failure("assets", "\(asset) is of another unit") }
            }
            units[name] = DeribitCrossMargin.Unit(
                try own.deribitMargin(maintenance: maintenance), assets: assets)
        }
        guard !units.isEmpty else { throw missing("units") }
        return DeribitCrossMargin(units: units, maintenanceFactor: maintenance)
    }

    fileprivate func deribitMargin(maintenance: Double) throws(MarketError) -> DeribitMargin {
        enum Side: String, CaseIterable { case both, none }
        let table = self
        let power = NumberRule.within(0...10)
        return DeribitMargin(
            priceRange: try table.number("price_range", .between(0, 1)),
            buckets: try table.integer("buckets_count", 1...1000),
            volatilityUp: try table.number("volatility_range_up", factor),
            volatilityDown: try table.number("volatility_range_down", factor),
            leastUpVolatility: try table.number("min_volatility_for_shock_up", factor),
            shortTermPower: try table.number("short_term_vega_power", power),
            longTermPower: try table.number("long_term_vega_power", power),
            extendedFactor: try table.number("extended_table_factor", factor),
            extendedDampener: try table.number("extended_dampener", .notNegative),
            offset: try table.number("pnl_offset", .share),
            countsEquity: try table.word("equity_side_impact") as Side == .both,
            annualisedMoveRisk: try table.number("annualised_move_risk", .within(0...100)),
            leastAnnualisedMove: try table.number("min_annualised_move", factor),
            deltaRate: try table.number("m_inc", factor),
            largestDeltaShock: try table.number("max_delta_shock", factor),
            deltaThreshold: try table.number("delta_total_liq_shock_threshold", .notNegative),
            maintenanceFactor: maintenance)
    }

    fileprivate func shortOptionMargin() throws(MarketError) -> ShortOptionMargin {
        enum Settlement: String, CaseIterable { case coin, quote }
        var fee: ShortOptionMargin.Fee?
        if let table = try table("fee") {
            fee = ShortOptionMargin.Fee(
                rate: try table.number("rate", factor), cap: try table.number("cap", factor))
        }
        return ShortOptionMargin(
            call: try required("call").side(), put: try required("put").side(),
            reference: try word("reference"),
            settlesInCoin: try word("settlement", default: Settlement.quote) == .coin, fee: fee)
    }

    private func side() throws(MarketError) -> ShortOptionMargin.Side {
        enum Premium: String, CaseIterable { case mark, greater }
        var side = ShortOptionMargin.Side(
            initialRate: try number("initial_rate", factor),
            initialLeast: try number("initial_least", factor),
            maintenanceRate: try number("maintenance_rate", factor))
        side.initialLeastOfMark = try number("initial_least_of_mark", factor, default: 0)
        side.maintenanceOfMark = try number("maintenance_of_mark", factor, default: 0)
        side.maintenanceFee = try number("maintenance_fee", factor, default: 0)
        side.takesGreaterPremium = try word("premium", default: Premium.mark) == .greater
        side.isInitialAtLeastMaintenance = try flag("initial_at_least_maintenance", default: false)
        return side
    }

    fileprivate func spanMargin() throws(MarketError) -> SpanMargin {
        var margin = SpanMargin()
        if let table = try table("scan") {
            var scan = SpanMargin.Scan(
                price: try table.number("price", .positive), volatility: try table.number("vol", factor),
                extremeMultiple: try table.number("extreme_multiple", factor),
                extremeCover: try table.number("extreme_cover", .share))
            scan.days = try table.number("days", .within(0...365), default: 0)
            margin.scan = scan
        }
        margin.shortOptionMinimum = try number("short_option_minimum", .notNegative, default: 0)
        margin.initialRatio = try number("initial_ratio", factor, default: 1)
        margin.countsOptionValue = try flag("net_option_value", default: false)
        return margin
    }

    fileprivate func rateMargin() throws(MarketError) -> RateMargin {
        var margin = RateMargin(
            initialRate: try number("initial_rate", factor),
            maintenanceRate: try number("maintenance_rate", factor))
        margin.price = try word("on", default: .now)
        margin.fixedMaintenance = try number("fixed_maintenance", .notNegative, default: 0)
        return margin
    }
}
