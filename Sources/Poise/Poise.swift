// The public Swift API: one import for embedders.
@_exported import Greeks
@_exported import Market
@_exported import Risk
