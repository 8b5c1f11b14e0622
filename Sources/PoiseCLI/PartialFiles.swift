import Foundation

/// Files that are not complete yet: removed where a signal ends the process.
enum PartialFiles {
    /// Read by the handler at any moment: a place is written as a whole, and no text is ever freed.
    nonisolated(unsafe) private static let names = {
        let names = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: capacity)
        unsafe names.initialize(repeating: nil, count: capacity)
        return unsafe names
    }()
    private static let capacity = 16

    /// Removes the files, and ends the process as the signal would have.
    static let handler: @convention(c) (Int32) -> Void = { number in
        PartialFiles.removeAll()
        signal(number, SIG_DFL)
        raise(number)
    }

    private static func removeAll() {
        for place in 0..<capacity {
            if let name = unsafe names[place] { unsafe unlink(name) }
        }
    }

    private static let watched: Void = {
        for number in [SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGTERM, SIGXCPU, SIGXFSZ] {
            // A signal that whoever started the process has it ignore stays ignored.
            if unsafe unsafeBitCast(signal(number, handler), to: Int.self)
                == unsafeBitCast(SIG_IGN, to: Int.self)
            {
                signal(number, SIG_IGN)
            }
        }
    }()

    /// To be called before the file is made.
    static func add(_ name: String) {
        _ = unsafe names
        _ = watched
        if let place = (0..<capacity).first(where: { unsafe names[$0] == nil }) {
            unsafe names[place] = strdup(name)
        }
    }

    /// To be called when the file is complete or gone.
    static func remove(_ name: String) {
        for place in 0..<capacity {
            if let registered = unsafe names[place], unsafe strcmp(registered, name) == 0 {
                unsafe names[place] = nil
            }
        }
    }
}
