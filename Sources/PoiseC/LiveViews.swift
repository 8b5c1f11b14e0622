import CPoise
import Poise

/// Behind `poise_live_view`.
final class LiveViewHandle: @unchecked Sendable {
    let snapshot: LiveSnapshot
    let slices, contracts: CStrings
    let labels: [CStrings]

    init(_ snapshot: LiveSnapshot) {
        self.snapshot = snapshot
        slices = CStrings(snapshot.slices.map(\.name))
        contracts = CStrings(snapshot.contracts.map(\.name))
        labels = snapshot.groups.map { CStrings($0) }
    }
}

private func viewed(_ view: OpaquePointer?) -> LiveViewHandle? { object(view, as: LiveViewHandle.self) }

/// Reads a view.
private func look(
    _ view: OpaquePointer?, _ body: (LiveViewHandle) throws(Failure) -> Void
) -> poise_status {
    attempt { () throws(Failure) in try body(try object(view, as: LiveViewHandle.self, "view")) }
}

@c @implementation
public func poise_live_view_create(
    _ live: OpaquePointer?, _ view: UnsafeMutablePointer<OpaquePointer?>?
) -> poise_status {
    make(view, "view") { () throws(Failure) in
        LiveViewHandle(try object(live, as: LiveHandle.self, "live").risk.snapshot())
    }
}

@c @implementation
public func poise_live_view_free(_ view: OpaquePointer?) { release(view, as: LiveViewHandle.self) }

@c @implementation
public func poise_live_view_group_count(_ view: OpaquePointer?) -> Int { viewed(view)?.labels.count ?? 0 }

@c @implementation
public func poise_live_view_slice_count(_ view: OpaquePointer?) -> Int { viewed(view)?.slices.count ?? 0 }

@c @implementation
public func poise_live_view_contract_count(_ view: OpaquePointer?) -> Int {
    viewed(view)?.contracts.count ?? 0
}

@c @implementation
public func poise_live_view_label(
    _ view: OpaquePointer?, _ group: Int, _ grouping: Int
) -> UnsafePointer<CChar>? {
    viewed(view)?.labels.text(group, grouping)
}

@c @implementation
public func poise_live_view_slice(_ view: OpaquePointer?, _ slice: Int) -> UnsafePointer<CChar>? {
    viewed(view)?.slices[slice]
}

@c @implementation
public func poise_live_view_contract(_ view: OpaquePointer?, _ contract: Int) -> UnsafePointer<CChar>? {
    viewed(view)?.contracts[contract]
}

@c @implementation
public func poise_live_view_is_listed(_ view: OpaquePointer?, _ contract: Int) -> Int64 {
    guard let listed = viewed(view)?.snapshot.isListed, listed.indices.contains(contract) else { return -1 }
    return listed[contract] ? 1 : 0
}

@c @implementation
public func poise_live_view_exposures(
    _ view: OpaquePointer?, _ exposure: poise_exposure, _ column: poise_column
) -> poise_status {
    look(view) { view throws(Failure) in try view.snapshot.exposures.copy(exposure, to: column) }
}

@c @implementation
public func poise_live_view_figure(
    _ view: OpaquePointer?, _ contract: Int, _ exposure: poise_exposure,
    _ value: UnsafeMutablePointer<Double>?
) -> poise_status {
    look(view) { view throws(Failure) in
        try checkIndex(contract, below: view.contracts.count, "contract")
        try required(value, "value").pointee = view.snapshot.figure(contract, try ExposureGreek(exposure))
    }
}

@c @implementation
public func poise_live_view_slice_state(
    _ view: OpaquePointer?, _ slice: Int, _ state: UnsafeMutablePointer<poise_slice_state>?
) -> poise_status {
    look(view) { view throws(Failure) in
        try checkIndex(slice, below: view.slices.count, "slice")
        let place = try sized(state, "state")
        let shown = view.snapshot
        place.pointee = poise_slice_state(
            underlying: shown.slices[slice].underlying, price: shown.prices[slice],
            rate: shown.rates[slice], time: shown.times[slice], expiry: shown.slices[slice].expiry)
    }
}

@c @implementation
public func poise_live_view_cash(
    _ view: OpaquePointer?, _ book: UnsafePointer<CChar>?, _ currency: UnsafePointer<CChar>?,
    _ amount: UnsafeMutablePointer<Double>?
) -> poise_status {
    look(view) { view throws(Failure) in
        let (book, currency) = (try text(book, "book"), try text(currency, "currency"))
        try required(amount, "amount").pointee = view.snapshot.cash[book, currency]
    }
}
