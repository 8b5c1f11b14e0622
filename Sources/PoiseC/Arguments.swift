import CPoise
import Checks

// Checks of arguments that all calls share. Addresses are computed with wrapping arithmetic: an absurd stride is the
// caller's wrong buffer, not a trap.

extension StaticString {
    /// The text, which is NUL-terminated.
    var cString: UnsafePointer<CChar> { UnsafeRawPointer(utf8Start).assumingMemoryBound(to: CChar.self) }
}

/// A pointer to what must be there and aligned.
@inline(__always)
func required<T>(_ pointer: UnsafePointer<T>?, _ name: StaticString) throws(Failure) -> UnsafePointer<T> {
    guard let pointer else { throw .null(name) }
    try checkAlignment(UnsafeRawPointer(pointer), MemoryLayout<T>.alignment, name)
    return pointer
}

@inline(__always)
func required<T>(
    _ pointer: UnsafeMutablePointer<T>?, _ name: StaticString
) throws(Failure) -> UnsafeMutablePointer<T> {
    guard let pointer else { throw .null(name) }
    try checkAlignment(UnsafeRawPointer(pointer), MemoryLayout<T>.alignment, name)
    return pointer
}

/// The same of what may be NULL.
@inline(__always)
func requiredIfGiven<T>(
    _ pointer: UnsafeMutablePointer<T>?, _ name: StaticString
) throws(Failure) -> UnsafeMutablePointer<T>? {
    pointer == nil ? nil : try required(pointer, name)
}

/// The caller's struct to be written, which starts with its `size`.
@inline(__always)
func sized<T>(
    _ pointer: UnsafeMutablePointer<T>?, _ name: StaticString
) throws(Failure) -> UnsafeMutablePointer<T> {
    let target = try required(pointer, name)
    try checkSize(UnsafeRawPointer(target).load(as: Int.self), of: T.self, name)
    return target
}

/// The same of what may be NULL.
@inline(__always)
func sizedIfGiven<T>(
    _ pointer: UnsafeMutablePointer<T>?, _ name: StaticString
) throws(Failure) -> UnsafeMutablePointer<T>? {
    pointer == nil ? nil : try sized(pointer, name)
}

@inline(__always)
func checkAlignment(_ pointer: UnsafeRawPointer, _ alignment: Int, _ name: StaticString) throws(Failure) {
    guard UInt(bitPattern: pointer) & UInt(alignment - 1) == 0 else {
        throw .alignment(name, "address is no multiple of \(alignment)")
    }
}

/// The caller's struct, of which no more is read than the `size` that it starts with says is there.
/// - Parameters:
///   - own: all 0, which fields stay that the struct of an earlier library did not have.
///   - earlier: the size that an earlier library had, `MemoryLayout.offset(of:)` of the first field since; 0 for none.
///   - earliest: that of one before it.
func taken<T>(
    _ pointer: UnsafePointer<T>?, _ name: StaticString, _ own: T, earlier: Int = 0, earliest: Int = 0
) throws(Failure) -> T {
    let given = UnsafeRawPointer(try required(pointer, name))
    let size = given.load(as: Int.self)
    try checkSize(size, of: T.self, name, earlier: earlier, earliest: earliest)
    var own = own
    withUnsafeMutableBytes(of: &own) {
        $0.copyMemory(from: UnsafeRawBufferPointer(start: given, count: size))
    }
    return own
}

/// Checks the `size` that a struct starts with.
@inline(__always)
func checkSize<T>(
    _ size: Int, of type: T.Type, _ name: StaticString, earlier: Int = 0, earliest: Int = 0
) throws(Failure) {
    guard size == MemoryLayout<T>.stride || size > 0 && (size == earlier || size == earliest) else {
        throw Failure(
            status: POISE_ERROR_SIZE, field: "\(name)",
            reason: "size is \(UInt(bitPattern: size)) where this library has \(MemoryLayout<T>.stride)")
    }
}

/// Checks a number of rows; `size_t` is Swift's `Int`, so what is huge shows as negative.
@inline(__always)
func checkCount(_ count: Int, _ name: StaticString = "count") throws(Failure) {
    guard count >= 0, count <= Int(POISE_MAXIMUM_COUNT) else {
        throw .count("\(name)", "\(UInt(bitPattern: count)) rows: at most \(POISE_MAXIMUM_COUNT)")
    }
}

/// Checks that `first` to `first + count − 1` are places below `end`.
@inline(__always)
func checkRange(_ first: Int, _ count: Int, below end: Int, _ name: StaticString) throws(Failure) {
    guard first >= 0, count >= 0, first <= end, count <= end - first else {
        throw .argument(
            "\(name)",
            "\(UInt(bitPattern: count)) from \(UInt(bitPattern: first)) on: there are \(end)")
    }
}

/// Checks a place below `count`.
@inline(__always)
func checkIndex(_ index: Int, below count: Int, _ name: StaticString) throws(Failure) {
    guard index >= 0, index < count else {
        throw .argument("\(name)", "\(UInt(bitPattern: index)): there are \(count)")
    }
}

/// Checks an option that is a number.
func check(_ value: Double, _ rule: NumberRule, _ name: StaticString) throws(Failure) {
    guard rule.accepts(value) else {
        throw Failure(
            status: POISE_ERROR_ARGUMENT, field: "\(name)", value: "\(value)", reason: rule.complaint)
    }
}

/// Eight-byte values to read, strides resolved.
struct Strided<T> {
    let base: UnsafePointer<T>
    /// Bytes from row to row; 0 where one value stands for all.
    let stride: Int

    @inline(__always)
    init(_ data: UnsafePointer<T>?, _ stride: Int, _ name: StaticString) throws(Failure) {
        guard let data else { throw .null(name) }
        try checkAlignment(UnsafeRawPointer(data), MemoryLayout<T>.alignment, name)
        let width = MemoryLayout<T>.stride
        self.stride = stride == 0 ? width : stride == broadcast ? 0 : stride
        guard self.stride & (width - 1) == 0 else {
            throw .alignment(name, "stride \(stride) is no multiple of \(width)")
        }
        base = data
    }

    var isContiguous: Bool {
        @inline(__always) get { stride == MemoryLayout<T>.stride }
    }

    @inline(__always)
    subscript(row: Int) -> T {
        UnsafeRawPointer(base).advanced(by: row &* stride).assumingMemoryBound(to: T.self).pointee
    }

    /// From a row on.
    @inline(__always)
    func advanced(by rows: Int) -> UnsafePointer<T> {
        UnsafeRawPointer(base).advanced(by: rows &* stride).assumingMemoryBound(to: T.self)
    }

    /// Copies rows to consecutive places.
    @inline(__always)
    func copy(_ rows: Range<Int>, to target: UnsafeMutablePointer<T>) {
        if isContiguous { return target.update(from: advanced(by: rows.lowerBound), count: rows.count) }
        for row in rows { target[row &- rows.lowerBound] = self[row] }
    }
}

/// `POISE_BROADCAST`.
let broadcast = Int.min

extension Strided where T == Double {
    @inline(__always)
    init(_ values: poise_values, _ name: StaticString) throws(Failure) {
        try self.init(values.data, values.stride, name)
    }

    /// Nil where there is no data.
    init?(optional values: poise_values, _ name: StaticString) throws(Failure) {
        guard values.data != nil else { return nil }
        try self.init(values, name)
    }
}

/// Doubles to write, stride resolved.
struct Target {
    let base: UnsafeMutablePointer<Double>
    let stride: Int

    @inline(__always)
    init(_ column: poise_column, _ name: StaticString) throws(Failure) {
        guard let data = column.data else { throw .null(name) }
        try checkAlignment(UnsafeRawPointer(data), 8, name)
        guard column.stride != broadcast else {
            throw .argument("\(name)", "a column that is written needs a place for every row")
        }
        guard column.stride & 7 == 0 else {
            throw .alignment(name, "stride \(column.stride) is no multiple of 8")
        }
        base = data
        stride = column.stride == 0 ? 8 : column.stride
    }

    var isContiguous: Bool {
        @inline(__always) get { stride == 8 }
    }

    @inline(__always)
    func set(_ row: Int, _ value: Double) {
        UnsafeMutableRawPointer(base).advanced(by: row &* stride).assumingMemoryBound(to: Double.self)
            .pointee = value
    }
}

// MARK: Handles

/// A handle, which the caller owns until `release`.
func retain(_ object: some AnyObject) -> OpaquePointer {
    OpaquePointer(Unmanaged.passRetained(object).toOpaque())
}

/// Ends the caller's ownership; nothing for NULL.
func release<T: AnyObject>(_ handle: OpaquePointer?, as type: T.Type) {
    guard let handle else { return }
    Unmanaged<T>.fromOpaque(UnsafeRawPointer(handle)).release()
}

/// The object behind a handle, for as long as the caller keeps it.
@inline(__always)
func object<T: AnyObject>(
    _ handle: OpaquePointer?, as type: T.Type, _ name: StaticString
) throws(Failure) -> T {
    guard let handle else { throw .null(name) }
    return Unmanaged<T>.fromOpaque(UnsafeRawPointer(handle)).takeUnretainedValue()
}

/// The same without counting references, which would cost as much as two options.
@inline(__always)
func borrowed<T: AnyObject>(
    _ handle: OpaquePointer?, as type: T.Type, _ name: StaticString
) throws(Failure) -> Unmanaged<T> {
    guard let handle else { throw .null(name) }
    return Unmanaged<T>.fromOpaque(UnsafeRawPointer(handle))
}

/// The same, or nil.
@inline(__always)
func object<T: AnyObject>(_ handle: OpaquePointer?, as type: T.Type) -> T? {
    guard let handle else { return nil }
    return Unmanaged<T>.fromOpaque(UnsafeRawPointer(handle)).takeUnretainedValue()
}
