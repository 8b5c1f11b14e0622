extension ActiveSet {
    /// A guess with its trades and multipliers, to come back to.
    final class Guess {
        fileprivate let segments: UnsafeMutablePointer<Segment>
        fileprivate let positions: UnsafeMutablePointer<RowPosition>
        fileprivate let numbers: Vector

        init(_ problem: ScaledProblem) {
            segments = .allocate(capacity: problem.count)
            segments.initialize(repeating: .zero, count: problem.count)
            positions = .allocate(capacity: problem.rowCount)
            positions.initialize(repeating: .inside, count: problem.rowCount)
            numbers = .allocate(capacity: problem.count + problem.rowCount)
            numbers.initialize(repeating: 0, count: problem.count + problem.rowCount)
        }

        deinit {
            segments.deallocate()
            positions.deallocate()
            numbers.deallocate()
        }
    }

    func save(to guess: Guess) {
        guess.segments.update(from: segments, count: count)
        guess.positions.update(from: positions, count: rowCount)
        guess.numbers.update(from: trades, count: count)
        (guess.numbers + count).update(from: multipliers, count: rowCount)
    }

    func restore(from guess: Guess) {
        segments.update(from: guess.segments, count: count)
        positions.update(from: guess.positions, count: rowCount)
        trades.update(from: guess.numbers, count: count)
        multipliers.update(from: guess.numbers + count, count: rowCount)
    }

    /// Takes the guess from an interior point.
    func adopt(_ point: InteriorPoint) {
        for i in 0..<count {
            segments[i] = point.segment(i)
            trades[i] = point.trade(i)
        }
        for r in 0..<rowCount {
            positions[r] = point.position(r)
            multipliers[r] = point.multiplier[r]
        }
    }

    /// A guess that bounds or kinds of the present problem rule out is brought to the nearest that they allow.
    func repairGuess() {
        for i in 0..<count {
            switch segments[i] {
            case .lower where problem.lower[i] == 0: segments[i] = .zero
            case .upper where problem.upper[i] == 0: segments[i] = .zero
            case .zero: segments[i] = problem.nearSegment(i)
            case .sell where problem.lower[i] >= 0: segments[i] = problem.nearSegment(i)
            case .buy where problem.upper[i] <= 0: segments[i] = problem.nearSegment(i)
            default: break
            }
            if problem.lower[i] == problem.upper[i] { segments[i] = problem.lower[i] == 0 ? .zero : .lower }
        }
        for r in 0..<rowCount {
            switch problem.kinds[r] {
            case .absent: positions[r] = .inside
            case .quadratic: positions[r] = .belowLow
            case .equality: if positions[r] != .atLow && positions[r] != .atHigh { positions[r] = .atLow }
            case .hard:
                if positions[r] == .belowLow { positions[r] = .atLow }
                if positions[r] == .aboveHigh { positions[r] = .atHigh }
            case .soft: break
            }
            if problem.low[r] == -.infinity, positions[r] == .atLow || positions[r] == .belowLow {
                positions[r] = .inside
            }
            if problem.high[r] == .infinity, positions[r] == .atHigh || positions[r] == .aboveHigh {
                positions[r] = .inside
            }
        }
    }
}
