import VenueProtocol

/// Bands that a person moves while the desk runs.
extension Desk {
    /// The band of a limit: where a person has moved it to, else where the configuration has it.
    func band(of setting: LimitSetting) -> (low: Double, high: Double) {
        let now = state.limitChanges?.first { $0.configured == setting }?.changed ?? setting
        return (now.low ?? -.infinity, now.high ?? .infinity)
    }

    /// Why a band cannot be moved like this; nil where it can.
    public func objection(to limit: LimitSetting) -> String? {
        let name = "\(limit.book.map { "\($0) " } ?? "")\(limit.underlying) \(limit.greek)"
        guard let setting = configured(limit) else { return "there is no limit of \(name)" }
        guard setting.policy == nil else { return "a policy has the band of \(name)" }
        guard limit.low != nil || limit.high != nil else { return "\(name): neither low nor high" }
        let (low, high) = (limit.low ?? -.infinity, limit.high ?? .infinity)
        guard low.isFinite || low == -.infinity, high.isFinite || high == .infinity, low <= high else {
            return "\(name): high is below low"
        }
        return nil
    }

    private func configured(_ limit: LimitSetting) -> LimitSetting? {
        configuration.limits.first {
            $0.book == limit.book && $0.underlying == limit.underlying && $0.greek == limit.greek
        }
    }

    func move(_ limit: LimitSetting, by person: String) {
        if let objection = objection(to: limit) {
            return report(.refused, limit.underlying, "\(person) would move a band: \(objection)")
        }
        guard let setting = configured(limit) else { return }
        var changed = setting
        (changed.low, changed.high) = (limit.low, limit.high)
        var changes = state.limitChanges ?? []
        changes.removeAll { $0.configured == setting }
        if changed != setting { changes.append(LimitChange(setting, changed)) }
        state.limitChanges = changes
        report(
            .resolved, limit.underlying, "\(person) moves the band of \(limit.greek), low and high",
            limit.low, limit.high)
    }
}
