import Foundation

/// A page for a browser, with nothing to load; light or dark as the reader has it.
enum Page {
    static func html(title: String, body: String) -> String {
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>\(title.escaped)</title>
        <style>\(style)</style>
        </head>
        <body>
        \(body)</body>
        </html>

        """
    }

    /// A table that scrolls by itself where it is too wide. Cells are whole `<td>` elements.
    static func table(_ header: [String], _ rows: [[String]]) -> String {
        var html = "<div class=\"scroll\"><table><thead><tr>"
        for title in header { html += "<th>\(title)</th>" }
        html += "</tr></thead><tbody>\n"
        for row in rows { html += "<tr>\(row.joined())</tr>\n" }
        return html + "</tbody></table></div>\n"
    }

    private static let style = "\n" + String(decoding: PackageResources.Page_css, as: UTF8.self)
}
