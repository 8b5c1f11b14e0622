/// Owns a column: on cache lines, freed when its owner goes.
///
/// Reads and writes check their place; what is handed to a kernel, which does not, is `pointer`. Elements are written
/// through a constant, as through a pointer: an owner with ten columns changes them without being changed itself.
@safe public struct ColumnStorage<Element: BitwiseCopyable>: ~Copyable {
    @usableFromInline let base: UnsafeMutablePointer<Element>
    public let count: Int

    /// Room for whole vectors; every byte is 0 that nothing is written to.
    /// - Parameter isWritten: whether all elements are going to be.
    private init(room count: Int, isWritten: Bool) {
        precondition(count >= 0, "a column has no negative size")
        let size = count * MemoryLayout<Element>.stride
        let room = (max(1, size) + 63) / 64 * 64
        let raw = UnsafeMutableRawPointer.allocate(byteCount: room, alignment: 64)
        let start = isWritten ? size : 0
        unsafe (raw + start).initializeMemory(as: UInt8.self, repeating: 0, count: room - start)
        unsafe base = raw.bindMemory(to: Element.self, capacity: count)
        self.count = count
    }

    /// A column whose bytes are 0, of elements of which that is a value.
    @unsafe package init(zeroed count: Int) { self.init(room: count, isWritten: false) }

    /// A column of equal elements.
    public init(repeating element: Element, count: Int) {
        self.init(room: count, isWritten: true)
        fill(element)
    }

    /// A column of given elements.
    public init(_ elements: [Element]) {
        self.init(room: elements.count, isWritten: true)
        for (index, element) in elements.enumerated() { self[index] = element }
    }

    deinit { unsafe UnsafeMutableRawPointer(base).deallocate() }

    @inlinable
    public subscript(index: Int) -> Element {
        @inline(__always) get {
            precondition(index >= 0 && index < count, "place out of range")
            return unsafe base[index]
        }
        @inline(__always) nonmutating set {
            precondition(index >= 0 && index < count, "place out of range")
            unsafe base[index] = newValue
        }
        // In its place: some elements cost more to copy than to change.
        @inline(__always) nonmutating _modify {
            precondition(index >= 0 && index < count, "place out of range")
            yield unsafe &base[index]
        }
    }

    /// The elements, to be read in one go.
    @inlinable
    public var span: Span<Element> {
        @_lifetime(borrow self) get {
            let span = unsafe Span(_unsafeStart: base, count: count)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    /// The elements, to be written in one go.
    @inlinable
    public var mutableSpan: MutableSpan<Element> {
        @_lifetime(&self) mutating get {
            let span = unsafe MutableSpan(_unsafeStart: base, count: count)
            return unsafe _overrideLifetime(span, mutating: &self)
        }
    }

    /// All elements made equal.
    @inlinable
    public func fill(_ element: Element) { unsafe base.update(repeating: element, count: count) }

    /// The elements for a kernel, valid while the owner lives.
    @unsafe @inlinable
    package var pointer: UnsafeMutablePointer<Element> { unsafe base }
}

extension ColumnStorage<Double> {
    /// Eight elements at once.
    @inlinable @inline(__always)
    package func store(_ lanes: SIMD8<Double>, at index: Int) {
        precondition(index >= 0 && index + 8 <= count, "place out of range")
        unsafe UnsafeMutableRawPointer(base + index).storeBytes(of: lanes, as: SIMD8<Double>.self)
    }
}
