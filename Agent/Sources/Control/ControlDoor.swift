import Desk
import HTTPService
import NIOCore
import NIOHTTP1
import VenueProtocol

/// What is answered to a request, and what is not.
struct ControlDoor {
    private let board: ControlBoard
    private let token: String
    private let command: @Sendable (OperatorCommand) -> Void

    init(
        _ board: ControlBoard, token: String,
        command: @escaping @Sendable (OperatorCommand) -> Void
    ) {
        (self.board, self.token, self.command) = (board, token, command)
    }

    /// Of every answer: nothing is loaded from elsewhere, shown within another page, or guessed.
    static let headers: [(name: String, value: String)] = [
        (
            "Content-Security-Policy",
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
                + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        ),
        ("X-Content-Type-Options", "nosniff"), ("X-Frame-Options", "DENY"),
        ("Referrer-Policy", "no-referrer"), ("Cross-Origin-Resource-Policy", "same-origin"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
    ]

    func answer(_ request: HTTPRequestHead, _ body: [UInt8]) -> HTTPAnswer {
        var answer = unadorned(request, body)
        answer.headers += Self.headers
        return answer
    }

    private func unadorned(_ request: HTTPRequestHead, _ body: [UInt8]) -> HTTPAnswer {
        // A name that was made to point here belongs to another page.
        guard let host = request.headers.first(name: "Host"), Self.isLoopback(host) else {
            return .refusal(403, "host")
        }
        let path = String(request.uri.prefix { $0 != "?" })
        switch (request.method, path) {
        case (.GET, "/"): return Self.text("text/html; charset=utf-8", controlPage)
        case (.GET, "/page.js"): return Self.text("text/javascript; charset=utf-8", controlScript)
        case (.GET, "/page.css"): return Self.text("text/css; charset=utf-8", controlStyle)
        default: break
        }
        guard hasToken(request) else { return .refusal(401, "token") }
        switch (request.method, path) {
        case (.GET, "/api/state"): return HTTPAnswer(body: board.state)
        case (.GET, "/api/stream"): return stream()
        case (.GET, "/metrics"): return Self.text("text/plain; version=0.0.4; charset=utf-8", board.metrics)
        case (.POST, "/api/command"): return take(request, host, body)
        case (_, "/api/state"), (_, "/api/stream"), (_, "/metrics"), (_, "/api/command"):
            return .refusal(405, "method")
        default: return .refusal(404, "not found")
        }
    }

    private static func text(_ type: String, _ text: String) -> HTTPAnswer {
        HTTPAnswer(type: type, body: Array(text.utf8))
    }

    private static func isLoopback(_ host: String) -> Bool {
        let name = host.hasPrefix("[") ? host.prefix { $0 != "]" } + "]" : host.prefix { $0 != ":" }
        return ["127.0.0.1", "localhost", "[::1]"].contains(String(name))
    }

    private func hasToken(_ request: HTTPRequestHead) -> Bool {
        guard let header = request.headers.first(name: "Authorization"), header.hasPrefix("Bearer ") else {
            return false
        }
        return areSameSecrets(String(header.dropFirst("Bearer ".count)), token)
    }

    private func stream() -> HTTPAnswer {
        var answer = HTTPAnswer(type: "text/event-stream")
        let board = board
        var told = -1
        answer.stream = HTTPStream(every: .milliseconds(500)) {
            let number = board.number
            guard number != told else { return nil }
            told = number
            return Array("data: ".utf8) + board.state + Array("\n\n".utf8)
        }
        return answer
    }

    // MARK: Commands

    private func take(_ request: HTTPRequestHead, _ host: String, _ body: [UInt8]) -> HTTPAnswer {
        if let origin = request.headers.first(name: "Origin"), origin != "http://\(host)" {
            return .refusal(403, "origin")
        }
        if let site = request.headers.first(name: "Sec-Fetch-Site"), site != "same-origin", site != "none" {
            return .refusal(403, "site")
        }
        // A form of another page cannot send this type.
        let type = request.headers.first(name: "Content-Type")?.prefix { $0 != ";" }
        guard type == "application/json" else { return .refusal(415, "application/json is wanted") }
        let word: OperatorCommand
        do throws(VenueProtocolError) {
            let root = try JSONTape(body).root
            try KeyCheck.check(OperatorCommand(), root)
            word = try AskedCommand(root).command
        } catch { return .refusal(400, error.description) }
        if word.action == .release, word.reason.isEmpty {
            return .refusal(400, "reason: why it may trade again")
        }
        command(word)
        var writer = JSONWriter()
        writer.object { $0.member("taken", word.action) }
        return HTTPAnswer(status: 202, body: writer.bytes)
    }
}

/// A command as it is asked for: `by` may be left out.
private struct AskedCommand: VenueRecord {
    var action = OperatorCommand.Action.pause
    var by: String?
    var reason: String?
    var instrumentName: String?
    var limit: LimitSetting?

    mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
        try fields.field("action", &action)
        try fields.field("by", &by)
        try fields.field("reason", &reason)
        try fields.field("instrument_name", &instrumentName)
        try fields.field("limit", &limit)
    }

    var command: OperatorCommand {
        OperatorCommand(
            action, by: by.map { String($0.prefix(64)) } ?? "page",
            reason: String((reason ?? "").prefix(500)),
            instrumentName: instrumentName, limit: limit)
    }
}
