import Volumes
import Work

/// The distance of consecutive frames of an image along the axis of its frames.
package enum FrameStep: Hashable, Sendable, CustomStringConvertible {
  /// Time, above 0.
  case seconds(Double)
  /// Any other quantity: "10 Hz".
  case other(String)

  /// "2.5 s".
  package var description: String {
    switch self {
    case .seconds(let seconds): "\(significant(seconds)) s"
    case .other(let text): text
    }
  }

  /// Units of time by their names in files, in seconds.
  private static let secondsOfUnit: [String: Double] = [
    "s": 1, "sec": 1, "second": 1, "seconds": 1, "ms": 1e3, "msec": 1e3, "millisecond": 1e3,
    "milliseconds": 1e3, "us": 1e6, "usec": 1e6, "µs": 1e6, "μs": 1e6, "microsecond": 1e6,
    "microseconds": 1e6,
  ]

  /// A step that a file states as text.
  /// - Parameters:
  ///   - number: The step in its unit.
  ///   - unit: The unit; empty where none is stated.
  ///   - isTime: Whether the axis is one of time, whose unit is the second where none is stated.
  /// - Returns: nil for a number that is no step, and where neither time nor a unit is stated.
  init?(_ number: Double, unit: String, isTime: Bool) {
    guard number.isFinite, number != 0 else { return nil }
    if let parts = Self.secondsOfUnit[unit.lowercased()] {
      self = .seconds(abs(number) / parts)
    } else if isTime, unit.isEmpty {
      self = .seconds(abs(number))
    } else if !unit.isEmpty {
      self = .other("\(significant(number)) \(unit)")
    } else {
      return nil
    }
  }
}

extension FrameStep {
  /// The step of an axis of a NIfTI header by its code of the unit; nil where it states none.
  ///
  /// Without a unit the number is in seconds, as in ITK, but for 1, which programs write that know no step.
  init?(_ number: Double, niftiUnits: Int) {
    guard number.isFinite, number != 0 else { return nil }
    switch niftiUnits & 0x38 {
    case 0 where abs(number) == 1: return nil
    case 0, 8: self = .seconds(abs(number))
    case 16: self = .seconds(abs(number) / 1e3)
    case 24: self = .seconds(abs(number) / 1e6)
    case 32: self = .other("\(significant(number)) Hz")
    case 40: self = .other("\(significant(number)) ppm")
    case 48: self = .other("\(significant(number)) rad/s")
    default: return nil
    }
  }
}

extension WrittenImage {
  /// The seconds from frame to frame, where the image has one axis of frames and knows them; else nil.
  var secondsPerFrame: Double? {
    guard frameSizes.count == 1, case .seconds(let seconds)? = frameStep else { return nil }
    return seconds
  }
}
