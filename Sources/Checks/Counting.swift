extension Int {
    /// `1 position`, `1,234 positions`.
    package func counted(_ noun: String) -> String {
        var digits = String(magnitude)
        for place in stride(from: digits.count - 3, to: 0, by: -3) {
            digits.insert(",", at: digits.index(digits.startIndex, offsetBy: place))
        }
        return "\(digits) \(noun)\(self == 1 ? "" : "s")"
    }
}
