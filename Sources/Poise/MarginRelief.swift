import Greeks
import Hedging
import Margin

/// The cheapest moves of collateral that leave a buffer over initial margin.
///
/// What is left is a concave function of the moves where the rule is convex: planes that touch it from above stand in, the rule
/// itself is asked about the answer, and planes are added until it agrees (Kelley's cutting planes).
public struct MarginRelief: Sendable, Equatable {
    public enum Status: String, Sendable {
        /// Nothing is to be done.
        case met
        case restored
        /// No moves leave as much: those that leave most.
        case short
        /// The search ended before either was proved: the moves that it had come to.
        case unfinished
    }

    public var status: Status
    public var buffer: Double
    /// The worth that arrives by each move, in the account's currency.
    public var worths: [Double]
    public var cost: Double
    /// No moves are cheaper than this, by the planes.
    public var bound: Double
    /// Left over initial margin, before and after, by the rule itself.
    public var before, after: Double

    /// - Throws: what the rule throws; moves that are not accepted.
    public init(
        _ moves: [CollateralMove], leaving buffer: Double, of account: CrossMarginAccount,
        in market: MarginMarket, _ model: MarginModel, _ engine: GreeksEngine
    ) throws {
        for move in moves { try move.validate() }
        let search = ReliefSearch(moves: moves, buffer, account, market, model, engine)
        let none = moves.map { _ in 0.0 }
        before = try search.balance(none)
        self.buffer = buffer
        if before >= buffer || moves.isEmpty {
            (status, worths, cost, bound) = (before >= buffer ? .met : .short, none, 0, 0)
            after = before
            return
        }
        var planes = [try search.plane(at: none)]
        var answer = try search.solve(&planes, asked: true)
        (status, bound) = (.restored, answer?.bound ?? .infinity)
        if answer == nil {
            answer = try search.solve(&planes, asked: false)
            status = .short
        }
        worths = answer?.worths ?? none
        cost = zip(moves, worths).reduce(0) { $0 + $1.0.cost * $1.1 }
        after = try search.balance(worths)
        let isShort = status == .restored && after < buffer - ReliefSearch.tolerance(buffer)
        if answer?.isProved != true || isShort { status = .unfinished }
    }
}

/// Planes above what is left, and the linear programs that they make.
private struct ReliefSearch {
    /// What is left is at most constant + slopes · worths.
    struct Plane {
        var constant: Double
        var slopes: [Double]
    }

    let moves: [CollateralMove]
    let buffer: Double
    let account: CrossMarginAccount
    let market: MarginMarket
    let model: MarginModel
    let engine: GreeksEngine
    /// The largest worth of each move that its source covers.
    private let most: [Double]
    private static let rounds = 100

    static func tolerance(_ buffer: Double) -> Double { 1e-9 * max(1, buffer.magnitude) }

    struct Answer {
        let worths: [Double]
        /// No moves cost less; 0 where that is not known.
        let bound: Double
        let isProved: Bool
    }

    init(
        moves: [CollateralMove], _ buffer: Double, _ account: CrossMarginAccount, _ market: MarginMarket,
        _ model: MarginModel, _ engine: GreeksEngine
    ) {
        (self.moves, self.buffer, self.account, self.market) = (moves, buffer, account, market)
        (self.model, self.engine) = (model, engine)
        most = moves.map { move in
            guard let from = move.from else { return move.most }
            return min(move.most, max(0, account.worth(of: from, in: market)) / (1 + move.cost))
        }
    }

    func balance(_ worths: [Double]) throws(MarginError) -> Double {
        try model.requirement(of: account.after(moves, worths, in: market), in: market, engine)
            .initialBalance
    }

    /// The plane of a point near by: at the point itself, a corner of the last problem, several may meet.
    func plane(at worths: [Double]) throws(MarginError) -> Plane {
        var point = worths
        for i in point.indices where most[i] > 0 {
            let away = most[i] * 1e-4 * (1 + 0.618 * Double(i + 1)).truncatingRemainder(dividingBy: 1)
            point[i] = min(max(point[i] + away, 2e-5 * most[i]), (1 - 2e-5) * most[i])
        }
        let value = try balance(point)
        var plane = Plane(constant: value, slopes: moves.map { _ in 0 })
        for i in point.indices where most[i] > 0 {
            let step = 1e-5 * most[i]
            var (up, down) = (point, point)
            up[i] += step
            down[i] -= step
            plane.slopes[i] = (try balance(up) - balance(down)) / (2 * step)
            plane.constant -= plane.slopes[i] * point[i]
        }
        return plane
    }

    /// - Parameter asked: whether the buffer is asked for; else the largest balance is.
    /// - Returns: nil where no moves do.
    func solve(_ planes: inout [Plane], asked: Bool) throws -> Answer? {
        let tolerance = Self.tolerance(buffer)
        let solver = HedgeSolver()
        var last: [Double]?
        for _ in 0..<Self.rounds {
            let status = try solver.solve(problem(planes, asked))
            if status == .infeasible { return nil }
            guard status == .optimal else { break }
            let trades = solver.solution.trades
            let worths = moves.indices.map { min(max(0, trades[$0]), most[$0]) }
            let bound = solver.solution.cost.total
            let left = try balance(worths)
            let reached = asked ? buffer : buffer - trades[moves.count]
            // What the planes no longer tell apart is rounding of their slopes.
            if left >= reached - tolerance || worths == last {
                return Answer(worths: try raised(worths, left, asked), bound: bound, isProved: true)
            }
            last = worths
            planes.append(try plane(at: worths))
        }
        let reached = last ?? moves.map { _ in 0 }
        return Answer(worths: try raised(reached, balance(reached), asked), bound: 0, isProved: false)
    }

    /// A little more of all where rounding left the buffer by a little.
    private func raised(_ worths: [Double], _ left: Double, _ asked: Bool) throws(MarginError) -> [Double] {
        guard asked, left < buffer else { return worths }
        func scaled(_ share: Double) -> [Double] {
            worths.indices.map { min(worths[$0] * (1 + share), most[$0]) }
        }
        var share = 1e-15
        while share < 1e-3 {
            let more = scaled(share)
            if try balance(more) >= buffer { return more }
            share *= 2
        }
        return worths
    }

    private func problem(_ planes: [Plane], _ asked: Bool) -> HedgeProblem {
        var problem = HedgeProblem(name: "moves of collateral", underlyings: [""])
        for (move, most) in zip(moves, most) {
            problem.add(
                move.name,
                HedgeInstrument(
                    costBuy: asked ? move.cost : 0, costSell: 0, maximumBuy: most, maximumSell: 0))
        }
        if !asked {
            problem.add(
                "shortfall",
                HedgeInstrument(costBuy: 1, costSell: 0, maximumBuy: .infinity, maximumSell: 0))
        }
        for (number, plane) in planes.enumerated() {
            var entries = plane.slopes.enumerated().map { (instrument: $0, coefficient: $1) }
            if !asked { entries.append((instrument: moves.count, coefficient: 1)) }
            problem.add(
                "plane \(number)", HedgeBand(hard: buffer, .infinity, current: plane.constant),
                coefficients: entries)
        }
        var sources: [CollateralMove.Holding] = []
        for case let from? in moves.map(\.from) where !sources.contains(from) { sources.append(from) }
        for from in sources {
            let own = moves.indices.filter { moves[$0].from == from }
            guard own.count > 1 else { continue }
            problem.add(
                "source",
                HedgeBand(hard: -.infinity, max(0, account.worth(of: from, in: market)), current: 0),
                coefficients: own.map { (instrument: $0, coefficient: 1 + moves[$0].cost) })
        }
        return problem
    }
}
