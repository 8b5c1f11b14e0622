import Checks
import Greeks
import Market

/// Self-contained accounts, each with its market and model: an array of JSON objects. `docs/margin.md` says what stands
/// in them.
public struct MarginCases: Sendable {
    public struct Case: Sendable {
        public var name: String
        public var problem: Problem
        /// Where it stands.
        public var place: Place
    }

    public enum Problem: Sendable {
        case account(MarginModel, MarginMarket, CrossMarginAccount, liquidation: Liquidation?)
        case hedge(MarginModel, MarginMarket, CrossMarginAccount, MarginHedgeTerms)
        case auction(LiquidationAuction, [LiquidationAuction.Bid])
    }

    public struct Liquidation: Sendable {
        public var underlying: Int
        public var range: ClosedRange<Double>
    }

    public let file: String
    public let cases: [Case]

    /// - Throws: `MarketError` with file, line, field and value: names that stand twice, unknown fields and models,
    ///   numbers out of range, positions of no contract.
    public init(_ source: Source) throws(MarketError) {
        var reader = JSONReader(source)
        let values = try reader.values()
        guard let array = values.first?.array, values.count == 1 else {
            throw .invalidJSON(file: source.name, line: 1, reason: "expected an array of cases")
        }
        var cases: [Case] = []
        var names: Set<String> = []
        for (number, value) in array.enumerated() {
            guard case .object = value.content else {
                throw .invalidJSON(file: source.name, line: value.line, reason: "expected an object")
            }
            let settings = Settings(source, value, path: "[\(number)]")
            let name = try settings.text("name")
            guard names.insert(name).inserted else { throw settings.failure("name", "stands twice") }
            let problem: Problem
            if let table = try settings.table("auction") {
                settings.ignore("vols", "comment", "source", "venue", "currency", "kind", "expected")
                problem = try table.auction()
            } else {
                problem = try settings.account(source)
            }
            try settings.finish()
            cases.append(Case(name: name, problem: problem, place: .line(file: source.name, value.line)))
        }
        file = source.name
        self.cases = cases
    }
}

/// A hedge of a case, in units of its contracts.
public struct MarginHedgeTerms: Sendable {
    public struct Instrument: Sendable {
        public var contract: Int
        public var costBuy = 0.0
        public var costSell = 0.0
        public var maximumBuy = Double.infinity
        public var maximumSell = Double.infinity
        public var lot = 0.0
    }

    public struct Band: Sendable {
        public var name = ""
        public var current = 0.0
        public var low = -Double.infinity
        public var high = Double.infinity
        public var isHard = true
        public var penalty = 0.0
        public var penaltyQuadratic = 0.0
        public var instruments: [Int] = []
        public var coefficients: [Double] = []
    }

    public var instruments: [Instrument] = []
    public var bands: [Band] = []
    public var balanceAtLeast = -Double.infinity
    public var price = 0.0
}

extension Settings {
    fileprivate func account(_ source: Source) throws(MarketError) -> MarginCases.Problem {
        ignore("comment", "source", "venue", "kind", "expected")
        let currency = try text("currency")
        let modelTable = try required("model")
        modelTable.ignore("venue", "source", "comment")
        let model = try MarginModel(modelTable, source)
        let market = try required("market").marginMarket()
        let contracts = Dictionary(
            uniqueKeysWithValues: market.contracts.enumerated().map { ($1.name, $0) })
        var positions: [CrossMarginAccount.Position] = []
        for table in try tables("positions") {
            positions.append(try table.position(market, contracts))
        }
        let cash = try number("cash", .finite)
        var account: CrossMarginAccount
        do throws(MarginError) {
            account = try CrossMarginAccount(currency: currency, cash: cash, positions, in: market)
        } catch {
            throw failure("positions", value["positions"], "\(error)")
        }
        for table in try tables("collateral") { account.collateral.append(try table.collateral()) }
        for table in try tables("orders") {
            account.orders.append(
                CrossMarginAccount.Order(
                    contract: try table.contract(contracts),
                    quantity: try table.number("quantity", .notNegative),
                    price: try table.number("price", .notNegative)))
            enum Side: String, CaseIterable { case buy }
            _ = try table.word("side") as Side
        }
        if let table = try table("other_initial") {
            for name in table.keys {
                account.otherInitial.append((name, try table.number(name, .notNegative)))
            }
        }
        var liquidation: MarginCases.Liquidation?
        if let table = try table("liquidation") {
            let name = try table.text("underlying")
            guard let place = market.underlyings.firstIndex(where: { $0.name == name }) else {
                throw table.failure("underlying", "is not among the market's")
            }
            let lowest = try table.number("lowest", .positive)
            let highest = try table.number("highest", .above(lowest, upTo: .infinity))
            liquidation = MarginCases.Liquidation(underlying: place, range: lowest...highest)
        }
        if let table = try table("hedge") {
            return .hedge(model, market, account, try table.hedge(contracts))
        }
        return .account(model, market, account, liquidation: liquidation)
    }

    private func hedge(_ contracts: [String: Int]) throws(MarketError) -> MarginHedgeTerms {
        var terms = MarginHedgeTerms()
        ignore("comment")
        for table in try tables("instruments") {
            table.ignore("comment")
            let name = try table.text("name")
            guard let place = contracts[name] else {
                throw table.failure("name", "is no contract of the market")
            }
            var instrument = MarginHedgeTerms.Instrument(contract: place)
            instrument.costBuy = try table.number("costBuy", .finite)
            instrument.costSell = try table.number("costSell", .finite)
            instrument.maximumBuy = try table.number("maxBuy", .notNegative, default: .infinity)
            instrument.maximumSell = try table.number("maxSell", .notNegative, default: .infinity)
            instrument.lot = try table.number("lot", .notNegative, default: 0)
            terms.instruments.append(instrument)
        }
        for table in try tables("bands") {
            table.ignore("comment")
            var band = MarginHedgeTerms.Band()
            band.name = try table.text("label")
            band.current = try table.number("current", .finite)
            band.low = try table.optionalNumber("lo", .finite) ?? -.infinity
            band.high = try table.optionalNumber("hi", .finite) ?? .infinity
            band.isHard = try table.flag("hard", default: true)
            band.penalty = try table.number("penalty", .notNegative, default: 0)
            band.penaltyQuadratic = try table.number("penaltyQuad", .notNegative, default: 0)
            band.coefficients = try table.numbers("coef", .finite)
            for number in try table.numbers("idx", .notNegative) {
                guard let place = Int(exactly: number), terms.instruments.indices.contains(place) else {
                    throw table.failure("idx", "\(number) is no instrument's index")
                }
                band.instruments.append(place)
            }
            guard band.coefficients.count == band.instruments.count else {
                throw table.failure(
                    "coef", "has \(band.coefficients.count) values for \(band.instruments.count) of idx")
            }
            terms.bands.append(band)
        }
        terms.balanceAtLeast = try optionalNumber("initial_margin_at_least", .finite) ?? -.infinity
        terms.price = try number("margin_price", .notNegative, default: 0)
        return terms
    }

    private func contract(_ contracts: [String: Int]) throws(MarketError) -> Int {
        let name = try text("contract")
        guard let place = contracts[name] else { throw failure("contract", "is no contract of the market") }
        return place
    }

    private func position(
        _ market: MarginMarket, _ contracts: [String: Int]
    ) throws(MarketError) -> CrossMarginAccount.Position {
        let place = try contract(contracts)
        let contract = market.contracts[place]
        var quantity: Double
        if has("coins") {
            if has("quantity") { throw failure("coins", "stands beside quantity") }
            quantity = try number("coins", .finite)
            if contract.kind.isInverse {
                do throws(MarginError) {
                    quantity *= try market.price(of: contract, for: "coins", spotServes: true)
                } catch {
                    throw failure("coins", "\(error)")
                }
            }
        } else {
            quantity = try number("quantity", .finite)
        }
        var position = CrossMarginAccount.Position(contract: place, quantity: quantity)
        position.unrealised = try number("unrealised", .finite, default: 0)
        position.funding = try number("funding", .finite, default: 0)
        position.entry = try optionalNumber("entry", .positive)
        position.average = try optionalNumber("average", .notNegative)
        return position
    }

    private func collateral() throws(MarketError) -> CrossMarginAccount.Collateral {
        var piece = CrossMarginAccount.Collateral(
            try text("asset"), quantity: try number("quantity", .notNegative),
            price: try number("price", .positive))
        piece.confidence = try number("confidence", .share, default: 1)
        piece.movesWithSpot = try flag("moves_with_spot", default: true)
        piece.maintenanceHaircut = try number("maintenance_haircut", .share)
        piece.initialHaircut = try number("initial_haircut", .share)
        return piece
    }

    private func marginMarket() throws(MarketError) -> MarginMarket {
        var market = MarginMarket()
        if let table = try table("stable") { market.stablePrice = try table.number("price", .positive) }
        let underlyings = try required("underlyings")
        var numbers: [String: Int] = [:]
        var expiryNumbers: [[String: Int]] = []
        for name in underlyings.keys {
            let table = try underlyings.required(name)
            var underlying = MarginMarket.Underlying(name, spot: try table.number("spot", .notNegative))
            underlying.confidence = try table.number("confidence", .share, default: 1)
            if let perpetual = try table.table("perpetual") {
                underlying.perpetual = MarginMarket.Perpetual(
                    price: try perpetual.number("price", .positive))
                underlying.perpetual?.confidence = try perpetual.number("confidence", .share, default: 1)
            }
            var places: [String: Int] = [:]
            if let expiries = try table.table("expiries") {
                for day in expiries.keys {
                    places[day] = underlying.expiries.count
                    underlying.expiries.append(try expiries.required(day).expiry(day))
                }
            }
            numbers[name] = market.underlyings.count
            market.underlyings.append(underlying)
            expiryNumbers.append(places)
        }
        let contracts = try required("contracts")
        for name in contracts.keys {
            let table = try contracts.required(name)
            let underlying = try table.text("underlying")
            guard let number = numbers[underlying] else {
                throw table.failure("underlying", "is not among the market's")
            }
            let kind: MarginMarket.Kind = try table.word("kind")
            var contract = MarginMarket.Contract(name, kind, underlying: number)
            if let day = try table.optionalText("expiry") {
                contract.expiry = expiryNumbers[number][day]
                // What has a mark alone needs nothing of its expiry.
                if contract.expiry == nil, table.has("vol") || !table.has("mark") {
                    throw table.failure("expiry", "is not among the underlying's")
                }
            }
            try table.readOption(&contract)
            market.contracts.append(contract)
        }
        return market
    }

    private func readOption(_ contract: inout MarginMarket.Contract) throws(MarketError) {
        enum Side: String, CaseIterable { case call = "C", put = "P" }
        contract.strike = try optionalNumber("strike", .positive)
        if has("type") { contract.type = try word("type") as Side == .call ? .call : .put }
        contract.volatility = try optionalNumber("vol", .notNegative)
        contract.mark = try optionalNumber("mark", .notNegative)
        contract.price = try optionalNumber("price", .positive)
        contract.multiplier = try number("multiplier", .positive, default: 1)
        enum Settlement: String, CaseIterable { case coin, quote }
        contract.settlesInCoin = try word("settlement", default: Settlement.quote) == .coin
        if has("gains") {
            let gains = try numbers("gains", .finite)
            guard gains.count == 16 else { throw failure("gains", "must be sixteen numbers") }
            contract.gains = gains
        }
    }

    private func expiry(_ name: String) throws(MarketError) -> MarginMarket.Expiry {
        let forward = try number("forward", .positive)
        var expiry = MarginMarket.Expiry(name, seconds: try number("seconds", .finite), forward: forward)
        expiry.fixed = try number("fixed", .within(0...forward), default: 0)
        expiry.rate = try number("rate", .within(-100...100), default: 0)
        expiry.forwardConfidence = try number("forward_confidence", .share, default: 1)
        expiry.rateConfidence = try number("rate_confidence", .share, default: 1)
        expiry.volatilityConfidence = try number("vol_confidence", .share, default: 1)
        return expiry
    }

    fileprivate func auction() throws(MarketError) -> MarginCases.Problem {
        let parameters = try required("parameters")
        let discount = try parameters.required("discount")
        var auction = LiquidationAuction(
            buffer: try parameters.number("buffer", .notNegative),
            startShare: try discount.number("start", .share),
            fastShare: try discount.number("fast_end", .share),
            fastSeconds: try discount.number("fast_seconds", .positive),
            slowSeconds: try discount.number("slow_seconds", .positive),
            insolventSeconds: try parameters.number("insolvent_seconds", .positive))
        auction.start = try number("start", .finite, default: 0)
        auction.lowerBound = try optionalNumber("lower_bound", .within(-1e300...0))
        var bids: [LiquidationAuction.Bid] = []
        for table in try tables("steps") {
            table.ignore("expected")
            bids.append(
                LiquidationAuction.Bid(
                    time: try table.number("time", .atLeast(auction.start)),
                    markToMarket: try table.number("mark_to_market", .finite),
                    maintenanceBalance: try table.number("maintenance_margin_balance", .finite),
                    want: try table.number("want", .share)))
        }
        return .auction(auction, bids)
    }
}
