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

/// Where the outputs go: one column of doubles per Greek, any alignment; nil for what a call does not
/// compute.
public struct GreekColumns {
    public var price, delta, gamma, vega, theta, rho, phi: UnsafeMutablePointer<Double>?
    public var vanna, volga, charm, speed, zomma, color, veta, ultima: UnsafeMutablePointer<Double>?

    /// Whether bulk results may be written past the caches: set where the columns are known to stand on huge pages.
    /// On small ones fifteen such streams wait for address translation longer than they save.
    public var isOnHugePages = false

    /// All fifteen columns from a function of the Greek.
    @inlinable
    public init(_ column: (Greek) -> UnsafeMutablePointer<Double>?) {
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
    public subscript(greek: Greek) -> UnsafeMutablePointer<Double>? {
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

@inlinable @inline(__always)
func store(_ lanes: Lanes, to column: UnsafeMutablePointer<Double>?, at index: Int) {
    UnsafeMutableRawPointer(column.unsafelyUnwrapped + index).storeBytes(of: lanes, as: Lanes.self)
}

/// How a loop writes eight results.
public protocol LaneWriter {
    static func write(_ lanes: Lanes, to column: UnsafeMutablePointer<Double>?, at index: Int)
    /// After the last of a call: what was written can be read by all.
    static func finish()
}

/// Through the caches, to any address.
public enum CachedWriter: LaneWriter {
    @inlinable @inline(__always)
    public static func write(_ lanes: Lanes, to column: UnsafeMutablePointer<Double>?, at index: Int) {
        store(lanes, to: column, at: index)
    }

    @inlinable @inline(__always)
    public static func finish() {}
}

/// Which outputs a loop stores, chosen when the loop is compiled; their columns must be there.
public protocol GreekLevel {
    static func store<W: LaneWriter>(
        _ writer: W.Type, _ greeks: GreekLanes, to columns: GreekColumns, at index: Int)
}

/// The price alone.
public enum PriceLevel: GreekLevel {
    @inlinable @inline(__always)
    public static func store<W: LaneWriter>(
        _ writer: W.Type, _ greeks: GreekLanes, to columns: GreekColumns, at index: Int
    ) {
        W.write(greeks.price, to: columns.price, at: index)
    }
}

/// Price, delta, gamma, vega, theta, rho, vanna, volga, charm: what a book is run on.
public enum BookLevel: GreekLevel {
    @inlinable @inline(__always)
    public static func store<W: LaneWriter>(
        _ writer: W.Type, _ greeks: GreekLanes, to columns: GreekColumns, at index: Int
    ) {
        W.write(greeks.price, to: columns.price, at: index)
        W.write(greeks.delta, to: columns.delta, at: index)
        W.write(greeks.gamma, to: columns.gamma, at: index)
        W.write(greeks.vega, to: columns.vega, at: index)
        W.write(greeks.theta, to: columns.theta, at: index)
        W.write(greeks.rho, to: columns.rho, at: index)
        W.write(greeks.vanna, to: columns.vanna, at: index)
        W.write(greeks.volga, to: columns.volga, at: index)
        W.write(greeks.charm, to: columns.charm, at: index)
    }
}

/// All fifteen.
public enum FullLevel: GreekLevel {
    @inlinable @inline(__always)
    public static func store<W: LaneWriter>(
        _ writer: W.Type, _ greeks: GreekLanes, to columns: GreekColumns, at index: Int
    ) {
        BookLevel.store(writer, greeks, to: columns, at: index)
        W.write(greeks.phi, to: columns.phi, at: index)
        W.write(greeks.speed, to: columns.speed, at: index)
        W.write(greeks.zomma, to: columns.zomma, at: index)
        W.write(greeks.color, to: columns.color, at: index)
        W.write(greeks.veta, to: columns.veta, at: index)
        W.write(greeks.ultima, to: columns.ultima, at: index)
    }
}

/// Those that have a column. The choice costs a branch per Greek and eight options, always the same way.
public enum SomeLevel: GreekLevel {
    @inlinable @inline(__always)
    public static func store<W: LaneWriter>(
        _ writer: W.Type, _ greeks: GreekLanes, to columns: GreekColumns, at index: Int
    ) {
        if columns.price != nil { W.write(greeks.price, to: columns.price, at: index) }
        if columns.delta != nil { W.write(greeks.delta, to: columns.delta, at: index) }
        if columns.gamma != nil { W.write(greeks.gamma, to: columns.gamma, at: index) }
        if columns.vega != nil { W.write(greeks.vega, to: columns.vega, at: index) }
        if columns.theta != nil { W.write(greeks.theta, to: columns.theta, at: index) }
        if columns.rho != nil { W.write(greeks.rho, to: columns.rho, at: index) }
        if columns.phi != nil { W.write(greeks.phi, to: columns.phi, at: index) }
        if columns.vanna != nil { W.write(greeks.vanna, to: columns.vanna, at: index) }
        if columns.volga != nil { W.write(greeks.volga, to: columns.volga, at: index) }
        if columns.charm != nil { W.write(greeks.charm, to: columns.charm, at: index) }
        if columns.speed != nil { W.write(greeks.speed, to: columns.speed, at: index) }
        if columns.zomma != nil { W.write(greeks.zomma, to: columns.zomma, at: index) }
        if columns.color != nil { W.write(greeks.color, to: columns.color, at: index) }
        if columns.veta != nil { W.write(greeks.veta, to: columns.veta, at: index) }
        if columns.ultima != nil { W.write(greeks.ultima, to: columns.ultima, at: index) }
    }
}
