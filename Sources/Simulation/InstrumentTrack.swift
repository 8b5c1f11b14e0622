import Greeks
import Market
import VectorMath

/// Prices and funding of the hedge instrument along the paths of a block.
final class InstrumentTrack {
    let instrument: HedgeContract
    let funding: Funding
    private let grid: TimeGrid
    /// Mark at each time; what a long position pays per step as a share of its value.
    let mark, payment: ColumnStorage<Lanes>
    let hasPayments: Bool

    init(_ instrument: HedgeContract, _ funding: Funding, _ grid: TimeGrid) {
        self.instrument = instrument
        self.funding = funding
        self.grid = grid
        mark = ColumnStorage(repeating: .zero, count: grid.steps + 1)
        payment = ColumnStorage(repeating: .zero, count: grid.steps)
        hasPayments = instrument.kind.isPerpetual && funding != .none
    }

    func draw(_ block: PathBlock, seed: UInt64, firstPath: UInt32) {
        let one = Lanes(repeating: 1)
        let hasPremium = instrument.kind != .spot && instrument.premiumDeviation > 0
        let stream = RandomStream(seed: seed, stream: PathStream.free - 1)
        let decay = decay(
            over: grid.stepYears * Year.hours, halfLife: instrument.premiumHalfLifeHours)
        let noise = Lanes(repeating: instrument.premiumDeviation * (1 - decay * decay).squareRoot())
        let eighths = Lanes(repeating: grid.stepYears * Year.fundingPeriods)
        var premium = Lanes.zero
        for time in 0...grid.steps {
            if hasPremium {
                let normal =
                    stream.normals(PortableArithmetic.self, firstPath: firstPath, step: UInt32(time)).0
                premium =
                    time == 0
                    ? normal * Lanes(repeating: instrument.premiumDeviation)
                    : premium * Lanes(repeating: decay) + normal * noise
            }
            var price = block.spot[time] * (one + premium)
            if instrument.kind == .linearFuture || instrument.kind == .inverseFuture {
                let left = max(0, instrument.years - grid.years(time))
                price *= Lanes(repeating: scalarExponential(instrument.basis * left))
            }
            mark[time] = price
            guard hasPayments, time < grid.steps else { continue }
            switch funding {
            case .none: break
            case .constant(let rate): payment[time] = Lanes(repeating: rate) * eighths
            case .fromPaths: payment[time] = block.funding[time]
            case .history(let history):
                payment[time] = history.payments(grid, time: time, firstPath: firstPath, seed: seed)
            case .premium:
                let up = premium.atLeast(0.00025)
                let down = premium.atMost(-0.00025)
                payment[time] = (up + down) * eighths
            }
        }
    }
}
