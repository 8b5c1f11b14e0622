import Foundation
import Testing

/// Recorded messages of the exchange, which are not part of the project: in `venue` of a folder `shared` beside the
/// project, or of the one that POISE_SHARED names.
enum SharedMessages {
    static let folder: URL = {
        if let path = ProcessInfo.processInfo.environment["POISE_SHARED"] {
            return URL(fileURLWithPath: path, isDirectory: true).appendingPathComponent("venue")
        }
        var project = URL(fileURLWithPath: #filePath)
        for _ in 0..<4 { project.deleteLastPathComponent() }
        return project.deletingLastPathComponent().appendingPathComponent("shared/venue")
    }()

    static let isThere = FileManager.default.fileExists(atPath: folder.path)

    static func bytes(_ path: String) throws -> [UInt8] {
        let file = folder.appendingPathComponent(path)
        guard path.hasSuffix(".gz") else { return Array(try Data(contentsOf: file)) }
        // Gzip's own program unpacks, so that the tests need no library for it.
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["gzip", "-dc", file.path]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return Array(data)
    }

    static func lines(_ path: String) throws -> [[UInt8]] {
        try bytes(path).split(separator: UInt8(ascii: "\n")).map(Array.init)
    }
}
