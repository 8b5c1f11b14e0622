import HTTPService
import NIOHTTP1
import TestExchange
import VenueProtocol

/// What a person, or a test, tells a venue while it runs: faults, and what there is to see. Every request has the
/// token, as `Authorization: Bearer …` or as `token` in the query.
///
///     GET    /                       a page
///     GET    /control/state          the venue in figures; ?instrument= for a book
///     GET    /control/faults         rules, and how often each struck
///     POST   /control/faults         adds a rule, or a list of them
///     DELETE /control/faults         ends all; /control/faults/{id} ends one
struct ControlPort {
    private let service: VenueService
    private let token: String

    init(_ service: VenueService, token: String) {
        self.service = service
        self.token = token
    }

    func answer(_ request: HTTPRequestHead, _ body: [UInt8]) -> HTTPAnswer {
        let parts = request.uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        guard let query = HTTPHandler.query(parts.count > 1 ? String(parts[1]) : "") else {
            return .refusal(400, "query")
        }
        let header = request.headers.first(name: "Authorization").map {
            String($0.dropFirst("Bearer ".count))
        }
        let given = header ?? query.first { $0.name == "token" }?.value ?? ""
        guard areSameSecrets(given, token) else { return .refusal(401, "token") }
        let path = parts[0].split(separator: "/").map(String.init)
        switch (request.method, path) {
        case (.GET, []): return HTTPAnswer(type: "text/html; charset=utf-8", body: Array(controlPage.utf8))
        case (.GET, ["control", "state"]):
            return json(state(instrument: query.first { $0.name == "instrument" }?.value))
        case (.GET, ["control", "faults"]): return json(faults)
        case (.POST, ["control", "faults"]): return add(body)
        case (.DELETE, ["control", "faults"]):
            service.endFaults()
            return json(faults)
        case (.DELETE, _) where path.count == 3 && path.starts(with: ["control", "faults"]):
            guard let id = Int(path[2]), service.endFault(id) else {
                return .refusal(404, "no such rule")
            }
            return json(faults)
        default: return .refusal(404, "not found")
        }
    }

    private func json(_ value: some VenueValue) -> HTTPAnswer {
        var writer = JSONWriter()
        value.write(to: &writer)
        return HTTPAnswer(body: writer.bytes)
    }

    // MARK: Faults

    private func add(_ body: [UInt8]) -> HTTPAnswer {
        do throws(VenueProtocolError) {
            let root = try JSONTape(body).root
            // All or none.
            var rules: [FaultRule] = []
            for json in root.elements ?? [root] { rules.append(try FaultRule(checked: json)) }
            return json(Members([("added", service.add(rules))]))
        } catch { return .refusal(400, error.description) }
    }

    private var faults: Members {
        Members([
            ("kinds", FaultKind.allCases.map(\.rawValue)),
            (
                "faults",
                service.faults.entries.map { entry in
                    Members([
                        ("id", entry.id), ("rule", entry.rule), ("strikes", entry.strikes),
                        ("begins", entry.begins), ("on", entry.isOn), ("over", entry.isOver),
                    ])
                }
            ),
        ])
    }

    // MARK: State

    private func state(instrument: String?) -> Members {
        let exchange = service.exchange
        var members: [(name: String, value: any VenueValue)] = [
            ("time", exchange.time), ("sessions", service.sessions.count),
            ("maintenance", service.isInMaintenance), ("settling", exchange.isSettling),
            (
                "indices",
                exchange.indices.map {
                    Members([("name", $0.name), ("price", Scales.price($0.price))])
                }
            ),
            (
                "instruments",
                exchange.liveContracts.map { number in
                    let ticker = exchange.ticker(number)
                    return Members([
                        ("name", ticker.instrumentName), ("state", exchange.state(of: number)),
                        ("mark", ticker.markPrice), ("bid", ticker.bestBid?.price ?? 0.0),
                        ("ask", ticker.bestAsk?.price ?? 0.0), ("open_interest", ticker.openInterest),
                    ])
                }
            ),
            (
                "accounts",
                exchange.clientAccounts.map { account in
                    Members([
                        ("name", exchange.userName(of: account)),
                        ("orders", exchange.openOrders(of: account).map { exchange.view($0) }),
                        (
                            "positions",
                            exchange.positions(of: account).map {
                                exchange.position($0.contract, of: account)
                            }
                        ),
                        (
                            "trades",
                            exchange.trades(of: account).prefix(20).map {
                                exchange.userTrade($0, of: account)
                            }
                        ),
                        (
                            "balances",
                            exchange.currencies.indices.map { currency in
                                let figures = exchange.figures(of: account, currency: currency)
                                return Members([
                                    ("currency", figures.currency), ("balance", figures.balance),
                                    ("equity", figures.equity), ("available_funds", figures.availableFunds),
                                ])
                            }
                        ),
                    ])
                }
            ),
        ]
        if let number = instrument.flatMap({ exchange.contract(named: $0) }) {
            members.append(("book", exchange.bookReply(number, depth: 10)))
        }
        return Members(members)
    }
}
