import Testing
import VenueProtocol

@testable import Desk

/// The kill switch: latched, armed by many, released by a person alone.
struct SwitchTests {
    private func command(_ action: OperatorCommand.Action) -> DeskEvent.Content {
        .command(OperatorCommand(action, by: "ann", reason: "test"))
    }

    @Test("Pause takes back what works and sends nothing until it is released")
    func pause() throws {
        let stand = try Stand { $0.execution.futures = .join }
        let request = try #require(stand.open(-200_000).placed.first)
        stand.tell(.order(stand.order(request, .open)))
        let intents = stand.tell(command(.pause))
        #expect(intents.cancelled == [request.label ?? ""] && intents.reported(.kill).count == 1)
        stand.tell(.order(stand.order(request, .cancelled)))
        for _ in 0..<5 { #expect(stand.refresh().placed.isEmpty) }
        #expect(stand.desk.exposures()[0].reason == "the kill switch is at pause")
        // A lower level changes nothing, nor does a new process.
        let desk = try Desk(stand.desk.configuration, engine: GreeksComputer())
        try desk.restore(stand.desk.save())
        _ = desk.step(DeskEvent(.started(RunStart(run: 2, version: "test")), at: stand.time))
        #expect(desk.killSwitch.level == .pause && desk.killSwitch.by == "ann")
        stand.tell(command(.release))
        #expect(stand.refresh().placed.count == 1)
    }

    @Test("Cancel is asked for until the venue lists nothing, and says how long it took")
    func cancel() throws {
        let stand = try Stand { $0.execution.futures = .join }
        let request = try #require(stand.open(-200_000).placed.first)
        stand.tell(.order(stand.order(request, .open)))
        #expect(stand.tell(command(.cancel)).cancelsAll)
        #expect(!stand.tell(.timer, after: 999).cancelsAll)
        #expect(stand.tell(.timer, after: 1).cancelsAll)
        stand.tell(.openOrders([stand.order(request, .open)]))
        #expect(stand.desk.killSwitch.verifiedAt == nil)
        stand.tell(.order(stand.order(request, .cancelled)))
        let intents = stand.tell(.openOrders([]))
        #expect(stand.desk.killSwitch.verifiedAt == stand.time)
        #expect(intents.reported(.kill).first?.figure == 1_000)
        #expect(!stand.tell(.timer, after: 5_000).cancelsAll)
    }

    @Test("Flatten closes every position by reduce-only orders, and nothing else is sent")
    func flatten() throws {
        let stand = try Stand()
        stand.open(-40_000)
        stand.tell(command(.flatten))
        #expect(stand.refresh().placed.isEmpty)
        var intents = stand.tell(.openOrders([]))
        intents += stand.refresh()
        let request = try #require(intents.placed.first)
        #expect(request.isReduceOnly == true && request.direction == .buy)
        #expect(request.amount == MessageAmount(40_000) && request.timeInForce == .immediateOrCancel)
        stand.fill(request)
        #expect(stand.desk.position(Stand.perpetual) == .zero)
        for _ in 0..<5 { #expect(stand.refresh().placed.isEmpty) }
    }

    @Test("The day's loss and the drawdown, in the account's own coins at the index")
    func losses() throws {
        let stand = try Stand { ($0.guards.loss, $0.guards.drawdown) = (9_000, 13_500) }
        stand.open()
        stand.tell(Stand.account(100.05))
        stand.tell(Stand.account(99.9001))
        #expect(stand.desk.killSwitch.level == .none)
        // A tenth of a coin below the beginning is 9,000 dollars.
        let intents = stand.tell(Stand.account(99.8999))
        #expect(intents.reported(.kill).count == 1 && stand.desk.killSwitch.level == .pause)
        let other = try Stand { $0.guards.drawdown = 13_500 }
        other.open()
        other.tell(Stand.account(100.2))
        other.tell(Stand.account(100.0501))
        #expect(other.desk.killSwitch.level == .none)
        other.tell(Stand.account(100.0499))
        #expect(other.desk.killSwitch.level == .pause)
        // Coins that fall in dollars are no loss of the desk's.
        let third = try Stand { $0.guards.loss = 1 }
        third.open()
        third.tell(third.index(45_000))
        third.tell(Stand.account(100))
        #expect(third.desk.killSwitch.level == .none)
        // A new day, from 08:00 UTC on, begins with what it finds.
        other.tell(command(.release))
        other.tell(Stand.account(95), after: VenueTime.day)
        #expect(other.desk.killSwitch.level == .none)
    }

    @Test("Orders refused in a row")
    func refusals() throws {
        let stand = try Stand { $0.guards.refusalsInARow = 3 }
        var request = try #require(stand.open(-200_000).placed.first)
        for number in 1...3 {
            let intents = stand.tell(.refused(LabelledFault(request.label ?? "", VenueFault(.invalidPrice))))
            #expect(intents.reported(.kill).count == (number == 3 ? 1 : 0))
            guard number < 3 else { break }
            request = try #require(stand.refresh(after: 1_100).placed.first)
        }
        #expect(stand.desk.killSwitch.level == .pause && stand.desk.orders.isEmpty)
    }

    @Test("A venue that shuts the account pauses the desk; one that is busy is tried again")
    func faults() throws {
        let busy = try Stand()
        let request = try #require(busy.open(-200_000).placed.first)
        busy.tell(.refused(LabelledFault(request.label ?? "", VenueFault(.tooManyRequests))))
        #expect(busy.refresh(after: 100).placed.isEmpty)
        #expect(busy.refresh(after: 1_000).placed.count == 1 && busy.desk.killSwitch.level == .none)
        for fault in [FaultCode.maintenance, .accountLocked, .unauthorized, .lockedByAdmin] {
            let stand = try Stand()
            let request = try #require(stand.open(-200_000).placed.first)
            stand.tell(.refused(LabelledFault(request.label ?? "", VenueFault(fault))))
            #expect(stand.desk.killSwitch.level == .pause && stand.refresh(after: 5_000).placed.isEmpty)
        }
    }
}
