import Greeks
import SurfaceBaseline
import SurfaceKernel

#if arch(x86_64)
    import SurfaceAVX2
    import SurfaceAVX512
#endif

/// The kernel's entry points for this processor.
enum SurfaceRooms {
    /// Of the instruction set that `POISE_ISA` names, or else the best.
    static let table: any SurfaceTable.Type = {
        #if arch(x86_64)
            switch (try? InstructionSet.selected()) ?? .baseline {
            case .avx512: return SurfaceAVX512.table
            case .avx2: return SurfaceAVX2.table
            case .baseline: return SurfaceBaseline.table
            }
        #else
            return SurfaceBaseline.table
        #endif
    }()
}
