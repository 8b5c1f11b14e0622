import ExchangeServer
import TestExchange
import Testing
import VenueProtocol

struct PaceTests {
    private final class Wall {
        var microseconds = 0
    }

    /// A venue whose market takes so many microseconds a step of a second.
    private func pace(_ venue: Venue, _ wall: Wall, step cost: Int, speed: Double = 1) -> VenuePace {
        VenuePace(venue.service, speed: speed, step: 1_000, clock: { wall.microseconds }) { time in
            wall.microseconds += cost
            venue.exchange.advance(to: time)
        }
    }

    @Test("The exchange's time goes with the clock, step by step, so many times as fast")
    func follows() {
        let (venue, wall) = (Venue(), Wall())
        let pace = pace(venue, wall, step: 100, speed: 20)
        for _ in 0..<50 {
            wall.microseconds += 100_000
            pace.advance()
        }
        // Fifty tenths of a second and what the steps took, twenty times as fast, in whole seconds.
        #expect(venue.exchange.time - Venue.start == wall.microseconds / 50 / 1_000 * 1_000)
        #expect(pace.behind == 0)
    }

    @Test(
        "After a night in which the process slept, one call takes its share of the clock, not all that was missed"
    )
    func slept() {
        let (venue, wall) = (Venue(), Wall())
        let pace = pace(venue, wall, step: 20_000)
        wall.microseconds += 8 * 3_600_000_000
        let before = wall.microseconds
        pace.advance()
        #expect(wall.microseconds - before <= pace.share + 20_000)
        #expect(venue.exchange.time - Venue.start == 3_000)
        #expect(pace.behind == 8 * 3_600_000 - 3_000)
        // From then on it goes with the clock again.
        let time = venue.exchange.time
        for _ in 0..<100 {
            wall.microseconds += 100_000
            pace.advance()
        }
        #expect((10_000...11_000).contains(venue.exchange.time - time))
    }

    @Test("A market that is slower than the clock falls behind, and leaves the time for requests")
    func slow() {
        let (venue, wall) = (Venue(), Wall())
        let pace = pace(venue, wall, step: 30_000, speed: 1_000)
        for _ in 0..<10 {
            wall.microseconds += 50_000
            let before = wall.microseconds
            pace.advance()
            #expect(wall.microseconds - before <= pace.share + 30_000)
        }
        #expect(pace.behind > 0 && venue.exchange.time - Venue.start == 20_000)
    }
}
