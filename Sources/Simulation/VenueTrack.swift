import Greeks
import Market
import VectorMath

/// Events at a venue along the paths of a block, the same for every trader: drawn once for all policies, so that
/// their comparison is one on common random numbers.
final class VenueTrack {
    let venue: Venue
    private let grid: TimeGrid
    private let stream: UInt32
    /// Per step. Standard normal, for the price between decision and fill; uniform, for failures, partial
    /// fills and fills of resting orders; quote units of gas; 1 where there is no trading, and where prices
    /// are old.
    let bridge, failure, partial, touch, gas, isDown, isStale: ColumnStorage<Lanes>
    /// Whole steps from decision to fill, and the part of a step after them.
    let delaySteps: Int
    let delayFraction: Double
    let canBeDown, canBeStale, canFail: Bool

    private static let streamsPerVenue: UInt32 = 4

    /// - Parameter index: the venue's place among those of a simulation; each has random numbers of its own.
    init(_ venue: Venue, index: Int, _ grid: TimeGrid) {
        self.venue = venue
        self.grid = grid
        stream = PathStream.free + Self.streamsPerVenue * UInt32(index)
        let steps = grid.steps
        bridge = ColumnStorage(repeating: .zero, count: steps)
        failure = ColumnStorage(repeating: .zero, count: steps)
        partial = ColumnStorage(repeating: .zero, count: steps)
        touch = ColumnStorage(repeating: .zero, count: steps)
        gas = ColumnStorage(repeating: .zero, count: steps)
        isDown = ColumnStorage(repeating: .zero, count: steps)
        isStale = ColumnStorage(repeating: .zero, count: steps)
        (delaySteps, delayFraction) = venue.delay(grid)
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
        let stepHours = grid.stepYears * Year.hours
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
        let hour = grid.years(step) * Year.hours
        return spans.contains { $0.fromHour <= hour + 1e-9 && hour + 1e-9 < $0.toHour }
    }
}
