import CPoise
import Poise

/// Behind `poise_engine`.
final class EngineHandle: Sendable {
    let engine: GreeksEngine
    /// Threads for large batches; nil for one.
    let pool: GreeksPool?

    init(_ set: poise_instruction_set, threads: Int) throws(Failure) {
        do throws(GreeksError) {
            switch set {
            case POISE_ISA_AUTOMATIC: engine = try GreeksEngine()
            case POISE_ISA_BASELINE: engine = try GreeksEngine(.baseline)
            case POISE_ISA_AVX2: engine = try GreeksEngine(.avx2)
            case POISE_ISA_AVX512: engine = try GreeksEngine(.avx512)
            default: throw .unknownInstructionSet("\(set.rawValue)")
            }
            pool = threads == 0 || threads == 1 ? nil : try GreeksPool(engine, threads: threads)
        } catch {
            throw Failure(error)
        }
    }
}

@c @implementation
public func poise_engine_create(
    _ options: UnsafePointer<poise_engine_options>?, _ engine: UnsafeMutablePointer<OpaquePointer?>?
) -> poise_status {
    make(engine, "engine") { () throws(Failure) in
        var chosen = poise_engine_options()
        if let options {
            chosen = try taken(options, "options", chosen)
        }
        return try EngineHandle(chosen.instruction_set, threads: Int(chosen.threads))
    }
}

@c @implementation
public func poise_engine_free(_ engine: OpaquePointer?) { release(engine, as: EngineHandle.self) }

@c @implementation
public func poise_engine_instruction_set(_ engine: OpaquePointer?) -> poise_instruction_set {
    switch object(engine, as: EngineHandle.self)?.engine.instructionSet {
    case .baseline: POISE_ISA_BASELINE
    case .avx2: POISE_ISA_AVX2
    case .avx512: POISE_ISA_AVX512
    case nil: POISE_ISA_AUTOMATIC
    }
}
