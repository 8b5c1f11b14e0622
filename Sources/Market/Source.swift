import Glibc

/// The bytes of a file or of standard input, a text, with the name that errors show.
public struct Source: Sendable {
    public let name: String
    public let bytes: [UInt8]
    /// The exchange whose contracts are meant by names that several have, where the file does not say; nil for the first
    /// of `Exchanges.all`.
    public var exchange: (any Exchange.Type)?

    /// Bytes of any origin under a name. A byte order mark of UTF-8 is left out.
    public init(name: String, bytes: [UInt8]) {
        self.name = name
        self.bytes = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(bytes.dropFirst(3)) : bytes
    }

    /// A text under a name.
    public init(name: String, text: String) { self.init(name: name, bytes: Array(text.utf8)) }

    /// A file, or standard input for `-`. What gzip has packed is unpacked, whatever its name.
    /// - Throws: `unreadable`.
    public init(path: String) throws(MarketError) {
        let read = try Self.contents(path)
        self = Gzip.isPacked(read.bytes) ? Source(name: read.name, bytes: try Gzip.unpacked(read)) : read
        try requireText()
    }

    /// The file's name without its folder and endings: `account` of `data/account.json.gz`.
    var stem: String {
        let last = name.split(separator: "/").last.map(String.init) ?? name
        return last.split(separator: ".").first.map(String.init) ?? last
    }

    /// - Throws: `unreadable` for what starts as no text in UTF-8 does.
    func requireText() throws(MarketError) {
        for (start, reason) in Self.foreignStarts where bytes.starts(with: start) {
            throw .unreadable(file: name, reason: reason)
        }
    }

    private static let foreignStarts: [([UInt8], String)] = [
        ([0xFF, 0xFE], "is UTF-16; save it as UTF-8"),
        ([0xFE, 0xFF], "is UTF-16; save it as UTF-8"),
        ([0x1F, 0x8B], "is packed by gzip; unpack it first"),
        ([0x50, 0x4B, 0x03, 0x04], "is a zip archive; unpack it first, or pack it by gzip"),
        ([0x28, 0xB5, 0x2F, 0xFD], "is packed by zstd; unpack it first, or pack it by gzip"),
        ([0xFD, 0x37, 0x7A, 0x58, 0x5A], "is packed by xz; unpack it first, or pack it by gzip"),
        ([0x42, 0x5A, 0x68, 0x39, 0x31, 0x41], "is packed by bzip2; unpack it first, or pack it by gzip"),
    ]

    private static func contents(_ path: String) throws(MarketError) -> Source {
        let name = path == "-" ? "standard input" : path
        let descriptor = unsafe path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .unreadable(file: name, reason: lastError) }
        defer { if path != "-" { close(descriptor) } }
        var information = stat()
        guard unsafe fstat(descriptor, &information) == 0 else {
            throw .unreadable(file: name, reason: lastError)
        }
        guard information.st_mode & S_IFMT != S_IFDIR else {
            throw .unreadable(file: name, reason: "is a directory")
        }
        // One byte more than the file holds, so that its end shows in the first chunk.
        var capacity = max(65_536, Int(information.st_size) + 1)
        var bytes: [UInt8] = []
        while true {
            var failure: String?
            let chunk = unsafe [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
                while count < capacity, let base = buffer.baseAddress {
                    let got = unsafe read(descriptor, base + count, capacity - count)
                    if got < 0 && errno == EINTR { continue }
                    if got < 0 { failure = lastError }
                    if got <= 0 { break }
                    count += got
                }
            }
            if let failure { throw .unreadable(file: name, reason: failure) }
            if bytes.isEmpty { bytes = chunk } else { bytes += chunk }
            if chunk.count < capacity { break }
            capacity = bytes.count
        }
        return Source(name: name, bytes: bytes)
    }

    private static var lastError: String { unsafe String(cString: strerror(errno)) }
}
