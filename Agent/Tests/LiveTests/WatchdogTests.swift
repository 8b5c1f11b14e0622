import Testing

@testable import Live

struct WatchdogTests {
    private static func beat(_ number: Int) -> HeartbeatFile.Beat {
        var beat = HeartbeatFile.Beat()
        (beat.number, beat.run) = (number, 3)
        return beat
    }

    @Test(
        "A heartbeat that stops cancels everything, until the venue lists nothing, and again when it stops again"
    )
    func stops() {
        let watchdog = Watchdog(after: .seconds(5))
        let start = ContinuousClock.Instant.now
        func look(_ number: Int, _ second: Double) -> [Watchdog.Action] {
            watchdog.look(Self.beat(number), at: start + .seconds(second))
        }
        // What lies there from a process that is gone does not beat.
        #expect(look(7, 0).isEmpty && look(7, 60).isEmpty && watchdog.phase == .waits)
        #expect(look(8, 61) == [.say("watches run 3")])
        #expect(look(8, 65).isEmpty)
        #expect(look(9, 67).isEmpty && look(9, 71).isEmpty)
        let alarm = look(9, 73)
        #expect(alarm.contains(.cancel) && watchdog.phase == .cancels)
        #expect(alarm.contains { if case .arm = $0 { true } else { false } })
        #expect(look(9, 73.5) == [.cancel])
        // It beats again, and orders may be open still: the venue has to say.
        #expect(look(10, 74) == [.cancel])
        _ = watchdog.listed(open: 2, at: start + .seconds(74))
        #expect(watchdog.phase == .cancels)
        _ = watchdog.listed(open: 0, at: start + .seconds(75))
        #expect(watchdog.phase == .cancelled)
        #expect(look(10, 90).isEmpty)
        #expect(look(11, 91) == [.say("watches run 3")])
        #expect(look(11, 97).contains(.cancel))
    }

    @Test("An agent that ends as it should takes its heartbeat with it, and nothing is cancelled")
    func ends() {
        let watchdog = Watchdog(after: .seconds(5))
        let start = ContinuousClock.Instant.now
        _ = watchdog.look(Self.beat(1), at: start)
        _ = watchdog.look(Self.beat(2), at: start + .seconds(1))
        #expect(watchdog.phase == .watches)
        #expect(!watchdog.look(nil, at: start + .seconds(2)).contains(.cancel))
        #expect(watchdog.phase == .waits)
        #expect(watchdog.look(nil, at: start + .seconds(60)).isEmpty)
    }
}
