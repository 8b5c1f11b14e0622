import HTTPService
import TestExchange
import VenueProtocol

extension VenueService {
    func authenticate(_ call: Call) throws(VenueFault) -> Authentication.Result {
        let request: Authentication = try read(call)
        let account: Int
        var scope = request.scope ?? ""
        switch request.grant {
        case .clientCredentials:
            guard let client = request.clientID, let known = exchange.account(clientID: client),
                let secret = request.clientSecret, areSameSecrets(secret, known.secret)
            else { throw VenueFault(.invalidCredentials) }
            account = known.id
        case .clientSignature:
            guard let client = request.clientID, let known = exchange.account(clientID: client),
                let time = request.timestamp, let signature = request.signature
            else { throw VenueFault(.invalidCredentials) }
            let nonce = request.nonce ?? ""
            let text = Authentication.signedText(timestamp: time, nonce: nonce, data: request.data ?? "")
            try check(text, signature, known.secret, time: time, nonce: nonce, client: client)
            account = known.id
        case .refreshToken:
            guard let token = request.refreshToken, let entry = tokens[token], entry.isRefresh,
                entry.expires > now()
            else { throw VenueFault(.invalidCredentials) }
            account = entry.account
            scope = request.scope ?? entry.scope
            tokens[token] = nil
        }
        return grant(account, scope: scope, state: request.state, call.session)
    }

    private func grant(_ account: Int, scope: String, state: String?, _ session: Session)
        -> Authentication.Result
    {
        let kind = scope.split(separator: " ").first { $0.hasPrefix("session:") || $0 == "connection" }
        let isOfSession = kind?.hasPrefix("session:") ?? false
        // Over HTTP there is no connection that a token could die with.
        let diesWith = session.isPersistent && !isOfSession ? session.id : nil
        var full = scope.isEmpty ? "connection" : scope
        if !full.contains("trade:") { full += " trade:read_write" }
        if !full.contains("account:") { full += " account:read_write" }
        var result = Authentication.Result()
        result.accessToken = makeSecret()
        result.refreshToken = makeSecret()
        result.expiresIn = configuration.tokenSeconds
        result.scope = full
        result.state = state
        let life = configuration.tokenSeconds * 1_000_000
        let time = now()
        tokens = tokens.filter { $0.value.expires > time }
        tokens[result.accessToken] = Token(
            account: account, expires: time + life, scope: full, session: diesWith, isRefresh: false)
        tokens[result.refreshToken] = Token(
            account: account, expires: time + 4 * life, scope: full, session: nil, isRefresh: true)
        if session.isPersistent {
            session.account = account
            session.scope = full
            if accountsThatCancel.contains(account) { session.cancelsOnDisconnect = true }
        }
        return result
    }

    private func check(
        _ text: String, _ signature: String, _ secret: String, time: Int, nonce: String, client: String
    ) throws(VenueFault) {
        // The exchange's time may be an accelerated one: a client may go by either clock.
        let window = configuration.signatureWindow
        let ahead = time - clockSkew
        guard abs(ahead - now() / 1_000) <= window || abs(ahead - exchange.time) <= window else {
            throw VenueFault(.invalidCredentials, detail: .init(reason: "timestamp", parameter: "timestamp"))
        }
        guard areSameSecrets(signature, sign(text, secret)) else { throw VenueFault(.invalidCredentials) }
        if configuration.requiresFreshNonces {
            guard usedNonces.insert("\(client)\n\(time)\n\(nonce)").inserted else {
                throw VenueFault(.invalidCredentials)
            }
        }
    }

    /// What a header of HTTP proves: `Bearer`, `Basic`, or a signature `deri-hmac-sha256` with its parts in any order.
    func authenticate(
        header: String, verb: String, target: String, body: String
    ) -> Result<(account: Int, scope: String), VenueFault> {
        let parts = header.split(separator: " ", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { return .failure(VenueFault(.invalidCredentials)) }
        let full = "trade:read_write account:read_write"
        do throws(VenueFault) {
            switch parts[0].lowercased() {
            case "bearer": return .success(try holder(of: parts[1]))
            case "basic":
                let pair = String(decoding: Self.base64(parts[1]) ?? [], as: UTF8.self)
                    .split(separator: ":", maxSplits: 1).map(String.init)
                guard pair.count == 2, let known = exchange.account(clientID: pair[0]),
                    areSameSecrets(pair[1], known.secret)
                else { throw VenueFault(.invalidCredentials) }
                return .success((known.id, full))
            case "deri-hmac-sha256":
                var fields: [String: String] = [:]
                for field in parts[1].split(separator: ",") {
                    let pair = field.split(separator: "=", maxSplits: 1).map(String.init)
                    if pair.count == 2 { fields[pair[0].filter { $0 != " " }] = pair[1] }
                }
                guard let client = fields["id"], let known = exchange.account(clientID: client),
                    let time = fields["ts"].flatMap({ Int($0) }), let nonce = fields["nonce"],
                    let signature = fields["sig"]
                else { throw VenueFault(.invalidCredentials) }
                let text = "\(time)\n\(nonce)\n\(verb)\n\(target)\n\(body)\n"
                try check(text, signature, known.secret, time: time, nonce: nonce, client: client)
                return .success((known.id, full))
            default: throw VenueFault(.invalidCredentials)
            }
        } catch { return .failure(error) }
    }

    static func base64(_ text: String) -> [UInt8]? {
        var result: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        for byte in text.utf8 where byte != UInt8(ascii: "=") {
            let digit: UInt32
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): digit = UInt32(byte) - 65
            case UInt8(ascii: "a")...UInt8(ascii: "z"): digit = UInt32(byte) - 71
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = UInt32(byte) + 4
            case UInt8(ascii: "+"): digit = 62
            case UInt8(ascii: "/"): digit = 63
            default: return nil
            }
            bits = bits << 6 | digit
            count += 6
            if count >= 8 {
                count -= 8
                result.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        return result
    }
}
