import Desk
import Foundation
import Poise
import VenueClient
import VenueProtocol

/// What is wrong with a file of settings, and where.
public struct SettingsError: Error, CustomStringConvertible {
    public let file: String
    /// Of the key, from 1; nil where the file does not have it.
    public let line: Int?
    public let reason: String

    public var description: String { "\(file)\(line.map { ":\($0)" } ?? ""): \(reason)" }
}

/// The text of a file of settings as JSON, whether it is TOML or JSON.
public func settingsText(path: String) throws -> [UInt8] { try Source(path: path).settingsAsJSON() }

extension AgentConfiguration {
    /// Reads a file: TOML, or JSON where it begins with a brace. A key that there is not is an error.
    /// - Throws: `SettingsError` with line, key and value; the library's own error for what is no TOML.
    public init(path: String) throws {
        let text = try String(contentsOfFile: path, encoding: .utf8)
        let root = try JSONTape(settingsText(path: path)).root
        do {
            try KeyCheck.check(Self(), root)
            try self.init(root)
            try check()
        } catch let error as VenueProtocolError {
            throw SettingsError(
                file: path, line: error.path.flatMap { SettingsText.line(of: $0, in: text) },
                reason: error.description)
        } catch let error as ConfigurationError {
            throw SettingsError(
                file: path, line: SettingsText.line(of: error.key, in: text), reason: error.description)
        }
    }

    /// The keys of the account: from the environment, else from the file that the configuration names.
    /// - Throws: `SettingsError` for a file that others can read, or that is none.
    public func credentials(environment: [String: String]) throws -> Credentials? {
        if let id = environment["POISE_CLIENT_ID"], let secret = environment["POISE_CLIENT_SECRET"] {
            return Credentials(clientID: id, secret: secret)
        }
        guard let file = venue.credentialsFile else { return nil }
        let attributes = try FileManager.default.attributesOfItem(atPath: file)
        let mode = (attributes[.posixPermissions] as? NSNumber)?.intValue ?? 0o777
        guard mode & 0o077 == 0 else {
            throw SettingsError(
                file: file, line: nil,
                reason: "others than its owner can read it: chmod 600 (it is \(String(mode, radix: 8)))")
        }
        do {
            let root = try JSONTape(settingsText(path: file)).root
            let keys = try KeyFile(root)
            return Credentials(clientID: keys.clientID, secret: keys.clientSecret)
        } catch let error as VenueProtocolError {
            // The value stays out of the message: it may be the secret.
            throw SettingsError(
                file: file, line: nil,
                reason: "\(error.path ?? "it"): a text is wanted, client_id and client_secret")
        }
    }

    private struct KeyFile: VenueRecord {
        var clientID = ""
        var clientSecret = ""

        mutating func visit(_ fields: inout some FieldVisitor) throws(VenueProtocolError) {
            try fields.field("client_id", &clientID)
            try fields.field("client_secret", &clientSecret)
        }
    }
}

/// Where a key stands in a text of TOML.
public enum SettingsText {
    /// - Parameter path: as errors have it: `guards.loss_usd`, `limits[1].high`.
    /// - Returns: the line of the last of its keys that is there, from 1.
    public static func line(of path: String, in text: String) -> Int? {
        var keys: [(name: String, place: Int)] = []
        for part in path.split(separator: ".") {
            let name = part.prefix { $0 != "[" }
            let place = part.dropFirst(name.count + 1).prefix { $0 != "]" }
            keys.append((String(name), Int(place) ?? 0))
        }
        guard let first = keys.first else { return nil }
        var (best, counts): (Int?, [String: Int]) = (nil, [:])
        var section: [String] = []
        for (number, raw) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let row = raw.trimmingCharacters(in: .whitespaces)
            if row.hasPrefix("[") {
                let name = row.drop { $0 == "[" }.prefix { $0 != "]" }
                section = name.split(separator: ".").map { $0.trimmingCharacters(in: .whitespaces) }
                if row.hasPrefix("[[") { counts[String(name), default: -1] += 1 }
                if section.first == first.name, section.count <= keys.count,
                    counts[String(name)] ?? 0 == first.place
                {
                    best = best ?? number + 1
                }
                continue
            }
            let key = String(row.prefix { $0 != "=" && $0 != " " })
            let isWithin =
                section.isEmpty
                ? keys.count == 1 || key == first.name
                : section.first == first.name
                    && (counts[section.joined(separator: ".")] ?? 0) == first.place
            if isWithin, !key.isEmpty, key == keys.last?.name || section.isEmpty && key == first.name {
                return number + 1
            }
        }
        return best
    }
}
