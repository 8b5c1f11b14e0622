import HTTPService
import NIOHTTP1
import TestExchange
import VenueProtocol

extension VenueService {
    /// `/api/v2/{method}` with a query, and JSON-RPC in the body of a GET or POST.
    func answer(_ request: HTTPRequestHead, _ body: [UInt8]) -> HTTPAnswer {
        let parts = request.uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let path = String(parts[0])
        if path == "/ws/api/v2" {
            return mayConnect
                ? .refusal(426, "a WebSocket is served here") : .refusal(429, "too many connections")
        }
        guard path == "/api/v2" || path.hasPrefix("/api/v2/") else { return .refusal(404, "not found") }
        guard request.method == .GET || request.method == .POST else { return .refusal(405, "GET or POST") }
        guard let query = HTTPHandler.query(parts.count > 1 ? String(parts[1]) : "") else {
            return .refusal(400, "query")
        }
        let (status, reply) = self.request(
            verb: request.method.rawValue, method: String(path.dropFirst(7).drop { $0 == "/" }), query: query,
            body: body, authorization: request.headers.first(name: "Authorization"), target: request.uri)
        return HTTPAnswer(status: status, body: reply)
    }
}
