import Rebalancing
import Testing
import VectorMath

/// What a band does with an exposure.
struct BandTests {
    @Test("A band's change takes an exposure to its edge, or to the inner band once it has left")
    func changes() {
        let edge = RebalancingBand(lower: Lanes(repeating: -1), upper: Lanes(repeating: 2))
        let exposure: Lanes = [-3, -1, 0, 2, 2.5, .nan, .infinity, -.infinity]
        let change = edge.change(of: exposure)
        #expect(Array((0..<7).map { change[$0] }) == [2, 0, 0, 0, -0.5, 0, -.infinity])
        var inner = edge
        (inner.innerLower, inner.innerUpper) = (Lanes(repeating: 0.5), Lanes(repeating: 0.75))
        #expect(inner.change(of: exposure)[0] == 3.5 && inner.change(of: exposure)[4] == -1.75)
        #expect(RebalancingBand.hold.change(of: exposure) == .zero)
        #expect(RebalancingBand.neutral.change(of: exposure)[4] == -2.5)
        #expect(RebalancingBand.unknown.change(of: exposure) == .zero)
    }
}
