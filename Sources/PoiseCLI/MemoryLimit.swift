import Foundation
import Market
import Poise

/// The memory that this process may take.
enum MemoryLimit {
    /// Three quarters of the machine's, or of what the process is limited to.
    static var bytes: Double {
        var limit = Double(sysconf(Int32(_SC_PHYS_PAGES))) * Double(sysconf(Int32(_SC_PAGESIZE)))
        var allowed = rlimit()
        if unsafe getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &allowed) == 0,
            allowed.rlim_cur != rlim_t.max
        {
            limit = min(limit, Double(allowed.rlim_cur))
        }
        return 0.75 * limit
    }

    /// - Parameter sizes: that take it, in words.
    static func check(_ memory: SimulationMemory, _ sizes: String, _ threads: Int, _ root: Settings) throws {
        let needed = memory.shared + memory.perThread * Double(threads)
        guard needed > bytes else { return }
        let gigabytes = { (bytes: Double) in String(format: "%.3g GB", bytes / 1e9) }
        throw root.failure(
            root.has("step_minutes") ? "step_minutes" : "days",
            "\(sizes) need \(gigabytes(needed)) of memory, more than \(gigabytes(bytes)), three quarters of "
                + "what there is: take fewer paths, fewer days or longer steps")
    }
}
