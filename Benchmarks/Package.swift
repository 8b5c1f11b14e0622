// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that those who embed Poise inherit nothing from its benchmarks.
let package = Package(
    name: "poise-benchmarks",
    dependencies: [.package(name: "poise", path: "..")],
    targets: [
        .executableTarget(name: "GreeksThroughput", dependencies: [.product(name: "Poise", package: "poise")])
    ],
    swiftLanguageModes: [.v6]
)
