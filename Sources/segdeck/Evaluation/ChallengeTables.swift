import Metrics

extension EvaluationReport {
  /// The five measures and their scores.
  private static let sliver07Columns:
    [(
      name: String, value: @Sendable (StructureComparison) -> Double?,
      score: @Sendable (SLIVER07Scores) -> Double
    )] = [
      ("VOE %", { $0.overlap.volumetricOverlapErrorPercent }, { $0.overlapError }),
      ("RVD %", { $0.overlap.relativeVolumeDifferencePercent }, { $0.volumeDifference }),
      ("ASSD mm", { $0.distances?.averageMillimetres }, { $0.averageDistance }),
      ("RMSD mm", { $0.distances?.rootMeanSquareMillimetres }, { $0.rootMeanSquareDistance }),
      ("MSD mm", { $0.distances?.maximumMillimetres }, { $0.maximumDistance }),
    ]

  /// The challenge's table of one structure: each measure with its score, the mean of the five, the mean over cases.
  func sliver07Table(ofStructure name: String) -> String {
    var table = TextTable(
      heading: ["case"] + Self.sliver07Columns.flatMap { [$0.name, "score"] } + ["total"])
    let own = rows.filter { $0.comparison.name == name }
    for row in own {
      let scores = row.comparison.sliver07
      table.rows.append(
        [row.name]
          + Self.sliver07Columns.flatMap { column in
            [TextTable.cell(column.value(row.comparison), 2), TextTable.cell(scores.map(column.score), 1)]
          } + [TextTable.cell(scores?.total, 1)])
    }
    let scores = own.compactMap(\.comparison.sliver07)
    table.rows.append(
      ["mean"]
        + Self.sliver07Columns.flatMap { column in
          [
            TextTable.cell(mean(own.compactMap { column.value($0.comparison) }), 2),
            TextTable.cell(mean(scores.map(column.score)), 1),
          ]
        } + [TextTable.cell(mean(scores.map(\.total)), 1)])
    return table.text
  }

  /// The challenge's table: Dice, average and maximum distance of every structure, the case's score, the means.
  var hvsmrTable: String {
    let columns: [(name: String, digits: Int, value: @Sendable (StructureComparison) -> Double?)] = [
      ("Dice", 3, { $0.overlap.dice }), ("ADB mm", 3, { $0.distances?.averageMillimetres }),
      ("HD mm", 2, { $0.distances?.maximumMillimetres }),
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
              TextTable.cell(comparison.flatMap { column.value($0) }, column.digits)
            }
          } + [TextTable.cell(HVSMRScore.overall(own), 3)])
    }
    table.rows.append(
      ["mean"]
        + structures.flatMap { structure in
          let own = rows.filter { $0.comparison.name == structure }.map(\.comparison)
          return columns.map { column in TextTable.cell(mean(own.compactMap(column.value)), column.digits) }
        }
        + [TextTable.cell(mean(caseNames.compactMap { HVSMRScore.overall(comparisons(ofCase: $0)) }), 3)])
    return table.text
  }
}

/// The mean; nil of nothing.
private func mean(_ values: [Double]) -> Double? {
  values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
}
