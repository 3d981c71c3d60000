extension FixedWidthInteger {
  /// `value` rounded towards zero and clamped to the range of the type; NaN becomes 0.
  ///
  /// Values that come from outside must be converted with this function only: `Int(_:)` traps on values out of range.
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

extension Int {
  /// As for all types of integers, but not generic and so much faster in other modules, where pixels need it.
  package init(saturating value: Double) {
    if value >= 0x1p63 {
      self = .max
    } else if value >= -0x1p63 {
      self.init(value)
    } else {
      self = value.isNaN ? 0 : .min
    }
  }

  /// As ``init(saturating:)-(Double)``.
  package init(saturating value: Float) { self.init(saturating: Double(value)) }
}

/// The product of `factors`; nil where it overflows an `Int`.
package func checkedProduct(_ factors: Int...) -> Int? {
  var product = 1
  for factor in factors {
    let (next, overflow) = product.multipliedReportingOverflow(by: factor)
    if overflow { return nil }
    product = next
  }
  return product
}

/// The sum of `numbers`; nil where one of them is nil, or where it overflows an `Int`.
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
