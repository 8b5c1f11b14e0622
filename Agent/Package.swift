// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that those who embed Poise inherit no network and no database.

// Compiled with optimisation in every configuration: the tests are built for debugging, as the network's libraries
// build in a third of the time that way, and this code runs in them as it runs in earnest.
let own: [SwiftSetting] = [
    .unsafeFlags(["-O"]), .strictMemorySafety(), .treatWarning("StrictMemorySafety", as: .error),
]
let tested: [SwiftSetting] = own + [.unsafeFlags(["-enable-testing"])]

let package = Package(
    name: "poise-agent",
    products: [
        .executable(name: "poise-agent", targets: ["PoiseAgent"]),
        .executable(name: "poise-exchange", targets: ["PoiseExchange"]),
        .executable(name: "agent-load", targets: ["AgentLoad"]),
    ],
    dependencies: [
        // A link to the checkout: SwiftPM tells packages apart by the names of their folders, and a checkout may have any,
        // this package's own too.
        .package(path: "poise"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    ],
    targets: [
        // The exchange's messages. No network.
        .target(
            name: "VenueProtocol", dependencies: [.product(name: "Crypto", package: "swift-crypto")],
            swiftSettings: tested),

        // A venue's picture that stays true whatever happens to the line.
        .target(
            name: "VenueClient",
            dependencies: [
                "VenueProtocol", .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOWebSocket", package: "swift-nio"),
            ], swiftSettings: own),

        // What a venue says, in files.
        .systemLibrary(name: "CDeflate", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .target(
            name: "Recorder", dependencies: ["CDeflate", "VenueClient", "VenueProtocol"],
            swiftSettings: tested),

        // Requests over HTTP, on loopback addresses.
        .target(
            name: "HTTPService",
            dependencies: [
                "VenueProtocol", .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOWebSocket", package: "swift-nio"),
            ], swiftSettings: own),

        // A venue of one's own: matching and accounts; its market; its sockets; the process.
        .target(name: "TestExchange", dependencies: ["VenueProtocol"], swiftSettings: tested),
        .target(
            name: "TestMarket",
            dependencies: ["TestExchange", "VenueProtocol", .product(name: "Poise", package: "poise")],
            swiftSettings: own),
        .target(
            name: "ExchangeServer",
            dependencies: [
                "HTTPService", "TestExchange", "VenueProtocol",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOWebSocket", package: "swift-nio"),
            ], swiftSettings: tested),
        .executableTarget(
            name: "PoiseExchange",
            dependencies: [
                "ExchangeServer", "HTTPService", "TestExchange", "TestMarket", "VenueProtocol",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Poise", package: "poise"),
            ], swiftSettings: own),

        // What client, exchange and desk take: rates, latency, memory.
        .executableTarget(
            name: "AgentLoad",
            dependencies: [
                "Desk", "ExchangeServer", "Journal", "Live", "TestExchange", "TestMarket", "VenueClient",
                "VenueProtocol", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], swiftSettings: own),

        // The agent's core: books, orders, fills, decisions, guards. No input or output, no clock.
        .target(
            name: "Desk", dependencies: ["VenueProtocol", .product(name: "Poise", package: "poise")],
            swiftSettings: tested),

        // Events on disk, before anything is sent.
        .target(
            name: "Journal",
            dependencies: [
                "Desk", "VenueProtocol", .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "Poise", package: "poise"),
            ], swiftSettings: own),

        // Reference prices from several sources, some of which may lie.
        .target(
            name: "Oracles",
            dependencies: ["VenueProtocol", .product(name: "Crypto", package: "swift-crypto")],
            swiftSettings: tested),

        // A desk on a test exchange in one thread, under a clock as fast as wanted; and the process.
        .target(
            name: "Rehearsal",
            dependencies: ["Desk", "Journal", "TestExchange", "TestMarket", "VenueProtocol"],
            swiftSettings: own),

        // What an operator sees and says: page, metrics, commands. And the desk on a venue's line.
        .target(
            name: "Control",
            dependencies: [
                "Desk", "HTTPService", "VenueProtocol", .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ], swiftSettings: tested),
        .target(
            name: "Live",
            dependencies: [
                "Control", "Desk", "Journal", "VenueClient", "VenueProtocol",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "Poise", package: "poise"),
            ], swiftSettings: tested),
        .executableTarget(
            name: "PoiseAgent",
            dependencies: [
                "Desk", "ExchangeServer", "HTTPService", "Journal", "Live", "Recorder", "Rehearsal",
                "TestExchange",
                "TestMarket", "VenueClient", "VenueProtocol",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Poise", package: "poise"),
            ], swiftSettings: own),

        .testTarget(
            name: "DeskTests",
            dependencies: ["Desk", "VenueProtocol", .product(name: "Poise", package: "poise")]),
        .testTarget(
            name: "RehearsalTests",
            dependencies: [
                "Desk", "Journal", "Rehearsal", "TestExchange", "VenueProtocol",
                .product(name: "GRDB", package: "GRDB.swift"),
            ]),
        .testTarget(
            name: "LiveTests",
            dependencies: [
                "Control", "Desk", "HTTPService", "Live", "VenueClient", "VenueProtocol",
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ]),
        .testTarget(
            name: "OraclesTests",
            dependencies: ["Oracles", "VenueProtocol", .product(name: "Crypto", package: "swift-crypto")]),
        .testTarget(name: "TestExchangeTests", dependencies: ["TestExchange", "VenueProtocol"]),
        .testTarget(name: "TestMarketTests", dependencies: ["TestExchange", "TestMarket", "VenueProtocol"]),
        .testTarget(name: "VenueProtocolTests", dependencies: ["VenueProtocol"]),
        .testTarget(
            name: "VenueTests",
            dependencies: [
                "Control", "Desk", "ExchangeServer", "HTTPService", "Journal", "Live", "Recorder",
                "TestExchange",
                "TestMarket", "VenueClient", "VenueProtocol", .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "Poise", package: "poise"),
            ]),
    ],
    swiftLanguageModes: [.v6]
)
