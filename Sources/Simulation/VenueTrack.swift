import VectorMath

/// What happens at a venue along the paths of a block, whoever trades: drawn once for all policies, so that
/// their comparison is one on common random numbers.
final class VenueTrack {
    let venue: Venue
    private let grid: TimeGrid
    private let stream: UInt32
    private let storage: UnsafeMutablePointer<Lanes>
    /// Per step. Standard normal, for the price between decision and fill; uniform, for failures, partial
    /// fills and fills of resting orders; quote units of gas; 1 where there is no trading, and where prices
    /// are old.
    let bridge, failure, partial, touch, gas, isDown, isStale: UnsafeMutablePointer<Lanes>
    /// Whole steps from decision to fill, and the part of a step after them.
    let delaySteps: Int
    let delayFraction: Double
    let canBeDown, canBeStale, canFail: Bool

    private static let streamsPerVenue: UInt32 = 4
    private static let columns = 7

    /// - Parameter index: the venue's place among those of a simulation; each has random numbers of its own.
    init(_ venue: Venue, index: Int, _ grid: TimeGrid) {
        self.venue = venue
        self.grid = grid
        stream = PathStream.free + Self.streamsPerVenue * UInt32(index)
        let steps = grid.steps
        storage = .allocate(capacity: Self.columns * steps)
        storage.initialize(repeating: .zero, count: Self.columns * steps)
        bridge = storage
        failure = storage + steps
        partial = storage + 2 * steps
        touch = storage + 3 * steps
        gas = storage + 4 * steps
        isDown = storage + 5 * steps
        isStale = storage + 6 * steps
        let delay = venue.delaySeconds / (grid.stepYears * 365 * 86400)
        delaySteps = Int(delay.rounded(.down))
        delayFraction = delay - delay.rounded(.down)
        let failures = venue.failures
        canBeDown =
            !failures.outages.isEmpty || failures.outagesPerYear > 0 || failures.crashOutageProbability > 0
        canBeStale = !failures.staleSpans.isEmpty
        if case .pool(let pool) = venue.costs {
            canFail = failures.orderFailure > 0 || pool.failureProbability > 0
        } else {
            canFail = failures.orderFailure > 0
        }
    }

    deinit { storage.deallocate() }

    var spreadWidens: Bool {
        if case .orderBook(let book) = venue.costs { book.spreadWidening > 0 } else { false }
    }

    func draw(_ block: PathBlock, seed: UInt64, firstPath: UInt32) {
        if delayFraction > 0 {
            let normals = RandomStream(seed: seed, stream: stream)
            for step in 0..<grid.steps {
                bridge[step] =
                    normals.normals(PortableArithmetic.self, firstPath: firstPath, step: UInt32(step)).0
            }
        }
        let failures = venue.failures
        if canFail || failures.partialFill > 0 {
            let uniforms = RandomStream(seed: seed, stream: stream + 1)
            for step in 0..<grid.steps {
                (failure[step], partial[step]) = uniforms.uniforms(firstPath: firstPath, step: UInt32(step))
            }
        }
        switch venue.costs {
        case .orderBook(let book):
            if book.isMaker {
                let uniforms = RandomStream(seed: seed, stream: stream + 2)
                for step in 0..<grid.steps {
                    touch[step] = uniforms.uniforms(firstPath: firstPath, step: UInt32(step)).0
                }
            }
        case .pool(let pool): drawGas(pool, block, seed: seed, firstPath: firstPath)
        }
        if canBeDown { drawOutages(block, seed: seed, firstPath: firstPath) }
        if canBeStale {
            for step in 0..<grid.steps {
                isStale[step] = Lanes(repeating: covers(failures.staleSpans, step) ? 1 : 0)
            }
        }
    }

    private func drawGas(_ pool: PoolCosts, _ block: PathBlock, seed: UInt64, firstPath: UInt32) {
        let uniforms = RandomStream(seed: seed, stream: stream + 2)
        let base = Lanes(repeating: pool.gas)
        let spike = Lanes(repeating: pool.gas * pool.gasSpike)
        for step in 0..<grid.steps {
            var isSpike = LaneMask(repeating: false)
            if pool.gasSpikeProbability > 0 {
                let uniform = uniforms.uniforms(firstPath: firstPath, step: UInt32(step)).0
                isSpike = uniform .< Lanes(repeating: pool.gasSpikeProbability)
            }
            if step > 0 {
                isSpike = isSpike
                    .| (lastReturn(block, step).absolute .> Lanes(repeating: pool.gasSpikeReturn))
            }
            gas[step] = base.replacing(with: spike, where: isSpike)
        }
    }

    /// The return of the step that ends at a time: all that is known there.
    private func lastReturn(_ block: PathBlock, _ time: Int) -> Lanes {
        block.spot[time] / block.spot[time - 1] - Lanes(repeating: 1)
    }

    private func drawOutages(_ block: PathBlock, seed: UInt64, firstPath: UInt32) {
        let failures = venue.failures
        let uniforms = RandomStream(seed: seed, stream: stream + 3)
        let stepHours = grid.stepYears * 8760
        let starts = Lanes(repeating: failures.outagesPerYear * grid.stepYears)
        var hoursLeft = Lanes.zero
        for step in 0..<grid.steps {
            if failures.outagesPerYear > 0 || failures.crashOutageProbability > 0 {
                let (chance, length) = uniforms.uniforms(firstPath: firstPath, step: UInt32(step))
                var begins = chance .< starts
                if step > 0 {
                    let crashed = lastReturn(block, step).absolute .> Lanes(repeating: failures.crashReturn)
                    begins = begins
                        .| (crashed .& (chance .< Lanes(repeating: failures.crashOutageProbability)))
                }
                let hours =
                    logarithmOfRatio(PortableArithmetic.self, Lanes(repeating: 1), length)
                    * Lanes(repeating: failures.outageHours)
                hoursLeft = hoursLeft.replacing(with: pointwiseMax(hoursLeft, hours), where: begins)
            }
            let planned = Lanes(repeating: covers(failures.outages, step) ? 1 : 0)
            isDown[step] = planned.replacing(with: Lanes(repeating: 1), where: hoursLeft .> .zero)
            hoursLeft = (hoursLeft - Lanes(repeating: stepHours)).atLeast(0)
        }
    }

    private func covers(_ spans: [Outage], _ step: Int) -> Bool {
        let hour = grid.years(step) * 8760
        return spans.contains { $0.fromHour <= hour + 1e-9 && hour + 1e-9 < $0.toHour }
    }
}

/// Prices and funding of the hedge instrument along the paths of a block.
final class InstrumentTrack {
    let instrument: HedgeContract
    let funding: Funding
    private let grid: TimeGrid
    /// Mark at each time; what a long position pays per step as a share of its value.
    let mark, payment: UnsafeMutablePointer<Lanes>
    let hasPayments: Bool

    init(_ instrument: HedgeContract, _ funding: Funding, _ grid: TimeGrid) {
        self.instrument = instrument
        self.funding = funding
        self.grid = grid
        mark = .allocate(capacity: grid.steps + 1)
        payment = .allocate(capacity: grid.steps)
        mark.initialize(repeating: .zero, count: grid.steps + 1)
        payment.initialize(repeating: .zero, count: grid.steps)
        hasPayments = instrument.kind.isPerpetual && funding != .none
    }

    deinit {
        mark.deallocate()
        payment.deallocate()
    }

    func draw(_ block: PathBlock, seed: UInt64, firstPath: UInt32) {
        let one = Lanes(repeating: 1)
        let hasPremium = instrument.kind != .spot && instrument.premiumDeviation > 0
        let stream = RandomStream(seed: seed, stream: PathStream.free - 1)
        let decay = scalarExponential(
            -0.6931471805599453 * grid.stepYears * 8760 / instrument.premiumHalfLifeHours)
        let noise = Lanes(repeating: instrument.premiumDeviation * (1 - decay * decay).squareRoot())
        let eighths = Lanes(repeating: grid.stepYears * 1095)
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

extension ReflexiveFlow {
    /// Moves a block's prices by what other hedgers trade after each step: with φ = −100·Γ·impact, the
    /// displacement D of the price follows 1 + D(t+1) = (1 + persistence·D(t))·(1 + φ·r(t)), r the return
    /// that everyone saw.
    func apply(to block: PathBlock) {
        let one = Lanes(repeating: 1)
        let feedback = Lanes(repeating: -100 * gammaPerPercent * impactPerCoin)
        let persistence = Lanes(repeating: self.persistence)
        var displacement = Lanes.zero
        var earlier = block.spot[0]
        for time in 1...block.steps {
            let before = block.spot[time - 1]
            let answer = one + feedback * (before / earlier - one)
            displacement = ((one + persistence * displacement) * answer - one).atLeast(-0.9)
            earlier = before
            let factor = one + displacement
            block.spot[time] *= factor
            if block.hasRanges {
                let ends = (pointwiseMax(before, block.spot[time]), pointwiseMin(before, block.spot[time]))
                block.high[time - 1] = pointwiseMax(block.high[time - 1] * factor, ends.0)
                block.low[time - 1] = pointwiseMin(block.low[time - 1] * factor, ends.1)
            }
        }
    }
}
