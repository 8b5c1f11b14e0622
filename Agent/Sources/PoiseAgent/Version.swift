import Poise

/// The agent's version, as runs and journals have it.
let agentVersion = "poise-agent \(poiseVersion)"
