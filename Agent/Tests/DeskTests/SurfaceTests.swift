import Foundation
import Poise
import Testing
import VenueProtocol

@testable import Desk

/// Books that are valued by a surface of the desk's own.
struct SurfaceTests {
    private static let strikes = stride(from: 70_000.0, through: 115_000, by: 5_000).map { $0 }
    /// Of the quotes; the exchange's marks are at another.
    private static let quoted = 0.5
    private static let marked = 0.6

    private static func option(_ strike: Double, _ type: OptionType) -> VenueInstrument {
        var instrument = Stand.call()
        instrument.name = "BTC-1JUL26-\(Int(strike))-\(type == .call ? "C" : "P")"
        (instrument.strike, instrument.optionType) = (strike, type)
        return instrument
    }

    /// N(x), and what an option is worth in coins by Black's formula without a rate.
    private static func normal(_ x: Double) -> Double { 0.5 * erfc(-x / 2.0.squareRoot()) }
    private static func years(_ time: Int) -> Double {
        Double((VenueTime.expiry("1JUL26") ?? 0) - time) / (365 * 86_400_000)
    }
    private static func price(_ strike: Double, _ type: OptionType, _ volatility: Double, _ time: Int)
        -> Double
    {
        let deviation = volatility * years(time).squareRoot()
        let first = log(90_000 / strike) / deviation + deviation / 2
        let call = normal(first) - strike / 90_000 * normal(first - deviation)
        return type == .call ? call : call - 1 + strike / 90_000
    }
    private static func callDelta(_ strike: Double, _ volatility: Double, _ time: Int) -> Double {
        let deviation = volatility * years(time).squareRoot()
        return normal(log(90_000 / strike) / deviation + deviation / 2)
    }

    private static func tell(_ stand: Stand, quotes: Bool = true) -> [DeskIntent] {
        var intents: [DeskIntent] = []
        for strike in strikes {
            for type in OptionType.allCases {
                let name = option(strike, type).name
                guard
                    case .ticker(var ticker) = stand.ticker(
                        price(strike, type, marked, stand.time), name: name)
                else { continue }
                let worth = price(strike, type, quoted, stand.time)
                ticker.bestBidPrice = .value(quotes ? worth * 0.999 : 0)
                ticker.bestBidAmount = .value(MessageAmount(quotes ? 10 : 0))
                ticker.bestAskPrice = .value(quotes ? worth * 1.001 : 0)
                ticker.bestAskAmount = .value(MessageAmount(quotes ? 10 : 0))
                intents += stand.tell(.ticker(ticker))
            }
        }
        return intents
    }

    private static func stand(_ volatilities: BookSetting.Volatilities?) throws -> Stand {
        let stand = try Stand(low: -1e9, high: 1e9) {
            $0.books[0].volatilities = volatilities
            $0.guards.tickerAge = 2_000
        }
        stand.tell(.started(RunStart(run: 1, version: "test")))
        stand.tell(.line(LineState(isUp: true, cancelsOnDisconnect: true, clockOffset: 0)))
        let options = strikes.flatMap { strike in OptionType.allCases.map { option(strike, $0) } }
        stand.tell(.instruments([Stand.future()] + options))
        stand.tell(stand.index())
        stand.tell(Stand.account())
        stand.tell(.openOrders([]))
        stand.tell(.positions([Stand.position(option(100_000, .call).name, 10)]))
        stand.tell(stand.ticker())
        return stand
    }

    @Test(
        "A book's exposures are by the volatilities of the order books where it asks for them, else by the marks'"
    )
    func own() throws {
        for (volatilities, volatility, tolerance) in [
            (BookSetting.Volatilities.own, Self.quoted, 2e-3), (.exchange, Self.marked, 1e-9),
        ] {
            let stand = try Self.stand(volatilities)
            let alarms = Self.tell(stand).reported(.alarm)
            #expect(alarms.isEmpty, "\(alarms)")
            stand.tell(.timer, after: 2_000)
            let expected = 10 * Self.callDelta(100_000, volatility, stand.time - 2_000) * 90_000
            let value = try #require(stand.desk.exposures().first?.value)
            #expect(abs(value / expected - 1) < tolerance, "\(value), \(expected)")
            #expect(stand.desk.watched.count == (volatilities == .own ? 2 * Self.strikes.count : 0))
        }
    }

    @Test("Where nothing is quoted the exchange's volatilities stand, and that is told once; so is its end")
    func withoutQuotes() throws {
        let stand = try Self.stand(.own)
        var intents = Self.tell(stand, quotes: false)
        for _ in 0..<4 {
            stand.time += 1_100
            intents += Self.tell(stand, quotes: false)
        }
        let alarms = intents.reported(.alarm)
        #expect(alarms.count == 1 && alarms[0].subject == "BTC-1JUL26", "\(alarms)")
        let expected = 10 * Self.callDelta(100_000, Self.marked, stand.time) * 90_000
        let value = try #require(stand.desk.exposures().first?.value)
        #expect(abs(value / expected - 1) < 1e-6)
        stand.time += 1_100
        _ = Self.tell(stand)
        stand.time += 1_100
        let later = Self.tell(stand)
        #expect(later.reported(.alarm).isEmpty)
        let own = try #require(stand.desk.exposures().first?.value)
        #expect(abs(own / (10 * Self.callDelta(100_000, Self.quoted, stand.time) * 90_000) - 1) < 2e-3)
    }

    @Test("A desk that is saved and taken up again has the same surfaces, bit for bit")
    func restored() throws {
        let stand = try Self.stand(.own)
        _ = Self.tell(stand)
        stand.tell(.timer, after: 1_500)
        stand.tell(.checkpoint)
        let other = try Desk(stand.desk.configuration, engine: GreeksEngine())
        try other.restore(stand.desk.save())
        for step in 1...6 {
            let event = DeskEvent(stand.ticker(90_000 + Double(step)), at: stand.time + step * 400)
            _ = (stand.desk.step(event), other.step(event))
            #expect(stand.desk.stateHash == other.stateHash)
            #expect(stand.desk.exposures().first?.value == other.exposures().first?.value)
        }
    }
}
