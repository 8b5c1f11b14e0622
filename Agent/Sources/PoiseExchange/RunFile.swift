import ExchangeServer
import Foundation
import VenueProtocol

/// The file of a run, line by line.
final class RunFile {
    private let handle: FileHandle
    private var pending = Data()

    /// - Throws: for a file that cannot be made.
    init(path: String) throws {
        guard FileManager.default.createFile(atPath: path, contents: nil),
            let handle = FileHandle(forWritingAtPath: path)
        else {
            throw CocoaError(.fileWriteUnknown, userInfo: [NSFilePathErrorKey: path])
        }
        self.handle = handle
    }

    deinit { flush() }

    func write(_ line: [UInt8]) {
        pending.append(contentsOf: line)
        if pending.count > 1 << 20 { flush() }
    }

    func flush() {
        guard !pending.isEmpty else { return }
        handle.write(pending)
        pending.removeAll(keepingCapacity: true)
    }

    /// What a run begins with: what the settings alone do not say.
    static func header(_ settings: ExchangeSettings, begin: Int) -> [(name: String, value: any VenueValue)] {
        [("begin", begin), ("seed", String(settings.market.seed)), ("speed", settings.speed)]
    }
}

extension ExchangeSettings {
    /// Goes through a run again; its settings are to be those it was recorded with.
    /// - Returns: what was gone through.
    /// - Throws: for a file that is no run, and where what goes out is not what went out.
    func replay(path: String) throws -> String {
        let data = try Data(contentsOf: URL(fileURLWithPath: path))
        // A line that was cut off is none.
        let lines = data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast()
        guard let first = lines.first, let header = try? JSONTape(Array(first)).root,
            let begin = header["begin"]?.integer, let speed = header["speed"]?.number,
            let seed = header["seed"]?.string.flatMap({ UInt64($0) })
        else {
            throw VenueProtocolError.unexpected(
                path: path, expected: "a run that --record wrote", found: "another file")
        }
        var settings = self
        (settings.market.seed, settings.speed) = (seed, speed)
        var replay = VenueReplay()
        for line in lines { try replay.learn(Array(line)) }
        let (service, market) = try settings.makeVenue(
            begin: begin, now: replay.now, makeSecret: replay.makeSecret)
        for (number, line) in lines.enumerated().dropFirst() {
            try replay.take(Array(line), number: number + 1, on: service) { market.run(to: $0) }
        }
        return "\(path): \(replay.happened) things happened, \(replay.messages) messages, all the same"
    }
}
