import CZlib

/// Unpacks gzip (RFC 1952) by zlib.
package enum Gzip {
    /// Largest size unpacked: more is taken for a mistake, or for an attempt to fill the memory.
    package static let largestSize = 2 << 30

    static func isPacked(_ bytes: [UInt8]) -> Bool { bytes.starts(with: [0x1F, 0x8B]) }

    /// The bytes of all members of a file, one after another.
    /// - Throws: `unreadable` for what is cut off, damaged, followed by something else, or longer than `limit`.
    package static func unpacked(_ source: Source, limit: Int = largestSize) throws(MarketError) -> [UInt8] {
        func failure(_ reason: String) -> MarketError { .unreadable(file: source.name, reason: reason) }
        var stream = unsafe z_stream()
        // 16 above the widest window: gzip's header, and no other.
        guard unsafe inflateInit2_(&stream, 16 + 15, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
        else {
            throw failure("no memory to unpack it")
        }
        defer { unsafe inflateEnd(&stream) }
        var unpacked: [UInt8] = []
        let room = 1 << 20
        var chunk = [UInt8](repeating: 0, count: room)
        var position = 0
        while true {
            // zlib counts in 32 bits, and promises not to write through `next_in`.
            let offered = min(source.bytes.count - position, 1 << 30)
            let code = unsafe source.bytes.withUnsafeBufferPointer { bytes in
                unsafe chunk.withUnsafeMutableBufferPointer { chunk in
                    unsafe stream.next_in = UnsafeMutablePointer(
                        mutating: bytes.baseAddress.map { unsafe $0 + position })
                    unsafe stream.avail_in = UInt32(offered)
                    unsafe stream.next_out = chunk.baseAddress
                    unsafe stream.avail_out = UInt32(room)
                    return unsafe inflate(&stream, Z_NO_FLUSH)
                }
            }
            let (taken, made) = unsafe (offered - Int(stream.avail_in), room - Int(stream.avail_out))
            position += taken
            guard unpacked.count + made <= limit else {
                throw failure(
                    "gzip unpacks it to more than \(limit >> 20) MiB; unpack it first if that is meant")
            }
            unpacked.append(contentsOf: chunk[..<made])
            switch code {
            case Z_OK: continue
            case Z_STREAM_END:
                let rest = source.bytes[position...]
                if rest.allSatisfy({ $0 == 0 }) { return unpacked }
                guard rest.starts(with: [0x1F, 0x8B]) else {
                    throw failure("something follows its gzip data")
                }
                unsafe inflateReset(&stream)
            case Z_BUF_ERROR: throw failure("its gzip data are cut off")
            default: throw failure("its gzip data are damaged")
            }
        }
    }
}
