import Glibc

/// The bytes of a file or of standard input, with the name that errors show.
public struct Source: Sendable {
    public let name: String
    public let bytes: [UInt8]

    /// Bytes of any origin under a name.
    public init(name: String, bytes: [UInt8]) {
        self.name = name
        self.bytes = bytes
    }

    /// A text under a name.
    public init(name: String, text: String) { self.init(name: name, bytes: Array(text.utf8)) }

    /// A file, or standard input for `-`.
    /// - Throws: `unreadable`.
    public init(path: String) throws(MarketError) {
        name = path == "-" ? "standard input" : path
        let descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .unreadable(file: name, reason: Self.lastError) }
        defer { if path != "-" { close(descriptor) } }
        var information = stat()
        guard fstat(descriptor, &information) == 0 else {
            throw .unreadable(file: name, reason: Self.lastError)
        }
        guard information.st_mode & S_IFMT != S_IFDIR else {
            throw .unreadable(file: name, reason: "is a directory")
        }
        // One byte more than the file holds, so that its end shows in the first chunk.
        var capacity = max(65_536, Int(information.st_size) + 1)
        var bytes: [UInt8] = []
        while true {
            var failure: String?
            let chunk = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
                while count < capacity, let base = buffer.baseAddress {
                    let got = read(descriptor, base + count, capacity - count)
                    if got < 0 && errno == EINTR { continue }
                    if got < 0 { failure = Self.lastError }
                    if got <= 0 { break }
                    count += got
                }
            }
            if let failure { throw .unreadable(file: name, reason: failure) }
            if bytes.isEmpty { bytes = chunk } else { bytes += chunk }
            if chunk.count < capacity { break }
            capacity = bytes.count
        }
        self.bytes = bytes
    }

    private static var lastError: String { String(cString: strerror(errno)) }
}
