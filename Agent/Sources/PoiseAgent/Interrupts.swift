import Dispatch
import Foundation

/// Ctrl-C and SIGTERM, as often as they come.
final class Interrupts {
    private let sources: [any DispatchSourceSignal]

    init(_ body: @escaping @Sendable () -> Void) {
        sources = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler(handler: body)
            source.resume()
            return source
        }
    }

    func cancel() { for source in sources { source.cancel() } }
}
