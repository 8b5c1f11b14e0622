import VectorMath

/// The fifteen outputs for eight options.
///
/// A body computes all of them; what a loop does not store, the compiler removes.
public struct GreekLanes {
    public var price, delta, gamma, vega, theta, rho, phi: Lanes
    public var vanna, volga, charm, speed, zomma, color, veta, ultima: Lanes

    @inlinable @inline(__always)
    init(
        price: Lanes, delta: Lanes, gamma: Lanes, vega: Lanes, theta: Lanes, rho: Lanes, phi: Lanes,
        vanna: Lanes, volga: Lanes, charm: Lanes, speed: Lanes, zomma: Lanes, color: Lanes, veta: Lanes,
        ultima: Lanes
    ) {
        self.price = price
        self.delta = delta
        self.gamma = gamma
        self.vega = vega
        self.theta = theta
        self.rho = rho
        self.phi = phi
        self.vanna = vanna
        self.volga = volga
        self.charm = charm
        self.speed = speed
        self.zomma = zomma
        self.color = color
        self.veta = veta
        self.ultima = ultima
    }
}

/// Where the outputs go: one column of doubles per Greek.
///
/// A column that nobody wants points at any eight doubles and has `step` 0, so that the loop stays
/// without branches.
public struct GreekColumns {
    /// The first element of each column, indexed by `Greek.rawValue`, and how far it advances per option.
    public var price, delta, gamma, vega, theta, rho, phi: OutputColumn
    public var vanna, volga, charm, speed, zomma, color, veta, ultima: OutputColumn

    /// All fifteen columns from a function of the Greek.
    @inlinable
    public init(_ column: (Greek) -> OutputColumn) {
        price = column(.price)
        delta = column(.delta)
        gamma = column(.gamma)
        vega = column(.vega)
        theta = column(.theta)
        rho = column(.rho)
        phi = column(.phi)
        vanna = column(.vanna)
        volga = column(.volga)
        charm = column(.charm)
        speed = column(.speed)
        zomma = column(.zomma)
        color = column(.color)
        veta = column(.veta)
        ultima = column(.ultima)
    }

    /// The column of a Greek.
    @inlinable
    public subscript(greek: Greek) -> OutputColumn {
        switch greek {
        case .price: price
        case .delta: delta
        case .gamma: gamma
        case .vega: vega
        case .theta: theta
        case .rho: rho
        case .phi: phi
        case .vanna: vanna
        case .volga: volga
        case .charm: charm
        case .speed: speed
        case .zomma: zomma
        case .color: color
        case .veta: veta
        case .ultima: ultima
        }
    }
}

/// One column of doubles that a kernel writes eight at a time.
public struct OutputColumn {
    @usableFromInline let base: UnsafeMutableRawPointer
    /// Bytes per option: 8, or 0 for a column that nobody wants.
    @usableFromInline let step: Int

    /// A column of doubles, any alignment.
    @inlinable
    public init(_ base: UnsafeMutablePointer<Double>) {
        self.base = UnsafeMutableRawPointer(base)
        step = MemoryLayout<Double>.stride
    }

    /// A column that nobody wants: every store goes to the same eight doubles.
    @inlinable
    public init(discardingInto scratch: UnsafeMutablePointer<Double>) {
        base = UnsafeMutableRawPointer(scratch)
        step = 0
    }

    /// Copies values one by one to rows of the column; nothing for a column that nobody wants.
    @inlinable
    public func copy(_ values: UnsafePointer<Double>, to rows: Range<Int>) {
        guard step > 0 else { return }
        for row in rows {
            base.storeBytes(
                of: values[row - rows.lowerBound], toByteOffset: row * step, as: Double.self)
        }
    }

    @inlinable @inline(__always)
    func store(_ lanes: Lanes, at index: Int) {
        base.storeBytes(of: lanes, toByteOffset: index &* step, as: Lanes.self)
    }
}

/// Which outputs a loop stores, chosen when the loop is compiled.
public protocol GreekLevel {
    static func store(_ greeks: GreekLanes, to columns: GreekColumns, at index: Int)
}

/// The price alone.
public enum PriceLevel: GreekLevel {
    @inlinable @inline(__always)
    public static func store(_ greeks: GreekLanes, to columns: GreekColumns, at index: Int) {
        columns.price.store(greeks.price, at: index)
    }
}

/// Price, delta, gamma, vega, theta, rho, vanna, volga, charm: what a book is run on.
public enum BookLevel: GreekLevel {
    @inlinable @inline(__always)
    public static func store(_ greeks: GreekLanes, to columns: GreekColumns, at index: Int) {
        columns.price.store(greeks.price, at: index)
        columns.delta.store(greeks.delta, at: index)
        columns.gamma.store(greeks.gamma, at: index)
        columns.vega.store(greeks.vega, at: index)
        columns.theta.store(greeks.theta, at: index)
        columns.rho.store(greeks.rho, at: index)
        columns.vanna.store(greeks.vanna, at: index)
        columns.volga.store(greeks.volga, at: index)
        columns.charm.store(greeks.charm, at: index)
    }
}

/// All fifteen.
public enum FullLevel: GreekLevel {
    @inlinable @inline(__always)
    public static func store(_ greeks: GreekLanes, to columns: GreekColumns, at index: Int) {
        BookLevel.store(greeks, to: columns, at: index)
        columns.phi.store(greeks.phi, at: index)
        columns.speed.store(greeks.speed, at: index)
        columns.zomma.store(greeks.zomma, at: index)
        columns.color.store(greeks.color, at: index)
        columns.veta.store(greeks.veta, at: index)
        columns.ultima.store(greeks.ultima, at: index)
    }
}
