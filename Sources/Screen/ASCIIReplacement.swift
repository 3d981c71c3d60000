extension Unicode.Scalar {
  /// The ASCII replacement for terminals without Unicode; "?" where there is none.
  package var asciiReplacement: Unicode.Scalar {
    if value < 0x80 { return self }
    switch self {
    case "─", "━", "═", "╌", "–", "—", "−": return "-"
    case "│", "┃", "║", "╎": return "|"
    case "┌", "┐", "└", "┘", "├", "┤", "┬", "┴", "┼", "╭", "╮", "╯", "╰": return "+"
    case "▏", "▎": return "."
    case "▍", "▌": return "-"
    case "▋", "▊": return "="
    case "▉": return "#"
    case "▀": return "\""
    case "▄": return "_"
    case "█", "▓", "■": return "#"
    case "▒": return "="
    case "░": return ":"
    case "·", "•", "…": return "."
    case "●", "◉": return "*"
    case "○", "°": return "o"
    case "←", "◀", "‹", "«": return "<"
    case "→", "▶", "›", "»", "▸": return ">"
    case "↑", "▲": return "^"
    case "↓", "▼", "▾": return "v"
    case "×", "✗", "✘": return "x"
    case "✓", "✔": return "+"
    case "µ", "μ": return "u"
    case "θ", "τ": return "t"
    case "α": return "a"
    case "β": return "b"
    case "γ": return "g"
    case "Δ": return "d"
    case "²": return "2"
    case "³": return "3"
    case "±": return "~"
    case "≥": return ">"
    case "≤": return "<"
    case "‘", "’": return "'"
    case "“", "”": return "\""
    default: return "?"
    }
  }
}
