import Cohort
import Testing

@Suite("Sizes and scripts of batch jobs")
struct CohortPlanTests {
  private func cost(seconds: Double, voxels: Int, peakBytes: Int) -> CohortRecord.Cost {
    var cost = CohortRecord.Cost()
    (cost.computingSeconds, cost.voxels, cost.peakBytes) = (seconds, voxels, peakBytes)
    return cost
  }

  @Test("every case is in one task, in order, and tasks take what they should")
  func groups() {
    let seconds = (0..<100).map { Double($0 % 7 + 1) * 10 }
    let groups = CohortTasks.groups(seconds: seconds, targetSeconds: 300, maximumTaskCount: 1000)
    #expect(groups.flatMap(\.self) == Array(0..<100))
    for group in groups.dropLast() {
      let sum = group.reduce(0) { $0 + seconds[$1] }
      #expect((150...300).contains(sum))
    }
  }

  @Test("a long case is a task of its own, and tasks become longer where there would be too many")
  func limits() {
    #expect(
      CohortTasks.groups(seconds: [10, 900, 10, 10], targetSeconds: 600, maximumTaskCount: 9)
        == [[0], [1], [2, 3]])
    #expect(CohortTasks.groups(seconds: [], targetSeconds: 600, maximumTaskCount: 9) == [])
    for maximum in [1, 2, 7, 50] {
      let groups = CohortTasks.groups(
        seconds: Array(repeating: 600, count: 100), targetSeconds: 600, maximumTaskCount: maximum)
      #expect(groups.count <= maximum && groups.flatMap(\.self) == Array(0..<100))
    }
    #expect(CohortTasks.limitMinutes(seconds: 600) == 25)
  }

  @Test("time grows with the voxels of a case, and memory with those of the largest")
  func model() throws {
    #expect(CohortCostModel([]) == nil)
    #expect(CohortCostModel([CohortRecord.Cost()]) == nil)
    let one = try #require(CohortCostModel([cost(seconds: 20, voxels: 1000, peakBytes: 4000)]))
    #expect(one.seconds(voxels: 2000) == 40)
    #expect(one.seconds(voxels: 1) == 5)
    #expect(one.memoryBytes(largestVoxels: 1000) == 5000)
    #expect(one.memoryBytes(largestVoxels: 2000) == 10_000)
    #expect(one.memoryBytes(largestVoxels: 10) == 5000)
    // A peak is of the process: a small case after a large one says nothing of itself.
    let two = try #require(
      CohortCostModel([
        cost(seconds: 20, voxels: 1000, peakBytes: 4000), cost(seconds: 2, voxels: 100, peakBytes: 4000),
      ]))
    #expect(two.memoryBytes(largestVoxels: 1000) == 5000)
  }

  @Test("a script states what a task needs, and starts the program again where it was killed")
  func script() {
    let script = SlurmScript(
      name: "segdeck-x", taskCount: 12, tasksAtOnce: 3, partition: "cpu", minutes: 25, megabytes: 2048,
      cores: 4, log: "/data/my results/jobs/1-%a.log", options: ["--account=x"], after: ["7"],
      body: SlurmScript.task("segdeck cohort run a.csv"))
    #expect(
      script.text == """
        #!/bin/sh
        #SBATCH --job-name=segdeck-x
        #SBATCH --nodes=1
        #SBATCH --ntasks=1
        #SBATCH --cpus-per-task=4
        #SBATCH --mem=2048M
        #SBATCH --time=25
        #SBATCH --requeue
        #SBATCH --open-mode=append
        #SBATCH --output="/data/my results/jobs/1-%a.log"
        #SBATCH --array=1-12%3
        #SBATCH --partition=cpu
        #SBATCH --dependency=afterany:7
        #SBATCH --account=x
        [ -z "$SLURM_MEM_PER_NODE" ] || ulimit -d $((SLURM_MEM_PER_NODE * 1024 * 19 / 20))
        for attempt in 1 2 3 4 5 6 7 8; do
          segdeck cohort run a.csv
          code=$?
          [ "$code" -gt 1 ] || break
        done
        exit "$code"

        """)
  }
}
