import Market

/// Reads hedge problems from JSON: one object, an array of them, or several values one after another. Field
/// names are those of `HedgeProblem` in short: `README.md` lists them.
public struct HedgeProblemFile {
    /// Name of the file.
    public let name: String
    public let problems: [HedgeProblem]

    /// - Throws: where the file is no JSON, or a field is missing or of the wrong kind. Numbers are checked
    ///   when the problem is solved.
    public init(_ source: Source) throws(MarketError) {
        var reader = JSONReader(source)
        let values = try reader.values()
        guard !values.isEmpty else { throw .empty(file: source.name) }
        var problems: [HedgeProblem] = []
        for value in values {
            for (index, element) in (value.array ?? [value]).enumerated() {
                let path = value.array == nil ? "" : "[\(index)]."
                problems.append(
                    try Fields(file: source.name, value: element, path: path).problem(problems.count))
            }
        }
        self.problems = problems
        name = source.name
    }
}

/// The members of one object of the file, with where it stands.
private struct Fields {
    let file: String
    let value: JSON
    let path: String

    func failure(_ name: String, _ found: JSON?, _ reason: String) -> MarketError {
        var text = ""
        if let found {
            switch found.content {
            case .null: text = "null"
            case .boolean(let value): text = "\(value)"
            case .number(let value): text = "\(value)"
            case .string(let value): text = value
            case .array: text = "[…]"
            case .object: text = "{…}"
            }
        }
        return .invalidValue(
            file: file, line: found?.line ?? value.line, column: path + name, value: text, reason: reason)
    }

    func number(_ name: String, default standard: Double? = nil) throws(MarketError) -> Double {
        guard let found = value[name], !found.isNull else {
            if let standard { return standard }
            throw failure(name, value[name], "is missing")
        }
        guard let number = found.number else { throw failure(name, found, "must be a number") }
        return number
    }

    func index(_ name: String, default standard: Int? = nil) throws(MarketError) -> Int {
        let number = try number(name, default: standard.map(Double.init))
        guard let index = Int(exactly: number) else {
            throw failure(name, value[name], "must be a whole number")
        }
        return index
    }

    func string(_ name: String, default standard: String) throws(MarketError) -> String {
        guard let found = value[name], !found.isNull else { return standard }
        guard let text = found.string else { throw failure(name, found, "must be a text") }
        return text
    }

    func boolean(_ name: String, default standard: Bool) throws(MarketError) -> Bool {
        guard let found = value[name], !found.isNull else { return standard }
        guard case .boolean(let isSet) = found.content else {
            throw failure(name, found, "must be true or false")
        }
        return isSet
    }

    func array(_ name: String) throws(MarketError) -> [JSON] {
        guard let found = value[name], !found.isNull else { return [] }
        guard let array = found.array else { throw failure(name, found, "must be an array") }
        return array
    }

    func numbers(_ name: String) throws(MarketError) -> [Double] {
        try numbers(try array(name), name)
    }

    private func numbers(_ array: [JSON], _ name: String) throws(MarketError) -> [Double] {
        var numbers: [Double] = []
        for (index, element) in array.enumerated() {
            guard let number = element.number else {
                throw failure("\(name)[\(index)]", element, "must be a number")
            }
            numbers.append(number)
        }
        return numbers
    }

    func objects(_ name: String) throws(MarketError) -> [Fields] {
        var objects: [Fields] = []
        for (index, element) in try array(name).enumerated() {
            guard case .object = element.content else {
                throw failure("\(name)[\(index)]", element, "must be an object")
            }
            objects.append(Fields(file: file, value: element, path: "\(path)\(name)[\(index)]."))
        }
        return objects
    }

    func problem(_ index: Int) throws(MarketError) -> HedgeProblem {
        guard case .object = value.content else {
            throw .invalidValue(
                file: file, line: value.line, column: path, value: "", reason: "must be an object")
        }
        var underlyings: [String] = []
        for (index, element) in try array("underlyings").enumerated() {
            guard let name = element.string else {
                throw failure("underlyings[\(index)]", element, "must be a text")
            }
            underlyings.append(name)
        }
        var problem = HedgeProblem(
            name: try string("name", default: "problem-\(index + 1)"),
            underlyings: underlyings.isEmpty ? [""] : underlyings,
            marginLimit: try number("marginLimit", default: .infinity),
            cashBudget: try number("budget", default: .infinity))
        for (index, fields) in try objects("instruments").enumerated() {
            problem.add(
                try fields.string("id", default: "instrument-\(index + 1)"), try fields.instrument())
        }
        for (index, fields) in try objects("bands").enumerated() {
            let coefficients = try fields.numbers("coef")
            let instruments = try fields.numbers("idx")
            guard coefficients.count == instruments.count else {
                throw fields.failure(
                    "coef", fields.value["coef"],
                    "has \(coefficients.count) values for \(instruments.count) of idx")
            }
            var entries: [(instrument: Int, coefficient: Double)] = []
            for (k, number) in instruments.enumerated() {
                guard let instrument = Int(exactly: number), problem.instruments.indices.contains(instrument)
                else {
                    throw fields.failure(
                        "idx[\(k)]", fields.value["idx"]?.array?[k], "is no instrument's index")
                }
                entries.append((instrument, coefficients[k]))
            }
            problem.add(
                try fields.string("label", default: "band-\(index + 1)"), try fields.band(),
                coefficients: entries)
        }
        if let risk = value["risk"], !risk.isNull {
            problem.risk = try Fields(file: file, value: risk, path: path + "risk.").risk()
        }
        return problem
    }

    private func instrument() throws(MarketError) -> HedgeInstrument {
        HedgeInstrument(
            underlying: try index("u", default: 0), costBuy: try number("costBuy"),
            costSell: try number("costSell"), impact: try number("impact", default: 0),
            fixedCost: try number("fixed", default: 0), lot: try number("lot", default: 0),
            minimum: try number("minTrade", default: 0),
            maximumBuy: try number("maxBuy"), maximumSell: try number("maxSell"),
            margin: try number("margin", default: 0), cash: try number("cash", default: 0))
    }

    private func band() throws(MarketError) -> HedgeBand {
        let low = try number("lo", default: -.infinity)
        let high = try number("hi", default: .infinity)
        let current = try number("current")
        if try boolean("hard", default: true) { return HedgeBand(hard: low, high, current: current) }
        return HedgeBand(
            soft: low, high, current: current, penalty: try number("penalty", default: 0),
            penaltyQuadratic: try number("penaltyQuad", default: 0))
    }

    /// The risk term; nil where it has no price.
    private func risk() throws(MarketError) -> HedgeRisk? {
        let riskAversion = try number("lam", default: 0)
        guard riskAversion != 0 else { return nil }
        var covariance: [Double] = []
        for (index, row) in try array("cov").enumerated() {
            guard let elements = row.array else { throw failure("cov[\(index)]", row, "must be an array") }
            covariance += try numbers(elements, "cov[\(index)]")
        }
        return HedgeRisk(
            riskAversion: riskAversion, covariance: covariance, dollarDelta: try numbers("d0"),
            exposure: try numbers("exposure"))
    }
}
