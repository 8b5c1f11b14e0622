import Market

/// How a file of parameters differs from another, and what each difference does to an account.
public struct MarginModelChanges: Sendable {
    public struct Change: Sendable, Equatable {
        /// Dotted, with indices in arrays: `contingencies.perpetual.initial`, `grid.scenarios[2].spot`.
        public var field: String
        /// As JSON; nil where the field is not there.
        public var before, after: String?
        /// By how much the margins change where this alone does; nil where the rest cannot be read with it.
        public var maintenance, initial: Double?
    }

    /// In the order of the fields.
    public var changes: [Change]
    /// By how much the margins change with all of them.
    public var maintenance, initial: Double

    /// Fields that say what a file is, and nothing of its rule.
    private static let remarks: Set<String> = ["name", "venue", "source", "date", "comment", "omitted"]

    /// - Parameters:
    ///   - old, new: files of models that `MarginModel` reads.
    ///   - requirement: of the account under a model; a haircut changes the account itself.
    /// - Throws: what reading a model and `requirement` throw.
    public init(
        from old: Source, to new: Source, requirement: (MarginModel) throws -> MarginRequirement
    ) throws {
        let (one, other) = (ParameterTree(try Settings(old).value), ParameterTree(try Settings(new).value))
        let before = try requirement(MarginModel(old))
        let after = try requirement(MarginModel(new))
        maintenance = after.maintenanceMargin - before.maintenanceMargin
        initial = after.initialMargin - before.initialMargin
        var found: [(path: [ParameterTree.Step], before: ParameterTree?, after: ParameterTree?)] = []
        ParameterTree.compare(one, other, at: [], &found)
        changes = []
        for (path, was, becomes) in found {
            if case .key(let first)? = path.first, Self.remarks.contains(first) { continue }
            var change = Change(
                field: ParameterTree.text(path), before: was?.text, after: becomes?.text, maintenance: nil,
                initial: nil)
            let text = one.setting(becomes, at: path[...]).text
            if let model = try? MarginModel(Source(name: old.name, text: text)),
                let changed = try? requirement(model)
            {
                change.maintenance = changed.maintenanceMargin - before.maintenanceMargin
                change.initial = changed.initialMargin - before.initialMargin
            }
            changes.append(change)
        }
    }
}

/// The values of a file, without their places.
private indirect enum ParameterTree: Equatable {
    case object([String: ParameterTree])
    case array([ParameterTree])
    /// A scalar as JSON.
    case scalar(String)

    enum Step: Equatable {
        case key(String)
        case place(Int)
    }

    init(_ value: JSON) {
        self =
            switch value.content {
            case .null: .scalar("null")
            case .boolean(let flag): .scalar(flag ? "true" : "false")
            case .number(let number):
                .scalar(
                    number == number.rounded() && number.magnitude < 1e15
                        ? "\(Int64(number))" : "\(number)")
            case .string(let text): .scalar(JSON.quoted(text))
            case .array(let elements): .array(elements.map(ParameterTree.init))
            case .object(let members): .object(members.mapValues(ParameterTree.init))
            }
    }

    /// As JSON, keys in order.
    var text: String {
        switch self {
        case .scalar(let text): text
        case .array(let elements): "[" + elements.map(\.text).joined(separator: ", ") + "]"
        case .object(let members):
            "{"
                + members.sorted { $0.key < $1.key }.map { "\(JSON.quoted($0.key)): \($0.value.text)" }
                .joined(separator: ", ") + "}"
        }
    }

    static func text(_ path: [Step]) -> String {
        var text = ""
        for step in path {
            switch step {
            case .key(let key): text += (text.isEmpty ? "" : ".") + key
            case .place(let place): text += "[\(place)]"
            }
        }
        return text
    }

    /// The smallest parts that differ; lists of different length, and lists of numbers, as a whole.
    static func compare(
        _ one: ParameterTree?, _ other: ParameterTree?, at path: [Step],
        _ found: inout [(path: [Step], before: ParameterTree?, after: ParameterTree?)]
    ) {
        guard one != other else { return }
        switch (one, other) {
        case (.object(let old)?, .object(let new)?):
            for key in Set(old.keys).union(new.keys).sorted() {
                compare(old[key], new[key], at: path + [.key(key)], &found)
            }
        case (.array(let old)?, .array(let new)?) where old.count == new.count && !isScalars(old + new):
            for place in old.indices {
                compare(old[place], new[place], at: path + [.place(place)], &found)
            }
        default: found.append((path, one, other))
        }
    }

    private static func isScalars(_ elements: [ParameterTree]) -> Bool {
        elements.allSatisfy { if case .scalar = $0 { true } else { false } }
    }

    /// The same with another value at a path, or none.
    func setting(_ value: ParameterTree?, at path: ArraySlice<Step>) -> ParameterTree {
        guard let first = path.first else { return value ?? self }
        switch (self, first) {
        case (.object(var members), .key(let key)):
            if path.count == 1 {
                members[key] = value
            } else if let inner = members[key] {
                members[key] = inner.setting(value, at: path.dropFirst())
            }
            return .object(members)
        case (.array(var elements), .place(let place)) where elements.indices.contains(place):
            elements[place] = elements[place].setting(value, at: path.dropFirst())
            return .array(elements)
        default: return self
        }
    }
}
