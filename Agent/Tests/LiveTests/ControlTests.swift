import Desk
import Foundation
import HTTPService
import NIOHTTP1
import Synchronization
import Testing
import VenueProtocol

@testable import Control

/// Commands that came through a door.
private final class Taken: Sendable {
    private let list = Mutex<[OperatorCommand]>([])
    func add(_ command: OperatorCommand) { list.withLock { $0.append(command) } }
    var commands: [OperatorCommand] { list.withLock { $0 } }
}

struct ControlTests {
    private static let token = "9f3c77aa"
    private static let figure = "61234.5"

    private static func door(_ taken: Taken = Taken()) -> ControlDoor {
        let board = ControlBoard()
        board.publish(
            state: Array(#"{"time":1,"delta":\#(figure)}"#.utf8), metrics: "poise_delta \(figure)\n")
        return ControlDoor(board, token: token) { taken.add($0) }
    }

    private static func request(
        _ path: String, _ method: HTTPMethod = .GET, token: String? = token, host: String = "127.0.0.1:8090",
        _ more: [(String, String)] = []
    ) -> HTTPRequestHead {
        var headers = HTTPHeaders([("Host", host)])
        if let token { headers.add(name: "Authorization", value: "Bearer \(token)") }
        for (name, value) in more { headers.add(name: name, value: value) }
        return HTTPRequestHead(version: .http1_1, method: method, uri: path, headers: headers)
    }

    private static let json = ("Content-Type", "application/json")

    @Test(
        "The page and its parts have no figure and no token, load nothing from elsewhere, and hold no markup of texts"
    )
    func page() {
        let door = Self.door()
        for path in ["/", "/page.js", "/page.css"] {
            let answer = door.answer(Self.request(path, token: nil), [])
            let text = String(decoding: answer.body, as: UTF8.self)
            #expect(answer.status == 200 && !text.isEmpty)
            #expect(!text.contains(Self.token) && !text.contains(Self.figure))
            #expect(!text.contains("http://") || path == "/page.js")
            #expect(!text.contains("https://") && !text.contains("innerHTML") && !text.contains("eval("))
            let policy = answer.headers.first { $0.name == "Content-Security-Policy" }?.value
            #expect(policy?.hasPrefix("default-src 'none'; script-src 'self'; style-src 'self'") == true)
            #expect(policy?.contains("unsafe") == false)
        }
        // The one address in the script is a name of a format, which nobody asks for.
        #expect(controlScript.components(separatedBy: "http://").count == 2)
        #expect(controlScript.contains("http://www.w3.org/2000/svg"))
    }

    @Test(
        "Without the token nothing is read and nothing changes, whatever is left out or put in",
        arguments: [nil, "", "9f3c77a", "9f3c77aa ", "9F3C77AA", "wrong"] as [String?])
    func attacker(token: String?) {
        let taken = Taken()
        let door = Self.door(taken)
        for path in ["/api/state", "/api/stream", "/metrics", "/api/command", "/api/state?token=9f3c77aa"] {
            for method in [HTTPMethod.GET, .POST, .PUT, .DELETE, .HEAD, .OPTIONS] {
                let answer = door.answer(
                    Self.request(path, method, token: token, [Self.json]),
                    Array(#"{"action":"flatten"}"#.utf8))
                #expect(answer.status == 401, "\(method) \(path)")
                #expect(!String(decoding: answer.body, as: UTF8.self).contains(Self.figure))
                #expect(answer.stream == nil)
            }
        }
        #expect(taken.commands.isEmpty)
    }

    @Test("With the token figures are read, as they were published last")
    func figures() {
        let door = Self.door()
        #expect(
            door.answer(Self.request("/api/state"), []).body == Array(#"{"time":1,"delta":61234.5}"#.utf8))
        let metrics = door.answer(Self.request("/metrics"), [])
        #expect(metrics.type.hasPrefix("text/plain; version=0.0.4"))
        #expect(metrics.body == Array("poise_delta 61234.5\n".utf8))
        let stream = door.answer(Self.request("/api/stream"), [])
        #expect(stream.type == "text/event-stream")
        #expect(stream.stream?.next() == Array("data: {\"time\":1,\"delta\":61234.5}\n\n".utf8))
        #expect(stream.stream?.next() == nil)
    }

    @Test(
        "Another page, another name for this address, and what a form can send are refused though they have the token"
    )
    func otherPages() {
        let taken = Taken()
        let door = Self.door(taken)
        let body = Array(#"{"action":"pause"}"#.utf8)
        func status(_ headers: [(String, String)], host: String = "127.0.0.1:8090") -> Int {
            door.answer(Self.request("/api/command", .POST, host: host, headers), body).status
        }
        #expect(status([Self.json, ("Origin", "http://evil.example")]) == 403)
        #expect(status([Self.json, ("Origin", "null")]) == 403)
        #expect(status([Self.json, ("Origin", "http://127.0.0.1:8091")]) == 403)
        #expect(status([Self.json, ("Sec-Fetch-Site", "cross-site")]) == 403)
        #expect(status([Self.json, ("Sec-Fetch-Site", "same-site")]) == 403)
        #expect(status([Self.json], host: "evil.example") == 403)
        #expect(status([Self.json], host: "127.0.0.1.evil.example:8090") == 403)
        #expect(status([]) == 415)
        #expect(status([("Content-Type", "text/plain")]) == 415)
        #expect(status([("Content-Type", "application/x-www-form-urlencoded")]) == 415)
        #expect(taken.commands.isEmpty)
        #expect(
            status([Self.json, ("Origin", "http://127.0.0.1:8090"), ("Sec-Fetch-Site", "same-origin")]) == 202
        )
        #expect(status([Self.json], host: "localhost:8090") == 202)
        #expect(taken.commands.map(\.action) == [.pause, .pause])
    }

    @Test("Commands are taken as they are asked for; a key or a word that there is not is named")
    func commands() throws {
        let taken = Taken()
        let door = Self.door(taken)
        func send(_ body: String) -> (Int, String) {
            let answer = door.answer(Self.request("/api/command", .POST, [Self.json]), Array(body.utf8))
            return (answer.status, String(decoding: answer.body, as: UTF8.self))
        }
        let moved = #"{"underlying":"BTC","greek":"delta","low":-1000.0,"high":2000.0}"#
        #expect(send(#"{"action":"limit","reason":"calm","limit":\#(moved)}"#).0 == 202)
        let word = try #require(taken.commands.first)
        #expect(
            word
                == OperatorCommand(
                    .limit, by: "page", reason: "calm",
                    limit: LimitSetting("BTC", "delta", low: -1_000, high: 2_000)))
        #expect(send(#"{"action":"explode"}"#).1.contains("action"))
        #expect(send(#"{"action":"pause","force":true}"#).1.contains("force"))
        #expect(
            send(#"{"action":"limit","limit":{"underlying":"BTC","greek":"delta","hihg":1}}"#).1.contains(
                "hihg"))
        #expect(send(#"{"action":"release"}"#).1.contains("reason"))
        #expect(send("not json").0 == 400)
        #expect(taken.commands.count == 1)
    }
}
