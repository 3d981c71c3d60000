import Foundation
import Work

/// What `cohort.json` says of a folder of results: with what the cohort is computed.
package struct CohortDescription: Codable, Equatable, Sendable {
  package var schema = CohortDescription.schemaName
  package var version = 1
  /// The worklist as an absolute path; nil where it came from standard input.
  package var place: String?
  /// The options of the run that say what is computed, with absolute paths.
  package var arguments: [String]
  /// The name of the masks' version in the worklist that readers open.
  package var maskVersion: String
  package var model: String
  package var modelSha256: String
  /// The SHA-256 of the model's SHA-256 and of the settings that change masks.
  package var settingsSha256: String
  /// Whether the folder is a derivative of a BIDS dataset.
  package var bids: Bool
  /// The program and its version.
  package var program: String

  package init(
    place: String?, arguments: [String], maskVersion: String, model: String, modelSha256: String,
    settingsSha256: String, bids: Bool, program: String
  ) {
    self.place = place
    self.arguments = arguments
    self.maskVersion = maskVersion
    self.model = model
    self.modelSha256 = modelSha256
    self.settingsSha256 = settingsSha256
    self.bids = bids
    self.program = program
  }

  /// The description in a folder of results; nil where there is none.
  /// - Throws: ``InputError`` where it cannot be read.
  package static func read(in folder: String) throws(InputError) -> CohortDescription? {
    let path = CohortFolder(folder, isBIDS: false).settingsFile
    let data = try ReadFiles.withoutRegistering { () throws(InputError) in
      try FileSystem.readIfPresent(path, limit: 1 << 20)
    }
    guard let data else { return nil }
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    guard let description = try? decoder.decode(CohortDescription.self, from: data),
      description.schema == CohortDescription.schemaName, description.version == 1
    else {
      throw InputError(
        path, "is not the description of a cohort", expected: "what `segdeck cohort run` wrote")
    }
    return description
  }

  private static let schemaName = "segdeck-cohort-settings"

  /// The file's content.
  package var json: Data {
    let encoder = JSONEncoder.stable(isIndented: true)
    encoder.keyEncodingStrategy = .convertToSnakeCase
    do { return try encoder.encode(self) + Data("\n".utf8) } catch {
      preconditionFailure("a description holds only texts: \(error)")
    }
  }
}
