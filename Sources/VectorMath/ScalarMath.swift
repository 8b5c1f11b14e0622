/// e^x of one number, the same bits everywhere.
package func scalarExponential(_ x: Double) -> Double {
    exponential(PortableArithmetic.self, Lanes(repeating: x))[0]
}

/// ln x of one number, the same bits everywhere.
package func naturalLogarithm(_ x: Double) -> Double {
    logarithmOfRatio(PortableArithmetic.self, Lanes(repeating: x), Lanes(repeating: 1))[0]
}

/// The share that is left after some time of a quantity that halves in `halfLife`; both in the same unit.
package func decay(over time: Double, halfLife: Double) -> Double {
    let logarithmOf2 = 0.693_147_180_559_945_3
    return scalarExponential(max(-700, -logarithmOf2 * time / halfLife))
}
