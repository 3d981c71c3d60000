extension FixedWidthInteger {
  /// The whole number nearest to `value` towards zero; what lies beyond the type's range becomes its end, NaN 0.
  ///
  /// The only conversion of a floating value that may be used where the value came from outside: `Int(_:)` traps on
  /// what it cannot hold.
  package init(saturating value: Double) {
    guard !value.isNaN else {
      self = 0
      return
    }
    if let exact = Self(exactly: value.rounded(.towardZero)) {
      self = exact
    } else {
      self = value < 0 ? Self.min : Self.max
    }
  }

  /// As ``init(saturating:)-(Double)``.
  package init(saturating value: Float) { self.init(saturating: Double(value)) }
}

/// The product of sizes that came from outside; nil where it does not fit in an `Int`.
package func checkedProduct(_ factors: Int...) -> Int? {
  var product = 1
  for factor in factors {
    let (next, overflow) = product.multipliedReportingOverflow(by: factor)
    if overflow { return nil }
    product = next
  }
  return product
}

/// The sum of `numbers`; nil where one of them is nil, or an `Int` does not hold it.
package func checkedSum(_ numbers: Int?...) -> Int? {
  var sum = 0
  for number in numbers {
    guard let number else { return nil }
    let (next, overflow) = sum.addingReportingOverflow(number)
    if overflow { return nil }
    sum = next
  }
  return sum
}
