import VenueProtocol

/// What comes in, and time.
extension ClientConnection {
    public func received(_ bytes: [UInt8], at time: Int) {
        guard isOpen else { return }
        lastReceived = time
        do {
            switch try VenueMessage(bytes) {
            case .heartbeat(.testRequest): send("public/test", NoParameters(), .test, at: time)
            case .heartbeat(.heartbeat): break
            case .notification(let channel, let content):
                effects.append(.notification(channel: channel, content: content))
            case .reply(let reply): answered(reply, at: time)
            }
        } catch { lose("unreadable: \(error)", at: time) }
    }

    private func answered(_ reply: Reply<JSONValue>, at time: Int) {
        guard case .number(let number)? = reply.id.value, let request = requests.removeValue(forKey: number)
        else { return }
        if let fault = reply.fault {
            refused(request, number, fault, at: time)
        } else {
            granted(request, number, reply.result ?? .null, at: time)
        }
        finishOpening(at: time)
    }

    private func refused(_ request: Request, _ number: Int, _ fault: VenueFault, at time: Int) {
        switch request.purpose {
        case .own:
            let outcome: Outcome =
                fault.faultClass == .unknownOutcome ? .unknown(fault.message) : .fault(fault)
            effects.append(.outcome(request: number, outcome))
            // The venue's clock may have jumped.
            if fault.code == FaultCode.timedOut.code, clockAt > time + 1_000_000 {
                clockAt = time + 1_000_000
            }
            // A token that has died is asked for anew.
            if fault.faultClass == .authentication, isReady, time >= authenticateAfter {
                authenticate(at: time)
            }
        case .refresh: authenticate(at: time)
        case .test: break
        case .clock where !request.isStep: break
        case .subscribe(let names):
            if fault.faultClass == .authentication || fault.faultClass == .halt {
                fail(fault, at: time)
            } else {
                confirm(names, taken: [], at: time)
            }
        default: fail(fault, at: time)
        }
    }

    private func fail(_ fault: VenueFault, at time: Int) {
        let isHopeless = fault.faultClass == .authentication || fault.faultClass == .halt
        lose("\(fault.code) \(fault.message)", at: time, isHopeless: isHopeless)
    }

    private func granted(_ request: Request, _ number: Int, _ result: JSONValue, at time: Int) {
        switch request.purpose {
        case .own: effects.append(.outcome(request: number, .result(result)))
        case .clock: measured(result, sent: request.sent, at: time)
        case .authenticate, .refresh:
            guard let granted = try? Authentication.Result(result) else { return lose("no token", at: time) }
            refreshToken = granted.refreshToken
            // Before four fifths of its life are over.
            refreshAt = time + granted.expiresIn * 800_000
            guard case .authenticate = request.purpose else { return }
            if phase == .authentication {
                prepare(at: time)
            } else {
                // What the account's channels said while there was no token is lost.
                for channel in channels where ChannelName(channel)?.isPrivate ?? false {
                    unconfirmed[channel] = (time, 0)
                }
                askAgain(at: time)
            }
        case .cancelOnDisconnect:
            send("private/get_cancel_on_disconnect", NoParameters(), .confirmCancel, at: time, isStep: true)
        case .confirmCancel:
            if result["enabled"]?.boolean != true { lose("cancel on disconnect is not enabled", at: time) }
        case .subscribe(let names): confirm(names, taken: (try? [String](result)) ?? [], at: time)
        case .heartbeat, .test: break
        }
    }

    private func measured(_ result: JSONValue, sent: Int, at time: Int) {
        guard let venue = result.integer, abs(venue) < Int.max / 2_000 else {
            if phase == .clock { lose("no time", at: time) }
            return
        }
        // Its milliseconds are cut off: in the middle they are half of one more.
        let offset = venue * 1_000 + 500 - (sent + time) / 2
        clockOffset = offset
        effects.append(.clock(offset: offset, roundTrip: time - sent))
        guard phase == .clock else { return }
        if settings.credentials != nil {
            phase = .authentication
            authenticate(at: time)
        } else {
            prepare(at: time)
        }
    }

    // MARK: Time

    /// To be called often: deadlines, credits, tokens, silence, and the next attempt to connect.
    public func tick(at time: Int) {
        if let due = connectAt, due <= time, !isOpen {
            connectAt = nil
            effects.append(.connect)
            return
        }
        guard isOpen else { return }
        // A venue that beats is never silent for two beats: a socket may be half open.
        if time - lastReceived > settings.heartbeat * 2_500_000 { return lose("silent", at: time) }
        expire(at: time)
        guard isOpen else { return }
        if refreshAt <= time, let token = refreshToken {
            refreshAt = time + settings.deadline
            var request = Authentication()
            request.grant = .refreshToken
            request.refreshToken = token
            send(request.method, request, .refresh, at: time)
        }
        if isReady, clockAt <= time { askClock(at: time, isStep: false) }
        askAgain(at: time)
        pump(at: time)
    }

    /// Requests whose deadline has passed.
    private func expire(at time: Int) {
        for number in requests.keys.sorted() {
            guard let request = requests[number], request.deadline <= time else { continue }
            requests[number] = nil
            let wasSent = !waiting.contains { $0.request == number }
            waiting.removeAll { $0.request == number }
            switch request.purpose {
            case .own:
                effects.append(
                    .outcome(
                        request: number,
                        wasSent ? .unknown("deadline") : .fault(VenueFault(.temporarilyUnavailable))))
            // Until it is answered nothing else is asked for: a venue that only beats would be waited for without end.
            case .authenticate: return lose("no answer", at: time)
            case _ where request.isStep: return lose("no answer", at: time)
            case .subscribe(let names): confirm(names, taken: [], at: time)
            case .clock, .heartbeat, .cancelOnDisconnect, .confirmCancel, .test, .refresh: continue
            }
        }
    }
}
