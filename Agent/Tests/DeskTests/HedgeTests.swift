import Foundation
import Poise
import Testing
import VenueProtocol

@testable import Desk

struct HedgeTests {
    @Test(
        "An exposure outside its band is brought to the landing share of it, by one order within the collar")
    func hedge() throws {
        let stand = try Stand()
        let intents = stand.open(-200_000)
        let request = try #require(intents.placed.first)
        #expect(intents.placed.count == 1)
        // 200,000 dollars short; the band is 50,000 either way, and half of it is where a hedge lands.
        #expect(request.direction == .buy && request.amount == MessageAmount(175_000))
        #expect(request.price == 90_000 && request.timeInForce == .immediateOrCancel)
        #expect(request.validUntil == stand.time + 2_000 && request.label == "poise-1-1")
        stand.fill(request)
        #expect(stand.desk.position(Stand.perpetual) == Quantity(-25_000))
        #expect(stand.desk.orders.isEmpty && stand.refresh().placed.isEmpty)
        let exposure = try #require(stand.desk.exposures().first)
        #expect(abs(exposure.value + 25_000) < 1e-6 && exposure.outsideSince == nil)
    }

    @Test("Exposures within their bands are left alone")
    func within() throws {
        let stand = try Stand()
        #expect(stand.open(-49_990).placed.isEmpty)
        for _ in 0..<20 { #expect(stand.refresh().placed.isEmpty) }
        #expect(stand.desk.counters.sent == 0 && stand.desk.counters.decisions > 10)
    }

    @Test("An option's delta is hedged with the perpetual; Black's formula says by how much")
    func option() throws {
        let stand = try Stand(low: -1_000, high: 1_000) { $0.limits[0].landing = 0 }
        let request = try #require(stand.open(options: 10).placed.first)
        // 10 coins · N(d₁) · F, d₁ = σ√T/2 at the money: N(0.0868) for 60% and 30 days from 12:00 to 08:00.
        let years = Double((VenueTime.expiry("1JUL26") ?? 0) - Stand.start) / (365 * 86_400_000)
        let delta = Self.normal(0.6 * years.squareRoot() / 2)
        let expected = 10 * delta * 90_000
        #expect(request.direction == .sell)
        #expect(abs((request.amount?.value ?? 0) - expected) <= 10, "\(expected)")
    }

    /// Φ by a series of its own: erf's Maclaurin expansion.
    private static func normal(_ x: Double) -> Double {
        var (term, sum) = (x, x)
        for n in 1..<60 {
            term *= -x * x / (2 * Double(n))
            sum += term / Double(2 * n + 1)
        }
        return 0.5 + sum / (2 * Double.pi).squareRoot()
    }

    @Test("There is one plan on an underlying: nothing more is sent until the fate of every order is known")
    func onePlan() throws {
        let stand = try Stand()
        let request = try #require(stand.open(-200_000).placed.first)
        for _ in 0..<4 { #expect(stand.refresh().placed.isEmpty) }
        stand.tell(.order(stand.order(request, .open)))
        #expect(stand.refresh().placed.isEmpty && stand.desk.plans.count == 1)
    }

    @Test("What is left of an immediate order is decided anew, from what was filled")
    func remainder() throws {
        let stand = try Stand()
        let request = try #require(stand.open(-200_000).placed.first)
        let trade = stand.trade(request, 100_000)
        stand.tell(
            .reply(
                LabelledReply(
                    request.label ?? "",
                    OrderReply(order: stand.order(request, .cancelled, filled: 100_000), trades: [trade]))))
        let again = try #require(stand.refresh().placed.first)
        // 100,000 short now.
        #expect(again.amount == MessageAmount(75_000) && again.label == "poise-1-2")
    }

    @Test("An order takes no more than is on offer within the collar, as deep as it must go")
    func depth() throws {
        let stand = try Stand()
        stand.open()
        stand.tell(
            .book(
                BookView(
                    Stand.perpetual, bids: [PriceLevel(price: 89_990, amount: MessageAmount(5_000_000))],
                    asks: [
                        PriceLevel(price: 90_000, amount: MessageAmount(50_000)),
                        PriceLevel(price: 90_050, amount: MessageAmount(60_000)),
                        // Beyond 0.2% of the touch.
                        PriceLevel(price: 90_181, amount: MessageAmount(5_000_000)),
                    ])))
        var foreign = OrderRequest(.sell, Stand.perpetual, amount: MessageAmount(200_000), price: 90_000)
        foreign.label = "somebody"
        let request = try #require(
            stand.tell(.trades([stand.trade(foreign, 200_000)]), after: 300).placed.first)
        #expect(request.amount == MessageAmount(110_000) && request.price == 90_050)
    }

    @Test("An order that joins the touch waits, follows it, and crosses after its time")
    func join() throws {
        let stand = try Stand { $0.execution.futures = .join }
        let first = try #require(stand.open(-200_000).placed.first)
        #expect(first.price == 89_999.5 && first.isPostOnly == true)
        #expect(first.timeInForce == .goodTilCancelled)
        stand.tell(.order(stand.order(first, .open)))
        #expect(stand.refresh().cancelled.isEmpty)
        // The touch moves up: the order is taken back, and comes again there when the venue has said that it is over.
        let moved = stand.tell(stand.book(bid: 90_010, ask: 90_011), after: 1_000)
        #expect(moved.cancelled == [first.label ?? ""] && moved.placed.isEmpty)
        let second = try #require(stand.tell(.order(stand.order(first, .cancelled))).placed.first)
        #expect(second.price == 90_010 && second.isPostOnly == true && second.amount == first.amount)
        stand.tell(.order(stand.order(second, .open)))
        stand.refresh(after: 10_000)
        stand.tell(stand.book(bid: 90_010, ask: 90_011))
        let late = stand.tell(.timer, after: 10_000)
        #expect(late.cancelled == [second.label ?? ""])
        stand.refresh(after: 0)
        let third = try #require(stand.tell(.order(stand.order(second, .cancelled))).placed.first)
        #expect(third.timeInForce == .immediateOrCancel && third.isPostOnly == nil)
    }

    @Test("A join that is not wanted any more is taken back")
    func idle() throws {
        let stand = try Stand { $0.execution.futures = .join }
        let request = try #require(stand.open(-200_000).placed.first)
        stand.tell(.order(stand.order(request, .open)))
        var foreign = OrderRequest(.buy, Stand.perpetual, amount: MessageAmount(200_000), price: 90_000)
        foreign.label = "somebody"
        let intents = stand.tell(.trades([stand.trade(foreign, 200_000)]), after: 300)
        #expect(intents.cancelled == [request.label ?? ""])
        stand.tell(.order(stand.order(request, .cancelled)))
        #expect(stand.refresh().placed.isEmpty && stand.desk.plans.isEmpty)
    }

    @Test("The parts of the shortfall add up to what was paid against the middle at decision, fees and all")
    func shortfall() throws {
        let stand = try Stand()
        let request = try #require(stand.open(-200_000).placed.first)
        var trade = stand.trade(request, 175_000, price: 90_000.5)
        trade.fee = 0.001
        stand.tell(
            .reply(
                LabelledReply(
                    request.label ?? "",
                    OrderReply(order: stand.order(request, .filled, filled: 175_000), trades: [trade]))))
        let shortfall = stand.desk.counters.shortfall
        // 175,000 dollars bought half a dollar above the touch, which is a quarter of one above the middle.
        let coins = 175_000 / 89_999.75
        #expect(abs(shortfall.spread - 0.25 * coins) < 1e-9)
        #expect(abs(shortfall.impact - 0.5 * coins) < 1e-9)
        #expect(shortfall.delay == 0 && abs(shortfall.fees - 90) < 1e-9)
        #expect(abs(shortfall.total - (0.75 * coins + 90)) < 1e-9)
    }

    @Test("What is below the smallest order is carried, and is no loop of orders (R22)")
    func dust() throws {
        let stand = try Stand(low: -4, high: 4)
        stand.open(-5)
        for _ in 0..<10 { #expect(stand.refresh().placed.isEmpty) }
        let exposure = try #require(stand.desk.exposures().first)
        #expect(exposure.outsideSince != nil && !exposure.reason.isEmpty)
    }

    @Test("A policy in the configuration moves the band, as live rebalancing has it")
    func policy() throws {
        let stand = try Stand {
            var policy = PolicySetting(.threshold)
            policy.halfWidth = 30_000
            $0.limits = [LimitSetting("BTC", "delta", landing: 0.5, policy: policy)]
        }
        let request = try #require(stand.open(-40_000).placed.first)
        #expect(request.amount == MessageAmount(25_000))
        stand.fill(request)
        #expect(stand.refresh().placed.isEmpty)
        let exposure = try #require(stand.desk.exposures().first)
        #expect(abs(exposure.low + 30_000) < 1e-6 && abs(exposure.high - 30_000) < 1e-6)
    }

    /// A desk whose delta a policy has, and the half-width of Zakamouline's band by the paper's formula, in dollars.
    private static func zakamouline(aversion: Double) -> PolicySetting {
        var policy = PolicySetting(.zakamouline)
        policy.riskAversion = aversion
        return policy
    }

    @Test("Zakamouline's band has the volatility and the time to expiry of what is held, and is acted on")
    func zakamouline() throws {
        let aversion = 1e-5
        let stand = try Stand {
            $0.limits = [LimitSetting("BTC", "delta", policy: Self.zakamouline(aversion: aversion))]
        }
        let request = try #require(stand.open(options: -10).placed.first)
        #expect(request.direction == .buy)
        let exposure = try #require(stand.desk.lookedAt.first)
        let (spot, sigma) = (90_000.0, 0.6)
        let years = Double((VenueTime.expiry("1JUL26") ?? 0) - stand.time) / (365 * 86_400_000)
        let deviation = sigma * years.squareRoot()
        let density = Foundation.exp(-deviation * deviation / 8) / (2 * Double.pi).squareRoot()
        let gamma = 10 * density / (spot * deviation)
        // Half the spread of the perpetual's book, and its fee.
        let cost = 0.25 / 89_999.75 + 0.0005
        let constant = cost / (aversion * spot * sigma * sigma * years)
        let varying =
            1.12 * Foundation.pow(cost, 0.31) * Foundation.pow(years, 0.05) * Foundation.pow(1 / sigma, 0.25)
            * (gamma / aversion).squareRoot()
        let half = (exposure.high - exposure.low) / 2
        #expect(abs(half / ((constant + varying) * spot) - 1) < 1e-3, "\(half)")
        stand.fill(request)
        #expect(stand.refresh().placed.isEmpty)
    }

    @Test("A policy that has no band for what is held says so, once")
    func noBand() throws {
        let stand = try Stand {
            $0.limits = [LimitSetting("BTC", "delta", policy: Self.zakamouline(aversion: 1e-5))]
        }
        stand.open()
        #expect(stand.desk.lookedAt.first?.reason.isEmpty == true)
        let other = OrderRequest(
            .sell, Stand.perpetual, amount: MessageAmount(200_000), price: 90_000, label: "by hand")
        var reports = stand.tell(.trades([stand.trade(other, 200_000)]), after: 300).reported(.unhedged)
        for _ in 0..<8 { reports += stand.refresh().reported(.unhedged) }
        #expect(reports.count == 1 && reports[0].text.contains("no option is held"), "\(reports)")
        #expect(stand.desk.counters.sent == 0)
        #expect(stand.desk.lookedAt.first?.reason == reports.first?.text)
    }

    @Test(
        "A price that is refused is told once, and what it is held in is not within its bands until it is taken"
    )
    func refusedPrice() throws {
        let stand = try Stand()
        stand.open(options: 1)
        func tell(volatility: Double?) -> [DeskIntent] {
            guard case .ticker(var ticker) = stand.ticker(0.0686, name: Stand.option) else { return [] }
            ticker.markIV = volatility
            return stand.tell(.ticker(ticker), after: 500)
        }
        var intents: [DeskIntent] = []
        for _ in 0..<5 { intents += tell(volatility: nil) }
        #expect(intents.reported(.alarm).map(\.text) == ["its price was refused: no volatility"])
        #expect(intents.reported(.unhedged).count == 1 && intents.placed.isEmpty)
        let after = tell(volatility: 60)
        #expect(after.reported(.resolved).count == 2, "\(after.reports)")
        #expect(stand.desk.lookedAt.first?.reason.isEmpty == true)
    }

    @Test("What is held and never gets a price is told, once there was time for one")
    func noPrice() throws {
        let stand = try Stand()
        stand.open()
        var other = OrderRequest(.buy, Stand.option, amount: MessageAmount(1), price: 0.07)
        other.label = "by hand"
        stand.tell(.trades([stand.trade(other, 1)]))
        stand.tell(.positions([Stand.position(Stand.option, 1)]))
        var reports: [DeskReport] = []
        for _ in 0..<30 { reports += stand.refreshPerpetual() }
        let missing = reports.filter { $0.kind == .unhedged }
        #expect(missing.map(\.text) == ["\(Stand.option) is held and has no price"], "\(reports)")
    }
}
