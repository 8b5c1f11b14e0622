extension Deribit {
    public static let tickerLayouts = [
        // `public/ticker`, `get_order_book`, `get_book_summary_by_currency`, notifications, and tables of them with names
        // like `greeks.delta`; data vendors' tables of options call some fields differently.
        TickerLayout(
            Deribit.self, signature: [.instrument], volatilityUnit: .percent,
            [
                .instrument: ["instrument_name", "symbol", "instrument"],
                .exchange: ["exchange"],
                .kind: ["kind"],
                .timestamp: ["timestamp", "creation_timestamp"],
                .underlyingPrice: ["underlying_price"],
                .underlyingIndex: ["underlying_index"],
                .indexPrice: ["index_price", "estimated_delivery_price"],
                .markPrice: ["mark_price"],
                .markVolatility: ["mark_iv"],
                .interestRate: ["interest_rate"],
                .openInterest: ["open_interest"],
                .bids: ["bids"], .asks: ["asks"],
                .bidPrice: ["best_bid_price", "bid_price"], .bidAmount: ["best_bid_amount", "bid_amount"],
                .askPrice: ["best_ask_price", "ask_price"], .askAmount: ["best_ask_amount", "ask_amount"],
                .delta: ["greeks.delta", "delta"], .gamma: ["greeks.gamma", "gamma"],
                .vega: ["greeks.vega", "vega"], .theta: ["greeks.theta", "theta"],
                .rho: ["greeks.rho", "rho"],
            ]),
        ownLayout,
    ]

    /// Tables with Poise's own names and natural volatilities, those of a chain as a table among them: their `delta` and its
    /// kin are Poise's, in natural units, and what the exchange published is beside them.
    private static let ownLayout = TickerLayout(
        Deribit.self, signature: [.instrument, .markVolatility], volatilityUnit: .fraction,
        [
            .instrument: ["instrument", "instrument_name"],
            .exchange: ["exchange"],
            .kind: ["kind"],
            .timestamp: ["timestamp"],
            .underlyingPrice: ["underlying_price", "forward"],
            .underlyingIndex: ["underlying_index"],
            .indexPrice: ["index_price"],
            .markPrice: ["mark_price"],
            .markVolatility: ["vol", "mark_volatility"],
            .interestRate: ["rate", "interest_rate"],
            .openInterest: ["open_interest"],
            .bids: ["bids"], .asks: ["asks"],
            .bidPrice: ["bid_price", "best_bid_price"], .bidAmount: ["bid_amount", "best_bid_amount"],
            .askPrice: ["ask_price", "best_ask_price"], .askAmount: ["ask_amount", "best_ask_amount"],
            .delta: ["exchange_delta"], .gamma: ["exchange_gamma"],
            .vega: ["exchange_vega"], .theta: ["exchange_theta"],
            .rho: ["exchange_rho"],
        ])

    public static let instrumentLayout = InstrumentLayout(
        Deribit.self, name: "instrument_name", step: "min_trade_amount", minimum: "min_trade_amount",
        multiplier: ["contract_size"], tick: "tick_size",
        tickSteps: ("tick_size_steps", above: "above_price", tick: "tick_size"), quote: "quote_currency",
        settlement: "settlement_currency", isStepInContracts: false)
}
