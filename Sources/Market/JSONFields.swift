/// The members of one object of a JSON file, with where it stands: what is missing or of the wrong kind is an error
/// that names file, line and path.
package struct JSONFields {
    package let file: String
    package let value: JSON
    package let path: String

    package init(file: String, value: JSON, path: String) {
        self.file = file
        self.value = value
        self.path = path
    }

    package func failure(_ name: String, _ found: JSON?, _ reason: String) -> MarketError {
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

    /// Refuses members that nobody reads: a misspelt name would otherwise go unnoticed.
    package func requireKnown(_ names: Set<String>) throws(MarketError) {
        guard case .object(let members) = value.content else { return }
        for name in members.keys.sorted() where !names.contains(name) {
            throw failure(
                name, members[name], "is unknown; known are \(names.sorted().joined(separator: ", "))")
        }
    }

    package func number(
        _ name: String, default standard: Double? = nil
    ) throws(MarketError) -> Double {
        guard let found = value[name], !found.isMissing else {
            if let standard { return standard }
            throw failure(name, value[name], "is missing")
        }
        guard let number = found.number else { throw failure(name, found, "must be a number") }
        return number
    }

    package func index(_ name: String, default standard: Int? = nil) throws(MarketError) -> Int {
        let number = try number(name, default: standard.map(Double.init))
        guard let index = Int(exactly: number) else {
            throw failure(name, value[name], "must be a whole number")
        }
        return index
    }

    package func string(_ name: String, default standard: String) throws(MarketError) -> String {
        guard let found = value[name], !found.isNull else { return standard }
        guard let text = found.string else { throw failure(name, found, "must be a text") }
        return text
    }

    package func boolean(_ name: String, default standard: Bool) throws(MarketError) -> Bool {
        guard let found = value[name], !found.isNull else { return standard }
        guard case .boolean(let isSet) = found.content else {
            throw failure(name, found, "must be true or false")
        }
        return isSet
    }

    package func array(_ name: String) throws(MarketError) -> [JSON] {
        guard let found = value[name], !found.isNull else { return [] }
        guard let array = found.array else { throw failure(name, found, "must be an array") }
        return array
    }

    package func numbers(_ name: String) throws(MarketError) -> [Double] {
        try numbers(try array(name), name)
    }

    package func numbers(_ array: [JSON], _ name: String) throws(MarketError) -> [Double] {
        var numbers: [Double] = []
        for (index, element) in array.enumerated() {
            guard let number = element.number else {
                throw failure("\(name)[\(index)]", element, "must be a number")
            }
            numbers.append(number)
        }
        return numbers
    }

    package func objects(_ name: String) throws(MarketError) -> [JSONFields] {
        var objects: [JSONFields] = []
        for (index, element) in try array(name).enumerated() {
            guard case .object = element.content else {
                throw failure("\(name)[\(index)]", element, "must be an object")
            }
            objects.append(JSONFields(file: file, value: element, path: "\(path)\(name)[\(index)]."))
        }
        return objects
    }
}
