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
        // The product's own rounding decides where it seems to lie half way.
        let product = magnitude * scale
        let error = (-product).addingProduct(magnitude, scale)
        let whole = product.rounded(.down)
        let rest = product - whole
        let isOdd = whole.truncatingRemainder(dividingBy: 2) == 1
        let isUp = rest > 0.5 || (rest == 0.5 && (error > 0 || (error == 0 && isOdd)))
        let units = Int(whole) + (isUp ? 1 : 0)
        var digits = String(units)
        while digits.count <= decimals { digits = "0" + digits }
        let point = digits.index(digits.endIndex, offsetBy: -decimals)
        return (self < 0 ? "-" : "+") + digits[..<point] + (decimals > 0 ? "." : "") + digits[point...]
    }
}
