import Work

/// An order of cases by a column.
package struct CaseOrder: Equatable, Sendable {
  package var column: CaseColumn
  /// Whether the order is descending.
  package var isDescending: Bool

  /// An order by a column, ascending by default.
  package init(_ column: CaseColumn, isDescending: Bool = false) {
    self.column = column
    self.isDescending = isDescending
  }

  /// The rows in this order.
  ///
  /// Numbers sort before texts, and texts in natural order. Cases without a value are last in both directions. The sort
  /// is stable.
  /// - Complexity: O(n log n).
  package func sorted(_ rows: [CaseRow]) -> [CaseRow] {
    let keys = rows.map { Key($0.value(of: column)) }
    let order = rows.indices.sorted { one, other in
      switch (keys[one], keys[other]) {
      case (.missing, .missing): return one < other
      case (.missing, _): return false
      case (_, .missing): return true
      case (let first, let second):
        if first == second { return one < other }
        return isDescending ? second < first : first < second
      }
    }
    return order.map { rows[$0] }
  }

  private enum Key: Comparable {
    case number(Double)
    case text(NaturalOrder)
    case missing

    init(_ value: CaseValue) {
      switch value {
      case .missing: self = .missing
      case .number(let number): self = .number(number)
      case .list(let texts): self = .text(NaturalOrder(texts.joined(separator: ", ")))
      case .text(let text):
        if let number = Double(text), number.isFinite {
          self = .number(number)
        } else {
          self = .text(NaturalOrder(text))
        }
      }
    }
  }
}
