import Foundation
import Work
import Worklist

/// The cases of a worklist with all decisions, measures and comparisons, for export.
package struct CohortReport: Equatable, Sendable {
  /// The path of the folder or worklist file, as it was given.
  package var place: String
  /// The time of the report in UTC: "2026-11-29T16:00:00.000Z".
  package var created: String
  /// The program and its version.
  package var program: String
  /// The number of cases before the filter.
  package var listedCaseCount: Int
  /// The filter as it was typed; nil for none.
  package var filter: String?
  /// The tolerance of the surface Dice in millimetres.
  package var toleranceMillimetres: Double
  /// The names of further columns of the worklist.
  package var columns: [String]
  /// The cases, in the order of the report.
  package var cases: [ReportedCase]

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

  /// The version of the tables and of the JSON, which increases when a column or field changes its meaning or is
  /// removed.
  package static let schemaVersion = 1

  /// The readers of all cases, in alphabetical order.
  package var readers: [ReaderTotals] { ReaderTotals.all(of: cases) }

  /// The readers' agreement; nil where no two readers gave the same case a verdict, or a score.
  package var agreement: ReaderAgreement? { ReaderAgreement(cases) }
}

/// A case of a report.
package struct ReportedCase: Equatable, Sendable {
  /// The case, what readers decided, what was measured, and what is unusual.
  package var row: CaseRow
  /// The comparison of masks A and B, structure by structure; empty with fewer than two masks.
  package var comparison: [ComparedStructure]
  /// A line for each file that could not be read or measured, with the reason.
  package var problems: [String]
  /// Pictures of the case.
  package var pictures: [ReportedPicture]

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

  /// The lowest surface Dice of a structure; nil where none was compared.
  package var lowestSurfaceDice: Double? { comparison.compactMap(\.surfaceDice).min() }
}

/// A structure of the first mask, A, compared with the second, B.
package struct ComparedStructure: Equatable, Sendable {
  /// Its name in mask A, else in B.
  package var name: String
  /// Its values in the file of A; empty where A does not have it.
  package var valuesA: [Int]
  /// Its volume in mL; 0 where a mask does not have it.
  package var millilitresA, millilitresB: Double
  /// Dice of A and B; nil where neither mask has a voxel of it.
  package var dice: Double?
  /// HD95 and average surface distance in mm, which are nil where one mask does not have the structure, and surface
  /// Dice, which is 0 there.
  package var hd95Millimetres, averageDistanceMillimetres, surfaceDice: Double?

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
  /// What the picture shows: "where A and B differ most".
  package var title: String
  /// The meanings of its colours.
  package var legend: [Key]
  /// A PNG file.
  package var png: Data
  /// Its extents in pixels.
  package var width, height: Int

  /// An entry of the legend: a colour ("#0072b2") and its meaning.
  package struct Key: Equatable, Sendable {
    package var colour, text: String

    package init(colour: String, text: String) {
      self.colour = colour
      self.text = text
    }
  }

  package init(title: String, legend: [Key] = [], png: Data, width: Int, height: Int) {
    self.title = title
    self.legend = legend
    self.png = png
    self.width = width
    self.height = height
  }
}

extension String {
  /// The text without terminal controls and invisible characters, but with its line breaks.
  var printableLines: String {
    split(separator: "\n", omittingEmptySubsequences: false).map { String($0).printableLine }
      .joined(separator: "\n")
  }
}
