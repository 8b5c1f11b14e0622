extension Instrument {
    /// The instrument of a name, of the first exchange whose form it has.
    /// - Parameter exchange: the one that is asked before all others.
    /// - Throws: of the exchanges' refusals the first that says more than `unknownForm`.
    public init(name: String, on exchange: (any Exchange.Type)? = nil) throws(InstrumentNameError) {
        if let exchange, let found = try? exchange.instrument(named: name) {
            self = found
            return
        }
        var refusal = InstrumentNameError.unknownForm
        for exchange in Exchanges.all {
            do throws(InstrumentNameError) {
                self = try exchange.instrument(named: name)
                return
            } catch {
                if refusal == .unknownForm { refusal = error }
            }
        }
        throw refusal
    }
}
