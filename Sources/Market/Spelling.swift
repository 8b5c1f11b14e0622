/// The name that was probably meant by an unknown one.
package enum Spelling {
    /// The most similar of some names, the first of those, if it is similar enough for a guess in an error.
    package static func nearest(to found: String, in names: some Sequence<String>) -> String? {
        names.filter { haveSameStart(found, $0) }.map { (name: $0, distance: distance(found, $0)) }
            .filter { $0.distance <= 2 }.min { $0.distance < $1.distance }?.name
    }

    /// So similar to a name that it must be meant by it: good enough to refuse what would be ignored. A letter may be wrong,
    /// of eight and more two.
    static func isMisspelt(_ found: String, _ name: String) -> Bool {
        haveSameStart(found, name) && distance(found, name) <= (name.utf8.count < 8 ? 1 : 2)
    }

    private static func haveSameStart(_ a: String, _ b: String) -> Bool {
        a.first?.lowercased() == b.first?.lowercased()
    }

    /// Letters that are missing, too many, wrong or swapped with the next one (the distance of optimal string alignment),
    /// upper and lower case alike.
    private static func distance(_ a: String, _ b: String) -> Int {
        let a = Array(a.lowercased().utf8.prefix(64))
        let b = Array(b.lowercased().utf8.prefix(64))
        var (before, last) = ([Int](), Array(0...b.count))
        for i in a.indices {
            var row = [i + 1]
            for j in b.indices {
                var least = min(last[j + 1] + 1, row[j] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { least = min(least, before[j - 1] + 1) }
                row.append(least)
            }
            (before, last) = (last, row)
        }
        return last[b.count]
    }
}
