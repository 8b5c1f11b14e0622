// Made by scripts/generate-coefficients: do not edit.
//
// Each polynomial is evaluated by Horner's rule or, where few independent chains would leave the
// multiply-adders idle, by Estrin's scheme.

/// p and q with N(−x)/exp(−x²/2) = p(x)/q(x) on [0, 40], the Mills ratio over √(2π), for two
/// arguments in lockstep. Largest relative error 1.0e-16; all coefficients are positive, so
/// nothing cancels. Those of y are multiplied by `secondScale`, numerator and denominator alike.
@inlinable @inline(__always)
public func millsFractions<A: LaneArithmetic>(
    _ arithmetic: A.Type, _ x: Lanes, _ y: Lanes
) -> (px: Lanes, qx: Lanes, py: Lanes, qy: Lanes) {
    let scale = A.secondScale
    var px = Lanes(repeating: 0x1.76f56586463f4p-20)
    var py = Lanes(repeating: 0x1.76f56586463f4p-20 * scale)
    var qx = Lanes(repeating: 0x1.d5f0de25f319dp-19)
    var qy = Lanes(repeating: 0x1.d5f0de25f319dp-19 * scale)
    qx = A.multiplyAdd(qx, x, Lanes(repeating: 0x1.8a4c4e26d43e1p-14))
    qy = A.multiplyAdd(qy, y, Lanes(repeating: 0x1.8a4c4e26d43e1p-14 * scale))
    qx = A.multiplyAdd(qx, x, Lanes(repeating: 0x1.44f9575a2a14ep-10))
    qy = A.multiplyAdd(qy, y, Lanes(repeating: 0x1.44f9575a2a14ep-10 * scale))
    px = A.multiplyAdd(px, x, Lanes(repeating: 0x1.3a9ab60dc02a5p-15))
    py = A.multiplyAdd(py, y, Lanes(repeating: 0x1.3a9ab60dc02a5p-15 * scale))
    qx = A.multiplyAdd(qx, x, Lanes(repeating: 0x1.5485f2a594db8p-7))
    qy = A.multiplyAdd(qy, y, Lanes(repeating: 0x1.5485f2a594db8p-7 * scale))
    px = A.multiplyAdd(px, x, Lanes(repeating: 0x1.028f340642523p-11))
    py = A.multiplyAdd(py, y, Lanes(repeating: 0x1.028f340642523p-11 * scale))
    qx = A.multiplyAdd(qx, x, Lanes(repeating: 0x1.f0f8c09a621a5p-5))
    qy = A.multiplyAdd(qy, y, Lanes(repeating: 0x1.f0f8c09a621a5p-5 * scale))
    px = A.multiplyAdd(px, x, Lanes(repeating: 0x1.0d3d89d97ef15p-8))
    py = A.multiplyAdd(py, y, Lanes(repeating: 0x1.0d3d89d97ef15p-8 * scale))
    qx = A.multiplyAdd(qx, x, Lanes(repeating: 0x1.05e006fc209a8p-2))
    qy = A.multiplyAdd(qy, y, Lanes(repeating: 0x1.05e006fc209a8p-2 * scale))
    px = A.multiplyAdd(px, x, Lanes(repeating: 0x1.847de846f0788p-6))
    py = A.multiplyAdd(py, y, Lanes(repeating: 0x1.847de846f0788p-6 * scale))
    qx = A.multiplyAdd(qx, x, Lanes(repeating: 0x1.9158593c64430p-1))
    qy = A.multiplyAdd(qy, y, Lanes(repeating: 0x1.9158593c64430p-1 * scale))
    px = A.multiplyAdd(px, x, Lanes(repeating: 0x1.915f37108a65dp-4))
    py = A.multiplyAdd(py, y, Lanes(repeating: 0x1.915f37108a65dp-4 * scale))
    qx = A.multiplyAdd(qx, x, Lanes(repeating: 0x1.b7a0ecec45f18p+0))
    qy = A.multiplyAdd(qy, y, Lanes(repeating: 0x1.b7a0ecec45f18p+0 * scale))
    px = A.multiplyAdd(px, x, Lanes(repeating: 0x1.28f1221970db8p-2))
    py = A.multiplyAdd(py, y, Lanes(repeating: 0x1.28f1221970db8p-2 * scale))
    qx = A.multiplyAdd(qx, x, Lanes(repeating: 0x1.4832cb89c02f2p+1))
    qy = A.multiplyAdd(qy, y, Lanes(repeating: 0x1.4832cb89c02f2p+1 * scale))
    px = A.multiplyAdd(px, x, Lanes(repeating: 0x1.309df689e0baep-1))
    py = A.multiplyAdd(py, y, Lanes(repeating: 0x1.309df689e0baep-1 * scale))
    qx = A.multiplyAdd(qx, x, Lanes(repeating: 0x1.2ca84b4b78e6ap+1))
    qy = A.multiplyAdd(qy, y, Lanes(repeating: 0x1.2ca84b4b78e6ap+1 * scale))
    px = A.multiplyAdd(px, x, Lanes(repeating: 0x1.8d0e6cf8501dbp-1))
    py = A.multiplyAdd(py, y, Lanes(repeating: 0x1.8d0e6cf8501dbp-1 * scale))
    qx = A.multiplyAdd(qx, x, Lanes(repeating: 0x1.0000000000000p+0))
    qy = A.multiplyAdd(qy, y, Lanes(repeating: 0x1.0000000000000p+0 * scale))
    px = A.multiplyAdd(px, x, Lanes(repeating: 0x1.0000000000000p-1))
    py = A.multiplyAdd(py, y, Lanes(repeating: 0x1.0000000000000p-1 * scale))
    return (px, qx, py, qy)
}

/// The same bits for two pairs of arguments in lockstep.
@inlinable @inline(__always)
public func millsFractions<A: LaneArithmetic>(
    _ arithmetic: A.Type, _ x: Lanes, _ y: Lanes, _ u: Lanes, _ v: Lanes
) -> ((px: Lanes, qx: Lanes, py: Lanes, qy: Lanes), (px: Lanes, qx: Lanes, py: Lanes, qy: Lanes)) {
    let scale = A.secondScale
    var px = Lanes(repeating: 0x1.76f56586463f4p-20)
    var py = Lanes(repeating: 0x1.76f56586463f4p-20 * scale)
    var pu = Lanes(repeating: 0x1.76f56586463f4p-20)
    var pv = Lanes(repeating: 0x1.76f56586463f4p-20 * scale)
    var qx = Lanes(repeating: 0x1.d5f0de25f319dp-19)
    var qy = Lanes(repeating: 0x1.d5f0de25f319dp-19 * scale)
    var qu = Lanes(repeating: 0x1.d5f0de25f319dp-19)
    var qv = Lanes(repeating: 0x1.d5f0de25f319dp-19 * scale)
    qx = A.multiplyAdd(qx, x, Lanes(repeating: 0x1.8a4c4e26d43e1p-14))
    qy = A.multiplyAdd(qy, y, Lanes(repeating: 0x1.8a4c4e26d43e1p-14 * scale))
    qu = A.multiplyAdd(qu, u, Lanes(repeating: 0x1.8a4c4e26d43e1p-14))
    qv = A.multiplyAdd(qv, v, Lanes(repeating: 0x1.8a4c4e26d43e1p-14 * scale))
    qx = A.multiplyAdd(qx, x, Lanes(repeating: 0x1.44f9575a2a14ep-10))
    qy = A.multiplyAdd(qy, y, Lanes(repeating: 0x1.44f9575a2a14ep-10 * scale))
    qu = A.multiplyAdd(qu, u, Lanes(repeating: 0x1.44f9575a2a14ep-10))
    qv = A.multiplyAdd(qv, v, Lanes(repeating: 0x1.44f9575a2a14ep-10 * scale))
    px = A.multiplyAdd(px, x, Lanes(repeating: 0x1.3a9ab60dc02a5p-15))
    py = A.multiplyAdd(py, y, Lanes(repeating: 0x1.3a9ab60dc02a5p-15 * scale))
    pu = A.multiplyAdd(pu, u, Lanes(repeating: 0x1.3a9ab60dc02a5p-15))
    pv = A.multiplyAdd(pv, v, Lanes(repeating: 0x1.3a9ab60dc02a5p-15 * scale))
    qx = A.multiplyAdd(qx, x, Lanes(repeating: 0x1.5485f2a594db8p-7))
    qy = A.multiplyAdd(qy, y, Lanes(repeating: 0x1.5485f2a594db8p-7 * scale))
    qu = A.multiplyAdd(qu, u, Lanes(repeating: 0x1.5485f2a594db8p-7))
    qv = A.multiplyAdd(qv, v, Lanes(repeating: 0x1.5485f2a594db8p-7 * scale))
    px = A.multiplyAdd(px, x, Lanes(repeating: 0x1.028f340642523p-11))
    py = A.multiplyAdd(py, y, Lanes(repeating: 0x1.028f340642523p-11 * scale))
    pu = A.multiplyAdd(pu, u, Lanes(repeating: 0x1.028f340642523p-11))
    pv = A.multiplyAdd(pv, v, Lanes(repeating: 0x1.028f340642523p-11 * scale))
    qx = A.multiplyAdd(qx, x, Lanes(repeating: 0x1.f0f8c09a621a5p-5))
    qy = A.multiplyAdd(qy, y, Lanes(repeating: 0x1.f0f8c09a621a5p-5 * scale))
    qu = A.multiplyAdd(qu, u, Lanes(repeating: 0x1.f0f8c09a621a5p-5))
    qv = A.multiplyAdd(qv, v, Lanes(repeating: 0x1.f0f8c09a621a5p-5 * scale))
    px = A.multiplyAdd(px, x, Lanes(repeating: 0x1.0d3d89d97ef15p-8))
    py = A.multiplyAdd(py, y, Lanes(repeating: 0x1.0d3d89d97ef15p-8 * scale))
    pu = A.multiplyAdd(pu, u, Lanes(repeating: 0x1.0d3d89d97ef15p-8))
    pv = A.multiplyAdd(pv, v, Lanes(repeating: 0x1.0d3d89d97ef15p-8 * scale))
    qx = A.multiplyAdd(qx, x, Lanes(repeating: 0x1.05e006fc209a8p-2))
    qy = A.multiplyAdd(qy, y, Lanes(repeating: 0x1.05e006fc209a8p-2 * scale))
    qu = A.multiplyAdd(qu, u, Lanes(repeating: 0x1.05e006fc209a8p-2))
    qv = A.multiplyAdd(qv, v, Lanes(repeating: 0x1.05e006fc209a8p-2 * scale))
    px = A.multiplyAdd(px, x, Lanes(repeating: 0x1.847de846f0788p-6))
    py = A.multiplyAdd(py, y, Lanes(repeating: 0x1.847de846f0788p-6 * scale))
    pu = A.multiplyAdd(pu, u, Lanes(repeating: 0x1.847de846f0788p-6))
    pv = A.multiplyAdd(pv, v, Lanes(repeating: 0x1.847de846f0788p-6 * scale))
    qx = A.multiplyAdd(qx, x, Lanes(repeating: 0x1.9158593c64430p-1))
    qy = A.multiplyAdd(qy, y, Lanes(repeating: 0x1.9158593c64430p-1 * scale))
    qu = A.multiplyAdd(qu, u, Lanes(repeating: 0x1.9158593c64430p-1))
    qv = A.multiplyAdd(qv, v, Lanes(repeating: 0x1.9158593c64430p-1 * scale))
    px = A.multiplyAdd(px, x, Lanes(repeating: 0x1.915f37108a65dp-4))
    py = A.multiplyAdd(py, y, Lanes(repeating: 0x1.915f37108a65dp-4 * scale))
    pu = A.multiplyAdd(pu, u, Lanes(repeating: 0x1.915f37108a65dp-4))
    pv = A.multiplyAdd(pv, v, Lanes(repeating: 0x1.915f37108a65dp-4 * scale))
    qx = A.multiplyAdd(qx, x, Lanes(repeating: 0x1.b7a0ecec45f18p+0))
    qy = A.multiplyAdd(qy, y, Lanes(repeating: 0x1.b7a0ecec45f18p+0 * scale))
    qu = A.multiplyAdd(qu, u, Lanes(repeating: 0x1.b7a0ecec45f18p+0))
    qv = A.multiplyAdd(qv, v, Lanes(repeating: 0x1.b7a0ecec45f18p+0 * scale))
    px = A.multiplyAdd(px, x, Lanes(repeating: 0x1.28f1221970db8p-2))
    py = A.multiplyAdd(py, y, Lanes(repeating: 0x1.28f1221970db8p-2 * scale))
    pu = A.multiplyAdd(pu, u, Lanes(repeating: 0x1.28f1221970db8p-2))
    pv = A.multiplyAdd(pv, v, Lanes(repeating: 0x1.28f1221970db8p-2 * scale))
    qx = A.multiplyAdd(qx, x, Lanes(repeating: 0x1.4832cb89c02f2p+1))
    qy = A.multiplyAdd(qy, y, Lanes(repeating: 0x1.4832cb89c02f2p+1 * scale))
    qu = A.multiplyAdd(qu, u, Lanes(repeating: 0x1.4832cb89c02f2p+1))
    qv = A.multiplyAdd(qv, v, Lanes(repeating: 0x1.4832cb89c02f2p+1 * scale))
    px = A.multiplyAdd(px, x, Lanes(repeating: 0x1.309df689e0baep-1))
    py = A.multiplyAdd(py, y, Lanes(repeating: 0x1.309df689e0baep-1 * scale))
    pu = A.multiplyAdd(pu, u, Lanes(repeating: 0x1.309df689e0baep-1))
    pv = A.multiplyAdd(pv, v, Lanes(repeating: 0x1.309df689e0baep-1 * scale))
    qx = A.multiplyAdd(qx, x, Lanes(repeating: 0x1.2ca84b4b78e6ap+1))
    qy = A.multiplyAdd(qy, y, Lanes(repeating: 0x1.2ca84b4b78e6ap+1 * scale))
    qu = A.multiplyAdd(qu, u, Lanes(repeating: 0x1.2ca84b4b78e6ap+1))
    qv = A.multiplyAdd(qv, v, Lanes(repeating: 0x1.2ca84b4b78e6ap+1 * scale))
    px = A.multiplyAdd(px, x, Lanes(repeating: 0x1.8d0e6cf8501dbp-1))
    py = A.multiplyAdd(py, y, Lanes(repeating: 0x1.8d0e6cf8501dbp-1 * scale))
    pu = A.multiplyAdd(pu, u, Lanes(repeating: 0x1.8d0e6cf8501dbp-1))
    pv = A.multiplyAdd(pv, v, Lanes(repeating: 0x1.8d0e6cf8501dbp-1 * scale))
    qx = A.multiplyAdd(qx, x, Lanes(repeating: 0x1.0000000000000p+0))
    qy = A.multiplyAdd(qy, y, Lanes(repeating: 0x1.0000000000000p+0 * scale))
    qu = A.multiplyAdd(qu, u, Lanes(repeating: 0x1.0000000000000p+0))
    qv = A.multiplyAdd(qv, v, Lanes(repeating: 0x1.0000000000000p+0 * scale))
    px = A.multiplyAdd(px, x, Lanes(repeating: 0x1.0000000000000p-1))
    py = A.multiplyAdd(py, y, Lanes(repeating: 0x1.0000000000000p-1 * scale))
    pu = A.multiplyAdd(pu, u, Lanes(repeating: 0x1.0000000000000p-1))
    pv = A.multiplyAdd(pv, v, Lanes(repeating: 0x1.0000000000000p-1 * scale))
    return ((px, qx, py, qy), (pu, qu, pv, qv))
}

/// The same with fewer terms, for tails that count beside the whole. Largest relative error
/// 9.2e-17 (1 + exp(x²/2)/30,000) up to 9: of the tail to 4.5, beyond that of the whole; all
/// coefficients are positive.
@inlinable @inline(__always)
func centralMillsFractions<A: LaneArithmetic>(
    _ arithmetic: A.Type, _ x: Lanes, _ y: Lanes
) -> (px: Lanes, qx: Lanes, py: Lanes, qy: Lanes) {
    let scale = A.secondScale
    var px = Lanes(repeating: 0x1.286b6175ef368p-16)
    var py = Lanes(repeating: 0x1.286b6175ef368p-16 * scale)
    var qx = Lanes(repeating: 0x1.7381cb05c7e48p-15)
    var qy = Lanes(repeating: 0x1.7381cb05c7e48p-15 * scale)
    qx = A.multiplyAdd(qx, x, Lanes(repeating: 0x1.0ba259fa0a0cdp-10))
    qy = A.multiplyAdd(qy, y, Lanes(repeating: 0x1.0ba259fa0a0cdp-10 * scale))
    qx = A.multiplyAdd(qx, x, Lanes(repeating: 0x1.6abcc62977d93p-7))
    qy = A.multiplyAdd(qy, y, Lanes(repeating: 0x1.6abcc62977d93p-7 * scale))
    px = A.multiplyAdd(px, x, Lanes(repeating: 0x1.ab155152a57c6p-12))
    py = A.multiplyAdd(py, y, Lanes(repeating: 0x1.ab155152a57c6p-12 * scale))
    qx = A.multiplyAdd(qx, x, Lanes(repeating: 0x1.2a82faa022e6fp-4))
    qy = A.multiplyAdd(qy, y, Lanes(repeating: 0x1.2a82faa022e6fp-4 * scale))
    px = A.multiplyAdd(px, x, Lanes(repeating: 0x1.2043592914a46p-8))
    py = A.multiplyAdd(py, y, Lanes(repeating: 0x1.2043592914a46p-8 * scale))
    qx = A.multiplyAdd(qx, x, Lanes(repeating: 0x1.43aa66bab51dcp-2))
    qy = A.multiplyAdd(qy, y, Lanes(repeating: 0x1.43aa66bab51dcp-2 * scale))
    px = A.multiplyAdd(px, x, Lanes(repeating: 0x1.d5b098aed742fp-6))
    py = A.multiplyAdd(py, y, Lanes(repeating: 0x1.d5b098aed742fp-6 * scale))
    qx = A.multiplyAdd(qx, x, Lanes(repeating: 0x1.d6a61746ff0d9p-1))
    qy = A.multiplyAdd(qy, y, Lanes(repeating: 0x1.d6a61746ff0d9p-1 * scale))
    px = A.multiplyAdd(px, x, Lanes(repeating: 0x1.f299729a235d9p-4))
    py = A.multiplyAdd(py, y, Lanes(repeating: 0x1.f299729a235d9p-4 * scale))
    qx = A.multiplyAdd(qx, x, Lanes(repeating: 0x1.be12dbe14fd40p+0))
    qy = A.multiplyAdd(qy, y, Lanes(repeating: 0x1.be12dbe14fd40p+0 * scale))
    px = A.multiplyAdd(px, x, Lanes(repeating: 0x1.5b10a05062ab5p-2))
    py = A.multiplyAdd(py, y, Lanes(repeating: 0x1.5b10a05062ab5p-2 * scale))
    qx = A.multiplyAdd(qx, x, Lanes(repeating: 0x1.f6010251ee810p+0))
    qy = A.multiplyAdd(qy, y, Lanes(repeating: 0x1.f6010251ee810p+0 * scale))
    px = A.multiplyAdd(px, x, Lanes(repeating: 0x1.29bed8b34cd05p-1))
    py = A.multiplyAdd(py, y, Lanes(repeating: 0x1.29bed8b34cd05p-1 * scale))
    qx = A.multiplyAdd(qx, x, Lanes(repeating: 0x1.0000000000000p+0))
    qy = A.multiplyAdd(qy, y, Lanes(repeating: 0x1.0000000000000p+0 * scale))
    px = A.multiplyAdd(px, x, Lanes(repeating: 0x1.0000000000000p-1))
    py = A.multiplyAdd(py, y, Lanes(repeating: 0x1.0000000000000p-1 * scale))
    return (px, qx, py, qy)
}

/// p and q with −d/dx N(−x)/exp(−x²/2) = p(x)/q(x) on [0, 40]. Largest relative error
/// 1.1e-16; all coefficients are positive, so nothing cancels.
@inlinable @inline(__always)
func millsDecline<A: LaneArithmetic>(_ arithmetic: A.Type, _ x: Lanes) -> (p: Lanes, q: Lanes) {
    var p = Lanes(repeating: 0x1.c3699b21be76bp-22)
    var q = Lanes(repeating: 0x1.1ae17f4c25d21p-20)
    q = A.multiplyAdd(q, x, Lanes(repeating: 0x1.f03bcb7f411b1p-16))
    q = A.multiplyAdd(q, x, Lanes(repeating: 0x1.b513ae75ed6f9p-12))
    q = A.multiplyAdd(q, x, Lanes(repeating: 0x1.f2ef17855bce8p-9))
    p = A.multiplyAdd(p, x, Lanes(repeating: 0x1.8befe6415cc7bp-17))
    q = A.multiplyAdd(q, x, Lanes(repeating: 0x1.94ca5a72eb0aep-6))
    p = A.multiplyAdd(p, x, Lanes(repeating: 0x1.5a1786bc9508fp-13))
    q = A.multiplyAdd(q, x, Lanes(repeating: 0x1.e5d393fbb5191p-4))
    p = A.multiplyAdd(p, x, Lanes(repeating: 0x1.84cfda2e7c05cp-10))
    q = A.multiplyAdd(q, x, Lanes(repeating: 0x1.b538dfe0d7a00p-2))
    p = A.multiplyAdd(p, x, Lanes(repeating: 0x1.32d5ec48229c4p-7))
    q = A.multiplyAdd(q, x, Lanes(repeating: 0x1.25902adf9d2a9p+0))
    p = A.multiplyAdd(p, x, Lanes(repeating: 0x1.5fc32a05231b5p-5))
    q = A.multiplyAdd(q, x, Lanes(repeating: 0x1.1f113d4a0b914p+1))
    p = A.multiplyAdd(p, x, Lanes(repeating: 0x1.255005e2d2b5ap-3))
    q = A.multiplyAdd(q, x, Lanes(repeating: 0x1.8414ef3285b2cp+1))
    p = A.multiplyAdd(p, x, Lanes(repeating: 0x1.5927dfec0c262p-2))
    q = A.multiplyAdd(q, x, Lanes(repeating: 0x1.457c17ee0ff86p+1))
    p = A.multiplyAdd(p, x, Lanes(repeating: 0x1.076603f4e0344p-1))
    q = A.multiplyAdd(q, x, Lanes(repeating: 0x1.0000000000000p+0))
    p = A.multiplyAdd(p, x, Lanes(repeating: 0x1.9884533d43651p-2))
    return (p, q)
}

/// (exp(x) − 1 − x)/x² on |x| ≤ ½ ln 2: adds 1.4e-17 to exp(x) at most.
@inlinable @inline(__always)
func exponentialTail<A: LaneArithmetic>(_ arithmetic: A.Type, _ x: Lanes) -> Lanes {
    let y0_0 = A.multiplyAdd(
        Lanes(repeating: 0x1.5555555555558p-3), x, Lanes(repeating: 0x1.0000000000001p-1))
    let y0_1 = A.multiplyAdd(
        Lanes(repeating: 0x1.111111110f803p-7), x, Lanes(repeating: 0x1.5555555553d63p-5))
    let y0_2 = A.multiplyAdd(
        Lanes(repeating: 0x1.a01a01b00c3dep-13), x, Lanes(repeating: 0x1.6c16c1788bf01p-10))
    let y0_3 = A.multiplyAdd(
        Lanes(repeating: 0x1.71ddf6b3d1a3ap-19), x, Lanes(repeating: 0x1.a019b90ce7feep-16))
    let y0_4 = A.multiplyAdd(
        Lanes(repeating: 0x1.af632af902db0p-26), x, Lanes(repeating: 0x1.2891859e34968p-22))
    let x2 = x * x
    let y1_0 = A.multiplyAdd(y0_1, x2, y0_0)
    let y1_1 = A.multiplyAdd(y0_3, x2, y0_2)
    let x4 = x2 * x2
    let y2_0 = A.multiplyAdd(y1_1, x4, y1_0)
    let x8 = x4 * x4
    let y3_0 = A.multiplyAdd(y0_4, x8, y2_0)
    return y3_0
}

/// (2^(x/8) − 1)/x on |x| ≤ ½: adds 6.3e-18 to 2^(x/8) at most.
@inlinable @inline(__always)
func eighthPowerTail<A: LaneArithmetic>(_ arithmetic: A.Type, _ x: Lanes) -> Lanes {
    var y = Lanes(repeating: 0x1.ffd3ab30c5f2cp-38)
    y = A.multiplyAdd(y, x, Lanes(repeating: 0x1.430ded1f39258p-31))
    y = A.multiplyAdd(y, x, Lanes(repeating: 0x1.5d87fe6d8ecf0p-25))
    y = A.multiplyAdd(y, x, Lanes(repeating: 0x1.3b2ab6f1ef98cp-19))
    y = A.multiplyAdd(y, x, Lanes(repeating: 0x1.c6b08d704a215p-14))
    y = A.multiplyAdd(y, x, Lanes(repeating: 0x1.ebfbdff82c6c5p-9))
    y = A.multiplyAdd(y, x, Lanes(repeating: 0x1.62e42fefa39efp-4))
    return y
}

/// (ln((1 + z)/(1 − z)) − 2z)/z³ as a polynomial in x = z², |z| ≤ 0.2011: relative error of the
/// logarithm 7.5e-19 at most.
@inlinable @inline(__always)
func logarithmTail<A: LaneArithmetic>(_ arithmetic: A.Type, _ x: Lanes) -> Lanes {
    let y0_0 = A.multiplyAdd(
        Lanes(repeating: 0x1.9999999999fa0p-2), x, Lanes(repeating: 0x1.5555555555555p-1))
    let y0_1 = A.multiplyAdd(
        Lanes(repeating: 0x1.c71c72f2178f3p-3), x, Lanes(repeating: 0x1.24924923cfc03p-2))
    let y0_2 = A.multiplyAdd(
        Lanes(repeating: 0x1.3b2aaf1815bdap-3), x, Lanes(repeating: 0x1.745ca69bbc90fp-3))
    let y0_3 = A.multiplyAdd(
        Lanes(repeating: 0x1.171ca35598c9fp-3), x, Lanes(repeating: 0x1.0e7b6d3b1f1e7p-3))
    let x2 = x * x
    let y1_0 = A.multiplyAdd(y0_1, x2, y0_0)
    let y1_1 = A.multiplyAdd(y0_3, x2, y0_2)
    let x4 = x2 * x2
    let y2_0 = A.multiplyAdd(y1_1, x4, y1_0)
    return y2_0
}

/// (ln((1 + z)/(1 − z)) − 2z − ⅔z³)/z⁵ as a polynomial in x = z², |z| ≤ 0.2011: relative error of
/// the logarithm 2.8e-20 at most.
@inlinable @inline(__always)
func logarithmRest<A: LaneArithmetic>(_ arithmetic: A.Type, _ x: Lanes) -> Lanes {
    let y0_0 = A.multiplyAdd(
        Lanes(repeating: 0x1.2492492492a07p-2), x, Lanes(repeating: 0x1.9999999999999p-2))
    let y0_1 = A.multiplyAdd(
        Lanes(repeating: 0x1.745d1854b3c90p-3), x, Lanes(repeating: 0x1.c71c71c5bbeb7p-3))
    let y0_2 = A.multiplyAdd(
        Lanes(repeating: 0x1.1125e501bbddep-3), x, Lanes(repeating: 0x1.3b134b2913216p-3))
    let y0_3 = A.multiplyAdd(
        Lanes(repeating: 0x1.f4495f8214586p-4), x, Lanes(repeating: 0x1.dd334d6ab8202p-4))
    let x2 = x * x
    let y1_0 = A.multiplyAdd(y0_1, x2, y0_0)
    let y1_1 = A.multiplyAdd(y0_3, x2, y0_2)
    let x4 = x2 * x2
    let y2_0 = A.multiplyAdd(y1_1, x4, y1_0)
    return y2_0
}
