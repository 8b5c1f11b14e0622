import CDeflate
import Foundation

/// A file that is packed as it is written (RFC 1952). Each `flush` ends a member, so that of a file whose writer was
/// killed only what came after the last flush is lost.
final class GzipFile {
    /// What could not be packed or written, and where.
    struct Failure: Error, CustomStringConvertible {
        let path: String
        let reason: String

        var description: String { "\(path): \(reason)" }
    }

    let path: String
    private let handle: FileHandle
    private var pending: [UInt8] = []
    /// Bytes that wait at most before a member is written.
    private let most: Int

    /// - Throws: where the file cannot be made, or opened to write behind what it has.
    init(_ path: String, most: Int = 1 << 20) throws {
        self.path = path
        self.most = most
        let manager = FileManager.default
        if !manager.fileExists(atPath: path) {
            guard manager.createFile(atPath: path, contents: nil) else {
                throw Failure(path: path, reason: "cannot be made")
            }
        }
        guard let handle = FileHandle(forWritingAtPath: path) else {
            throw Failure(path: path, reason: "cannot be opened")
        }
        self.handle = handle
        try handle.seekToEnd()
    }

    func write(_ bytes: [UInt8]) throws {
        pending += bytes
        if pending.count >= most { try flush() }
    }

    func flush() throws {
        guard !pending.isEmpty else { return }
        let packed = try Self.packed(pending, path)
        pending.removeAll(keepingCapacity: true)
        try handle.write(contentsOf: Data(packed))
    }

    func close() throws {
        try flush()
        try handle.close()
    }

    /// The bytes as one member.
    static func packed(_ bytes: [UInt8], _ path: String) throws -> [UInt8] {
        var stream = unsafe z_stream()
        // 16 above the widest window: gzip's header.
        let began = unsafe deflateInit2_(
            &stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 16 + 15, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size))
        guard began == Z_OK else { throw Failure(path: path, reason: "zlib: \(began)") }
        defer { unsafe deflateEnd(&stream) }
        var input = bytes
        var output = [UInt8](repeating: 0, count: Int(unsafe deflateBound(&stream, UInt(bytes.count))))
        let status = unsafe input.withUnsafeMutableBufferPointer { input in
            unsafe output.withUnsafeMutableBufferPointer { output in
                unsafe stream.next_in = input.baseAddress
                unsafe stream.avail_in = UInt32(input.count)
                unsafe stream.next_out = output.baseAddress
                unsafe stream.avail_out = UInt32(output.count)
                return unsafe deflate(&stream, Z_FINISH)
            }
        }
        guard status == Z_STREAM_END else { throw Failure(path: path, reason: "zlib: \(status)") }
        output.removeLast(output.count - Int(unsafe stream.total_out))
        return output
    }
}
