// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that those who embed Poise inherit nothing from its benchmarks.
let package = Package(
    name: "poise-benchmarks",
    dependencies: [
        .package(name: "poise", path: ".."),
        // A peer for reading tables.
        .package(url: "https://github.com/swiftcsv/SwiftCSV", from: "0.10.0"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    ],
    targets: [
        .target(name: "Timing"),
        .target(name: "CMachineLimits", cSettings: [.unsafeFlags(["-O3", "-march=native"])]),
        .executableTarget(
            name: "GreeksThroughput",
            dependencies: ["CMachineLimits", "Timing", .product(name: "Poise", package: "poise")]),
        .executableTarget(
            name: "ImpliedVolatility", dependencies: ["Timing", .product(name: "Poise", package: "poise")]),
        .executableTarget(
            name: "AmericanOptions", dependencies: ["Timing", .product(name: "Poise", package: "poise")]),
        .target(name: "CAllocationCounter"),
        .executableTarget(
            name: "TickLatency",
            dependencies: [
                "CAllocationCounter", "Timing", .product(name: "Histogram", package: "hdrhistogram-swift"),
                .product(name: "Poise", package: "poise"),
            ]),
        .executableTarget(
            name: "HedgeSolving",
            dependencies: ["CAllocationCounter", "Timing", .product(name: "Poise", package: "poise")]),
        // A C host, compiled against the header as it is installed.
        .target(
            name: "CCaller",
            cSettings: [.unsafeFlags(["-O2", "-I\(Context.packageDirectory)/../CKernels/CPoise/include"])]),
        .executableTarget(
            name: "CallOverhead",
            dependencies: ["CCaller", "Timing", .product(name: "Poise", package: "poise")]),
        .systemLibrary(name: "COpenBLASPeer", pkgConfig: "openblas"),
        .executableTarget(
            name: "Scenarios",
            dependencies: [
                "CMachineLimits", "COpenBLASPeer", "Timing", .product(name: "Poise", package: "poise"),
            ]),
        .executableTarget(
            name: "MarginHedge",
            dependencies: ["CAllocationCounter", .product(name: "Poise", package: "poise")]),
        .executableTarget(
            name: "MarginScan",
            dependencies: ["CAllocationCounter", "Timing", .product(name: "Poise", package: "poise")]),
        .executableTarget(
            name: "SurfaceFitting",
            dependencies: ["CAllocationCounter", .product(name: "Poise", package: "poise")]),
        .executableTarget(
            name: "SimulationThroughput",
            dependencies: ["Timing", .product(name: "Poise", package: "poise")]),
        .executableTarget(
            name: "TableReading",
            dependencies: ["SwiftCSV", "Timing", .product(name: "Poise", package: "poise")]),
    ],
    swiftLanguageModes: [.v6]
)
