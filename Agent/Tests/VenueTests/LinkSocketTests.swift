import ExchangeServer
import Foundation
import NIOPosix
import TestExchange
import Testing
import VenueClient
import VenueProtocol

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// Link, exchange and control port over real sockets.
struct LinkSocketTests {
    private static let token = "the port's token"

    private static func withExchange(
        _ body: (_ server: ExchangeServer, _ configuration: VenueLinkConfiguration) async throws -> Void
    ) async throws {
        let server = try await ExchangeServer.start(.init(), control: .init(token: token)) {
            let venue = Venue()
            return ExchangeServer.Contents(service: venue.service) {
                venue.clock.microseconds += 100_000
                venue.exchange.advance(to: venue.exchange.time + 100)
            }
        }
        var configuration = VenueLinkConfiguration(
            address: .init(host: "127.0.0.1", port: server.port, tls: nil),
            credentials: Credentials(clientID: "alice", secret: "secret of alice"))
        // The fixture's clock is not the wall's.
        configuration.orderLife = nil
        try await body(server, configuration)
        try await server.stop()
    }

    /// A request of the control port, and its answer.
    private static func ask(
        _ server: ExchangeServer, _ path: String, _ method: String = "GET", _ body: String? = nil,
        token: String = token
    ) async throws -> (status: Int, text: String) {
        let port = try #require(server.controlPort)
        let address = try #require(URL(string: "http://127.0.0.1:\(port)\(path)"))
        var request = URLRequest(url: address)
        request.httpMethod = method
        request.httpBody = body.map { Data($0.utf8) }
        request.setValue("Bearer \(token)", forHTTPHeaderField: "Authorization")
        let (data, response) = try await URLSession.shared.data(for: request)
        return ((response as? HTTPURLResponse)?.statusCode ?? 0, String(decoding: data, as: UTF8.self))
    }

    @Test("A link over sockets is ready, trades, and is ready again after the venue closed both its lines")
    func link() async throws {
        try await Self.withExchange { server, configuration in
            let link = try await VenueLink.connect(configuration)
            var picture = VenuePicture()
            var (orders, losses) = (0, 0)
            for await event in link.events {
                picture.apply(event)
                switch event.content {
                case .lost: losses += 1
                case .outcome(let tag, .order(let reply)):
                    #expect(tag == orders && reply.order.label == "order \(tag)")
                    if orders == 2 {
                        try await link.stop()
                    } else {
                        // From the control port, as a person would.
                        let (status, text) = try await Self.ask(
                            server, "/control/faults", "POST", #"{"kind":"close","code":1011}"#)
                        #expect(status == 200 && text.contains("added"))
                    }
                case .ready where picture.ready.count == 2:
                    orders += 1
                    let order = OrderRequest(
                        .buy, Venue.perpetual, amount: MessageAmount(10), price: 89_000,
                        label: "order \(orders)")
                    link.send(.place(order), tag: orders)
                default: break
                }
            }
            #expect(orders == 2 && losses >= 2)
            #expect(picture.market.books[Venue.perpetual] != nil)
        }
    }

    @Test("With a handler events come on the link's loop, and what is sent from there is answered")
    func handler() async throws {
        try await Self.withExchange { _, configuration in
            let (stream, continuation) = AsyncStream.makeStream(of: [VenueEvent].self)
            let link = try await VenueLink.connect(configuration) { continuation.yield($0) }
            var isSent = false
            taking: for await events in stream {
                for event in events {
                    if case .ready(.trading) = event.content, !isSent {
                        isSent = true
                        let parameters = try JSONTape(#"{"currency":"BTC"}"#).root
                        link.send(
                            .call(method: "private/get_account_summary", parameters: parameters), tag: 9)
                    }
                    if case .outcome(9, .result(let summary)) = event.content {
                        #expect(summary["balance"]?.number == 100)
                        break taking
                    }
                }
            }
            try await link.stop()
        }
    }

    @Test(
        "The control port needs its token, tells what there is, takes rules whole or not at all, and ends them"
    )
    func control() async throws {
        try await Self.withExchange { server, _ in
            #expect(try await Self.ask(server, "/control/state", token: "another").status == 401)
            #expect(try await Self.ask(server, "/nothing").status == 404)
            let page = try await Self.ask(server, "/")
            #expect(page.status == 200 && page.text.contains("<title>Test exchange</title>"))
            let state = try JSONTape(
                try await Self.ask(server, "/control/state?instrument=BTC-PERPETUAL").text
            ).root
            #expect(state["book"]?["bids"]?.elements?.count == 2)
            #expect(state["accounts"]?.elements?.count == 2)
            let bad = try await Self.ask(
                server, "/control/faults", "POST", #"[{"kind":"settling"},{"kind":"book_gap","often":1}]"#)
            #expect(bad.status == 400 && bad.text.contains("often"))
            #expect(try await Self.ask(server, "/control/faults", "POST", "{").status == 400)
            let none = try JSONTape(try await Self.ask(server, "/control/faults").text).root
            #expect(none["faults"]?.elements?.isEmpty == true)
            #expect(none["kinds"]?.elements?.count == FaultKind.allCases.count)
            let added = try await Self.ask(
                server, "/control/faults", "POST", #"[{"kind":"settling"},{"kind":"book_gap"}]"#)
            #expect(added.text == #"{"added":[1,2]}"#)
            #expect(try await Self.ask(server, "/control/faults/7", "DELETE").status == 404)
            #expect(try await Self.ask(server, "/control/faults/2", "DELETE").status == 200)
            let one = try JSONTape(try await Self.ask(server, "/control/faults").text).root
            #expect(one["faults"]?.elements?.map { $0["rule"]?["kind"]?.string } == ["settling"])
        }
    }
}
