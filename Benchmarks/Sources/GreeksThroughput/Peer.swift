import Glibc

/// A C peer in a shared object that `scripts/bench-peers` has built.
struct Peer {
    typealias Columns = UnsafePointer<UnsafeMutablePointer<Double>?>
    typealias FullForm =
        @convention(c) (
            Int, UnsafePointer<Double>, UnsafePointer<Double>, UnsafePointer<Double>, UnsafePointer<Double>,
            UnsafePointer<Double>, UnsafePointer<Double>, UnsafePointer<Double>, Columns
        ) -> Void
    typealias SliceForm =
        @convention(c) (
            Int, Double, Double, Double, Double, UnsafePointer<Double>, UnsafePointer<Double>,
            UnsafePointer<Double>, UnsafePointer<Double>, Columns
        ) -> Void

    let name: String
    let fullForm: FullForm
    /// Nil where a peer has none.
    let sliceForm: SliceForm?
    /// The others take too long for a million options.
    let isVectorised: Bool

    init?(path: String) {
        guard let library = dlopen(path, RTLD_NOW), let full = dlsym(library, "peer_full_form")
        else { return nil }
        name = String(path.split(separator: "/").last ?? "peer")
        fullForm = unsafeBitCast(full, to: FullForm.self)
        sliceForm = dlsym(library, "peer_slice_form").map { unsafeBitCast($0, to: SliceForm.self) }
        isVectorised = name.contains("libmvec") || name.contains("sleef")
    }
}
