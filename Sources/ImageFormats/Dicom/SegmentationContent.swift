import Foundation
import Volumes
import Work

/// The segments that a DICOM segmentation describes.
struct SegmentationContent: Sendable {
  /// SegmentationType: the meaning of a pixel's number.
  enum Kind: String, Sendable {
    case binary = "BINARY"
    case fractional = "FRACTIONAL"
    case labelmap = "LABELMAP"
  }

  /// One segment.
  struct Segment: Hashable, Sendable {
    /// SegmentNumber, counted from 1.
    var number: Int
    /// The label value of its voxels in the mask: its number, or the value that segdeck wrote into its tracking ID.
    var value: Int
    var name: String
    var colour: RGBColour?
  }

  let kind: Kind
  let segments: [Segment]
  /// The number of a pixel that lies wholly in a fractional segment.
  let maximumFractionalValue: Int
  /// The number of background pixels in a label map.
  let paddingValue: Int
  /// The UID of the series that it was made from; empty where it is not stated.
  let seriesInstanceUID: String
  /// The UIDs of the studies besides its own that it refers to.
  let otherStudyInstanceUIDs: [String]
  /// Defects of labels that were repaired.
  let findings: [Finding]

  /// The SOP class UIDs of Segmentation Storage and of Label Map Segmentation Storage.
  private static let classes = ["1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7"]

  /// nil for a data set of any other SOP class.
  /// - Throws: ``InputError`` for a missing or unknown SegmentationType, a fractional segmentation without a usable
  ///   MaximumFractionalValue, and a frame of a segment that is not described.
  init?(
    _ dataSet: DicomDataSet, sopClassUID: String, _ characterSet: DicomCharacterSet, _ patient: PatientData,
    frames: [DicomFrame], path: String
  ) throws(InputError) {
    guard Self.classes.contains(sopClassUID) else { return nil }
    let type = dataSet.text(.segmentationType)
    guard let kind = type.flatMap({ Kind(rawValue: $0) }) else {
      throw InputError(
        path, "SegmentationType (0062,0001) is missing or unknown", found: type?.printableLine ?? "none",
        expected: "BINARY, FRACTIONAL or LABELMAP")
    }
    self.kind = kind
    var values: Set<Int> = []
    let items = dataSet.items(.segmentSequence)
    let labels = items.compactMap { $0.text(.trackingID).flatMap(Self.value(ofTracking:)) }
    let hasLabels = labels.count == items.count && labels.allSatisfy { values.insert($0).inserted }
    var (undecoded, replaced) = ([Int](), [Int]())
    segments = items.enumerated().compactMap { index, item in
      guard let number = item.integer(.segmentNumber) else { return nil }
      // An item may state a character set of its own (PS3.5 7.5.3).
      let ownSet = item.isStated(.specificCharacterSet) ? DicomCharacterSet(item) : characterSet
      let label = item.decoded(.segmentLabel, in: ownSet)
      if label?.isWhole == false { undecoded.append(number) }
      // The standard's maximum is 64 characters.
      var name = String((label?.text ?? "").prefix(256)).printableLine
      if patient.occurs(in: name) {
        replaced.append(number)
        name = "segment \(number)"
      }
      return Segment(
        number: number, value: hasLabels ? labels[index] : number, name: name,
        colour: RGBColour(cieLab: item.numbers(.recommendedDisplayCIELabValue)))
    }
    findings = Self.findings(undecoded: undecoded, replaced: replaced)
    let maximum = dataSet.integer(.maximumFractionalValue)
    guard kind != .fractional || (1...65535).contains(maximum ?? 0) else {
      throw InputError(
        path, "MaximumFractionalValue (0062,000e) is missing or not usable",
        found: dataSet.isStated(.maximumFractionalValue) ? dataSet.shown(.maximumFractionalValue) : "none",
        expected: "the number of a pixel that lies wholly in a segment")
    }
    maximumFractionalValue = maximum ?? 255
    paddingValue = dataSet.integer(.pixelPaddingValue) ?? 0
    seriesInstanceUID = dataSet.item(.referencedSeriesSequence)?.text(.seriesInstanceUID) ?? ""
    otherStudyInstanceUIDs = dataSet.items(.studiesContainingOtherReferencedInstancesSequence).compactMap {
      $0.text(.studyInstanceUID)
    }
    let numbers = Set(segments.map(\.number))
    let stray = frames.first { $0.segmentNumber.map { !numbers.contains($0) } ?? false }
    if let stray, let number = stray.segmentNumber, kind != .labelmap {
      throw InputError(
        path, "frame \(stray.number) shows a segment that SegmentSequence (0062,0002) does not describe",
        found: "segment \(number)", expected: "one of \(counted(numbers.count, "segment"))")
    }
  }

  private static func findings(undecoded: [Int], replaced: [Int]) -> [Finding] {
    func list(_ numbers: [Int]) -> String {
      let shown = numbers.prefix(8).map(String.init).joined(separator: ", ")
      return (numbers.count == 1 ? "the label of segment " : "the labels of segments ") + shown
        + (numbers.count > 8 ? " and \(numbers.count - 8) more" : "")
    }
    var findings: [Finding] = []
    if !undecoded.isEmpty {
      findings.append(
        Finding(
          "\(list(undecoded)) cannot be decoded in the stated SpecificCharacterSet",
          repair: "unreadable characters are replaced"))
    }
    if !replaced.isEmpty {
      findings.append(
        Finding(
          "\(list(replaced)) may tell who the patient is (a name, ID, institution or date)",
          repair: "\(replaced.count == 1 ? "it is" : "they are") named by the number instead"))
    }
    return findings
  }

  /// The tracking ID that keeps the value of a label, because the numbers of segments have no gaps.
  static func tracking(ofValue value: Int) -> String { "segdeck label \(value)" }

  /// The value of a label in its tracking ID; nil for a tracking ID of another program.
  private static func value(ofTracking text: String) -> Int? {
    let prefix = tracking(ofValue: 0).dropLast()
    return text.hasPrefix(prefix) ? Int(text.dropFirst(prefix.count)).flatMap { $0 > 0 ? $0 : nil } : nil
  }
}

extension RGBColour {
  /// The sRGB colour of three 16-bit CIELab numbers (PS3.3 C.10.7.1.1); nil for other counts.
  ///
  /// The white point is D65, as in dcmqi, 3D Slicer and highdicom, although the standard's is D50: so colours are the same
  /// in all of these programs.
  init?(cieLab numbers: [Double]) {
    guard numbers.count == 3 else { return nil }
    let (lightness, a, b) = (
      numbers[0] / 65535 * 100, numbers[1] / 65535 * 255 - 128, numbers[2] / 65535 * 255 - 128
    )
    func cube(_ value: Double) -> Double {
      value > 6 / 29 ? value * value * value : (value - 4 / 29) * 108 / 841
    }
    let y = (lightness + 16) / 116
    let whiteX = 0.95047
    let whiteZ = 1.08883
    let (x65, y65, z65) = (whiteX * cube(y + a / 500), cube(y), whiteZ * cube(y - b / 200))
    func channel(_ x: Double, _ y: Double, _ z: Double) -> UInt8 {
      let linear = min(max(x * x65 + y * y65 + z * z65, 0), 1)
      let value = linear <= 0.0031308 ? 12.92 * linear : 1.055 * pow(linear, 1 / 2.4) - 0.055
      return UInt8(saturating: (value * 255).rounded())
    }
    self.init(
      channel(3.2404542, -1.5371385, -0.4985314), channel(-0.9692660, 1.8760108, 0.0415560),
      channel(0.0556434, -0.2040259, 1.0572252))
  }
}
