import Foundation
import Volumes
import Work

/// The attributes of one DICOM file that the program uses, and the location of its pixels.
struct DicomInstance: Sendable {
  let path: String
  let syntax: TransferSyntax
  let sopClassUID, sopInstanceUID, studyInstanceUID, seriesInstanceUID, frameOfReferenceUID: String
  let modality: String
  /// PatientID, which is only compared and never shown.
  let patientID: String
  let seriesNumber: Int?
  let instanceNumber: Int?
  /// SeriesDescription; nil where there is none, or where it contains data of the patient or a date.
  let description: String?
  let format: PixelFormat?
  let pixels: PixelLocation?
  let frames: [DicomFrame]
  /// Defects that were repaired.
  let findings: [Finding]
  let isMosaic: Bool
  /// The segments that it describes; nil for an instance that is not a segmentation.
  let segmentation: SegmentationContent?

  /// The part that it is of a multi-frame image in several files; nil where it is not one of several.
  let concatenationPart: ConcatenationPart?
  /// NumberOfSlices of PET: those that the series may have for one time point.
  let statedSliceCount: Int?

  /// Whether stored numbers are to be looked up in a table (ModalityLUTSequence) instead of scaled.
  let hasLookUpTable: Bool

  /// The most frames of an instance, each of which takes some hundred bytes of memory whatever its pixels take.
  private static let maximumFrameCount = 1 << 18

  /// Reads a file.
  /// - Throws: ``InputError`` where it is damaged or not DICOM.
  init(path: String) throws(InputError) {
    try self.init(path: path, content: try DicomParser.read(path))
  }

  private init(path: String, content: DicomParser.Content) throws(InputError) {
    let dataSet = content.dataSet
    self.path = path
    syntax = content.syntax
    sopClassUID = dataSet.text(.sopClassUID) ?? ""
    sopInstanceUID = dataSet.text(.sopInstanceUID) ?? ""
    studyInstanceUID = dataSet.text(.studyInstanceUID) ?? ""
    seriesInstanceUID = dataSet.text(.seriesInstanceUID) ?? ""
    frameOfReferenceUID = dataSet.text(.frameOfReferenceUID) ?? ""
    modality = (dataSet.text(.modality) ?? "").printableLine
    patientID = dataSet.text(.patientID) ?? ""
    seriesNumber = dataSet.integer(.seriesNumber)
    instanceNumber = dataSet.integer(.instanceNumber)
    let characterSet = DicomCharacterSet(dataSet)
    let patient = PatientData(dataSet, characterSet)
    let stated = dataSet.decoded(.seriesDescription, in: characterSet)
    description = Self.description(stated?.text, patient)
    concatenationPart = ConcatenationPart(dataSet)
    statedSliceCount = dataSet.integer(.numberOfSlices)
    isMosaic = dataSet.texts(.imageType).contains("MOSAIC")
    hasLookUpTable = dataSet.item(.modalityLUTSequence) != nil && !dataSet.statesScaling
    guard let element = content.pixels, dataSet.values[.rows] != nil else {
      (format, pixels, frames, findings, segmentation) = (nil, nil, [], [], nil)
      return
    }
    let format = try PixelFormat(dataSet, element, path: path)
    let count = try dataSet.statedNumber("NumberOfFrames", .numberOfFrames, path: path) ?? 1
    guard let frameCount = Int(exactly: count), (1...Self.maximumFrameCount).contains(frameCount) else {
      throw InputError(
        path, "NumberOfFrames (0028,0008) is not a count that is read", found: dataSet.shown(.numberOfFrames),
        expected: "1 to \(Self.maximumFrameCount)")
    }
    let groupCount = dataSet.items(.perFrameFunctionalGroups).count
    guard groupCount == 0 || groupCount == frameCount else {
      throw InputError(
        path, "PerFrameFunctionalGroupsSequence does not describe its frames",
        found: counted(groupCount, "item"),
        expected: "\(frameCount), as NumberOfFrames says")
    }
    let (pixels, findings) = try PixelLocation.locate(
      element, content, format: format, frameCount: frameCount)
    self.format = format
    self.pixels = pixels
    frames = try DicomFrame.frames(of: dataSet, count: frameCount, path: path)
    let undecoded =
      stated?.isWhole == false
      ? [
        Finding(
          "SeriesDescription (0008,103e) is not in the stated SpecificCharacterSet",
          repair: "unreadable characters are replaced")
      ] : []
    segmentation = try SegmentationContent(
      dataSet, sopClassUID: sopClassUID, characterSet, patient, frames: frames, path: path)
    self.findings =
      findings + Self.findings(dataSet, format) + undecoded + (segmentation?.findings ?? [])
  }

  private static func findings(_ dataSet: DicomDataSet, _ format: PixelFormat) -> [Finding] {
    var findings: [Finding] = []
    if dataSet.statesZeroSlope {
      findings.append(Finding("RescaleSlope is 0", repair: "values are not multiplied"))
    }
    if dataSet.item(.modalityLUTSequence) != nil, dataSet.statesScaling {
      findings.append(
        Finding(
          "ModalityLUTSequence and RescaleSlope are both stated",
          repair: "RescaleSlope and RescaleIntercept are used"))
    }
    if dataSet.statesOtherRealWorldValues {
      findings.append(
        Finding(
          "RealWorldValueMappingSequence (0040,9096) states other values, as in another unit",
          repair: "it is not applied; RescaleSlope and RescaleIntercept are, where they are stated"))
    }
    if format.photometricInterpretation == "MONOCHROME1" {
      findings.append(
        Finding("MONOCHROME1: small values are meant to be bright", repair: "values are read as stored"))
    }
    return findings
  }

  /// SeriesDescription, at most 40 characters, unless it contains data of the patient or a date.
  private static func description(
    _ text: String?, _ patient: PatientData
  ) -> String? {
    guard let text = text.map({ String($0.prefix(256)).printableLine }) else { return nil }
    return patient.occurs(in: text) || text.contains(/\d{6}/) ? nil : String(text.prefix(40))
  }
}
