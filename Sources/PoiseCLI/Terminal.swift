import Foundation

extension String {
    /// The text with everything visible that a terminal would obey rather than show: control characters, line
    /// separators and marks of writing direction, as `\u{1b}`.
    /// - Parameter keepsLines: whether line ends and tabs stay.
    func printable(keepsLines: Bool = false) -> String {
        func isObeyed(_ scalar: Unicode.Scalar) -> Bool {
            switch scalar.value {
            case 9, 10: !keepsLines
            case ..<32, 127...159, 0x061C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069: true
            default: false
            }
        }
        guard unicodeScalars.contains(where: isObeyed) else { return self }
        return unicodeScalars.map {
            isObeyed($0) ? "\\u{\(String($0.value, radix: 16))}" : String($0)
        }.joined()
    }
}

/// Standard error. Whether it can be written never changes how a run ends.
enum StandardError {
    /// Writes text of any origin.
    static func write(_ text: String) { write(styled: text.printable(keepsLines: true)) }

    /// Writes text that may move the cursor.
    static func write(styled text: String) {
        // A reader that has gone away would end the process.
        let earlier = signal(SIGPIPE, SIG_IGN)
        defer { _ = signal(SIGPIPE, earlier) }
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let written = unsafe bytes.withUnsafeBytes {
                unsafe Foundation.write(STDERR_FILENO, $0.baseAddress, $0.count)
            }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { return }
            bytes = bytes.dropFirst(written)
        }
    }

    /// Gives the standard descriptors that are closed something that cannot be used, so that no file of the run
    /// takes their place.
    static func reserveDescriptors() {
        for (descriptor, mode) in [
            (STDIN_FILENO, O_WRONLY), (STDOUT_FILENO, O_RDONLY), (STDERR_FILENO, O_RDONLY),
        ] where fcntl(descriptor, F_GETFD) < 0 {
            _ = unsafe open("/dev/null", mode)
        }
    }
}
