import Foundation
import Greeks
import Market

/// A chain whose options have the volatilities of a surface fitted to its own quotes, in place of the exchange's.
///
/// An option's volatility is that of its expiry's slice at its own log-moneyness, ln(strike/forward) by its own ticker. Where
/// an expiry has no slice that is as asked, its options keep the exchange's, and a remark names it.
public struct OwnVolatilities: Sendable {
    public let chain: Chain
    public let fit: SurfaceFit
    /// A sentence for every expiry that is not `ok` or whose forward puts and calls contradict, and for older rows, which
    /// keep the exchange's volatilities.
    public let remarks: [String]

    public init(
        _ chain: Chain, _ engine: GreeksEngine, _ rules: ChainQuoteRules = ChainQuoteRules(),
        loss: SmileLoss = .band, rule: ArbitrageRule = .full
    ) {
        let fit = SurfaceFit(SmileQuotes.smiles(of: chain, engine, rules), loss: loss, rule: rule)
        let slices = Dictionary(
            fit.slices.map { ($0.smile.name, $0) }, uniquingKeysWith: { first, _ in first })
        var kept: [String: Int] = [:]
        let (own, older) = chain.withLatestVolatilities { ticker in
            let name = ticker.instrument.series
            guard case .option(_, let strike, _) = ticker.instrument.kind,
                let forward = ticker.underlyingPrice,
                forward > 0, let fit = slices[name], fit.isUsable, let slice = fit.slice,
                case let volatility = slice.volatility(at: log(strike / forward), years: fit.smile.years),
                volatility > 0, volatility < .infinity
            else {
                kept[name, default: 0] += 1
                return nil
            }
            return volatility
        }
        self.chain = own
        self.fit = fit
        var remarks: [String] = []
        for fit in fit.slices {
            let name = fit.smile.name
            if let doubt = fit.smile.forwardDoubt {
                remarks.append("\(chain.file): surface of \(name): \(doubt)")
            }
            if let count = kept[name] {
                remarks.append(
                    "\(chain.file): surface of \(name): \(fit.reasonWithoutCurve(loss)); the exchange's volatilities stand for "
                        + "\(count) of its options")
            } else if fit.status != .ok {
                let faults = fit.smile.exclusions(loss).filter(\.key.isFault).map {
                    "\($0.key.rawValue) \($0.value)"
                }
                let why = faults.isEmpty ? "" : " (\(faults.sorted().joined(separator: ", ")))"
                remarks.append("\(chain.file): surface of \(name): \(fit.status.rawValue)\(why)")
            }
        }
        if older > 0 {
            remarks.append(
                "\(chain.file): surface: \(older) older rows of options keep the exchange's volatilities")
        }
        self.remarks = remarks
    }
}

extension SmileFit {
    /// Whether the slice was fitted and proved as asked, of those quotes that can be right.
    var isAsAsked: Bool { status == .ok || status == .badQuotes }

    /// Whether the slice is as asked: of quotes that are left, or a simpler curve, but without what the rule forbids.
    public var isUsable: Bool {
        switch status {
        case .ok, .badQuotes, .fallback: slice != nil
        case .tooFewQuotes, .butterfly, .calendar, .unsolved, .expired, .noForward, .unreadable: false
        }
    }

    fileprivate func reasonWithoutCurve(_ loss: SmileLoss) -> String {
        guard status == .tooFewQuotes else { return status.rawValue }
        let twoSided = Set(smile.quotes.filter { $0.exclusion == nil && $0.isTwoSided }.map(\.strike)).count
        return "\(status.rawValue) (two-sided ones at \(twoSided) strikes)"
    }
}
