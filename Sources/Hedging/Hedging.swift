// Hedging
