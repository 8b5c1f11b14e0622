import CKernels
import Glibc
import GreeksBaseline
import GreeksKernel

#if arch(x86_64)
    import GreeksAVX2
    import GreeksAVX512
#endif

/// The instruction sets that the kernel is compiled for, worst first.
public enum InstructionSet: String, CaseIterable, Sendable, Comparable, CustomStringConvertible {
    /// The set that every processor of this architecture has (SSE2 on x86-64, NEON on arm64).
    case baseline
    /// x86-64-v3: AVX2 with fused multiply-add.
    case avx2
    /// x86-64-v4: AVX-512 F, BW, CD, DQ, VL. The same bits as `avx2`.
    case avx512

    public var description: String { rawValue }

    public static func < (a: InstructionSet, b: InstructionSet) -> Bool { a.rank < b.rank }

    private var rank: Int {
        switch self {
        case .baseline: 0
        case .avx2: 1
        case .avx512: 2
        }
    }

    /// Whether this processor and operating system can run it.
    public var isSupported: Bool {
        switch self {
        case .baseline: true
        case .avx2: poise_processor_has_avx2()
        case .avx512: poise_processor_has_avx512()
        }
    }

    /// The entry points compiled for it.
    var kernel: any KernelTable.Type {
        switch self {
        case .baseline: GreeksBaseline.table
        #if arch(x86_64)
            case .avx2: GreeksAVX2.table
            case .avx512: GreeksAVX512.table
        #else
            // Never supported here.
            case .avx2, .avx512: GreeksBaseline.table
        #endif
        }
    }

    /// The supported ones, worst first.
    public static var supported: [InstructionSet] { allCases.filter(\.isSupported) }

    /// The best that this processor runs, or the one that the environment variable `POISE_ISA` names.
    /// - Throws: `unknownInstructionSet` or `unsupportedInstructionSet`; a wrong name is never ignored.
    public static func selected() throws(GreeksError) -> InstructionSet {
        guard let value = unsafe getenv("POISE_ISA"), unsafe value.pointee != 0 else {
            return supported.last ?? .baseline
        }
        return try unsafe named(String(cString: value))
    }

    /// The instruction set of that name, if this processor runs it.
    public static func named(_ name: String) throws(GreeksError) -> InstructionSet {
        guard let set = InstructionSet(rawValue: name) else { throw .unknownInstructionSet(name) }
        guard set.isSupported else { throw .unsupportedInstructionSet(set) }
        return set
    }
}
