import Greeks

/// What the solvers compute with: owned, allocated once for a shape, so that nothing is while they run.
///
/// Places are checked in debug builds alone. Loops go over lengths that are fixed with the shape, and rows come from
/// `CoefficientColumns`, which checks them once; to check every place again (`ColumnStorage`) took 25% of warm and half
/// of cold solutions. This is all that is unchecked in the room: no pointer leaves this file.
@safe struct SolverVector<Element: BitwiseCopyable>: ~Copyable {
    private let storage: ColumnStorage<Element>
    let count: Int

    init(repeating element: Element, count: Int) {
        storage = ColumnStorage(repeating: element, count: count)
        self.count = count
    }

    init(_ elements: [Element]) {
        storage = ColumnStorage(elements)
        count = elements.count
    }

    /// Elements are written through a constant: an owner of many vectors changes them without being changed itself.
    subscript(index: Int) -> Element {
        @inline(__always) get {
            assert(index >= 0 && index < count, "place out of range")
            return unsafe storage.pointer[index]
        }
        @inline(__always) nonmutating _modify {
            assert(index >= 0 && index < count, "place out of range")
            yield unsafe &storage.pointer[index]
        }
    }

    /// All elements made equal.
    func fill(_ element: Element) { storage.fill(element) }

    /// Takes over the elements of a vector of the same length.
    func copy(_ other: borrowing SolverVector) {
        precondition(count == other.count, "vectors of different length")
        unsafe storage.pointer.update(from: other.storage.pointer, count: count)
    }
}

typealias Vector = SolverVector<Double>

extension SolverVector<Double> {
    init(_ count: Int) { self.init(repeating: 0, count: count) }

    /// Elements 4·block to 4·block + 3.
    subscript(block block: Int) -> SIMD4<Double> {
        @inline(__always) get {
            assert(block >= 0 && 4 * block + 4 <= count, "place out of range")
            return unsafe UnsafeRawPointer(storage.pointer + 4 &* block).load(as: SIMD4<Double>.self)
        }
        @inline(__always) nonmutating set {
            assert(block >= 0 && 4 * block + 4 <= count, "place out of range")
            unsafe UnsafeMutableRawPointer(storage.pointer + 4 &* block)
                .storeBytes(of: newValue, as: SIMD4<Double>.self)
        }
    }

    /// Four elements from any place on.
    @inline(__always)
    func four(from index: Int) -> SIMD4<Double> {
        assert(index >= 0 && index + 4 <= count, "place out of range")
        return unsafe UnsafeRawPointer(storage.pointer + index).loadUnaligned(as: SIMD4<Double>.self)
    }
}
