import Foundation
import Market
import Poise

/// Reads the tables of a simulation; extensions read one or two of them each.
struct SimulationReader {
    let root: Settings
    let file: String
    /// Over everything that decides the figures.
    var fingerprint = Checksum()

    init(_ root: Settings, file: String) {
        self.root = root
        self.file = file
    }

    /// A data file that a key names, by its path or beside the configuration.
    mutating func data(_ path: String, _ table: Settings, _ key: String) throws -> Source {
        let beside = URL(fileURLWithPath: file).deletingLastPathComponent().appendingPathComponent(path)
            .standardizedFileURL.path
        let found = path.hasPrefix("/") || !FileManager.default.fileExists(atPath: beside) ? path : beside
        guard FileManager.default.fileExists(atPath: found) else {
            let looked = path.hasPrefix("/") ? "" : " \(beside): paths are relative to the configuration file"
            throw table.failure(key, "there is no file" + looked)
        }
        let source = try Source(path: found)
        fingerprint.add(source.bytes)
        return source
    }
}
