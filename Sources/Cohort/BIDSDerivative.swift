import Foundation
import Work
import Worklist

/// What the sidecar `*_dseg.json` of a mask says to programs that read BIDS.
package struct BIDSSidecar: Encodable, Equatable, Sendable {
  /// The program that made a file.
  package struct Generator: Encodable, Equatable, Sendable {
    var name, version: String

    package init(name: String, version: String) { (self.name, self.version) = (name, version) }

    private enum CodingKeys: String, CodingKey {
      case name = "Name"
      case version = "Version"
    }
  }

  private var generatedBy: [Generator]
  /// The images, as BIDS URIs.
  private var sources: [String]
  private var description: String
  /// The image on whose grid the mask lies.
  private var spatialReference: String?
  /// The names of the frames of probabilities; nil for a mask.
  private var labelMap: [String]?
  /// Whether a person drew the mask.
  private let manual = false

  private enum CodingKeys: String, CodingKey {
    case generatedBy = "GeneratedBy"
    case sources = "Sources"
    case description = "Description"
    case spatialReference = "SpatialReference"
    case labelMap = "LabelMap"
    case manual = "Manual"
  }

  /// The sidecar of the mask of some images of a dataset.
  /// - Parameters:
  ///   - description: What the mask is, in words.
  ///   - labelMap: The names of the classes of probabilities; nil for a mask.
  package init(
    ofImages images: [String], description: String, labelMap: [String]? = nil, generator: Generator
  ) {
    generatedBy = [generator]
    self.labelMap = labelMap
    self.description = description
    sources = images.map { path in
      let parts = path.split(separator: "/")
      let start = parts.lastIndex { $0.hasPrefix("sub-") && !$0.contains("_") } ?? parts.count - 1
      return "bids:\(BIDSDataset.sourceName):" + parts[start...].joined(separator: "/")
    }
    spatialReference = sources.first
  }
}

extension BIDSDataset {
  /// The name under which a derivative refers to the dataset.
  static let sourceName = "raw"
  private static let version = "1.10.0"

  private struct Description: Encodable {
    var name, version, type: String
    var generatedBy: [BIDSSidecar.Generator]
    var sources: [[String: String]]
    var links: [String: String]

    private enum CodingKeys: String, CodingKey {
      case name = "Name"
      case version = "BIDSVersion"
      case type = "DatasetType"
      case generatedBy = "GeneratedBy"
      case sources = "SourceDatasets"
      case links = "DatasetLinks"
    }
  }

  /// Writes what makes a folder of results a derivative: `dataset_description.json`, `README` and `.bidsignore` for the
  /// files that BIDS does not know; files that are there stay.
  /// - Throws: ``InputError`` when one of them cannot be written.
  package func describe(
    _ folder: CohortFolder, generator: BIDSSidecar.Generator, model: String
  ) throws(InputError) {
    // The dataset from the derivative, where it lies in it.
    let isInside = FilePath.absolute(folder.path) == FilePath.absolute(derivative)
    let place = isInside ? "../.." : FilePath.absolute(path)
    let description = Description(
      name: "Segmentations by \(generator.name)", version: Self.version, type: "derivative",
      generatedBy: [generator], sources: [["URL": place]], links: [Self.sourceName: place])
    let files = [
      ("dataset_description.json", finiteJSON(description, isIndented: true) + Data("\n".utf8)),
      (
        "README",
        Data(
          """
          Masks that \(generator.name) \(generator.version) made of the images of this dataset with the network \(model).
          Each mask has a table of its labels and a sidecar, which is a record with everything that reproduces it:
          `segdeck replay sub-01_..._dseg.json --verify` does so. `worklist.csv` is the list for `segdeck review`.

          """.utf8)
      ),
      (
        ".bidsignore",
        Data(
          "cohort.json\ncases.csv\nworklist.csv\nworklist.records\nresults.*\nprobabilities\ntasks\npictures\njobs\n"
            .utf8)
      ),
    ]
    for (name, data) in files where !FileSystem.exists(FilePath.joined(folder.path, name)) {
      try AtomicFile.write(data, to: FilePath.joined(folder.path, name))
    }
  }
}
