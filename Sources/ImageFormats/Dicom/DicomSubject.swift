/// What a DICOM file states about its subject: whose image it is, or whose image a segmentation is of.
///
/// It is only compared, and never shown, because UIDs and the ID of a patient identify the patient.
package struct DicomSubject: Hashable, Sendable {
  /// Empty where it is not stated.
  private let patientID, seriesInstanceUID, frameOfReferenceUID: String
  /// The study of the file, and those that it refers to; empty where none is stated.
  private let studyInstanceUIDs: Set<String>

  init(_ instance: DicomInstance) {
    patientID = instance.patientID
    frameOfReferenceUID = instance.frameOfReferenceUID
    let studies = [instance.studyInstanceUID] + (instance.segmentation?.otherStudyInstanceUIDs ?? [])
    studyInstanceUIDs = Set(studies.filter { !$0.isEmpty })
    // That of a segmentation is new, so that only the one that it refers to can be that of an image.
    seriesInstanceUID = instance.segmentation?.seriesInstanceUID ?? instance.seriesInstanceUID
  }

  /// What both state and state differently: "study", "frame of reference"; empty where nothing contradicts that a mask
  /// is of an image.
  ///
  /// Other series of one study are no difference. A study is none where the series is the same.
  func differences(from other: DicomSubject) -> [String] {
    func differ(_ one: String, _ other: String) -> Bool { !one.isEmpty && !other.isEmpty && one != other }
    let (own, others) = (studyInstanceUIDs, other.studyInstanceUIDs)
    let isOfSameSeries = !seriesInstanceUID.isEmpty && seriesInstanceUID == other.seriesInstanceUID
    return [
      differ(patientID, other.patientID) ? "patient" : nil,
      !isOfSameSeries && !own.isEmpty && !others.isEmpty && own.isDisjoint(with: others) ? "study" : nil,
      differ(frameOfReferenceUID, other.frameOfReferenceUID) ? "frame of reference" : nil,
    ].compactMap(\.self)
  }
}

extension Finding {
  /// The finding that a mask is of another patient, study or frame of reference than the image (or other mask) that it
  /// is read for; nil where nothing contradicts it, and where one of the files states none of these.
  package init?(of mask: ImageFile, readFor image: ImageFile) {
    guard let own = mask.dicomSubject, let other = image.dicomSubject else { return nil }
    let differences = own.differences(from: other)
    guard let last = differences.last else { return nil }
    let first = differences.dropLast().joined(separator: ", ")
    self.init(
      "it is of another \(first.isEmpty ? "" : "\(first) and ")\(last) than \(image.path)",
      repair: "its voxels are read by its grid alone")
  }
}
