import Foundation
import Work

/// The slices with one series instance UID, plane and pixel format, which become one image.
struct DicomSeries: Sendable {
  /// A slice: the indices of its instance in ``instances`` and of its frame in that instance.
  struct Slice: Hashable, Sendable {
    var instance, frame: Int
  }

  /// The instances that contain its slices.
  let instances: [DicomInstance]
  let slices: [Slice]

  /// The instance of the first slice; its UIDs and pixel format hold for all slices.
  var first: DicomInstance { instances[slices[0].instance] }

  func instance(_ slice: Slice) -> DicomInstance { instances[slice.instance] }
  func frame(_ slice: Slice) -> DicomFrame { instances[slice.instance].frames[slice.frame] }

  /// The name of a slice in messages: "IM0004", or "frame 3 of IM0004" where the file has several frames.
  func name(_ slice: Slice) -> String {
    let instance = instance(slice)
    let name = FilePath.name(of: instance.path)
    return instance.frames.count == 1 ? name : "frame \(slice.frame) of \(name)"
  }

  /// "MR, T1 MPRAGE, 24 files, 512x512x24, IM-0001-0001.dcm", as lists show it.
  var summary: String {
    let size = first.format.map { "\($0.columns)x\($0.rows)x\(slices.count)" }
    return [
      first.modality, first.description, counted(instances.count, "file"), size,
      FilePath.name(of: first.path),
    ].compactMap { $0?.isEmpty == false ? $0 : nil }.joined(separator: ", ")
  }

  /// Findings about slices of another patient, frame of reference or modality than most slices of the series.
  var mixtures: [Finding] {
    let attributes: [(name: String, value: (DicomInstance) -> String)] = [
      ("PatientID (0010,0020)", { $0.patientID }),
      ("FrameOfReferenceUID (0020,0052)", { $0.frameOfReferenceUID }),
      ("Modality (0008,0060)", { $0.modality }),
    ]
    return attributes.compactMap { attribute in
      let groups = Dictionary(grouping: instances, by: attribute.value)
      guard groups.count > 1 else { return nil }
      // Where none is the usual one, it is that of the first file.
      let own = attribute.value(first)
      let usual = groups.max { one, other in
        (one.value.count, one.key == own ? 1 : 0) < (other.value.count, other.key == own ? 1 : 0)
      }
      let strays = instances.filter { attribute.value($0) != usual?.key }
      let others = strays.count > 1 ? " and \(counted(strays.count - 1, "other file"))" : ""
      return Finding(
        "\(FilePath.name(of: strays[0].path))\(others) \(strays.count == 1 ? "has" : "have") "
          + "another \(attribute.name) than the rest of the series",
        repair: "\(itIs(strays.count)) read as part of the same image")
    }
  }

  /// Groups instances into series, ordered by SeriesNumber.
  ///
  /// The slices of one series instance UID become several series where their planes, pixel formats or stacks differ.
  /// Scout images (LOCALIZER) become series of their own.
  static func series(of instances: [DicomInstance]) -> [DicomSeries] {
    let images = instances.filter { !$0.frames.isEmpty }
    let byUID = Dictionary(grouping: images.indices) { images[$0].seriesInstanceUID }
    let ordered = byUID.values.sorted { one, other in
      let (first, second) = (images[one[0]], images[other[0]])
      return (first.seriesNumber ?? .max, first.path) < (second.seriesNumber ?? .max, second.path)
    }
    return ordered.flatMap { groups(of: $0.map { images[$0] }) }
  }

  /// The number of planes with which that of a slice is compared, the last ones of its kind.
  ///
  /// No series has as many. The limit keeps the time linear where all frames differ.
  private static let comparedPlaneCount = 256

  private static func groups(of instances: [DicomInstance]) -> [DicomSeries] {
    var groups: [(slices: [Slice], plane: FramePlane?)] = []
    var groupsOfKind: [SliceKind: [Int]] = [:]
    for (number, instance) in instances.enumerated() {
      for (frameNumber, frame) in instance.frames.enumerated() {
        let slice = Slice(instance: number, frame: frameNumber)
        let kind = SliceKind(frame, of: instance)
        let own = groupsOfKind[kind, default: []].suffix(comparedPlaneCount).first {
          areNear(groups[$0].plane, frame.plane)
        }
        if let own {
          groups[own].slices.append(slice)
        } else {
          groupsOfKind[kind, default: []].append(groups.count)
          groups.append(([slice], frame.plane))
        }
      }
    }
    return groups.map { group in
      let used = Set(group.slices.map(\.instance)).sorted()
      let positions = Dictionary(zip(used, used.indices), uniquingKeysWith: { first, _ in first })
      return DicomSeries(
        instances: used.map { instances[$0] },
        slices: group.slices.map { Slice(instance: positions[$0.instance] ?? 0, frame: $0.frame) })
    }
  }

  private static func areNear(_ one: FramePlane?, _ other: FramePlane?) -> Bool {
    if let one, let other { one.isNear(other) } else { one == other }
  }
}

/// What slices of one series instance UID have in common that can be of one image, besides their planes: size, kind of
/// pixels and stack, and whether they are scouts.
private struct SliceKind: Hashable {
  /// Without the sign and the bits of a number, which scanners choose anew for each slice.
  private var pixels: [Int]
  private var photometricInterpretation: String?
  /// The UID of a segmentation; nil for an image.
  private var segmentation: String?
  private var isScout: Bool
  private var stackID: String?

  init(_ frame: DicomFrame, of instance: DicomInstance) {
    let format = instance.format
    pixels =
      format.map {
        [$0.columns, $0.rows, $0.bitsAllocated, $0.samplesPerPixel, $0.isFloatingPoint ? 1 : 0]
      } ?? []
    photometricInterpretation = format?.photometricInterpretation
    segmentation = instance.segmentation == nil ? nil : instance.sopInstanceUID
    isScout = frame.imageType.contains("LOCALIZER")
    stackID = frame.stackID
  }
}
