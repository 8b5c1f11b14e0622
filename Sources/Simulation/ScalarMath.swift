import Market
import VectorMath

/// e^x of one number, the same bits everywhere.
func scalarExponential(_ x: Double) -> Double {
    exponential(PortableArithmetic.self, Lanes(repeating: x))[0]
}

/// ln x of one number, the same bits everywhere.
func naturalLogarithm(_ x: Double) -> Double {
    logarithmOfRatio(PortableArithmetic.self, Lanes(repeating: x), Lanes(repeating: 1))[0]
}

/// What is left after some time of what halves in `halfLife`; both in the same unit.
func decay(over time: Double, halfLife: Double) -> Double {
    scalarExponential(max(-700, -0.693_147_180_559_945_3 * time / halfLife))
}
