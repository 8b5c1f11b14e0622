import CPoise
import Poise

/// Behind `poise_margin_exact`.
final class MarginExactHandle: Sendable {
    /// By `poise_margin_whole`.
    let figures: CStrings
    let scenarios, losses, transcript: CStrings

    init(_ margin: MarginHandle) throws(Failure) {
        let exact = try failing { () throws(MarginError) in
            try margin.model.exactMargin(of: margin.account, in: margin.market, margin.engine)
        }
        figures = CStrings(
            [exact.initialMargin, exact.maintenanceMargin, exact.markToMarket].map { "\($0)" })
        scenarios = CStrings(exact.losses.map(\.key))
        losses = CStrings(exact.losses.map { "\($0.loss)" })
        transcript = CStrings([exact.transcript])
    }
}

@c @implementation
public func poise_margin_exact_create(
    _ margin: OpaquePointer?, _ exact: UnsafeMutablePointer<OpaquePointer?>?
) -> poise_status {
    make(exact, "exact") { () throws(Failure) in
        try MarginExactHandle(try object(margin, as: MarginHandle.self, "margin"))
    }
}

@c @implementation
public func poise_margin_exact_free(_ exact: OpaquePointer?) { release(exact, as: MarginExactHandle.self) }

@c @implementation
public func poise_margin_exact_figure(
    _ exact: OpaquePointer?, _ figure: poise_margin_whole
) -> UnsafePointer<CChar>? {
    object(exact, as: MarginExactHandle.self)?.figures[Int(figure.rawValue)]
}

@c @implementation
public func poise_margin_exact_count(_ exact: OpaquePointer?) -> Int {
    object(exact, as: MarginExactHandle.self)?.scenarios.count ?? 0
}

@c @implementation
public func poise_margin_exact_scenario(_ exact: OpaquePointer?, _ scenario: Int) -> UnsafePointer<CChar>? {
    object(exact, as: MarginExactHandle.self)?.scenarios[scenario]
}

@c @implementation
public func poise_margin_exact_loss(_ exact: OpaquePointer?, _ scenario: Int) -> UnsafePointer<CChar>? {
    object(exact, as: MarginExactHandle.self)?.losses[scenario]
}

@c @implementation
public func poise_margin_exact_transcript(_ exact: OpaquePointer?) -> UnsafePointer<CChar>? {
    object(exact, as: MarginExactHandle.self)?.transcript[0]
}
