import Poise

/// The text of a file of settings as JSON, whether it is TOML or JSON. In a file of its own, as both rooms have markets
/// and exchanges.
func settings(path: String) throws(MarketError) -> [UInt8] { try Source(path: path).settingsAsJSON() }
