import Greeks
import Risk

/// A scenario margin in whole numbers, for accounts in which a unit must not depend on the machine.
///
/// Money, quantities and values are counted in 10⁻⁸, shares and rates in 10⁻¹²; every product is rounded once, to the
/// nearest unit, halves away from 0. What comes in as a double (quantities, the kernel's values of a contract in each
/// scenario, rates) is rounded in the same way first; from there on nothing is floating. The steps and their order are
/// those of `transcript`, and `scripts/check-margin-transcript` computes them anew.
///
/// No step overflows 128 bits: inputs are refused above 10⁹ (10¹⁷ units), sums of at most 10⁴ products of two stay below
/// 10³⁸, sums of money are refused above 10¹⁶ (10²⁴ units) and shares above 10 (10¹³ units), so that a share of money
/// stays below 10³⁷; 2¹²⁷ is 1.7·10³⁸.
public struct ExactMargin: Sendable {
    /// Units of money.
    public let initialMargin, maintenanceMargin, markToMarket: Int128
    /// By the keys of `MarginRequirement.losses`; the least delta charge has none.
    public let losses: [(key: String, loss: Int128)]
    /// Inputs, steps and results as JSON.
    public let transcript: String

    public static let moneyDecimals = 8
    public static let shareDecimals = 12

    static let money: Int128 = 100_000_000
    static let share: Int128 = 1_000_000_000_000

    /// a·b over a unit, to the nearest, halves away from 0.
    static func product(_ a: Int128, _ b: Int128, _ unit: Int128) -> Int128 {
        rounded(a * b, unit)
    }

    static func rounded(_ sum: Int128, _ unit: Int128) -> Int128 {
        let half = unit / 2
        return sum < 0 ? -((half - sum) / unit) : (sum + half) / unit
    }

    /// A double in units.
    static func units(
        _ value: Double, _ unit: Int128, _ largest: Double, _ field: String, _ name: String
    ) throws(MarginError) -> Int128 {
        guard value.magnitude <= largest else {
            throw MarginError(
                .name(name), field: field, value: value.shown,
                reason: "is more than whole numbers are proved for, \(largest.shown)")
        }
        return Int128((value * Double(unit)).rounded(.toNearestOrAwayFromZero))
    }
}

extension MarginModel {
    /// The margin of an account in whole numbers.
    /// - Throws: a model that is no scan; numbers beyond those for which no step overflows; what `requirement` throws.
    public func exactMargin(
        of account: CrossMarginAccount, in market: MarginMarket, _ engine: GreeksEngine
    ) throws(MarginError) -> ExactMargin {
        try market.validate()
        try account.validate()
        try refuseEntries(of: account)
        guard case .scan(let scan) = rule else {
            throw MarginError(
                .name(name), field: "kind", value: kind, reason: "only scans are computed in whole numbers")
        }
        var steps = try ExactScan(scan, account, market, engine)
        return try steps.run(name)
    }
}

/// The steps of a scan in whole numbers.
private struct ExactScan {
    struct Row {
        let name: String
        let quantity, now: Int128
        let shocked, basis: [Int128]
        let delta: Int128
        let expiry: Int
        let strike: Double
    }
    struct Expiry {
        let name: String
        let shares: [(long: Int128, short: Int128)]
        let basisFactor, confidence: Int128
    }
    struct Linear {
        let name: String
        let isCoin: Bool
        let quantity, price: Int128
    }
    struct Piece {
        let asset: String
        let worth, maintenance, initial, confidence: Int128
        let moves: Bool
    }
    struct Scenario {
        let title: String
        let move, dampening: Int128
        let isAbsolute: Bool
    }

    let scan: ScanMargin
    let rows: [Row]
    let expiries: [Expiry]
    let linear: [Linear]
    let pieces: [Piece]
    let scenarios: [Scenario]
    let basisCount: Int
    let spot, cash, confidence: Int128
    private var json = ""

    init(
        _ scan: ScanMargin, _ account: CrossMarginAccount, _ market: MarginMarket, _ engine: GreeksEngine
    ) throws(MarginError) {
        self.scan = scan
        let still = try scan.still(account, market)
        func money(_ value: Double, _ field: String, _ name: String) throws(MarginError) -> Int128 {
            try ExactMargin.units(value, ExactMargin.money, 1e9, field, name)
        }
        func share(_ value: Double, _ field: String, _ name: String) throws(MarginError) -> Int128 {
            try ExactMargin.units(value, ExactMargin.share, 10, field, name)
        }
        spot = try money(still.underlying?.spot ?? 0, "spot", "market")
        cash = try money(account.cash + account.unsettled, "cash", "account")
        let legs = try OptionLegs(
            market, account.held(.option, in: market), discounted: scan.isDiscounted, for: ScanMargin.model)
        guard legs.count <= 10_000 else {
            throw MarginError(
                .name("account"), field: "positions", value: "\(legs.count)",
                reason: "are more than whole numbers are proved for, 10000")
        }
        let values = legs.values(engine)
        let deltas = scan.deltaCharge == nil ? [] : legs.deltas(engine)
        let gains = try legs.gains(ScenarioRevaluation(scan.grid, engine: engine, pricedOff: .future))
        var basisGains: ScenarioMatrix?
        if let basis = scan.basis {
            basisGains = try legs.gains(
                ScenarioRevaluation(try scan.basisGrid(basis), engine: engine, pricedOff: .future))
        }
        basisCount = scan.basis?.moves.count ?? 0
        var rows: [Row] = []
        for leg in 0..<legs.count {
            let contract = market.contracts[legs.contracts[leg]]
            var (shocked, basis): ([Int128], [Int128]) = ([], [])
            for scenario in 0..<scan.grid.count {
                shocked.append(try money(values[leg] + gains[leg, scenario], "value", contract.name))
            }
            for move in 0..<basisCount {
                basis.append(try money(values[leg] + (basisGains?[leg, move] ?? 0), "value", contract.name))
            }
            rows.append(
                Row(
                    name: contract.name,
                    quantity: try money(account.quantities[legs.contracts[leg]], "quantity", contract.name),
                    now: try money(values[leg], "value", contract.name), shocked: shocked, basis: basis,
                    delta: deltas.isEmpty ? 0 : try share(deltas[leg], "delta", contract.name),
                    expiry: legs.groups[leg], strike: contract.strike ?? 0))
        }
        self.rows = rows
        var expiries: [Expiry] = []
        for place in legs.expiries {
            let expiry = market.underlyings[place.underlying].expiries[place.expiry]
            var shares: [(long: Int128, short: Int128)] = []
            for scenario in scan.grid.scenarios {
                let own =
                    scan.grid.haircut?.shares(years: expiry.years, rate: expiry.rate, in: scenario)
                    ?? (long: 1, short: 1)
                shares.append(
                    (
                        long: try share(own.long, "haircut", expiry.name),
                        short: try share(own.short, "haircut", expiry.name)
                    ))
            }
            let least = min(
                min(still.confidence, expiry.forwardConfidence),
                min(expiry.rateConfidence, expiry.volatilityConfidence))
            let factor = (scan.basis?.added ?? 0) + (scan.basis?.perYear ?? 0) * expiry.years
            expiries.append(
                Expiry(
                    name: expiry.name, shares: shares, basisFactor: try share(factor, "basis", expiry.name),
                    confidence: try share(scan.extra(least, 1), "confidence", expiry.name)))
        }
        self.expiries = expiries
        var linear: [Linear] = []
        for place in account.held where market.contracts[place].kind != .option {
            let contract = market.contracts[place]
            var price = try market.price(of: contract, for: ScanMargin.model)
            if contract.kind == .spot { price = (still.underlying?.spot ?? 0) / market.stablePrice }
            linear.append(
                Linear(
                    name: contract.name, isCoin: contract.kind == .spot,
                    quantity: try money(account.quantities[place], "quantity", contract.name),
                    price: try money(price, "price", contract.name)))
        }
        self.linear = linear
        confidence = try share(scan.extra(still.confidence, 1), "confidence", "account")
        var pieces: [Piece] = []
        for piece in account.collateral {
            pieces.append(
                Piece(
                    asset: piece.asset,
                    worth: try money(
                        piece.quantity * piece.price / market.stablePrice, "worth", piece.asset),
                    maintenance: try share(piece.maintenanceHaircut, "maintenance_haircut", piece.asset),
                    initial: try share(piece.initialHaircut, "initial_haircut", piece.asset),
                    confidence: try share(
                        scan.extra(min(still.underlying?.confidence ?? 1, piece.confidence), 1), "confidence",
                        piece.asset), moves: piece.movesWithSpot))
        }
        self.pieces = pieces
        var scenarios: [Scenario] = []
        for (number, scenario) in scan.grid.scenarios.enumerated() {
            scenarios.append(
                Scenario(
                    title: scan.grid.title(number), move: try share(scenario.spot, "spot", "scenario"),
                    dampening: try share(scenario.dampening, "dampening", "scenario"),
                    isAbsolute: scenario.expiryLoss == .absolute))
        }
        self.scenarios = scenarios
        up = try share(scan.initialFactor(at: market.stablePrice), "factors.initial", "model")
        down = try share(scan.maintenanceFactor, "factors.maintenance", "model")
        var rates: [(String, Int128, Int128)] = []
        for (name, rate) in [
            ("perpetual", scan.perpetual), ("spot", scan.spot), ("naked_short", scan.nakedShort),
        ] {
            rates.append(
                (name, try share(rate.maintenance, name, "model"), try share(rate.initial, name, "model")))
        }
        self.rates = rates
        net = try share(scan.deltaCharge?.net ?? 0, "delta_charge.net", "model")
        hedged = try share(scan.deltaCharge?.hedged ?? 0, "delta_charge.hedged", "model")
    }

    let up, down, net, hedged: Int128
    let rates: [(name: String, maintenance: Int128, initial: Int128)]

    // MARK: Steps

    /// A sum of money, refused where a share of it might overflow.
    private func checked(_ sum: Int128, _ name: String) throws(MarginError) -> Int128 {
        guard sum.magnitude <= 1_000_000_000_000_000_000_000_000 else {
            throw MarginError(
                .name(name), field: "amount", value: "\(sum)",
                reason: "is more than whole numbers are proved for, 10^16")
        }
        return sum
    }

    private func sum(
        _ expiry: Int, _ figure: (Row) -> Int128
    ) throws(MarginError) -> Int128 {
        var total: Int128 = 0
        for row in rows where row.expiry == expiry { total += row.quantity * figure(row) }
        return try checked(ExactMargin.rounded(total, ExactMargin.money), expiries[expiry].name)
    }

    private func part(_ amount: Int128, _ share: Int128) -> Int128 {
        ExactMargin.product(amount, share, ExactMargin.share)
    }

    private func dollars(_ coins: Int128, _ price: Int128) throws(MarginError) -> Int128 {
        guard coins.magnitude <= 100_000_000_000_000_000_000 else {
            throw MarginError(
                .name("account"), field: "quantity", value: "\(coins)",
                reason: "is more than whole numbers are proved for, 10^12")
        }
        return try checked(ExactMargin.product(coins, price, ExactMargin.money), "account")
    }

    mutating func run(_ model: String) throws(MarginError) -> ExactMargin {
        var now: [Int128] = []
        for expiry in expiries.indices { now.append(try sum(expiry) { $0.now }) }
        var moving: Int128 = 0
        var worth = cash
        for one in linear {
            let value = try dollars(one.quantity, one.price)
            moving += value
            if one.isCoin { worth += value }
        }
        for piece in pieces {
            worth += piece.worth
            if piece.moves { moving += piece.worth }
        }
        moving = try checked(moving, "account")
        var losses: [(key: String, loss: Int128)] = []
        for (number, scenario) in scenarios.enumerated() {
            var profit = part(moving, scenario.move)
            for expiry in expiries.indices {
                let shocked = try sum(expiry) { $0.shocked[number] }
                let shares = expiries[expiry].shares[number]
                let gain = part(shocked, shocked > 0 ? shares.long : shares.short) - now[expiry]
                profit += scenario.isAbsolute && gain > 0 ? -gain : gain
            }
            losses.append(("\(number)", -part(try checked(profit, "scenario \(number)"), scenario.dampening)))
        }
        if basisCount > 0 {
            var basis: Int128 = 0
            for expiry in expiries.indices {
                var least: Int128 = 0
                for move in 0..<basisCount {
                    least = min(least, try sum(expiry) { $0.basis[move] } - now[expiry])
                }
                basis += part(try checked(least, "basis"), expiries[expiry].basisFactor)
            }
            losses.append(("basis", -basis))
        }
        var largest = losses.map(\.loss).max() ?? 0
        let charge = try deltaCharge()
        if scan.deltaCharge != nil { largest = max(largest, charge) }
        largest = try checked(largest, "worst loss")
        let (maintenance, initial, extra) = try contingencies()
        let scaled = scan.areContingenciesScaled
        let ofMaintenance = part(largest, down) + (scaled ? part(maintenance, down) : maintenance)
        let ofInitial =
            part(largest, up) + (scaled ? part(maintenance + initial, up) : maintenance + initial) + extra
        for value in now { worth += value }
        worth = try checked(worth, "account")
        write(model, losses, ofInitial, ofMaintenance, worth)
        return ExactMargin(
            initialMargin: ofInitial, maintenanceMargin: ofMaintenance, markToMarket: worth, losses: losses,
            transcript: json)
    }

    /// (net·|Σδ| + hedged·(Σ|δ| − |Σδ|)/2) times the index.
    private func deltaCharge() throws(MarginError) -> Int128 {
        guard scan.deltaCharge != nil else { return 0 }
        var (total, gross): (Int128, Int128) = (0, 0)
        for row in rows {
            let own = ExactMargin.product(row.quantity, row.delta, ExactMargin.share)
            total += own
            gross += own < 0 ? -own : own
        }
        for one in linear {
            total += one.quantity
            gross += one.quantity < 0 ? -one.quantity : one.quantity
        }
        let size = total < 0 ? -total : total
        let open = try dollars(size, spot)
        let closed = ExactMargin.rounded(try dollars(gross - size, spot), 2)
        return part(open, net) + part(closed, hedged)
    }

    private func contingencies() throws(MarginError) -> (Int128, Int128, Int128) {
        struct Strike: Hashable { let expiry: Int; let strike: Double }
        var nets: [Strike: Int128] = [:]
        var gross = expiries.map { _ in Int128(0) }
        for row in rows {
            nets[Strike(expiry: row.expiry, strike: row.strike), default: 0] += row.quantity
            gross[row.expiry] += row.quantity < 0 ? -row.quantity : row.quantity
        }
        func coins(_ isCoin: Bool) -> Int128 {
            linear.filter { $0.isCoin == isCoin }.reduce(0) {
                $0 + ($1.quantity < 0 ? -$1.quantity : $1.quantity)
            }
        }
        let amounts = [
            coins(false), coins(true), nets.values.reduce(Int128(0)) { $0 + ($1 < 0 ? -$1 : 0) },
        ]
        var (maintenance, initial, extra): (Int128, Int128, Int128) = (0, 0, 0)
        for (amount, rate) in zip(amounts, rates) {
            let value = try dollars(amount, spot)
            maintenance += part(value, rate.maintenance)
            initial += part(value, rate.initial)
        }
        for piece in pieces {
            maintenance += part(piece.worth, piece.maintenance)
            initial += part(piece.worth, piece.initial)
            extra += part(piece.worth, piece.confidence)
        }
        extra += part(try dollars(amounts[0] + amounts[1], spot), confidence)
        for (expiry, amount) in gross.enumerated() {
            extra += part(try dollars(amount, spot), expiries[expiry].confidence)
        }
        return (try checked(maintenance, "account"), try checked(initial, "account"), extra)
    }

    // MARK: Transcript

    private mutating func write(
        _ model: String, _ losses: [(key: String, loss: Int128)], _ initial: Int128, _ maintenance: Int128,
        _ worth: Int128
    ) {
        func text(_ value: String) -> String {
            var escaped = ""
            for character in value.unicodeScalars {
                switch character {
                case "\"": escaped += "\\\""
                case "\\": escaped += "\\\\"
                default: escaped += character.value < 32 ? " " : String(character)
                }
            }
            return "\"\(escaped)\""
        }
        func list(_ values: [Int128]) -> String { "[" + values.map { "\($0)" }.joined(separator: ",") + "]" }
        var lines: [String] = []
        lines.append("{\"format\":\"poise margin transcript 1\",\"model\":\(text(model)),")
        lines.append("\"money_decimals\":8,\"share_decimals\":12,")
        lines.append(
            "\"index\":\(spot),\"cash\":\(cash),\"initial_factor\":\(up),\"maintenance_factor\":\(down),")
        lines.append(
            "\"contingencies_scaled\":\(scan.areContingenciesScaled),\"confidence\":\(confidence),")
        if scan.deltaCharge != nil { lines.append("\"delta_charge\":{\"net\":\(net),\"hedged\":\(hedged)},") }
        for rate in rates {
            lines.append(
                "\"\(rate.name)\":{\"maintenance\":\(rate.maintenance),\"initial\":\(rate.initial)},")
        }
        lines.append(
            "\"scenarios\":["
                + scenarios.map {
                    "{\"title\":\(text($0.title)),\"move\":\($0.move),\"dampening\":\($0.dampening),"
                        + "\"absolute\":\($0.isAbsolute)}"
                }.joined(separator: ",\n") + "],")
        lines.append(
            "\"basis_moves\":\(basisCount),\"expiries\":["
                + expiries.map {
                    "{\"name\":\(text($0.name)),\"long\":\(list($0.shares.map(\.long))),"
                        + "\"short\":\(list($0.shares.map(\.short))),\"basis_factor\":\($0.basisFactor),"
                        + "\"confidence\":\($0.confidence)}"
                }.joined(separator: ",\n") + "],")
        lines.append(
            "\"options\":["
                + rows.map {
                    "{\"name\":\(text($0.name)),\"expiry\":\($0.expiry),\"strike\":\($0.strike),"
                        + "\"quantity\":\($0.quantity),\"now\":\($0.now),\"delta\":\($0.delta),"
                        + "\"shocked\":\(list($0.shocked)),\"basis\":\(list($0.basis))}"
                }.joined(separator: ",\n") + "],")
        lines.append(
            "\"linear\":["
                + linear.map {
                    "{\"name\":\(text($0.name)),\"coin\":\($0.isCoin),\"quantity\":\($0.quantity),"
                        + "\"price\":\($0.price)}"
                }.joined(separator: ",\n") + "],")
        lines.append(
            "\"collateral\":["
                + pieces.map {
                    "{\"asset\":\(text($0.asset)),\"worth\":\($0.worth),\"moves\":\($0.moves),"
                        + "\"maintenance\":\($0.maintenance),\"initial\":\($0.initial),"
                        + "\"confidence\":\($0.confidence)}"
                }.joined(separator: ",\n") + "],")
        lines.append(
            "\"losses\":{" + losses.map { "\(text($0.key)):\($0.loss)" }.joined(separator: ",") + "},")
        lines.append(
            "\"initial_margin\":\(initial),\"maintenance_margin\":\(maintenance),\"mark_to_market\":\(worth)}"
        )
        json = lines.joined(separator: "\n") + "\n"
    }
}
