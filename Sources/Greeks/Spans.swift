extension Span {
    /// Where it starts, for kernels, which check nothing: to be read while the span lives, `count` elements.
    /// Inlinable, as other rooms would look up the type of the elements at each call.
    @unsafe @inlinable package var start: UnsafePointer<Element> {
        unsafe withUnsafeBufferPointer { unsafe $0.baseAddress ?? .ofNothing }
    }
}

extension MutableSpan {
    /// The same, to be written.
    @unsafe @inlinable package var start: UnsafeMutablePointer<Element> {
        mutating get {
            unsafe withUnsafeMutableBufferPointer {
                unsafe $0.baseAddress ?? UnsafeMutablePointer(mutating: .ofNothing)
            }
        }
    }
}

extension UnsafePointer {
    /// Where no elements are: a kernel that is told so reads none.
    @unsafe @usableFromInline static var ofNothing: UnsafePointer {
        unsafe UnsafePointer(bitPattern: 64).unsafelyUnwrapped
    }
}
