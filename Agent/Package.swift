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
    products: [.library(name: "TestExchange", targets: ["TestExchange"])],
    targets: [
        // The exchange's messages. No network.
        .target(name: "VenueProtocol", swiftSettings: tested),

        // A venue of one's own: matching and accounts.
        .target(name: "TestExchange", dependencies: ["VenueProtocol"], swiftSettings: tested),

        .testTarget(name: "TestExchangeTests", dependencies: ["TestExchange", "VenueProtocol"]),
        .testTarget(name: "VenueProtocolTests", dependencies: ["VenueProtocol"]),
    ],
    swiftLanguageModes: [.v6]
)
