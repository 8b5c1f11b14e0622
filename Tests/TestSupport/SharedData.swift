import Foundation

/// Reference values and real market data that stand beside the project on some machines and are never part of it.
/// Tests that need them have the trait `.enabled(if: SharedData.has(…), "needs …")`, so that they are reported as
/// skipped where they are missing.
public enum SharedData {
    /// The folder `shared` beside the package, or the one that `POISE_SHARED` names.
    public static let folder: URL = {
        if let path = ProcessInfo.processInfo.environment["POISE_SHARED"] {
            return URL(fileURLWithPath: path, isDirectory: true)
        }
        return packageRoot.deletingLastPathComponent().appendingPathComponent("shared", isDirectory: true)
    }()

    /// The folder that holds Package.swift.
    public static let packageRoot = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// Real chains of BTC and ETH, two sweeps each.
    public static let chains = ["btc", "eth"].map { "data/deribit-options-2021-02-11-\($0).csv" }

    /// The path of a shared file, which a test's trait has found to be there.
    public static func path(_ relative: String) -> String { folder.appendingPathComponent(relative).path }

    /// Whether all of these files are there.
    public static func has(_ files: [String]) -> Bool {
        files.allSatisfy { FileManager.default.fileExists(atPath: path($0)) }
    }

    /// Whether `command` is on the PATH.
    public static func finds(_ command: String) -> Bool {
        (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
            .contains { FileManager.default.isExecutableFile(atPath: "\($0)/\(command)") }
    }
}
