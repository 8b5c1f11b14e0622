import CPoise
import Foundation
import Testing

/// Fields of sources, by the chain that is read of two options that Bybit pays in dollars. Deribit has the same names, paid
/// in coin.
enum SourceRows {
    typealias Row = EveryFieldTests.Row

    private static let header = "instrument_name,timestamp,underlying_price,mark_iv,mark_price\n"
    private static let first = header + "BTC-27MAR26-60000-C,\(SmallMarket.time),60000,,3000\n"
    private static let both = first + "BTC-27MAR26-70000-C,\(SmallMarket.time),60000,,1000\n"
    private static let perpetual = header + "BTC_USDC-PERPETUAL,\(SmallMarket.time),,,60000\n"

    private static func withOptional<R>(_ text: String?, _ body: (UnsafePointer<CChar>?) -> R) -> R {
        guard let text else { return body(nil) }
        return text.withCString { body($0) }
    }

    private static func withSource<R>(
        path: String? = nil, _ text: String? = nil, name: String? = nil, exchange: String? = "bybit",
        _ body: (inout poise_source) -> R
    ) -> R {
        withOptional(path) { path in
            withOptional(text) { given in
                withOptional(name) { name in
                    withOptional(exchange) { exchange in
                        var source = poise_source()
                        source.size = MemoryLayout<poise_source>.stride
                        (source.path, source.text, source.length) = (path, given, text?.utf8.count ?? 0)
                        (source.name, source.exchange) = (name, exchange)
                        return body(&source)
                    }
                }
            }
        }
    }

    private static func names(_ source: poise_source) throws -> [String] {
        var source = source
        let chain = try Handle(poise_chain_free) { poise_chain_load(&source, 1, $0) }
        return (0..<poise_chain_count(chain.pointer)).compactMap {
            poise_chain_instrument(chain.pointer, $0).map { String(cString: $0) }
        }
    }

    private static func refusal(_ source: poise_source) -> poise_status {
        var (source, made) = (source, OpaquePointer?.none)
        return poise_chain_load(&source, 1, &made)
    }

    static let rows: [Row] = [
        Row("source", "size", "another than the struct's is refused") {
            withSource(both) { source in
                source.size -= 8
                #expect(refusal(source) == POISE_ERROR_SIZE)
            }
        },
        Row("source", "path", "the file is read, and not the text beside it") {
            let path = sample("chain.csv")
            let row = try String(contentsOfFile: path, encoding: .utf8).components(separatedBy: "\n")[1]
            let read = try withSource(path: path, both, exchange: nil) { source in
                Result { try names(source) }
            }.get()
            #expect(read.count > 2 && row.contains(",\(read[0]),"))
            withSource(path: path + ".none", both) { source in
                #expect(refusal(source) == POISE_ERROR_SYSTEM)
            }
        },
        Row("source", "text, length", "as far as its length: one option or two") {
            try withSource(both) { source in
                Result {
                    try #expect(names(source) == ["BTC-27MAR26-60000-C", "BTC-27MAR26-70000-C"])
                    source.length = first.utf8.count
                    try #expect(names(source) == ["BTC-27MAR26-60000-C"])
                }
            }.get()
        },
        Row("source", "name", "the place of an error; text where there is none") {
            for (name, place) in [("mine.csv", "mine.csv"), (nil, "text")] {
                withSource(first.replacingOccurrences(of: "3000", with: "-3"), name: name) { source in
                    #expect(refusal(source) == POISE_ERROR_VALUE)
                    #expect(String(cString: poise_last_error_place()) == place && poise_last_error_row() == 2)
                }
            }
        },
        Row(
            "source", "exchange",
            "of each source its own: Bybit's mark is dollars, and no number of Deribit's coins"
        ) {
            let chain = try withSource(first) { options in
                withSource(perpetual, exchange: nil) { other in
                    let sources = [options, other]
                    return Result {
                        try Handle(poise_chain_free) { poise_chain_load(sources, sources.count, $0) }
                    }
                }
            }.get()
            try #expect(isNear(SmallMarket.value("BTC-27MAR26-60000-C", chain), 3_000, 1e-8))
            for exchange in ["deribit", "", nil] {
                withSource(first, exchange: exchange) { #expect(refusal($0) == POISE_ERROR_VALUE) }
            }
            withSource(first, exchange: "cme") { #expect(refusal($0) == POISE_ERROR_ARGUMENT) }
        },
    ]
}
