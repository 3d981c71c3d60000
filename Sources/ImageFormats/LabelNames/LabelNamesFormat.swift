import Foundation
import Volumes
import Work

/// The file formats of label names that can be written; the name of the file determines which.
package enum LabelNamesFormat: CaseIterable, Sendable {
  /// ITK-SNAP's label description, `NAME.label`.
  case itkSnap
  /// FreeSurfer's lookup table, `NAME.txt`.
  case freeSurfer
  /// The table of a BIDS segmentation, `NAME.tsv`.
  case bids
  /// The labels of nnU-Net's `dataset.json`.
  case nnUNet
  /// This program's own, `NAME.json`.
  case own

  /// The end of the names of its files; a name has the first format whose suffix it ends in.
  private var suffix: String {
    switch self {
    case .itkSnap: ".label"
    case .freeSurfer: ".txt"
    case .bids: ".tsv"
    case .nnUNet: "dataset.json"
    case .own: ".json"
    }
  }

  /// ".label, .txt, .tsv, dataset.json or .json".
  package static let suffixList = alternatives(allCases.map(\.suffix))

  /// The form of a file of this name.
  /// - Throws: ``InputError`` for a name with another suffix.
  package init(ofFile path: String) throws(InputError) {
    guard let form = Self.allCases.first(where: { FilePath.hasSuffix($0.suffix, path) }) else {
      try FilePath.requireSuffix(Self.allCases.map(\.suffix), of: path, toWrite: "label names")
      preconditionFailure("\(path) has none of the suffixes")
    }
    self = form
  }

  /// The findings about names that its files hold with other characters.
  package func findings(about names: LabelNames) -> [Finding] {
    guard self == .itkSnap || self == .freeSurfer else { return [] }
    let quoted = names.entries.filter { $0.name.contains("\"") }
    guard let first = quoted.map(\.value).min() else { return [] }
    let others = quoted.count > 1 ? " and \(quoted.count - 1) more" : ""
    return [
      Finding(
        "the name of label \(first)\(others) has a quotation mark", repair: "an apostrophe is written instead"
      )
    ]
  }

  /// A name as one line with apostrophes for quotation marks, which end or begin a name in lines of text.
  private func unquoted(_ name: String) -> String { name.printableLine.replacing("\"", with: "'") }

  /// The names as the content of a file.
  package func encoded(_ names: LabelNames) -> Data {
    let entries = names.entries.sorted { $0.value < $1.value }
    func colour(_ entry: LabelNames.Entry) -> RGBColour {
      entry.colour ?? LabelTable.colour(ofValue: UInt16(truncatingIfNeeded: entry.value))
    }
    func lines(_ header: [String], _ line: (LabelNames.Entry, RGBColour) -> String) -> Data {
      Data((header + entries.map { line($0, colour($0)) }).map { $0 + "\n" }.joined().utf8)
    }
    switch self {
    case .itkSnap:
      return lines(["# ITK-SnAP Label Description File", #"0 0 0 0 0 0 0 "Clear Label""#]) { entry, colour in
        let name = unquoted(entry.name)
        return "\(entry.value) \(colour.red) \(colour.green) \(colour.blue) 1 1 1 \"\(name)\""
      }
    case .freeSurfer:
      // Blanks end a name in FreeSurfer.
      return lines(["# No. Label-Name R G B A", "0 Unknown 0 0 0 0"]) { entry, colour in
        let name = unquoted(entry.name).split(whereSeparator: \.isWhitespace).joined(separator: "-")
        return "\(entry.value) \(name) \(colour.red) \(colour.green) \(colour.blue) 0"
      }
    case .bids:
      return lines(["index\tname\tcolor"]) { "\($0.value)\t\($0.name.printableLine)\t\($1.hexadecimal)" }
    case .nnUNet:
      // Names are keys there, so no two labels may share one.
      var values = ["background": 0]
      for entry in entries {
        values[values[entry.name] == nil ? entry.name : "\(entry.name) \(entry.value)"] = entry.value
      }
      return finiteJSON(["labels": values], isIndented: true) + Data("\n".utf8)
    case .own: return LabelNamesFile.encodeJSON(names)
    }
  }
}
