extension ActiveSet {
    /// A guess with its trades and multipliers, to come back to.
    final class Guess {
        fileprivate let segments: SolverVector<Segment>
        fileprivate let positions: SolverVector<RowPosition>
        fileprivate let trades, multipliers: Vector

        init(_ problem: ScaledProblem) {
            segments = SolverVector(repeating: .zero, count: problem.count)
            positions = SolverVector(repeating: .inside, count: problem.rowCount)
            trades = Vector(problem.count)
            multipliers = Vector(problem.rowCount)
        }
    }

    func save(to guess: Guess) {
        guess.segments.copy(segments)
        guess.positions.copy(positions)
        guess.trades.copy(trades)
        guess.multipliers.copy(multipliers)
    }

    func restore(from guess: Guess) {
        segments.copy(guess.segments)
        positions.copy(guess.positions)
        trades.copy(guess.trades)
        multipliers.copy(guess.multipliers)
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

    /// A guess that bounds or kinds of the present problem rule out is brought to the nearest that they allow, and
    /// instruments answer prices as their costs of the present problem bend.
    func repairGuess() {
        for i in 0..<count {
            let bend = problem.curvature[i]
            weight[i] = 1 / (bend < Self.leastCurvature ? bend + Self.leastCurvature : bend)
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
