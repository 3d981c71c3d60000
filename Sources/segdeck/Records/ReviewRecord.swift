import Volumes

/// The reviewer's decisions in a record.
struct ReviewRecord: Codable {
  var reviewer: String
  var verdict: String?
  var version: String
  /// True where the case was flagged.
  var flagged: Bool?
  var exported: String
  /// Names and colours of the labels.
  var labels: [Label]?

  /// A label: its value in the mask, its name, and its colour as in "#0072b2".
  struct Label: Codable {
    var value: Int
    var name: String
    var colour: String

    init(_ label: Volumes.Label, coding: LabelCoding) {
      value = coding.value(of: label.value)
      name = label.isUnnamed ? "label \(value)" : label.name
      colour = label.colour.hexadecimal
    }
  }
}
