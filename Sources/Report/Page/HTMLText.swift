import Work

/// Escaped texts and tables for HTML.
enum HTMLText {
  /// A text as content of an element or of a quoted attribute, without markup and invisible characters.
  static func escaped(_ text: String) -> String {
    var escaped = ""
    for scalar in text.printableLines.unicodeScalars {
      switch scalar {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "\"": escaped += "&quot;"
      case "'": escaped += "&#39;"
      default: escaped.unicodeScalars.append(scalar)
      }
    }
    return escaped
  }

  /// A text from a file or a reader whose writing direction does not affect the text around it (`bdi`).
  static func isolated(_ text: String) -> String { "<bdi>\(escaped(text))</bdi>" }

  /// A table whose first column is text and the others are numbers.
  static func table(_ heading: [String], _ rows: [[String]]) -> String {
    let head = heading.map { "<th>\(escaped($0))</th>" }.joined()
    let body = rows.map { row in
      "<tr>" + row.enumerated().map { "<td\($0 > 0 ? " class=number" : "")>\(isolated($1))</td>" }.joined()
        + "</tr>"
    }
    return
      "<table class=small><thead><tr>\(head)</tr></thead><tbody>\(body.joined(separator: "\n"))</tbody></table>"
  }
}
