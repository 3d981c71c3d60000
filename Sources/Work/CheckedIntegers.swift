extension FixedWidthInteger {
  /// `value` rounded towards zero and clamped to the ranges of the type and of `Int`; NaN becomes 0.
  ///
  /// Values that come from outside must be converted with this function only: `Int(_:)` traps on values out of range.
  @inlinable package init(saturating value: Double) {
    if value >= 0x1p63 {
      self.init(clamping: Int.max)
    } else if value >= -0x1p63 {
      self.init(clamping: Int(value))
    } else {
      self.init(clamping: value.isNaN ? 0 : Int.min)
    }
  }

  /// As ``init(saturating:)-(Double)``.
  @inlinable package init(saturating value: Float) { self.init(saturating: Double(value)) }
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
