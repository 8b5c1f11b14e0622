// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "hedge",
    dependencies: [.package(name: "poise", path: "../..")],
    targets: [
        .executableTarget(name: "hedge", dependencies: [.product(name: "Poise", package: "poise")]),
        .executableTarget(name: "first", dependencies: [.product(name: "Poise", package: "poise")]),
        .executableTarget(name: "day", dependencies: [.product(name: "Poise", package: "poise")]),
    ]
)
