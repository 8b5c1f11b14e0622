import Glibc

/// What a dated future gains or loses by time alone, while the index and the annual basis stand still: the one definition, of
/// what an explained profit calls carry and of what a hedge expects to pay for holding.
public enum BasisCarry {
    /// The move of the future's price, as a share of it: exp(−b t) − 1 with b = ln(F/index)/T, which by expiry has brought it
    /// to the index.
    /// - Parameters:
    ///   - years: T, the time that is left; no move where it is not positive.
    ///   - held: t; what is held beyond expiry is held until then.
    public static func move(price: Double, index: Double, years: Double, held: Double) -> Double {
        guard years > 0 else { return 0 }
        return expm1(-log(price / index) / years * min(held, years))
    }
}
