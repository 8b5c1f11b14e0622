import Simulation
import TestSupport
import Testing

/// Figures of samples against closed forms, and standard errors against the spread of many samples.
struct StatisticsTests {
    /// Sums of twelve uniforms less six: nearly normal, tails included as far as they matter here.
    private static func normals(_ count: Int, seed: UInt64) -> [Double] {
        var random = SeededGenerator(seed: seed)
        return (0..<count).map { _ in
            (0..<12).reduce(-6.0) { sum, _ in sum + Double.random(in: 0..<1, using: &random) }
        }
    }

    @Test("mean, deviation and expected shortfall of small samples by hand")
    func byHand() {
        let sample = [3.0, -1, 4, -10, 0, 2, -3, 1, 5, -20]
        #expect(SampleStatistic.mean.estimate(sample).value == -1.9)
        // Worst 30%: −20, −10, −3; worst 25%: two and a half of them.
        #expect(abs(SampleStatistic.expectedShortfall(level: 0.7).estimate(sample).value - 11) < 1e-12)
        #expect(
            abs(SampleStatistic.expectedShortfall(level: 0.75).estimate(sample).value - (20 + 10 + 1.5) / 2.5)
                < 1e-12)
        #expect(
            abs(SampleStatistic.standardDeviation.estimate([1, 2, 3, 4]).value - 1.2909944487358056) < 1e-15)
        #expect(SampleStatistic.mean.estimate([2]).standardError == .infinity)
        #expect(SampleStatistic.standardDeviation.estimate([2, 2, 2]).value == 0)
    }

    @Test(
        "What each of a sample does to its deviation, by hand; of one that does not spread nothing is divided by 0"
    )
    func influences() {
        let one = SampleStatistic.standardDeviation.influences([1, 2, 3])
        #expect(one.value == 1 && one.influences == [0, -0.5, 0])
        let none = SampleStatistic.standardDeviation.influences([2, 2, 2])
        #expect(none.value == 0 && none.influences == [0, 0, 0])
        let mean = SampleStatistic.mean.influences([1, 2, 6])
        #expect(mean.value == 3 && mean.influences == [-2, -1, 3])
    }

    @Test("standard errors are the spread of the figures over many samples")
    func coverage() {
        // Of a normal sample: 0, 1, and n(z)/(1 − level).
        let figures: [(SampleStatistic, Double)] = [
            (.mean, 0), (.standardDeviation, 1), (.expectedShortfall(level: 0.95), 2.0627128),
        ]
        for (figure, truth) in figures {
            var values: [Double] = []
            var errors: [Double] = []
            var covered = 0
            for seed in 0..<400 {
                let estimate = figure.estimate(Self.normals(1000, seed: UInt64(seed)))
                values.append(estimate.value)
                errors.append(estimate.standardError)
                if estimate.interval.contains(truth) { covered += 1 }
            }
            let mean = values.reduce(0, +) / 400
            let spread = (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 399).squareRoot()
            let stated = errors.reduce(0, +) / 400
            // The spread of 400 is known to 3.5%.
            #expect((0.88...1.12).contains(stated / spread), "\(figure): \(stated) of \(spread)")
            // The sum of twelve uniforms has a thinner tail than a normal number: 2.03 in place of 2.06.
            if truth < 2 { #expect((364...396).contains(covered), "\(figure): \(covered) of 400") }
        }
    }

    @Test("differences on common numbers are known far better, and say so")
    func pairs() {
        let common = Self.normals(4000, seed: 1)
        let other = Self.normals(4000, seed: 2)
        let shifted = zip(common, other).map { $0 + 0.1 + 0.05 * $1 }
        let paired = SampleStatistic.mean.difference(shifted, common)
        #expect(paired.interval.contains(0.1) && paired.standardError < 0.001)
        let shortfall = SampleStatistic.expectedShortfall(level: 0.95)
        let difference = shortfall.difference(shifted, common)
        #expect(difference.standardError < 0.2 * shortfall.estimate(common).standardError)
        #expect(difference.interval.contains(-0.1))
    }

    @Test("windows that overlap are no independent observations")
    func overlap() {
        let base = Self.normals(2030, seed: 3)
        let moving = (0..<2000).map { start in base[start..<start + 30].reduce(0, +) }
        let naive = SampleStatistic.mean.estimate(moving)
        let honest = SampleStatistic.mean.estimate(moving, overlap: 60)
        // Sums of 30 neighbours: the error is √30 as large.
        #expect((3.5...7).contains(honest.standardError / naive.standardError))
    }

    @Test("the frontier holds those that no other beats in both")
    func frontierOfPoints() {
        let points = [(cost: 3.0, risk: 1.0), (1, 5), (2, 5), (2, 3), (4, 4), (3, 1)]
        #expect(frontier(points) == [1, 3, 0])
    }

    /// Wherever it stands among the observations: an order by comparisons depends on that.
    @Test("Of a sample with an observation that is no number, no figure is one, and no error is 0")
    func noNumbers() {
        let figures = [SampleStatistic.mean, .standardDeviation, .expectedShortfall(level: 0.7)]
        for figure in figures {
            for place in 0..<6 {
                var sample = [3.0, -1, 4, -10, 0]
                sample.insert(.nan, at: place)
                let (estimate, apart) = (figure.estimate(sample), figure.difference(sample, sample))
                #expect(estimate.value.isNaN && estimate.standardError.isNaN, "\(figure) \(place)")
                #expect(apart.value.isNaN && apart.standardError.isNaN)
                #expect(estimate.interval == -.infinity ... .infinity)
            }
            #expect(figure.estimate([]).value.isNaN)
        }
        #expect(SampleStatistic.standardDeviation.estimate([1, .infinity]).value.isNaN)
    }

    @Test("A shortfall has a level from 0 to below 1, and any number of neighbours may overlap")
    func levels() {
        let sample = [3.0, -1, 4, -10, 0, 2, -3, 1, 5, -20]
        for level in [1, 1.5, 1e300, -0.1, -1e300, .nan, .infinity, -.infinity] {
            let estimate = SampleStatistic.expectedShortfall(level: level).estimate(sample)
            #expect(estimate.value.isNaN && estimate.standardError.isNaN, "\(level)")
        }
        // All of it, and next to nothing: the worst alone.
        #expect(SampleStatistic.expectedShortfall(level: 0).estimate(sample).value == 1.9)
        #expect(SampleStatistic.expectedShortfall(level: 1 - 0x1p-53).estimate(sample).value == 20)
        let errors = [-1, 0, 9, 10, .max].map {
            SampleStatistic.mean.estimate(sample, overlap: $0).standardError
        }
        #expect(errors[0] == errors[1] && errors.allSatisfy { $0 >= 0 && $0 < .infinity })
    }

    @Test("A point that is no number is on no frontier, and takes none off it")
    func frontierOfNoNumbers() {
        let points = [(cost: 3.0, risk: 1.0), (.nan, 0), (2, 3), (0, .nan), (1, 5), (.nan, .nan)]
        #expect(frontier(points) == [4, 2, 0])
        #expect(frontier([(.nan, 1)]).isEmpty)
    }
}
