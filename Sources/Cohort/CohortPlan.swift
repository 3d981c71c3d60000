import Work

/// What a case costs, from cases that were computed with the same settings.
package struct CohortCostModel: Equatable, Sendable {
  private let secondsPerVoxel, leastSeconds: Double
  private let bytesPerVoxel, leastBytes: Double

  /// A case costs at least this part of the usual one, however small it is: the network's own grid, files, the start.
  private static let leastFraction = 0.25
  /// What is asked for beyond the most that was measured: other anatomy needs more of the CRF.
  private static let memoryFactor = 1.25

  /// The model of measured costs, at least one; nil without one.
  package init?(_ costs: [CohortRecord.Cost]) {
    let costs = costs.filter { $0.voxels > 0 }
    guard !costs.isEmpty else { return nil }
    func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
    secondsPerVoxel = median(costs.map { $0.busySeconds / Double($0.voxels) })
    leastSeconds = Self.leastFraction * median(costs.map(\.busySeconds))
    // Peaks are of the process, so those of its largest case count.
    bytesPerVoxel = costs.map { Double($0.peakBytes) / Double($0.voxels) }.min() ?? 0
    leastBytes = Double(costs.map(\.peakBytes).max() ?? 0)
  }

  /// The seconds of a case with this many voxels.
  package func seconds(voxels: Int) -> Double { max(leastSeconds, secondsPerVoxel * Double(voxels)) }

  /// The bytes to ask for, for cases of at most this many voxels.
  package func memoryBytes(largestVoxels voxels: Int) -> Int {
    Int(saturating: Self.memoryFactor * max(leastBytes, bytesPerVoxel * Double(voxels)))
  }
}

/// How cases are divided among the tasks of a job array.
package enum CohortTasks {
  /// The cases of each task by their positions, in order: a task ends once its cases take the target together, so that
  /// most take between half of it and all of it.
  ///
  /// - Parameters:
  ///   - seconds: What each case takes.
  ///   - targetSeconds: What a task should take, above 0; longer where there would be too many tasks.
  ///   - maximumTaskCount: At least 1.
  package static func groups(
    seconds: [Double], targetSeconds: Double, maximumTaskCount: Int
  ) -> [[Int]] {
    var target = targetSeconds
    while true {
      let groups = groups(seconds, target)
      if groups.count <= maximumTaskCount { return groups }
      target *= max(1.1, Double(groups.count) / Double(maximumTaskCount))
    }
  }

  private static func groups(_ seconds: [Double], _ target: Double) -> [[Int]] {
    var groups: [[Int]] = []
    var sum = 0.0
    for (position, own) in seconds.enumerated() {
      if groups.isEmpty || sum + own > target {
        groups.append([])
        sum = 0
      }
      groups[groups.count - 1].append(position)
      sum += own
    }
    return groups
  }

  /// The minutes after which a task may be ended: twice what its cases should take, and five minutes.
  package static func limitMinutes(seconds: Double) -> Int {
    Int(saturating: (2 * seconds / 60 + 5).rounded(.up))
  }
}
