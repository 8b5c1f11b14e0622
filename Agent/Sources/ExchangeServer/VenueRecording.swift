import TestExchange
import VenueProtocol

/// What happened at a venue, a line of JSON each: what came in with the time at which it did, and what went out. The same
/// settings and the same lines in give the same lines out, so that a run can be gone through again.
///
/// While it records, the venue's clock stands still during each thing that happens: that is what makes a run repeatable,
/// and it leaves `usDiff` at 0.
public final class VenueRecording {
    private let clock: () -> Int
    private let makeSecret: () -> String
    private let write: ([UInt8]) -> Void
    /// How deep in things that happen: what one brings about is not another.
    private var depth = 0
    private var time: Int

    /// - Parameters:
    ///   - clock: microseconds of the wall's clock.
    ///   - write: takes a line with its end.
    public init(
        clock: @escaping () -> Int, makeSecret: @escaping () -> String, write: @escaping ([UInt8]) -> Void
    ) {
        self.clock = clock
        self.makeSecret = makeSecret
        self.write = write
        time = clock()
    }

    /// Microseconds, for the service.
    public func now() -> Int { depth == 0 ? clock() : time }

    /// A secret, kept with the run: tokens are to be the same when it is gone through again.
    public func secret() -> String {
        let secret = makeSecret()
        line([("secret", secret)])
        return secret
    }

    public func line(_ members: [(name: String, value: any VenueValue)]) {
        var writer = JSONWriter()
        Members(members).write(to: &writer)
        write(writer.bytes + [UInt8(ascii: "\n")])
    }

    /// Something happens to the venue from outside.
    func happens(_ members: () -> [(name: String, value: any VenueValue)]) {
        depth += 1
        guard depth == 1 else { return }
        time = clock()
        var all: [(name: String, value: any VenueValue)] = [("at", time)]
        all += members()
        line(all)
    }

    func ends() { depth -= 1 }

    func sent(_ bytes: [UInt8], to session: Int) { line([("out", session), ("text", Self.text(bytes))]) }

    /// A message that is no text is kept as the numbers of its bytes.
    static func text(_ bytes: [UInt8]) -> any VenueValue {
        String(validating: bytes, as: UTF8.self) ?? bytes.map { Int($0) } as any VenueValue
    }

    static func bytes(_ value: JSONValue?) -> [UInt8]? {
        guard let value else { return nil }
        if let text = value.string { return Array(text.utf8) }
        return value.elements?.compactMap { $0.integer.flatMap { UInt8(exactly: $0) } }
    }
}

extension VenueService {
    /// Carries out something from outside, written down before it is.
    func recorded<Result>(
        _ members: @autoclosure () -> [(name: String, value: any VenueValue)], _ body: () -> Result
    ) -> Result {
        guard let recording else { return body() }
        recording.happens(members)
        defer { recording.ends() }
        return body()
    }

    // MARK: Faults

    /// - Returns: the rules' numbers.
    @discardableResult
    public func add(_ rules: [FaultRule]) -> [Int] {
        recorded([("faults", rules)]) { rules.map { faults.add($0, at: exchange.time) } }
    }

    /// - Returns: whether there was one.
    @discardableResult
    public func endFault(_ id: Int) -> Bool { recorded([("end_fault", id)]) { faults.remove(id) } }
    public func endFaults() { recorded([("end_faults", true)]) { faults.removeAll() } }

    /// Lets a market go on to a time of the exchange's.
    public func advance(to time: Int, _ market: (Int) -> Void) {
        recorded([("advance", time)]) { market(time) }
    }
}

/// A recorded run gone through again: every line out has to be the one that was recorded.
public struct VenueReplay {
    public struct Difference: Error, CustomStringConvertible {
        public let line: Int
        public let expected: String
        public let found: String

        public var description: String { "line \(line): expected \(expected), found \(found)" }
    }

    private final class Outgoing {
        var lines: [[UInt8]] = []
        var secrets: [String] = []
        var time = 0
    }

    private let outgoing = Outgoing()
    private var sessions: [Int: Session] = [:]
    private var checked = 0
    /// Things that happened, and messages that were the same.
    public private(set) var happened = 0
    public private(set) var messages = 0

    public init() {}

    /// What the service is to be made with.
    public var now: () -> Int { { [outgoing] in outgoing.time } }
    public var makeSecret: () -> String {
        { [outgoing] in outgoing.secrets.isEmpty ? "" : outgoing.secrets.removeFirst() }
    }

    /// Secrets are wanted before the line that says them is reached: whoever reads a run hands its lines over twice.
    public func learn(_ line: [UInt8]) throws {
        if let secret = try JSONTape(line).root["secret"]?.string { outgoing.secrets.append(secret) }
    }

    /// - Throws: `Difference` where what goes out is not what went out, and for a line that is none.
    public mutating func take(
        _ bytes: [UInt8], number: Int, on service: VenueService, market: (Int) -> Void
    ) throws {
        let line = try JSONTape(bytes).root
        if line["secret"] != nil { return }
        if line["out"] != nil || line["reply"] != nil {
            guard checked < outgoing.lines.count, outgoing.lines[checked] == bytes else {
                let found = checked < outgoing.lines.count ? outgoing.lines[checked] : []
                throw Difference(
                    line: number, expected: String(decoding: bytes, as: UTF8.self),
                    found: found.isEmpty ? "nothing" : String(decoding: found, as: UTF8.self))
            }
            checked += 1
            messages += 1
            return
        }
        try expectNothingMore(number)
        guard let time = line["at"]?.integer else {
            throw VenueProtocolError.unexpected(path: "at", expected: "a time", found: "line \(number)")
        }
        outgoing.time = time
        happened += 1
        try happen(line, service, market)
    }

    private mutating func expectNothingMore(_ number: Int) throws {
        guard checked == outgoing.lines.count else {
            throw Difference(
                line: number, expected: "no other message",
                found: String(decoding: outgoing.lines[checked], as: UTF8.self))
        }
        outgoing.lines.removeAll(keepingCapacity: true)
        checked = 0
    }

    private func said(_ members: [(name: String, value: any VenueValue)]) {
        var writer = JSONWriter()
        Members(members).write(to: &writer)
        outgoing.lines.append(writer.bytes)
    }

    private mutating func happen(_ line: JSONValue, _ service: VenueService, _ market: (Int) -> Void) throws {
        if let time = line["advance"]?.integer {
            market(time)
        } else if line["tick"] != nil {
            service.tick()
        } else if let id = line["open"]?.integer {
            let said = said
            sessions[id] = service.connect(
                send: { said([("out", id), ("text", VenueRecording.text($0))]) }, close: { _ in })
        } else if let id = line["in"]?.integer, let session = sessions[id] {
            service.receive(VenueRecording.bytes(line["text"]) ?? [], from: session)
        } else if let id = line["gone"]?.integer, let session = sessions.removeValue(forKey: id) {
            service.disconnect(session)
        } else if let request = line["http"] {
            let query = (request["query"]?.elements ?? []).compactMap {
                pair -> (name: String, value: String)? in
                guard let pair = pair.elements, pair.count == 2 else { return nil }
                return (pair[0].string ?? "", pair[1].string ?? "")
            }
            let (status, body) = service.request(
                verb: request["verb"]?.string ?? "", method: request["method"]?.string ?? "", query: query,
                body: VenueRecording.bytes(request["body"]) ?? [],
                authorization: request["authorization"]?.string, target: request["target"]?.string ?? "")
            said([("reply", status), ("text", VenueRecording.text(body))])
        } else if let rules = line["faults"] {
            service.add(try (rules.elements ?? []).map { try FaultRule(checked: $0) })
        } else if let id = line["end_fault"]?.integer {
            service.endFault(id)
        } else if line["end_faults"] != nil {
            service.endFaults()
        }
    }
}
