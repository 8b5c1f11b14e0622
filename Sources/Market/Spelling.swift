/// The name that was probably meant by an unknown one.
package enum Spelling {
    /// Similar, and unlikely to be another name in its own right.
    package static func isNear(_ a: String, _ b: String) -> Bool { a.first == b.first && distance(a, b) <= 2 }

    /// Levenshtein's distance, upper and lower case alike.
    private static func distance(_ a: String, _ b: String) -> Int {
        let a = Array(a.lowercased().utf8.prefix(64))
        let b = Array(b.lowercased().utf8.prefix(64))
        var row = Array(0...b.count)
        for (i, x) in a.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, y) in b.enumerated() {
                let above = row[j + 1]
                row[j + 1] = min(above + 1, row[j] + 1, diagonal + (x == y ? 0 : 1))
                diagonal = above
            }
        }
        return row[b.count]
    }
}
