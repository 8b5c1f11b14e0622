import Glibc

/// e^x by the C library.
func exponential(_ x: Double) -> Double { exp(x) }

/// ln x by the C library.
func naturalLogarithm(_ x: Double) -> Double { log(x) }

extension Double {
    /// With its sign and so many decimals, rounded to the nearest: `+0.5000`.
    func signed(decimals: Int) -> String {
        var scale = 1.0
        for _ in 0..<decimals { scale *= 10 }
        let units = Int((magnitude * scale).rounded(.toNearestOrEven))
        var digits = String(units)
        while digits.count <= decimals { digits = "0" + digits }
        let point = digits.index(digits.endIndex, offsetBy: -decimals)
        return (self < 0 ? "-" : "+") + digits[..<point] + (decimals > 0 ? "." : "") + digits[point...]
    }
}
