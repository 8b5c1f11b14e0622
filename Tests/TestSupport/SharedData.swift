import Foundation

/// Reference values and real market data that stand beside the project on some machines and are
/// never part of it. Tests that need them say what they skip where they are missing.
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

    /// The path of a shared file, or nil, with a line that says what is skipped, where it is missing.
    public static func path(_ relative: String, skipping what: String) -> String? {
        let path = folder.appendingPathComponent(relative).path
        if FileManager.default.fileExists(atPath: path) { return path }
        print("skipped: \(what): no \(relative) on this machine")
        return nil
    }
}
