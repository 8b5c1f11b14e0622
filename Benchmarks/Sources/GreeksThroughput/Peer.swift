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
    let sliceForm: SliceForm

    init?(path: String) {
        guard let library = dlopen(path, RTLD_NOW), let full = dlsym(library, "peer_full_form"),
            let slice = dlsym(library, "peer_slice_form")
        else { return nil }
        name = String(path.split(separator: "/").last ?? "peer")
        fullForm = unsafeBitCast(full, to: FullForm.self)
        sliceForm = unsafeBitCast(slice, to: SliceForm.self)
    }
}
