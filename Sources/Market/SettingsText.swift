extension Source {
    /// Settings as one JSON object, for hosts that read them by a reader of their own: a file that begins with a brace
    /// as it is, any other as TOML 1.0. Keys come in the order of the alphabet; dates and times are texts.
    /// - Throws: `invalidTOML`; JSON is not checked.
    public func settingsAsJSON() throws(MarketError) -> [UInt8] {
        if bytes.first(where: { $0 > 32 }) == UInt8(ascii: "{") { return bytes }
        var reader = TOMLReader(self)
        var writer = JSONWriter()
        Self.write(try reader.document(), to: &writer)
        return Array(writer.take().utf8)
    }

    private static func write(_ value: JSON, to writer: inout JSONWriter) {
        switch value.content {
        case .null: writer.value(Double?.none)
        case .boolean(let flag): writer.value(flag)
        case .number(let number):
            // Counts as counts: 7, not 7.0.
            if let whole = Int(exactly: number) { writer.value(whole) } else { writer.value(number) }
        case .string(let text): writer.value(text)
        case .array(let elements):
            writer.array { writer in for element in elements { write(element, to: &writer) } }
        case .object(let members):
            writer.object { writer in
                for (name, member) in members.sorted(by: { $0.key < $1.key }) {
                    writer.member(name) { write(member, to: &$0) }
                }
            }
        }
    }
}
