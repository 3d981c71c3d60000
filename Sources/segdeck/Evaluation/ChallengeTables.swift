import Metrics

extension EvaluationReport {
  /// The columns of SLIVER07: five measures and their scores.
  private static let sliver07Columns:
    [(
      name: String, value: @Sendable (ComparisonRow) -> Double?,
      counted: @Sendable (CountedMeasures) -> Double, score: @Sendable (SLIVER07Scores) -> Double
    )] = [
      ("VOE %", { $0.voePercent }, { $0.volumetricOverlapErrorPercent }, { $0.overlapError }),
      ("RVD %", { $0.rvdPercent }, { $0.relativeVolumeDifferencePercent }, { $0.volumeDifference }),
      ("ASSD mm", { $0.assdMm }, { $0.averageMillimetres }, { $0.averageDistance }),
      ("RMSD mm", { $0.rmsdMm }, { $0.rootMeanSquareMillimetres }, { $0.rootMeanSquareDistance }),
      ("MSD mm", { $0.maximumMm }, { $0.maximumMillimetres }, { $0.maximumDistance }),
    ]

  /// The SLIVER07 table of one structure: each measure with its score, the mean of the five scores, the means over
  /// cases.
  func sliver07Table(ofStructure name: String) -> String {
    var table = TextTable(
      heading: ["case"] + Self.sliver07Columns.flatMap { [$0.name, "score"] } + ["total"])
    let own = rows.filter { $0.comparison.name == name }
    for row in own {
      let scores = row.comparison.sliver07
      let measures = ComparisonRow(row.comparison)
      table.rows.append(
        [row.name]
          + Self.sliver07Columns.flatMap { column in
            [TextTable.cell(column.value(measures), 2), TextTable.cell(scores.map(column.score), 1)]
          } + [TextTable.cell(scores?.total, 1)])
    }
    let counted = own.compactMap { CountedMeasures($0.comparison) }
    table.rows.append(
      ["mean of \(counted.count)"]
        + Self.sliver07Columns.flatMap { column in
          [
            TextTable.cell(mean(counted.map(column.counted)), 2),
            TextTable.cell(mean(counted.map { column.score($0.sliver07) }), 1),
          ]
        } + [TextTable.cell(mean(counted.map(\.sliver07.total)), 1)])
    return table.text
  }

  /// The HVSMR table: Dice, average and maximum distance of every structure, the case's score, the means.
  var hvsmrTable: String {
    let columns:
      [(
        name: String, digits: Int, value: @Sendable (ComparisonRow) -> Double?,
        counted: @Sendable (CountedMeasures) -> Double
      )] = [
        ("Dice", 3, { $0.dice }, { $0.dice }), ("ADB mm", 3, { $0.assdMm }, { $0.averageMillimetres }),
        ("HD mm", 2, { $0.maximumMm }, { $0.maximumMillimetres }),
      ]
    let structures = structureNames
    var table = TextTable(
      heading: ["case"] + structures.flatMap { name in columns.map { "\(name) \($0.name)" } } + ["score"])
    for name in caseNames {
      let own = comparisons(ofCase: name)
      table.rows.append(
        [name]
          + structures.flatMap { structure in
            let comparison = own.first { $0.name == structure }
            return columns.map { column in
              TextTable.cell(comparison.flatMap { column.value(ComparisonRow($0)) }, column.digits)
            }
          } + [TextTable.cell(HVSMRScore.overall(own), 3)])
    }
    let scores = caseNames.compactMap { HVSMRScore.counted(comparisons(ofCase: $0)) }
    table.rows.append(
      ["mean of \(scores.count)"]
        + structures.flatMap { structure in
          let own = rows.filter { $0.comparison.name == structure }.compactMap {
            CountedMeasures($0.comparison)
          }
          return columns.map { column in TextTable.cell(mean(own.map(column.counted)), column.digits) }
        } + [TextTable.cell(mean(scores), 3)])
    return table.text
  }
}

/// The mean; nil for an empty array.
private func mean(_ values: [Double]) -> Double? {
  values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
}
