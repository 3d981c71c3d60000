import Foundation
import Volumes

/// The elements of a segmentation before its pixels (PS3.3 A.51).
///
/// It contains no patient data: the patient's mandatory attributes are empty. The UIDs of study and frame of reference
/// are those of the image, so that an archive can match both.
struct SegmentationDataSet {
  let image: WrittenImage
  let reference: DicomReference
  let segments: [SegmentationContent.Segment]
  /// The index of the segment in ``segments`` and the slice (k) of each frame.
  let frames: [(segment: Int, slice: Int)]
  private let instanceUID = Self.newUID()
  private let dimensionUID = Self.newUID()
  private let date: (day: String, time: String) = {
    let formatter = DateFormatter()
    formatter.locale = Locale(identifier: "en_US_POSIX")
    formatter.dateFormat = "yyyyMMdd HHmmss"
    let parts = formatter.string(from: Date.now).split(separator: " ").map(String.init)
    return (parts[0], parts[1])
  }()

  private static let classUID = "1.2.840.10008.5.1.4.1.1.66.4"

  init(
    image: WrittenImage, reference: DicomReference, segments: [SegmentationContent.Segment],
    frames: [(segment: Int, slice: Int)]
  ) {
    (self.image, self.reference, self.segments, self.frames) = (image, reference, segments, frames)
  }

  /// The bytes of the file before the value of the pixels.
  func bytes(pixelByteCount: Int) -> [UInt8] {
    var set = DataSetWriter()
    addInstance(&set)
    addPatientAndStudy(&set)
    addImage(&set)
    addSegments(&set)
    set.add(.sharedFunctionalGroups, items: [sharedGroups])
    set.add(.perFrameFunctionalGroups, items: frames.map(groups))
    set.addBytesHeader(.pixelData, pixelByteCount)
    return fileInformation + set.bytes
  }

  /// A new UID that is made from a random UUID (PS3.5 B.2).
  private static func newUID() -> String {
    // The 128 bits as one decimal number, lowest digit first: each byte multiplies the digits by 256 and is added.
    var digits: [UInt8] = [0]
    withUnsafeBytes(of: UUID().uuid) { bytes in
      for byte in bytes {
        var carry = Int(byte)
        for index in digits.indices {
          carry += Int(digits[index]) * 256
          digits[index] = UInt8(carry % 10)
          carry /= 10
        }
        while carry > 0 {
          digits.append(UInt8(carry % 10))
          carry /= 10
        }
      }
    }
    return "2.25." + digits.reversed().map { "\($0)" }.joined()
  }

  /// A UID of the image; a new one where it states none, because all of them are mandatory.
  private static func stated(_ uid: String) -> String { uid.isEmpty ? newUID() : uid }

  private var fileInformation: [UInt8] {
    var meta = DataSetWriter()
    meta.addBytesHeader(DicomTag(0x0002, 0x0001), 2)
    var rest = DataSetWriter()
    rest.add(DicomTag(0x0002, 0x0002), "UI", Self.classUID)
    rest.add(DicomTag(0x0002, 0x0003), "UI", instanceUID)
    rest.add(.transferSyntaxUID, "UI", TransferSyntax.explicitLittleEndian.uid)
    rest.add(DicomTag(0x0002, 0x0012), "UI", "2.25.226190317462918541803921857023347136541")
    rest.add(DicomTag(0x0002, 0x0013), "SH", "SEGDECK")
    let elements = meta.bytes + [0, 1] + rest.bytes
    var length = DataSetWriter()
    length.add(DicomTag(0x0002, 0x0000), longs: [UInt32(elements.count)])
    return [UInt8](repeating: 0, count: 128) + Array("DICM".utf8) + length.bytes + elements
  }

  private func addInstance(_ set: inout DataSetWriter) {
    set.add(.specificCharacterSet, "CS", "ISO_IR 192")
    set.add(.imageType, "CS", "DERIVED\\PRIMARY")
    set.add(.sopClassUID, "UI", Self.classUID)
    set.add(.sopInstanceUID, "UI", instanceUID)
    set.add(DicomTag(0x0008, 0x0020), "DA", "")
    set.add(DicomTag(0x0008, 0x0023), "DA", date.day)
    set.add(DicomTag(0x0008, 0x0030), "TM", "")
    set.add(.contentTime, "TM", date.time)
    set.add(DicomTag(0x0008, 0x0050), "SH", "")
    set.add(.modality, "CS", "SEG")
    set.add(DicomTag(0x0008, 0x0070), "LO", "segdeck")
    set.add(DicomTag(0x0008, 0x0090), "PN", "")
    set.add(.seriesDescription, "LO", "Segmentation")
    set.add(DicomTag(0x0008, 0x1090), "LO", "segdeck")
    if !reference.slices.isEmpty {
      var series = DataSetWriter()
      series.add(DicomTag(0x0008, 0x114a), items: instances)
      series.add(.seriesInstanceUID, "UI", Self.stated(reference.seriesInstanceUID))
      set.add(.referencedSeriesSequence, items: [series])
    }
  }

  /// A reference to each instance of the image.
  private var instances: [DataSetWriter] {
    var known: Set<String> = []
    return reference.slices.filter { known.insert($0.sopInstanceUID).inserted }.map { slice in
      var item = DataSetWriter()
      item.add(DicomTag(0x0008, 0x1150), "UI", slice.sopClassUID)
      item.add(DicomTag(0x0008, 0x1155), "UI", slice.sopInstanceUID)
      return item
    }
  }

  private func addPatientAndStudy(_ set: inout DataSetWriter) {
    set.add(.patientName, "PN", "")
    set.add(.patientID, "LO", "")
    set.add(DicomTag(0x0010, 0x0030), "DA", "")
    set.add(DicomTag(0x0010, 0x0040), "CS", "")
    set.add(DicomTag(0x0018, 0x1000), "LO", "0")
    set.add(DicomTag(0x0018, 0x1020), "LO", "1")
    set.add(.studyInstanceUID, "UI", Self.stated(reference.studyInstanceUID))
    set.add(.seriesInstanceUID, "UI", Self.newUID())
    set.add(DicomTag(0x0020, 0x0010), "SH", "")
    set.add(.seriesNumber, "IS", "1")
    set.add(.instanceNumber, "IS", "1")
    set.add(.frameOfReferenceUID, "UI", Self.stated(reference.frameOfReferenceUID))
    set.add(DicomTag(0x0020, 0x1040), "LO", "")
  }

  private func addImage(_ set: inout DataSetWriter) {
    var organization = DataSetWriter()
    organization.add(DicomTag(0x0020, 0x9164), "UI", dimensionUID)
    set.add(DicomTag(0x0020, 0x9221), items: [organization])
    let dimensions: [(DicomTag, DicomTag, String)] = [
      (.referencedSegmentNumber, .segmentIdentificationSequence, "ReferencedSegmentNumber"),
      (.imagePosition, .planePositionSequence, "ImagePositionPatient"),
    ]
    set.add(
      DicomTag(0x0020, 0x9222),
      items: dimensions.map { pointer, group, name in
        var item = DataSetWriter()
        item.add(DicomTag(0x0020, 0x9164), "UI", dimensionUID)
        item.add(DicomTag(0x0020, 0x9165), pointer: pointer)
        item.add(DicomTag(0x0020, 0x9167), pointer: group)
        item.add(DicomTag(0x0020, 0x9421), "LO", name)
        return item
      })
    let size = image.source.grid.size
    set.add(.samplesPerPixel, shorts: [1])
    set.add(.photometricInterpretation, "CS", "MONOCHROME2")
    set.add(.numberOfFrames, "IS", "\(frames.count)")
    set.add(.rows, shorts: [UInt16(size.j)])
    set.add(.columns, shorts: [UInt16(size.i)])
    set.add(.bitsAllocated, shorts: [1])
    set.add(.bitsStored, shorts: [1])
    set.add(.highBit, shorts: [0])
    set.add(.pixelRepresentation, shorts: [0])
    set.add(DicomTag(0x0028, 0x2110), "CS", "00")
  }

  private func addSegments(_ set: inout DataSetWriter) {
    set.add(.segmentationType, "CS", "BINARY")
    set.add(.segmentSequence, items: segments.map(segment))
    set.add(DicomTag(0x0062, 0x0013), "CS", "NO")
    set.add(DicomTag(0x0070, 0x0080), "CS", "SEGMENTATION")
    set.add(DicomTag(0x0070, 0x0081), "LO", "")
    set.add(DicomTag(0x0070, 0x0084), "PN", "")
  }

  /// The maximum length of a SegmentLabel.
  ///
  /// The standard counts characters, but validators (dciodvfy) count bytes.
  private static let maximumLabelByteCount = 64

  /// A name as a SegmentLabel (LO), which has no backslash, no control characters and at most 64 bytes.
  static func label(_ name: String) -> String {
    let scalars = name.unicodeScalars.map { scalar -> Unicode.Scalar in
      scalar == "\\" ? "/" : scalar.properties.generalCategory == .control ? " " : scalar
    }
    var label = ""
    var byteCount = 0
    for character in String(String.UnicodeScalarView(scalars)) {
      byteCount += character.utf8.count
      guard byteCount <= maximumLabelByteCount else { break }
      label.append(character)
    }
    return label
  }

  private func segment(_ segment: SegmentationContent.Segment) -> DataSetWriter {
    let code = AnatomyCode(label: segment.name)
    var item = DataSetWriter()
    item.add(DicomTag(0x0062, 0x0003), code.category)
    item.add(.segmentNumber, shorts: [UInt16(segment.number)])
    item.add(.segmentLabel, "LO", Self.label(segment.name))
    item.add(DicomTag(0x0062, 0x0008), "CS", "SEMIAUTOMATIC")
    item.add(DicomTag(0x0062, 0x0009), "LO", "segdeck")
    if let colour = segment.colour { item.add(.recommendedDisplayCIELabValue, shorts: colour.cieLab) }
    var type = DataSetWriter()
    type.add(DicomTag(0x0008, 0x0100), "SH", code.type.value)
    type.add(DicomTag(0x0008, 0x0102), "SH", code.type.scheme)
    type.add(DicomTag(0x0008, 0x0104), "LO", code.type.meaning)
    if let side = code.laterality { type.add(DicomTag(0x0062, 0x0011), side) }
    item.add(DicomTag(0x0062, 0x000f), items: [type])
    item.add(.trackingID, "UT", SegmentationContent.tracking(ofValue: segment.value))
    item.add(DicomTag(0x0062, 0x0021), "UI", Self.newUID())
    return item
  }

  /// The functional groups that all frames share.
  private var sharedGroups: DataSetWriter {
    let grid = image.source.grid
    let steps = [grid.affine.stepI, grid.affine.stepJ].map(\.lps)
    var orientation = DataSetWriter()
    orientation.add(
      .imageOrientation,
      decimals: steps.flatMap { step in
        let unit = step / length(step)
        return [unit.x, unit.y, unit.z]
      })
    // The distance is along the normal, because the step of a sheared image is longer than the distance of its slices.
    let normal = FramePlane(
      rowDirection: steps[0] / length(steps[0]), columnDirection: steps[1] / length(steps[1]),
      columnSpacing: 1, rowSpacing: 1
    ).normal
    let distance = abs(dot(grid.affine.stepK.lps, normal))
    var measures = DataSetWriter()
    measures.add(.sliceThickness, decimals: [distance])
    measures.add(.spacingBetweenSlices, decimals: [distance])
    measures.add(.pixelSpacing, decimals: [grid.spacing.j, grid.spacing.i])
    var groups = DataSetWriter()
    groups.add(.planeOrientationSequence, items: [orientation])
    groups.add(.pixelMeasuresSequence, items: [measures])
    return groups
  }

  private func groups(of frame: (segment: Int, slice: Int)) -> DataSetWriter {
    var groups = DataSetWriter()
    if !reference.slices.isEmpty { groups.add(DicomTag(0x0008, 0x9124), items: [derivation(frame.slice)]) }
    var content = DataSetWriter()
    content.add(.dimensionIndexValues, longs: [UInt32(frame.segment + 1), UInt32(frame.slice + 1)])
    groups.add(.frameContentSequence, items: [content])
    let point = image.source.grid.affine.world(0, 0, Double(frame.slice)).lps
    var position = DataSetWriter()
    position.add(.imagePosition, decimals: [point.x, point.y, point.z])
    groups.add(.planePositionSequence, items: [position])
    var identification = DataSetWriter()
    identification.add(.referencedSegmentNumber, shorts: [UInt16(segments[frame.segment].number)])
    groups.add(.segmentIdentificationSequence, items: [identification])
    return groups
  }

  /// The reference from a frame to the slice of the image that it was made from.
  private func derivation(_ number: Int) -> DataSetWriter {
    let slice = reference.slices[number]
    var source = DataSetWriter()
    source.add(DicomTag(0x0008, 0x1150), "UI", slice.sopClassUID)
    source.add(DicomTag(0x0008, 0x1155), "UI", slice.sopInstanceUID)
    if let frame = slice.frame { source.add(DicomTag(0x0008, 0x1160), "IS", "\(frame)") }
    source.add(DicomTag(0x0028, 0x135a), "CS", "YES")
    source.add(
      DicomTag(0x0040, 0xa170),
      CodedConcept("121322", "Source image for image processing operation", scheme: "DCM"))
    var derivation = DataSetWriter()
    derivation.add(DicomTag(0x0008, 0x2112), items: [source])
    derivation.add(DicomTag(0x0008, 0x9215), CodedConcept("113076", "Segmentation", scheme: "DCM"))
    return derivation
  }
}

extension RGBColour {
  /// The colour as three 16-bit CIELab numbers; inverse of ``init(cieLab:)``.
  var cieLab: [UInt16] {
    func linear(_ channel: UInt8) -> Double {
      let value = Double(channel) / 255
      return value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4)
    }
    func root(_ value: Double) -> Double {
      value > 216.0 / 24389 ? cbrt(value) : value * 841 / 108 + 4.0 / 29
    }
    let (r, g, b) = (linear(red), linear(green), linear(blue))
    let x = root((0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047)
    let y = root(0.2126729 * r + 0.7151522 * g + 0.0721750 * b)
    let z = root((0.0193339 * r + 0.1191920 * g + 0.9503041 * b) / 1.08883)
    let numbers = [(116 * y - 16) / 100, (500 * (x - y) + 128) / 255, (200 * (y - z) + 128) / 255]
    return numbers.map { UInt16(saturating: (min(max($0, 0), 1) * 65535).rounded()) }
  }
}
