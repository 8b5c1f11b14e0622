/// A position as the exchange shows it. `size` is in the unit of the instrument's amounts, negative where short.
public struct Position: VenueRecord {
    public var instrumentName = ""
    public var kind = InstrumentKind.future
    public var direction = PositionDirection.zero
    public var size = MessageAmount.zero
    /// In the base currency; futures only.
    public var sizeCurrency: Double?
    public var averagePrice = 0.0
    public var averagePriceUSD: Double?
    public var markPrice = 0.0
    public var indexPrice = 0.0
    public var settlementPrice: Presence<Double> = .absent
    public var estimatedLiquidationPrice: Presence<Double> = .absent
    public var initialMargin = 0.0
    public var maintenanceMargin = 0.0
    public var openOrdersMargin: Double?
    public var floatingProfitLoss = 0.0
    public var floatingProfitLossUSD: Double?
    public var realizedProfitLoss = 0.0
    public var totalProfitLoss = 0.0
    public var realizedFunding: Double?
    public var interestValue: Double?
    public var leverage: Int?
    public var delta = 0.0
    public var gamma: Double?
    public var vega: Double?
    public var theta: Double?

    public init() {}
    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("instrument_name", &instrumentName)
        try fields.field("kind", &kind)
        try fields.field("direction", &direction)
        try fields.field("size", &size)
        try fields.field("size_currency", &sizeCurrency)
        try fields.field("average_price", &averagePrice)
        try fields.field("average_price_usd", &averagePriceUSD)
        try fields.field("mark_price", &markPrice)
        try fields.field("index_price", &indexPrice)
        try fields.field("settlement_price", &settlementPrice)
        try fields.field("estimated_liquidation_price", &estimatedLiquidationPrice)
        try fields.field("initial_margin", &initialMargin)
        try fields.field("maintenance_margin", &maintenanceMargin)
        try fields.field("open_orders_margin", &openOrdersMargin)
        try fields.field("floating_profit_loss", &floatingProfitLoss)
        try fields.field("floating_profit_loss_usd", &floatingProfitLossUSD)
        try fields.field("realized_profit_loss", &realizedProfitLoss)
        try fields.field("total_profit_loss", &totalProfitLoss)
        try fields.field("realized_funding", &realizedFunding)
        try fields.field("interest_value", &interestValue)
        try fields.field("leverage", &leverage)
        try fields.field("delta", &delta)
        try fields.field("gamma", &gamma)
        try fields.field("vega", &vega)
        try fields.field("theta", &theta)
    }
}

/// What a bucket of credits allows: requests a second, and at once.
public struct RateLimit: VenueRecord, Equatable {
    public var burst = 0
    public var rate = 0

    public init() {}
    public init(burst: Int, rate: Int) {
        self.burst = burst
        self.rate = rate
    }

    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("burst", &burst)
        try fields.field("rate", &rate)
    }
}

/// The buckets of an account.
public struct AccountLimits: VenueRecord {
    public struct MatchingEngine: VenueRecord {
        public struct Trading: VenueRecord {
            public var total: RateLimit?
            public var perpetuals: RateLimit?
            public var futures: RateLimit?
            public var options: RateLimit?

            public init() {}
            public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
                try fields.field("total", &total)
                try fields.field("perpetuals", &perpetuals)
                try fields.field("futures", &futures)
                try fields.field("options", &options)
            }
        }

        public var trading: Trading?
        public var spot: RateLimit?
        public var quotes: RateLimit?
        public var maximumQuotes: RateLimit?
        public var guaranteedQuotes: RateLimit?
        public var cancelAll: RateLimit?

        public init() {}
        public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
            try fields.field("trading", &trading)
            try fields.field("spot", &spot)
            try fields.field("quotes", &quotes)
            try fields.field("max_quotes", &maximumQuotes)
            try fields.field("guaranteed_quotes", &guaranteedQuotes)
            try fields.field("cancel_all", &cancelAll)
        }
    }

    public var areByCurrency: Bool?
    public var nonMatchingEngine: RateLimit?
    public var matchingEngine: MatchingEngine?

    public init() {}
    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("limits_per_currency", &areByCurrency)
        try fields.field("non_matching_engine", &nonMatchingEngine)
        try fields.field("matching_engine", &matchingEngine)
    }
}

/// A row of an account's fees. Its shape differs by kind; it is kept as it came.
public struct AccountFee: VenueRecord {
    public var kind = ""
    public var indexName = ""
    public var value = JSONValue.null

    public init() {}
    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("kind", &kind)
        try fields.field("index_name", &indexName)
        try fields.field("value", &value)
    }
}

/// The figures of an account in one currency, in that currency but for the Greeks: `get_account_summary`, a row of
/// `get_account_summaries`, and a message of `user.portfolio`.
public struct AccountFigures: VenueRecord {
    public var currency = ""
    public var balance = 0.0
    public var equity = 0.0
    public var marginBalance = 0.0
    public var initialMargin = 0.0
    public var maintenanceMargin = 0.0
    public var projectedInitialMargin: Double?
    public var projectedMaintenanceMargin: Double?
    public var availableFunds = 0.0
    public var availableWithdrawalFunds: Double?
    public var availableSubaccountTransferFunds: Double?
    public var additionalReserve: Double?
    public var spotReserve: Double?
    public var feeBalance: Double?
    public var lockedBalance: Double?
    public var totalProfitLoss: Double?
    public var sessionRealised: Double?
    public var sessionUnrealised: Double?
    public var futuresProfitLoss: Double?
    public var futuresSessionRealised: Double?
    public var futuresSessionUnrealised: Double?
    public var optionsProfitLoss: Double?
    public var optionsSessionRealised: Double?
    public var optionsSessionUnrealised: Double?
    public var optionsValue: Double?
    /// Net transaction delta: Black-Scholes delta less mark price for options, coins for futures.
    public var deltaTotal: Double?
    public var projectedDeltaTotal: Double?
    public var optionsDelta: Double?
    public var optionsGamma: Double?
    public var optionsVega: Double?
    public var optionsTheta: Double?
    public var deltaTotalMap: NamedValues<Double>?
    public var optionsGammaMap: NamedValues<Double>?
    public var optionsVegaMap: NamedValues<Double>?
    public var optionsThetaMap: NamedValues<Double>?
    public var estimatedLiquidationRatio: Double?
    public var estimatedLiquidationRatioMap: NamedValues<Double>?
    public var marginModel: String?
    public var isPortfolioMargined: Bool?
    public var isCrossCollateral: Bool?
    public var totalEquityUSD: Double?
    public var totalMarginBalanceUSD: Double?
    public var totalInitialMarginUSD: Double?
    public var totalMaintenanceMarginUSD: Double?
    public var totalDeltaTotalUSD: Double?
    public var hasNonBlockChainEquity: Bool?
    public var limits: AccountLimits?
    public var fees: [AccountFee]?

    public init() {}

    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("currency", &currency)
        try fields.field("balance", &balance)
        try fields.field("equity", &equity)
        try fields.field("margin_balance", &marginBalance)
        try fields.field("initial_margin", &initialMargin)
        try fields.field("maintenance_margin", &maintenanceMargin)
        try fields.field("projected_initial_margin", &projectedInitialMargin)
        try fields.field("projected_maintenance_margin", &projectedMaintenanceMargin)
        try fields.field("available_funds", &availableFunds)
        try fields.field("available_withdrawal_funds", &availableWithdrawalFunds)
        try fields.field("available_subaccount_transfer_funds", &availableSubaccountTransferFunds)
        try fields.field("additional_reserve", &additionalReserve)
        try fields.field("spot_reserve", &spotReserve)
        try fields.field("fee_balance", &feeBalance)
        try fields.field("locked_balance", &lockedBalance)
        try fields.field("total_pl", &totalProfitLoss)
        try fields.field("session_rpl", &sessionRealised)
        try fields.field("session_upl", &sessionUnrealised)
        try fields.field("futures_pl", &futuresProfitLoss)
        try fields.field("futures_session_rpl", &futuresSessionRealised)
        try fields.field("futures_session_upl", &futuresSessionUnrealised)
        try fields.field("options_pl", &optionsProfitLoss)
        try fields.field("options_session_rpl", &optionsSessionRealised)
        try fields.field("options_session_upl", &optionsSessionUnrealised)
        try fields.field("options_value", &optionsValue)
        try fields.field("delta_total", &deltaTotal)
        try fields.field("projected_delta_total", &projectedDeltaTotal)
        try fields.field("options_delta", &optionsDelta)
        try fields.field("options_gamma", &optionsGamma)
        try fields.field("options_vega", &optionsVega)
        try fields.field("options_theta", &optionsTheta)
        try fields.field("delta_total_map", &deltaTotalMap)
        try fields.field("options_gamma_map", &optionsGammaMap)
        try fields.field("options_vega_map", &optionsVegaMap)
        try fields.field("options_theta_map", &optionsThetaMap)
        try fields.field("estimated_liquidation_ratio", &estimatedLiquidationRatio)
        try fields.field("estimated_liquidation_ratio_map", &estimatedLiquidationRatioMap)
        try fields.field("margin_model", &marginModel)
        try fields.field("portfolio_margining_enabled", &isPortfolioMargined)
        try fields.field("cross_collateral_enabled", &isCrossCollateral)
        try fields.field("total_equity_usd", &totalEquityUSD)
        try fields.field("total_margin_balance_usd", &totalMarginBalanceUSD)
        try fields.field("total_initial_margin_usd", &totalInitialMarginUSD)
        try fields.field("total_maintenance_margin_usd", &totalMaintenanceMarginUSD)
        try fields.field("total_delta_total_usd", &totalDeltaTotalUSD)
        try fields.field("has_non_block_chain_equity", &hasNonBlockChainEquity)
        try fields.field("limits", &limits)
        try fields.field("fees", &fees)
    }
}

/// Who an account belongs to: what the extended summaries add.
public struct AccountHolder: VenueRecord {
    public var id: Int?
    public var email: String?
    public var systemName: String?
    public var userName: String?
    public var type: String?
    public var creationTimestamp: Int?
    public var referrerID: Presence<String> = .absent
    public var isLoginEnabled: Bool?
    public var hasSecurityKeys: Bool?
    public var isProtectionEnabled: Bool?
    public var mayTransfer: Bool?
    public var preventsBlockSelfMatch: Bool?
    public var selfTradingMode: SelfTradingMode?
    public var isSelfTradingExtended: Bool?

    public init() {}
    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("id", &id)
        try fields.field("email", &email)
        try fields.field("system_name", &systemName)
        try fields.field("username", &userName)
        try fields.field("block_rfq_self_match_prevention", &preventsBlockSelfMatch)
        try fields.field("creation_timestamp", &creationTimestamp)
        try fields.field("type", &type)
        try fields.field("referrer_id", &referrerID)
        try fields.field("login_enabled", &isLoginEnabled)
        try fields.field("security_keys_enabled", &hasSecurityKeys)
        try fields.field("mmp_enabled", &isProtectionEnabled)
        try fields.field("interuser_transfers_enabled", &mayTransfer)
        try fields.field("self_trading_reject_mode", &selfTradingMode)
        try fields.field("self_trading_extended_to_subaccounts", &isSelfTradingExtended)
    }
}

/// The reply of `get_account_summary`.
public struct AccountSummary: VenueRecord {
    public var holder = AccountHolder()
    public var figures = AccountFigures()

    public init() {}
    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try holder.visit(&fields)
        try figures.visit(&fields)
    }
}

/// The reply of `get_account_summaries`.
public struct AccountSummaries: VenueRecord {
    public var holder = AccountHolder()
    public var summaries: [AccountFigures] = []

    public init() {}
    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try holder.visit(&fields)
        try fields.field("summaries", &summaries)
    }
}

/// An entry of `get_transaction_log`, in the currency that it names.
public struct Transaction: VenueRecord {
    public var id = 0
    /// Rises by one from entry to entry of a user.
    public var userSequence = 0
    public var userID = 0
    public var userName = ""
    public var timestamp = 0
    public var currency = ""
    /// trade, settlement, delivery, deposit, …
    public var type = ""
    public var cashflow = 0.0
    /// Of the balance.
    public var change = 0.0
    public var balance = 0.0
    public var equity = 0.0
    public var commission = 0.0
    public var instrumentName: String?
    public var side: String?
    public var price: Double?
    public var priceCurrency: String?
    public var amount: MessageAmount?
    public var contracts: ContractCount?
    /// After the entry.
    public var position: MessageAmount?
    public var tradeID: String?
    public var orderID: String?
    public var userRole: String?
    public var profitAsCashflow: Bool?
    public var interestProfitLoss: Double?
    public var sessionRealised: Double?
    public var sessionUnrealised: Double?
    public var totalInterestProfitLoss: Double?
    public var markPrice: Double?
    public var indexPrice: Double?
    public var feeRole: String?
    public var info: JSONValue?

    public init() {}
    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("id", &id)
        try fields.field("user_seq", &userSequence)
        try fields.field("user_id", &userID)
        try fields.field("username", &userName)
        try fields.field("timestamp", &timestamp)
        try fields.field("currency", &currency)
        try fields.field("type", &type)
        try fields.field("cashflow", &cashflow)
        try fields.field("change", &change)
        try fields.field("balance", &balance)
        try fields.field("equity", &equity)
        try fields.field("commission", &commission)
        try fields.field("instrument_name", &instrumentName)
        try fields.field("side", &side)
        try fields.field("price", &price)
        try fields.field("price_currency", &priceCurrency)
        try fields.field("amount", &amount)
        try fields.field("contracts", &contracts)
        try fields.field("position", &position)
        try fields.field("trade_id", &tradeID)
        try fields.field("order_id", &orderID)
        try fields.field("user_role", &userRole)
        try fields.field("fee_role", &feeRole)
        try fields.field("profit_as_cashflow", &profitAsCashflow)
        try fields.field("interest_pl", &interestProfitLoss)
        try fields.field("session_rpl", &sessionRealised)
        try fields.field("session_upl", &sessionUnrealised)
        try fields.field("total_interest_pl", &totalInterestProfitLoss)
        try fields.field("mark_price", &markPrice)
        try fields.field("index_price", &indexPrice)
        try fields.field("info", &info)
    }
}

public struct TransactionLog: VenueRecord {
    public var logs: [Transaction] = []
    public var continuation: Presence<Int> = .null

    public init() {}
    public mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("logs", &logs)
        try fields.field("continuation", &continuation)
    }
}
