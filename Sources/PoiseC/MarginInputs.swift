import CPoise
import Poise

/// Behind `poise_margin_model`.
final class MarginModelHandle: Sendable {
    let model: MarginModel
    /// In the order of `poise_margin_fact`.
    let facts: CStrings
    let omitted: CStrings

    init(_ source: Source, _ badRows: inout BadRows) throws(MarketError) {
        model = try MarginModel(source)
        facts = CStrings([model.name, model.venue, model.source, model.date, model.kind])
        omitted = CStrings(model.omitted)
    }
}

/// Behind `poise_margin_account`.
final class MarginAccountHandle: Sendable {
    let file: MarginAccountFile
    let currency: CStrings

    init(_ source: Source, _ badRows: inout BadRows) throws(MarketError) {
        file = try MarginAccountFile(source)
        currency = CStrings([file.currency])
    }
}

/// Behind `poise_margin_cases`.
final class MarginCasesHandle: Sendable {
    let cases: MarginCases
    let names: CStrings

    init(_ source: Source, _ badRows: inout BadRows) throws(MarketError) {
        cases = try MarginCases(source)
        names = CStrings(cases.cases.map(\.name))
    }

    func one(_ index: Int) throws(Failure) -> MarginCases.Case {
        try checkIndex(index, below: cases.cases.count, "index")
        return cases.cases[index]
    }
}

// MARK: Models

@c @implementation
public func poise_margin_model_parse(
    _ text: UnsafePointer<CChar>?, _ length: Int, _ name: UnsafePointer<CChar>?,
    _ model: UnsafeMutablePointer<OpaquePointer?>?
) -> poise_status {
    make(model, "model", text, length, name, MarginModelHandle.init)
}

@c @implementation
public func poise_margin_model_read(
    _ path: UnsafePointer<CChar>?, _ model: UnsafeMutablePointer<OpaquePointer?>?
) -> poise_status {
    make(model, "model", path, MarginModelHandle.init)
}

@c @implementation
public func poise_margin_model_free(_ model: OpaquePointer?) { release(model, as: MarginModelHandle.self) }

@c @implementation
public func poise_margin_model_fact(
    _ model: OpaquePointer?, _ fact: poise_margin_fact
) -> UnsafePointer<CChar>? {
    object(model, as: MarginModelHandle.self)?.facts[Int(fact.rawValue)]
}

@c @implementation
public func poise_margin_model_omitted(_ model: OpaquePointer?, _ index: Int) -> UnsafePointer<CChar>? {
    object(model, as: MarginModelHandle.self)?.omitted[index]
}

// MARK: Accounts

@c @implementation
public func poise_margin_account_parse(
    _ text: UnsafePointer<CChar>?, _ length: Int, _ name: UnsafePointer<CChar>?,
    _ account: UnsafeMutablePointer<OpaquePointer?>?
) -> poise_status {
    make(account, "account", text, length, name, MarginAccountHandle.init)
}

@c @implementation
public func poise_margin_account_read(
    _ path: UnsafePointer<CChar>?, _ account: UnsafeMutablePointer<OpaquePointer?>?
) -> poise_status {
    make(account, "account", path, MarginAccountHandle.init)
}

@c @implementation
public func poise_margin_account_free(_ account: OpaquePointer?) {
    release(account, as: MarginAccountHandle.self)
}

@c @implementation
public func poise_margin_account_currency(_ account: OpaquePointer?) -> UnsafePointer<CChar>? {
    object(account, as: MarginAccountHandle.self)?.currency[0]
}

// MARK: Cases

@c @implementation
public func poise_margin_cases_parse(
    _ text: UnsafePointer<CChar>?, _ length: Int, _ name: UnsafePointer<CChar>?,
    _ cases: UnsafeMutablePointer<OpaquePointer?>?
) -> poise_status {
    make(cases, "cases", text, length, name, MarginCasesHandle.init)
}

@c @implementation
public func poise_margin_cases_read(
    _ path: UnsafePointer<CChar>?, _ cases: UnsafeMutablePointer<OpaquePointer?>?
) -> poise_status {
    make(cases, "cases", path, MarginCasesHandle.init)
}

@c @implementation
public func poise_margin_cases_free(_ cases: OpaquePointer?) { release(cases, as: MarginCasesHandle.self) }

@c @implementation
public func poise_margin_cases_count(_ cases: OpaquePointer?) -> Int {
    object(cases, as: MarginCasesHandle.self)?.names.count ?? 0
}

@c @implementation
public func poise_margin_cases_name(_ cases: OpaquePointer?, _ index: Int) -> UnsafePointer<CChar>? {
    object(cases, as: MarginCasesHandle.self)?.names[index]
}
