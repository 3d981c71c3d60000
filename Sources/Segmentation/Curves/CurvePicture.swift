import Foundation
import Volumes
import Work

/// Plots side by side as one SVG picture, for documents: lines are means, bands are the range of the runs.
package struct CurvePicture {
  package struct Plot {
    /// The text above the plot.
    package var title: String
    /// The curves, in the same order and colours in every plot.
    package var curves: [LearningCurve]

    /// A plot of `curves` under `title`.
    package init(title: String, curves: [LearningCurve]) {
      self.title = title
      self.curves = curves
    }
  }

  /// The plots, left to right.
  package var plots: [Plot]

  /// A picture of `plots`, left to right.
  package init(plots: [Plot]) { self.plots = plots }

  private static let (width, height) = (480.0, 320.0)
  private static let (left, right, top, bottom) = (52.0, 14.0, 34.0, 70.0)

  /// The picture as text.
  package var svg: String {
    let (width, height) = (Self.width * Double(plots.count), Self.height)
    var parts = [
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(Int(width)) \(Int(height))\" "
        + "width=\"\(Int(width))\" height=\"\(Int(height))\" font-family=\"sans-serif\" font-size=\"12\">",
      "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>",
    ]
    for (index, plot) in plots.enumerated() {
      parts.append("<g transform=\"translate(\(Int(saturating: Double(index) * Self.width)) 0)\">")
      parts += Self.elements(of: plot)
      parts.append("</g>")
    }
    return (parts + ["</svg>"]).joined(separator: "\n") + "\n"
  }

  private static func elements(of plot: Plot) -> [String] {
    let vertical = CurveAxis(valuesOf: plot.curves, ticks: 5)
    let last = Double(plot.curves.flatMap(\.points).map(\.iteration).max() ?? 1)
    let horizontal = CurveAxis(holding: 0...last, ticks: 5)
    func x(_ iteration: Double) -> Double { left + horizontal.fraction(iteration) * (width - left - right) }
    func y(_ value: Double) -> Double { height - bottom - vertical.fraction(value) * (height - top - bottom) }
    func svgPoint(_ point: LearningCurve.Point, _ value: Double) -> String {
      "\(number(x(Double(point.iteration)))),\(number(y(value)))"
    }
    var parts = [
      "<text x=\"\(number(width / 2))\" y=\"20\" text-anchor=\"middle\" font-size=\"14\">\(escaped(plot.title))</text>"
    ]
    for tick in vertical.ticks {
      parts.append(
        "<path d=\"M\(number(left)) \(number(y(tick)))H\(number(width - right))\" stroke=\"#dddddd\"/>"
          + "<text x=\"\(number(left - 6))\" y=\"\(number(y(tick) + 4))\" text-anchor=\"end\">"
          + "\(vertical.text(tick))</text>")
    }
    for tick in horizontal.ticks {
      parts.append(
        "<text x=\"\(number(x(tick)))\" y=\"\(number(height - bottom + 16))\" text-anchor=\"middle\">"
          + "\(horizontal.text(tick))</text>")
    }
    for (index, curve) in plot.curves.enumerated() where !curve.points.isEmpty {
      let colour = colour(index)
      if curve.points.contains(where: { $0.lower < $0.upper }) {
        let band =
          curve.points.map { svgPoint($0, $0.upper) } + curve.points.reversed().map { svgPoint($0, $0.lower) }
        parts.append(
          "<polygon points=\"\(band.joined(separator: " "))\" fill=\"\(colour)\" fill-opacity=\"0.2\"/>")
      }
      let line = curve.points.map { svgPoint($0, $0.value) }.joined(separator: " ")
      parts.append("<polyline points=\"\(line)\" fill=\"none\" stroke=\"\(colour)\" stroke-width=\"1.6\"/>")
    }
    return parts + legend(of: plot.curves)
  }

  /// Names beneath the axis, two in a line.
  private static func legend(of curves: [LearningCurve]) -> [String] {
    curves.enumerated().map { index, curve in
      let x = left + Double(index % 2) * (width - left - right) / 2
      let y = height - bottom + 36 + 18 * Double(index / 2)
      return "<path d=\"M\(number(x)) \(number(y - 4))h18\" stroke=\"\(colour(index))\" stroke-width=\"3\"/>"
        + "<text x=\"\(number(x + 24))\" y=\"\(number(y))\">\(escaped(curve.name))</text>"
    }
  }

  private static func colour(_ index: Int) -> String {
    // Blue, vermilion, green, orange, purple of the palette that colour-blind readers tell apart.
    let order: [UInt16] = [5, 6, 3, 1, 7, 2]
    let colour = LabelTable.colour(ofValue: order[index % order.count])
    return String(format: "#%02x%02x%02x", colour.red, colour.green, colour.blue)
  }

  private static func number(_ value: Double) -> String { String(format: "%.1f", value) }

  private static func escaped(_ text: String) -> String {
    // XML forbids the two noncharacters.
    String(String.UnicodeScalarView(text.printableLine.unicodeScalars.filter { $0.value & 0xfffe != 0xfffe }))
      .replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
      .replacingOccurrences(of: ">", with: "&gt;")
  }
}
