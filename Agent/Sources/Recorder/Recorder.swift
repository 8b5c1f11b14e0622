import Foundation
import VenueClient
import VenueProtocol

/// Keeps a venue's market in files that `--chain` and `surface --history` of `poise` read.
///
/// `chains/BTC-20261130T091500Z.json.gz` is a whole chain at a moment, as a list of replies of `get_order_book`: all
/// contracts with a base currency whose ticker has come, each with its book where that is valid.
/// `messages/20261130T09.jsonl.gz` has every ticker, book, index and trade of an hour, a notification a line; `marks/` the
/// same of options' marks, which stand apart: they are tickers without Greeks and books, of the same moments.
public final class Recorder {
    public struct Configuration: Sendable {
        /// A folder, made if it is not there.
        public var folder: String
        /// Seconds between chains; nil keeps none.
        public var chainSeconds: Int? = 60
        /// Whether messages are kept.
        public var keepsMessages = true
        /// Seconds that messages wait at most before they are written.
        public var flushSeconds = 10
        /// Seconds after which a ticker is too old to be part of a chain.
        public var oldestSeconds = 300

        public init(folder: String) { self.folder = folder }
    }

    public let configuration: Configuration
    private let interval: ChannelInterval
    private var picture = VenuePicture()
    /// By folder, the file of the hour.
    private var files: [String: GzipFile] = [:]
    private var nextChain: Int?
    private var lastFlush = 0
    public private(set) var chains = 0
    public private(set) var messages = 0

    /// - Parameter interval: of the channels that events come from.
    /// - Throws: where the folders cannot be made.
    public init(_ configuration: Configuration, interval: ChannelInterval = .hundredMilliseconds) throws {
        self.configuration = configuration
        self.interval = interval
        for name in ["chains", "marks", "messages"] {
            try FileManager.default.createDirectory(
                atPath: configuration.folder + "/" + name, withIntermediateDirectories: true)
        }
    }

    /// Takes events in their order.
    /// - Throws: what cannot be written; the recorder may go on.
    public func take(_ event: VenueEvent) throws {
        // Afterwards no book is valid: what there is to keep is kept before.
        if case .lost(.market, _) = event.content, configuration.chainSeconds != nil {
            try writeChains(at: event.time + (picture.clockOffset ?? 0))
        }
        picture.apply(event)
        // By the venue's clock.
        let time = event.time + (picture.clockOffset ?? 0)
        if configuration.keepsMessages { try keep(event.content, at: time) }
        guard let seconds = configuration.chainSeconds else { return }
        let step = seconds * 1_000_000
        guard let due = nextChain else {
            nextChain = (time / step + 1) * step
            return
        }
        guard time >= due else { return }
        nextChain = (time / step + 1) * step
        try writeChains(at: due)
    }

    /// Writes what waits, and a last chain.
    public func finish() throws {
        for file in files.values { try file.close() }
        files.removeAll()
        guard configuration.chainSeconds != nil else { return }
        try writeChains(at: picture.time + (picture.clockOffset ?? 0))
    }

    // MARK: Messages

    private func keep(_ content: VenueEvent.Content, at time: Int) throws {
        switch content {
        case .ticker(let ticker):
            try write("ticker.\(ticker.instrumentName).\(interval.rawValue)", ticker, at: time)
        case .book(let book): try write("book.\(book.instrumentName).\(interval.rawValue)", book, at: time)
        case .marks(let index, let marks):
            try write("markprice.options.\(index)", marks, to: "marks", at: time)
        case .index(let price): try write("deribit_price_index.\(price.indexName)", price, at: time)
        case .trades(let trades):
            guard let name = trades.first?.instrumentName else { return }
            try write("trades.\(name).\(interval.rawValue)", trades, at: time)
        default: break
        }
    }

    private func write(
        _ channel: String, _ content: some VenueValue, to folder: String = "messages", at time: Int
    ) throws {
        let path = "\(configuration.folder)/\(folder)/\(Self.stamp(time, hourOnly: true)).jsonl.gz"
        if files[folder]?.path != path {
            try files.removeValue(forKey: folder)?.close()
            files[folder] = try GzipFile(path)
        }
        try files[folder]?.write(Notification(channel: channel, content: content).json + [UInt8(ascii: "\n")])
        messages += 1
        guard time - lastFlush >= configuration.flushSeconds * 1_000_000 else { return }
        lastFlush = time
        for file in files.values { try file.flush() }
    }

    // MARK: Chains

    /// Writes nothing while the market is not followed: a chain without books would be none.
    private func writeChains(at time: Int) throws {
        guard picture.ready.contains(.market) else { return }
        let market = picture.market
        let oldest = picture.time - configuration.oldestSeconds * 1_000_000
        var byBase: [String: [OrderBookReply]] = [:]
        for (name, ticker) in market.tickers.sorted(by: { $0.key < $1.key }) where ticker.received >= oldest {
            guard let instrument = market.instruments[name] else { continue }
            var reply = OrderBookReply()
            reply.ticker = ticker.value
            if let book = market.books[name]?.value, book.isValid {
                reply.changeID = book.changeID
                reply.bids = book.bids
                reply.asks = book.asks
            }
            byBase[instrument.baseCurrency, default: []].append(reply)
        }
        for (base, rows) in byBase.sorted(by: { $0.key < $1.key }) {
            // A chain without options has no surface.
            guard rows.contains(where: { $0.ticker.markIV != nil }) else { continue }
            var writer = JSONWriter()
            rows.write(to: &writer)
            let folder = configuration.folder + "/chains/"
            let name = "\(base)-\(Self.stamp(time, hourOnly: false)).json.gz"
            let packed = try GzipFile.packed(writer.bytes, folder + name)
            // Whole or not at all: whoever reads the folder meanwhile finds no half of a chain.
            try Data(packed).write(to: URL(fileURLWithPath: folder + name), options: .atomic)
            chains += 1
        }
    }

    /// `20261130T091500Z`, or `20261130T09` for the hour; of microseconds since 1970.
    static func stamp(_ time: Int, hourOnly: Bool) -> String {
        let milliseconds = time / 1_000
        let (year, month, day) = VenueTime.date(milliseconds)
        let second = milliseconds / 1_000 % 86_400
        func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
        let hour = "\(year)\(two(month))\(two(day))T\(two(second / 3_600))"
        return hourOnly ? hour : hour + two(second / 60 % 60) + two(second % 60) + "Z"
    }
}
