/// The tag of an attribute: its group and element numbers.
struct DicomTag: Hashable, Sendable, CustomStringConvertible {
  let group, element: UInt16

  init(_ group: UInt16, _ element: UInt16) {
    self.group = group
    self.element = element
  }

  /// "(0028,0010)".
  var description: String { "(\(hexadecimal(group)),\(hexadecimal(element)))" }
}

/// Four hexadecimal digits.
private func hexadecimal(_ number: UInt16) -> String {
  let digits = String(number, radix: 16)
  return String(repeating: "0", count: 4 - digits.count) + digits
}

extension DicomTag {
  // The file itself.
  static let transferSyntaxUID = DicomTag(0x0002, 0x0010)
  static let item = DicomTag(0xfffe, 0xe000)
  static let itemDelimiter = DicomTag(0xfffe, 0xe00d)
  static let sequenceDelimiter = DicomTag(0xfffe, 0xe0dd)

  // The identity of an instance.
  static let specificCharacterSet = DicomTag(0x0008, 0x0005)
  static let imageType = DicomTag(0x0008, 0x0008)
  static let sopClassUID = DicomTag(0x0008, 0x0016)
  static let sopInstanceUID = DicomTag(0x0008, 0x0018)
  static let acquisitionDateTime = DicomTag(0x0008, 0x002a)
  static let acquisitionTime = DicomTag(0x0008, 0x0032)
  static let contentTime = DicomTag(0x0008, 0x0033)
  static let modality = DicomTag(0x0008, 0x0060)
  static let seriesDescription = DicomTag(0x0008, 0x103e)
  static let studyInstanceUID = DicomTag(0x0020, 0x000d)
  static let seriesInstanceUID = DicomTag(0x0020, 0x000e)
  static let seriesNumber = DicomTag(0x0020, 0x0011)
  static let acquisitionNumber = DicomTag(0x0020, 0x0012)
  static let instanceNumber = DicomTag(0x0020, 0x0013)
  static let frameOfReferenceUID = DicomTag(0x0020, 0x0052)
  static let temporalPositionIdentifier = DicomTag(0x0020, 0x0100)
  static let concatenationUID = DicomTag(0x0020, 0x9161)
  static let inConcatenationNumber = DicomTag(0x0020, 0x9162)
  static let inConcatenationTotalNumber = DicomTag(0x0020, 0x9163)
  static let numberOfSlices = DicomTag(0x0054, 0x0081)

  // Read only so that no text that contains them is shown.
  static let patientName = DicomTag(0x0010, 0x0010)
  static let patientBirthDate = DicomTag(0x0010, 0x0030)
  static let institutionName = DicomTag(0x0008, 0x0080)
  static let patientID = DicomTag(0x0010, 0x0020)
  static let accessionNumber = DicomTag(0x0008, 0x0050)
  static let referringPhysicianName = DicomTag(0x0008, 0x0090)
  static let otherPatientIDs = DicomTag(0x0010, 0x1000)
  static let otherPatientNames = DicomTag(0x0010, 0x1001)
  static let otherPatientIDsSequence = DicomTag(0x0010, 0x1002)
  static let patientBirthName = DicomTag(0x0010, 0x1005)
  static let patientMotherBirthName = DicomTag(0x0010, 0x1060)

  // The acquisition attributes that distinguish images at the same position.
  static let echoTime = DicomTag(0x0018, 0x0081)
  static let echoNumbers = DicomTag(0x0018, 0x0086)
  static let triggerTime = DicomTag(0x0018, 0x1060)
  static let frameReferenceTime = DicomTag(0x0054, 0x1300)
  static let diffusionBValue = DicomTag(0x0018, 0x9087)
  static let diffusionGradientOrientation = DicomTag(0x0018, 0x9089)

  // Pixels.
  static let samplesPerPixel = DicomTag(0x0028, 0x0002)
  static let photometricInterpretation = DicomTag(0x0028, 0x0004)
  static let numberOfFrames = DicomTag(0x0028, 0x0008)
  static let rows = DicomTag(0x0028, 0x0010)
  static let columns = DicomTag(0x0028, 0x0011)
  static let bitsAllocated = DicomTag(0x0028, 0x0100)
  static let bitsStored = DicomTag(0x0028, 0x0101)
  static let highBit = DicomTag(0x0028, 0x0102)
  static let pixelRepresentation = DicomTag(0x0028, 0x0103)
  static let pixelPaddingValue = DicomTag(0x0028, 0x0120)
  static let rescaleIntercept = DicomTag(0x0028, 0x1052)
  static let rescaleSlope = DicomTag(0x0028, 0x1053)
  static let modalityLUTSequence = DicomTag(0x0028, 0x3000)
  static let realWorldValueMappingSequence = DicomTag(0x0040, 0x9096)
  static let realWorldValueIntercept = DicomTag(0x0040, 0x9224)
  static let realWorldValueSlope = DicomTag(0x0040, 0x9225)
  static let extendedOffsetTable = DicomTag(0x7fe0, 0x0001)
  static let floatPixelData = DicomTag(0x7fe0, 0x0008)
  static let doublePixelData = DicomTag(0x7fe0, 0x0009)
  static let pixelData = DicomTag(0x7fe0, 0x0010)

  // The position and orientation of pixels.
  static let sliceThickness = DicomTag(0x0018, 0x0050)
  static let spacingBetweenSlices = DicomTag(0x0018, 0x0088)
  static let imagePosition = DicomTag(0x0020, 0x0032)
  static let imageOrientation = DicomTag(0x0020, 0x0037)
  static let pixelSpacing = DicomTag(0x0028, 0x0030)
  static let gridFrameOffsetVector = DicomTag(0x3004, 0x000c)
  static let doseGridScaling = DicomTag(0x3004, 0x000e)

  // Functional groups of frames.
  static let sharedFunctionalGroups = DicomTag(0x5200, 0x9229)
  static let perFrameFunctionalGroups = DicomTag(0x5200, 0x9230)
  static let pixelMeasuresSequence = DicomTag(0x0028, 0x9110)
  static let planePositionSequence = DicomTag(0x0020, 0x9113)
  static let planeOrientationSequence = DicomTag(0x0020, 0x9116)
  static let pixelValueTransformationSequence = DicomTag(0x0028, 0x9145)
  static let frameContentSequence = DicomTag(0x0020, 0x9111)
  static let stackID = DicomTag(0x0020, 0x9056)
  static let temporalPositionIndex = DicomTag(0x0020, 0x9128)
  static let frameAcquisitionNumber = DicomTag(0x0020, 0x9156)
  static let dimensionIndexValues = DicomTag(0x0020, 0x9157)
  static let echoSequence = DicomTag(0x0018, 0x9114)
  static let effectiveEchoTime = DicomTag(0x0018, 0x9082)
  static let diffusionSequence = DicomTag(0x0018, 0x9117)
  static let diffusionGradientDirectionSequence = DicomTag(0x0018, 0x9076)
  static let cardiacSynchronizationSequence = DicomTag(0x0018, 0x9118)
  static let nominalCardiacTriggerDelayTime = DicomTag(0x0020, 0x9153)
  static let mrImageFrameTypeSequence = DicomTag(0x0018, 0x9226)
  static let ctImageFrameTypeSequence = DicomTag(0x0018, 0x9329)
  static let petFrameTypeSequence = DicomTag(0x0018, 0x9751)
  static let frameType = DicomTag(0x0008, 0x9007)

  // Segmentations.
  static let segmentationType = DicomTag(0x0062, 0x0001)
  static let segmentSequence = DicomTag(0x0062, 0x0002)
  static let segmentNumber = DicomTag(0x0062, 0x0004)
  static let segmentLabel = DicomTag(0x0062, 0x0005)
  static let segmentIdentificationSequence = DicomTag(0x0062, 0x000a)
  static let referencedSegmentNumber = DicomTag(0x0062, 0x000b)
  static let recommendedDisplayCIELabValue = DicomTag(0x0062, 0x000d)
  static let maximumFractionalValue = DicomTag(0x0062, 0x000e)
  static let trackingID = DicomTag(0x0062, 0x0020)
  static let referencedSeriesSequence = DicomTag(0x0008, 0x1115)
  static let studiesContainingOtherReferencedInstancesSequence = DicomTag(0x0008, 0x1200)
}

/// The attributes that the reader keeps, with the value representations that implicit encoding leaves out.
enum DicomDictionary {
  /// How the value of an attribute is stored.
  enum Representation {
    case text, decimalText, unsignedShort, signedShort, unsignedLong, float, double, sequence
  }

  static let representations: [DicomTag: Representation] = {
    var table: [DicomTag: Representation] = [:]
    func add(_ representation: Representation, _ tags: DicomTag...) {
      for tag in tags { table[tag] = representation }
    }
    add(
      .text, .transferSyntaxUID, .specificCharacterSet, .imageType, .sopClassUID, .sopInstanceUID,
      .acquisitionDateTime, .acquisitionTime, .contentTime, .modality, .seriesDescription, .studyInstanceUID,
      .seriesInstanceUID,
      .frameOfReferenceUID, .patientName, .patientID, .patientBirthDate, .institutionName,
      .accessionNumber, .referringPhysicianName, .otherPatientIDs, .otherPatientNames, .patientBirthName,
      .patientMotherBirthName,
      .photometricInterpretation, .stackID, .frameType, .concatenationUID,
      .segmentationType, .segmentLabel, .trackingID)
    add(
      .decimalText, .seriesNumber, .acquisitionNumber, .instanceNumber, .temporalPositionIdentifier,
      .echoTime, .echoNumbers, .triggerTime, .frameReferenceTime, .numberOfFrames, .rescaleIntercept,
      .rescaleSlope, .sliceThickness, .spacingBetweenSlices, .imagePosition, .imageOrientation, .pixelSpacing,
      .gridFrameOffsetVector, .doseGridScaling)
    add(
      .unsignedShort, .samplesPerPixel, .rows, .columns, .bitsAllocated, .bitsStored, .highBit,
      .pixelRepresentation, .pixelPaddingValue, .frameAcquisitionNumber, .segmentNumber,
      .inConcatenationNumber, .inConcatenationTotalNumber, .numberOfSlices,
      .referencedSegmentNumber,
      .recommendedDisplayCIELabValue, .maximumFractionalValue)
    add(.double, .diffusionBValue, .diffusionGradientOrientation, .effectiveEchoTime)
    add(.double, .nominalCardiacTriggerDelayTime, .realWorldValueIntercept, .realWorldValueSlope)
    add(.unsignedLong, .temporalPositionIndex, .dimensionIndexValues)
    // Its 64-bit offsets are decoded where they are used.
    add(.unsignedLong, .extendedOffsetTable)
    add(
      .sequence, .sharedFunctionalGroups, .perFrameFunctionalGroups, .pixelMeasuresSequence,
      .planePositionSequence, .planeOrientationSequence, .pixelValueTransformationSequence,
      .frameContentSequence, .echoSequence, .diffusionSequence, .diffusionGradientDirectionSequence,
      .cardiacSynchronizationSequence, .mrImageFrameTypeSequence, .ctImageFrameTypeSequence,
      .petFrameTypeSequence, .segmentSequence, .segmentIdentificationSequence, .referencedSeriesSequence,
      .studiesContainingOtherReferencedInstancesSequence,
      .modalityLUTSequence, .realWorldValueMappingSequence, .otherPatientIDsSequence)
    return table
  }()
}
