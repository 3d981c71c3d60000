import Foundation
import Work
import Worklist

/// The cases of a worklist with everything that is known of them, for people and programs outside the review.
package struct CohortReport: Equatable, Sendable {
  /// The folder or worklist file as it was given.
  package var place: String
  /// The time in UTC: "2026-11-29T16:00:00.000Z".
  package var created: String
  /// The program and its version.
  package var program: String
  /// The cases before the filter.
  package var listedCaseCount: Int
  /// The filter as it was typed; nil for none.
  package var filter: String?
  /// The tolerance of the surface Dice in millimetres.
  package var toleranceMillimetres: Double
  /// The names of further columns of the worklist.
  package var columns: [String]
  /// The cases, in the order of the report.
  package var cases: [ReportedCase]

  /// A report.
  package init(
    place: String, created: String, program: String, listedCaseCount: Int, filter: String? = nil,
    toleranceMillimetres: Double, columns: [String] = [], cases: [ReportedCase]
  ) {
    self.place = place
    self.created = created
    self.program = program
    self.listedCaseCount = listedCaseCount
    self.filter = filter
    self.toleranceMillimetres = toleranceMillimetres
    self.columns = columns
    self.cases = cases
  }

  /// The version of the tables and of the JSON, which changes when a column or a field changes its meaning or goes.
  package static let schemaVersion = 1

  /// The readers of all cases, in alphabetical order.
  package var readers: [ReaderTotals] { ReaderTotals.all(of: cases) }

  /// The readers' agreement; nil where no two of them judged the same case.
  package var agreement: ReaderAgreement? { ReaderAgreement(cases) }
}

/// A case of a report.
package struct ReportedCase: Equatable, Sendable {
  /// The case, what readers decided, what was measured, and what is unusual.
  package var row: CaseRow
  /// Masks A and B compared, structure by structure; empty where there are no two masks.
  package var comparison: [ComparedStructure]
  /// Files that could not be read or measured and why, a line each.
  package var problems: [String]
  /// Pictures of it.
  package var pictures: [ReportedPicture]

  /// A case.
  package init(
    _ row: CaseRow, comparison: [ComparedStructure] = [], problems: [String] = [],
    pictures: [ReportedPicture] = []
  ) {
    self.row = row
    self.comparison = comparison
    self.problems = problems
    self.pictures = pictures
  }

  /// The lowest Dice of a structure of A and B; nil where none was compared.
  package var lowestDice: Double? { comparison.compactMap(\.dice).min() ?? row.measures?.lowestDice }

  /// The largest HD95 of a structure in millimetres; nil where no structure is in both masks.
  package var largestHD95Millimetres: Double? { comparison.compactMap(\.hd95Millimetres).max() }

  /// The lowest surface Dice of a structure; nil where no structure is in both masks.
  package var lowestSurfaceDice: Double? { comparison.compactMap(\.surfaceDice).min() }
}

/// A structure of the first mask, A, compared with the second, B.
package struct ComparedStructure: Equatable, Sendable {
  /// Its name, as A writes it.
  package var name: String
  /// Its values in the file of A; empty where A does not know it.
  package var valuesA: [Int]
  /// Its volume in mL; 0 where a mask does not have it.
  package var millilitresA, millilitresB: Double
  /// Dice of A and B; nil where neither mask has a voxel of it.
  package var dice: Double?
  /// Distances of the borders in mm, and surface Dice; nil where one mask lacks it.
  package var hd95Millimetres, averageDistanceMillimetres, surfaceDice: Double?

  /// A structure.
  package init(
    name: String, valuesA: [Int], millilitresA: Double, millilitresB: Double, dice: Double?,
    hd95Millimetres: Double? = nil,
    averageDistanceMillimetres: Double? = nil, surfaceDice: Double? = nil
  ) {
    self.name = name
    self.valuesA = valuesA
    self.millilitresA = millilitresA
    self.millilitresB = millilitresB
    self.dice = dice
    self.hd95Millimetres = hd95Millimetres
    self.averageDistanceMillimetres = averageDistanceMillimetres
    self.surfaceDice = surfaceDice
  }
}

/// A picture of a case.
package struct ReportedPicture: Equatable, Sendable {
  /// The content in words: "where A and B differ most".
  package var title: String
  /// The meanings of its colours.
  package var legend: [Key]
  /// A PNG file.
  package var png: Data
  /// Its pixels.
  package var width, height: Int

  /// A colour as "#0072b2", and what it means.
  package struct Key: Equatable, Sendable {
    package var colour, text: String

    package init(colour: String, text: String) {
      self.colour = colour
      self.text = text
    }
  }

  /// A picture.
  package init(title: String, legend: [Key] = [], png: Data, width: Int, height: Int) {
    self.title = title
    self.legend = legend
    self.png = png
    self.width = width
    self.height = height
  }
}

extension String {
  /// The text without terminal controls and invisible characters, its lines kept: every text of a case in a table or page.
  var printableLines: String {
    split(separator: "\n", omittingEmptySubsequences: false).map { String($0).printableLine }
      .joined(separator: "\n")
  }
}
