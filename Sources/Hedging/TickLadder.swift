/// The prices at which concentrated liquidity begins and ends: √(1.0001^tick) in units of 2⁻⁹⁶, to the last bit as the
/// pools of Uniswap v3 have them.
///
/// Source: H. Adams et al., "Uniswap v3 Core", 2021, section 6; the powers of 1.0001 are rounded to 128 bits.
public enum TickLadder {
    public static let ticks = -887_272...887_272

    /// 2¹²⁸ / √1.0001^(2ᵏ), to the nearest.
    private static let powers: [UInt128] = [
        0xfffc_b933_bd6f_ad37_aa2d_162d_1a59_4001, 0xfff9_7272_373d_4132_59a4_6990_580e_213a,
        0xfff2_e50f_5f65_6932_ef12_357c_f3c7_fdcc, 0xffe5_caca_7e10_e4e6_1c36_24ea_a094_1cd0,
        0xffcb_9843_d60f_6159_c9db_5883_5c92_6644, 0xff97_3b41_fa98_c081_472e_6896_dfb2_54c0,
        0xff2e_a164_66c9_6a38_43ec_78b3_26b5_2861, 0xfe5d_ee04_6a99_a2a8_11c4_61f1_969c_3053,
        0xfcbe_86c7_900a_88ae_dcff_c83b_479a_a3a4, 0xf987_a725_3ac4_1317_6f2b_074c_f781_5e54,
        0xf339_2b08_22b7_0005_940c_7a39_8e4b_70f3, 0xe715_9475_a2c2_9b74_43b2_9c7f_a6e8_89d9,
        0xd097_f3bd_fd20_22b8_845a_d8f7_92aa_5825, 0xa9f7_4646_2d87_0fdf_8a65_dc1f_90e0_61e5,
        0x70d8_69a1_56d2_a1b8_90bb_3df6_2baf_32f7, 0x31be_135f_97d0_8fd9_8123_1505_542f_cfa6,
        0x09aa_508b_5b7a_84e1_c677_de54_f3e9_9bc9, 0x005d_6af8_dedb_8119_6699_c329_225e_e604,
        0x0000_2216_e584_f5fa_1ea9_2604_1bed_fe98, 0x0000_0000_048a_1703_91f7_dc42_444e_8fa2,
    ]

    /// The root of the price at a tick; nil beyond the ends of the ladder.
    public static func rootPrice(atTick tick: Int) -> UInt256? {
        guard ticks.contains(tick) else { return nil }
        var ratio = UInt256(high: 1, low: 0)
        for (k, power) in powers.enumerated() where tick.magnitude >> k & 1 == 1 {
            // Never more than 2¹²⁸, so that products fit.
            guard let product = ratio.times(UInt256(power)) else { return nil }
            ratio = UInt256(product.high)
        }
        if tick > 0 { ratio = UInt256.max.over(ratio) ?? ratio }
        return ratio.over(UInt256(1 << 32), roundingUp: true)
    }

    /// The highest tick whose root price is not above this one; nil outside of the ladder.
    public static func tick(atRootPrice root: UInt256) -> Int? {
        guard let first = rootPrice(atTick: ticks.lowerBound), root >= first,
            let last = rootPrice(atTick: ticks.upperBound), root < last
        else { return nil }
        var (low, high) = (ticks.lowerBound, ticks.upperBound)
        while high - low > 1 {
            let middle = (low + high) >> 1
            if let there = rootPrice(atTick: middle), there <= root { low = middle } else { high = middle }
        }
        return low
    }
}
