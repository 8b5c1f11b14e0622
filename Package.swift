// swift-tools-version: 6.2
import PackageDescription

// The kernel rooms are compiled with optimisation in every configuration: they are a few loops over
// vectors, and a debug build of an embedder should not run them a hundred times slower.
let optimised: [SwiftSetting] = [.unsafeFlags(["-O"])]

// Pointers belong to the kernel rooms and to the C ABI. Everywhere else what the compiler cannot check is marked
// `unsafe`, and what is not marked is an error. `Lifetimes` lets types hold spans.
let safe: [SwiftSetting] = [
    .strictMemorySafety(), .treatWarning("StrictMemorySafety", as: .error),
    .enableExperimentalFeature("Lifetimes"),
]

// One module per instruction set: the same source bodies, another target machine. Outputs in lanes are arrays by Greek
// that never leave the registers; a guard of the stack would be the loops' only call.
let inRegisters = ["-O", "-Xfrontend", "-disable-stack-protector"]

// The bodies are written in the order that keeps the multiply-adders busy; LLVM's scheduler would trade that for
// registers (14% of the full form), so it is switched off here.
let inSourceOrder = inRegisters + ["-Xllvm", "-enable-misched=false"]

// On arm64 the baseline module already has NEON with fused multiply-add.
#if arch(x86_64)
    let instructionSetTargets: [Target] = [
        .target(
            name: "GreeksAVX2",
            dependencies: ["CKernels", "GreeksKernel", "VectorMath"],
            swiftSettings: [.unsafeFlags(inSourceOrder + ["-Xcc", "-march=x86-64-v3"])]),
        .target(
            name: "GreeksAVX512",
            dependencies: ["CKernels", "GreeksKernel", "VectorMath"],
            swiftSettings: [.unsafeFlags(inSourceOrder + ["-Xcc", "-march=x86-64-v4"])]),
        .target(
            name: "SurfaceAVX2",
            dependencies: ["CKernels", "SurfaceKernel", "VectorMath"],
            swiftSettings: [.unsafeFlags(inRegisters + ["-Xcc", "-march=x86-64-v3"])]),
        .target(
            name: "SurfaceAVX512",
            dependencies: ["CKernels", "SurfaceKernel", "VectorMath"],
            swiftSettings: [.unsafeFlags(inRegisters + ["-Xcc", "-march=x86-64-v4"])]),
        .target(
            name: "AmericanAVX2",
            dependencies: ["AmericanKernel", "CKernels", "GreeksKernel", "VectorMath"],
            swiftSettings: [.unsafeFlags(inRegisters + ["-Xcc", "-march=x86-64-v3"])]),
        .target(
            name: "AmericanAVX512",
            dependencies: ["AmericanKernel", "CKernels", "GreeksKernel", "VectorMath"],
            swiftSettings: [.unsafeFlags(inRegisters + ["-Xcc", "-march=x86-64-v4"])]),
    ]
#else
    let instructionSetTargets: [Target] = []
#endif
let instructionSetNames = instructionSetTargets.map(\.name)
let greeksRooms: [Target.Dependency] =
    (["GreeksBaseline"] + instructionSetNames.filter { $0.hasPrefix("Greeks") }).map { .target(name: $0) }
let surfaceRooms: [Target.Dependency] =
    (["SurfaceBaseline"] + instructionSetNames.filter { $0.hasPrefix("Surface") }).map { .target(name: $0) }
let americanRooms: [Target.Dependency] =
    (["AmericanBaseline"] + instructionSetNames.filter { $0.hasPrefix("American") }).map { .target(name: $0) }

// `scripts/docs` asks for it; nobody else fetches it.
let documentationPlugin: [Package.Dependency] =
    Context.environment["POISE_DOCS"] == nil
    ? [] : [.package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.5.0")]

let package = Package(
    name: "poise",
    products: [
        .library(name: "Poise", targets: ["Poise"]),
        .executable(name: "poise", targets: ["PoiseCLI"]),
        // The C library. `scripts/install` gives it its name, libpoise.so.1, and the header a place.
        .library(name: "PoiseC", type: .dynamic, targets: ["LibPoise"]),
    ],
    dependencies: [
        // Used by the command-line tool alone: embedders of the library neither compile nor link them.
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
    ] + documentationPlugin,
    targets: [
        // C, where Swift can't say it.
        .target(name: "CKernels", path: "CKernels/CKernels"),
        .systemLibrary(
            name: "COpenBLAS", path: "CKernels/COpenBLAS", pkgConfig: "openblas",
            providers: [.apt(["libopenblas-dev", "liblapacke-dev"])]),
        .systemLibrary(
            name: "CZlib", path: "CKernels/CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),

        // The kernel.
        .target(name: "VectorMath", swiftSettings: optimised),
        .target(name: "GreeksKernel", dependencies: ["VectorMath"], swiftSettings: optimised),
        .target(
            name: "GreeksBaseline", dependencies: ["CKernels", "GreeksKernel", "VectorMath"],
            swiftSettings: [.unsafeFlags(inRegisters)]),
        .target(name: "SurfaceKernel", dependencies: ["VectorMath"], swiftSettings: optimised),
        .target(
            name: "SurfaceBaseline", dependencies: ["CKernels", "SurfaceKernel", "VectorMath"],
            swiftSettings: [.unsafeFlags(inRegisters)]),
        .target(
            name: "AmericanKernel", dependencies: ["GreeksKernel", "VectorMath"], swiftSettings: optimised),
        .target(
            name: "AmericanBaseline",
            dependencies: ["AmericanKernel", "CKernels", "GreeksKernel", "VectorMath"],
            swiftSettings: [.unsafeFlags(inRegisters)]),
    ] + instructionSetTargets + [
        .target(
            name: "Greeks",
            dependencies: ["CKernels", "Checks", "GreeksKernel", "VectorMath"] + greeksRooms,
            swiftSettings: safe),

        .target(
            name: "American",
            dependencies: ["AmericanKernel", "Checks", "Greeks", "GreeksKernel", "VectorMath"]
                + americanRooms,
            swiftSettings: safe),

        // Errors as data, and what numbers must be.
        .target(name: "Checks", swiftSettings: safe),

        // The desk.
        .target(name: "Market", dependencies: ["CZlib", "Checks"], swiftSettings: safe),
        .target(
            name: "Risk", dependencies: ["Checks", "Greeks", "Market", "VectorMath"], swiftSettings: safe),
        .target(
            name: "TailRisk",
            dependencies: ["COpenBLAS", "Checks", "Greeks", "Market", "Risk", "VectorMath"],
            swiftSettings: safe),
        .target(
            name: "Hedging", dependencies: ["COpenBLAS", "Checks", "Greeks", "Market", "Risk"],
            swiftSettings: safe),
        .target(
            name: "Rebalancing", dependencies: ["Checks", "Hedging", "Market", "Risk", "VectorMath"],
            swiftSettings: optimised + safe),
        .target(
            name: "Surface",
            dependencies: ["Checks", "Greeks", "Market", "SurfaceKernel", "VectorMath"]
                + surfaceRooms,
            swiftSettings: optimised + safe),
        .target(
            name: "Margin", dependencies: ["Checks", "Greeks", "Market", "Risk", "VectorMath"],
            swiftSettings: optimised + safe),
        .target(
            name: "Simulation",
            dependencies: [
                "Checks", "Greeks", "Hedging", "Margin", "Market", "Rebalancing", "VectorMath",
            ], swiftSettings: optimised + safe),
        .target(
            name: "Poise",
            dependencies: [
                "American", "Checks", "Greeks", "Hedging", "Margin", "Market", "Rebalancing", "Risk",
                "Simulation", "Surface", "TailRisk",
            ], swiftSettings: safe),

        // The C ABI: functions of poise.h, and the library that exports them and nothing else. It contains the
        // Swift runtime, so that hosts need none.
        .target(name: "CPoise", path: "CKernels/CPoise"),
        .target(
            name: "PoiseC", dependencies: ["CPoise", "Checks", "Market", "Poise"], swiftSettings: optimised),
        .target(
            name: "LibPoise", dependencies: ["PoiseC"], exclude: ["exports.map"],
            linkerSettings: [
                .unsafeFlags([
                    "-static-stdlib", "-Xlinker", "-soname=libpoise.so.1",
                    // Threads that have used the Swift runtime call back into it when they end: it is never unloaded.
                    "-Xlinker", "-z", "-Xlinker", "nodelete", "-Xlinker",
                    "--version-script=\(Context.packageDirectory)/Sources/LibPoise/exports.map",
                ])
            ]),
        .executableTarget(
            name: "PoiseCLI",
            dependencies: [
                "American", "Checks", "Greeks", "Hedging", "Margin", "Market", "Poise", "Rebalancing",
                "Risk", "Simulation", "Surface", "TailRisk",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            resources: [.embedInCode("Page.css")],
            swiftSettings: safe),

        // Tests.
        .target(name: "TestSupport", path: "Tests/TestSupport"),
        .testTarget(name: "ChecksTests", dependencies: ["Checks"]),
        .testTarget(name: "COpenBLASTests", dependencies: ["COpenBLAS"]),
        .testTarget(name: "VectorMathTests", dependencies: ["VectorMath"]),
        .testTarget(name: "GreeksTests", dependencies: ["Greeks", "TestSupport"], exclude: ["Fixtures"]),
        .testTarget(
            name: "AmericanTests", dependencies: ["American", "Greeks", "TestSupport"],
            exclude: ["Fixtures"]),
        .testTarget(name: "MarketTests", dependencies: ["Market", "TestSupport"], exclude: ["Fixtures"]),
        .testTarget(
            name: "RiskTests", dependencies: ["Greeks", "Market", "Poise", "Risk", "TestSupport"],
            exclude: ["Fixtures"]),
        .testTarget(
            name: "SurfaceTests",
            dependencies: ["Checks", "Greeks", "Market", "Surface", "SurfaceKernel", "TestSupport"],
            exclude: ["Fixtures"]),
        .testTarget(
            name: "MarginTests",
            dependencies: ["Greeks", "Hedging", "Margin", "Market", "Poise", "Risk", "TestSupport"],
            exclude: ["Fixtures"]),
        .testTarget(
            name: "TailRiskTests",
            dependencies: ["Greeks", "Market", "Risk", "TailRisk", "TestSupport"], exclude: ["Fixtures"]),
        .testTarget(
            name: "HedgingTests", dependencies: ["Greeks", "Hedging", "Market", "Risk", "TestSupport"],
            exclude: ["Fixtures"]),
        .testTarget(
            name: "RebalancingTests",
            dependencies: [
                "Greeks", "Hedging", "Market", "Rebalancing", "Risk", "Simulation", "TestSupport",
                "VectorMath",
            ],
            exclude: ["Fixtures"]),
        .testTarget(
            name: "SimulationTests",
            dependencies: [
                "Greeks", "Margin", "Market", "Rebalancing", "Risk", "Simulation", "TestSupport",
                "VectorMath",
            ], exclude: ["Fixtures"]),
        .target(name: "CPoiseFuzz", dependencies: ["CPoise"], path: "Tests/CPoiseFuzz"),
        .testTarget(
            name: "PoiseCTests", dependencies: ["CPoise", "CPoiseFuzz", "Poise", "PoiseC", "TestSupport"]),
        .testTarget(
            name: "PoiseCLITests", dependencies: ["PoiseCLI", "TestSupport"], exclude: ["Fixtures"]),
    ],
    swiftLanguageModes: [.v6]
)
