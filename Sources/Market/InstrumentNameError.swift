import Checks

extension InstrumentNameError: PoiseError {
    public var field: String { "instrument" }
    public var reason: String { description }
}
