import VenueProtocol

/// What a connection needs before it is ready: the venue's clock, a token, heartbeats, cancel on disconnect, channels.
extension ClientConnection {
    func askClock(at time: Int, isStep: Bool) {
        clockAt = time + settings.clockInterval
        send("public/get_time", NoParameters(), .clock, at: time, isStep: isStep)
    }

    func authenticate(at time: Int) {
        guard let credentials = settings.credentials else { return }
        authenticateAfter = time + settings.deadline
        var request = Authentication()
        request.grant = .clientSignature
        request.clientID = credentials.clientID
        // By the venue's clock: the machine's own may be wrong.
        let stamp = (time + (clockOffset ?? 0)) / 1_000
        request.timestamp = stamp
        let nonce = "\(time)-\(nextRequest)"
        request.nonce = nonce
        request.data = ""
        request.signature = sign(
            Authentication.signedText(timestamp: stamp, nonce: nonce, data: ""), credentials.secret)
        send(request.method, request, .authenticate, at: time, isStep: !isReady)
    }

    func prepare(at time: Int) {
        phase = .preparation
        send(
            "public/set_heartbeat", Parameters([("interval", settings.heartbeat)]), .heartbeat, at: time,
            isStep: true)
        if settings.cancelsOnDisconnect {
            send(
                "private/enable_cancel_on_disconnect", NoParameters(), .cancelOnDisconnect, at: time,
                isStep: true)
        }
        subscribe(channels, at: time, isStep: true)
        finishOpening(at: time)
    }

    private func subscribe(_ names: [String], at time: Int, isStep: Bool) {
        for isPrivate in [false, true] {
            let chosen = names.filter { (ChannelName($0)?.isPrivate ?? false) == isPrivate }
            var start = 0
            while start < chosen.count {
                var request = SubscriptionRequest()
                request.channels = Array(
                    chosen[start..<min(chosen.count, start + settings.channelsPerRequest)])
                request.isPrivate = isPrivate
                send(request.method, request, .subscribe(request.channels), at: time, isStep: isStep)
                start += settings.channelsPerRequest
            }
        }
    }

    func finishOpening(at time: Int) {
        guard phase == .preparation, !requests.values.contains(where: \.isStep),
            !unconfirmed.keys.contains(where: Self.isNeeded)
        else { return }
        phase = .ready
        readySince = time
        effects.append(.ready)
    }

    /// Without the account's own channels nothing is ready; a channel of the market may be of a contract that has gone.
    private static func isNeeded(_ channel: String) -> Bool { ChannelName(channel)?.isPrivate ?? false }

    // MARK: Channels

    /// Asks for channels, now and on every connection to come.
    public func add(_ names: [String], at time: Int) {
        let known = Set(channels)
        let new = names.filter { !known.contains($0) }
        guard !new.isEmpty else { return }
        channels += new
        if phase == .preparation || phase == .ready { subscribe(new, at: time, isStep: false) }
    }

    public func remove(_ names: [String], at time: Int) {
        let gone = Set(names)
        let there = channels.filter { gone.contains($0) }
        guard !there.isEmpty else { return }
        channels.removeAll { gone.contains($0) }
        for name in there { unconfirmed[name] = nil }
        unsubscribe(there, at: time)
    }

    /// Subscribes channels anew, in as few requests as may be: the venue then begins with snapshots.
    public func restart(_ channels: [String], at time: Int) {
        guard phase == .preparation || phase == .ready, !channels.isEmpty else { return }
        unsubscribe(channels, at: time)
        subscribe(channels, at: time, isStep: false)
    }

    private func unsubscribe(_ names: [String], at time: Int) {
        guard phase == .preparation || phase == .ready else { return }
        var start = 0
        while start < names.count {
            var request = SubscriptionRequest()
            request.channels = Array(names[start..<min(names.count, start + settings.channelsPerRequest)])
            send("public/unsubscribe", request, .test, at: time)
            start += settings.channelsPerRequest
        }
    }

    /// Notes which channels of a request the venue confirmed; `taken` is empty where it said nothing.
    func confirm(_ names: [String], taken: [String], at time: Int) {
        let there = Set(taken)
        var missing: [String] = []
        for name in names where channels.contains(name) {
            if there.contains(name) {
                unconfirmed[name] = nil
            } else {
                let attempts = (unconfirmed[name]?.attempts ?? 0) + 1
                // Twice as long each time.
                unconfirmed[name] = (time + 500_000 << min(attempts, 6), attempts)
                missing.append(name)
            }
        }
        if !taken.isEmpty { effects.append(.subscribed(taken)) }
        if !missing.isEmpty { effects.append(.refused(missing)) }
    }

    func askAgain(at time: Int) {
        let due = unconfirmed.filter { $0.value.due <= time }.keys.sorted()
        guard !due.isEmpty else { return }
        for name in due { unconfirmed[name]?.due = .max }
        subscribe(due, at: time, isStep: false)
    }
}

/// Whole numbers as parameters.
struct Parameters: VenueRecord {
    var values: [(name: String, value: Int)] = []

    init() {}
    init(_ values: [(name: String, value: Int)]) { self.values = values }
    mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {}
    func write(to writer: inout JSONWriter) { NamedValues(values).write(to: &writer) }
}
