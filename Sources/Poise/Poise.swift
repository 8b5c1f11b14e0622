// The public Swift API: one import for embedders.
@_exported import American
@_exported import Checks
@_exported import Greeks
@_exported import Hedging
@_exported import Margin
@_exported import Market
@_exported import Rebalancing
@_exported import Risk
@_exported import Simulation
@_exported import Surface
@_exported import TailRisk

/// The version of the library and its tools.
public let poiseVersion = "0.1.0"
