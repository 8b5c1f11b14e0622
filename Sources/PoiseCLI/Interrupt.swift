import Foundation
import Synchronization

/// The signal that asked for an end, 0 as long as none has; set by the handler.
private let interruptingSignal = Atomic<Int32>(0)

/// Ctrl-C, and requests to end from elsewhere, once: the simulation is asked to stop, and what is complete is kept.
/// Twice ends the process as usual.
enum Interrupt {
    private static let signals = [SIGINT, SIGTERM, SIGHUP]

    /// The one that came; nil for none.
    static var signal: Int32? {
        let number = interruptingSignal.load(ordering: .relaxed)
        return number == 0 ? nil : number
    }

    static func watch() {
        for number in signals {
            // Whoever starts the tool may have Ctrl-C blocked; what it has the tool ignore stays ignored.
            var mask = sigset_t()
            unsafe sigemptyset(&mask)
            unsafe sigaddset(&mask, number)
            unsafe pthread_sigmask(SIG_UNBLOCK, &mask, nil)
            let earlier = Foundation.signal(number) { number in
                interruptingSignal.store(number, ordering: .relaxed)
                Foundation.signal(number, PartialFiles.handler)
            }
            if number != SIGINT,
                unsafe unsafeBitCast(earlier, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
            {
                Foundation.signal(number, SIG_IGN)
            }
        }
    }

    /// From here on the first signal ends the process.
    static func unwatch() {
        for number in signals {
            let earlier = Foundation.signal(number, PartialFiles.handler)
            if unsafe unsafeBitCast(earlier, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self) {
                Foundation.signal(number, SIG_IGN)
            }
        }
    }
}
