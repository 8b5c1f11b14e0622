import Foundation
import Market
import TestSupport
import Testing

/// Lists of exchanges that are written by hand.
struct ExchangeNameTests {
    @Test(
        "Every exchange is named where users look for it",
        arguments: [
            "CKernels/CPoise/include/poise.h", "Python/src/poise/_desk.py", "docs/commands.md",
            "docs/glossary.md",
        ])
    func names(_ file: String) throws {
        let path = SharedData.packageRoot.appendingPathComponent(file)
        let text = try String(contentsOf: path, encoding: .utf8).lowercased()
        for exchange in Exchanges.all { #expect(text.contains(exchange.name), "\(exchange.name)") }
    }
}
