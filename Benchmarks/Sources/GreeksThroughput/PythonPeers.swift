import Foundation
import Poise
import Timing

/// Python's libraries on the same options, each in a process of its own (`Peers/greeks.py`).
enum PythonPeers {
    static let all: [(name: String, function: String, outputs: String)] = [
        ("numpy + scipy", "numpy_scipy", "price, 8 Greeks"),
        ("numba, fastmath", "numba_loop", "price, 8 Greeks"),
        ("fast-vollib", "fast_vollib", "price, 5 Greeks"),
        ("py_vollib_vectorized", "py_vollib_vectorized", "price, 5 Greeks"),
        ("QuantLib (Python)", "quantlib", "price, 5 Greeks"),
    ]

    /// Prints a row per library: its median of seven calls, and how far its prices and gammas are off.
    static func compare(_ inputs: Inputs, with greeks: GreekMatrix, poise: Double) throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent(
            "poise-options-\(getpid())")
        let expected = [Greek.price, .gamma].map { greeks[$0].map(Array.init) ?? [] }
        let columns =
            [
                inputs.sign, inputs.spot, inputs.strike, inputs.years, inputs.volatility, inputs.rate,
                inputs.dividend,
            ] + expected
        try columns.reduce(into: Data()) { data, column in
            column.withUnsafeBytes { data.append(contentsOf: $0) }
        }.write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let module = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../Peers").standardizedFileURL.path
        for peer in all {
            let body = """
                import numpy as np
                sys.path.insert(0, sys.argv[2])
                import greeks
                columns = np.fromfile(sys.argv[1]).reshape(9, -1)
                call = greeks.\(peer.function)(columns[:7])
                def run():
                    answer = call()
                    worst = lambda x, y: np.max(np.abs(np.asarray(x) - y)) / np.max(np.abs(y))
                    return max(worst(answer[0], columns[7]), worst(answer[2], columns[8]))
                """
            guard let (seconds, answer) = PythonPeer.measure(body, [file.path, module]),
                let worst = Double(answer)
            else {
                print("skipped: \(peer.name): cannot run here")
                continue
            }
            guard worst < 1e-6 else {
                print("skipped: \(peer.name): computes something else (off by \(worst))")
                continue
            }
            row(
                "full", "\(peer.name): \(peer.outputs)", inputs.count, seconds / Double(inputs.count) * 1e9,
                seconds / poise)
        }
    }
}
