import Foundation
import Glibc
import TestSupport
import Testing

/// `segdeck cohort` on generated cases.
@Suite(.serialized)
struct CohortCommandTests {
  private let environment: (TemporaryFolder) -> [String: String] = { folder in
    ["XDG_STATE_HOME": folder("state"), "XDG_CACHE_HOME": folder("cache")]
  }

  private func text(_ name: String, _ folder: TemporaryFolder) throws -> String {
    String(decoding: try folder.bytes(name), as: UTF8.self)
  }

  /// The records of all tasks, as objects.
  private func records(_ folder: TemporaryFolder, _ results: String) throws -> [[String: Any]] {
    let path = folder(results + "/tasks")
    return try FileManager.default.contentsOfDirectory(atPath: path).filter { $0.hasSuffix(".jsonl") }
      .flatMap { name in
        try text(results + "/tasks/" + name, folder).split(separator: "\n").compactMap { line in
          let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
          return object?["record"] as? [String: Any]
        }
      }
  }

  /// How often each case was computed to its end.
  private func doneCounts(_ folder: TemporaryFolder, _ results: String) throws -> [String: Int] {
    try records(folder, results).filter { $0["event"] as? String == "done" }
      .reduce(into: [:]) { counts, record in counts[record["case"] as? String ?? "", default: 0] += 1 }
  }

  @Test(
    "masks are those of segment, and with --refine of segment and refine one by one",
    arguments: [false, true])
  func sameVoxels(refines: Bool) throws {
    let cases = try PhantomCases(in: "data")
    let folder = cases.folder
    defer { folder.remove() }
    let options = refines ? ["--refine", "--iterations", "3"] : []
    let outcome = try cases.call(
      ["cohort", "run", "data", "--model", "left-atrium", "--jobs", "2", "--threads", "2"] + options)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output.hasPrefix("3 cases: 3 to do\n"))
    let results = "data/segdeck-cohort"
    for number in [1, 2, 10] {
      let image = "data/images/case\(number).nii"
      #expect(
        try cases.call([
          "segment", image, "--model", "left-atrium", "-o", "one.nii.gz", "--probabilities", "p.nii.gz",
          "--force",
        ]).status == 0)
      if refines {
        #expect(
          try cases.call([
            "refine", image, "--probabilities", "p.nii.gz", "--iterations", "3", "-o", "one.nii.gz",
            "--force",
          ]).status == 0)
      }
      let mask = "\(results)/masks/case\(number).nii.gz"
      #expect(try folder.bytes(mask) == folder.bytes("one.nii.gz"))
      let replay = try cases.call(["replay", "\(results)/masks/case\(number).json", "--verify"])
      #expect(replay.status == 0, "\(replay.errors)")
      let picture = try folder.bytes("\(results)/pictures/case\(number).png")
      #expect(picture.prefix(4) == Data([0x89, 0x50, 0x4e, 0x47]))
    }
    let table = try text("\(results)/results.csv", folder).split(separator: "\n")
    #expect(table.count >= 4 && table[0].hasPrefix("case,status,label,value,ml,"))
  }

  @Test("readers open the results as a worklist, with the reference as the second mask")
  func worklist() throws {
    let cases = try PhantomCases(in: "data")
    let folder = cases.folder
    defer { folder.remove() }
    let run = ["cohort", "run", "data", "--model", "left-atrium", "-o", "out", "--no-pictures"]
    #expect(try cases.call(run).status == 0)
    let listed = try cases.call(["worklist", "out/worklist.csv", "--json"])
    let rows = try #require(
      JSONSerialization.jsonObject(with: Data(listed.output.utf8)) as? [[String: Any]])
    #expect(rows.map { $0["name"] as? String } == ["case1", "case2", "case10"])
    for row in rows {
      let masks = try #require(row["masks"] as? [[String: String]])
      #expect(masks.map { $0["name"] } == ["left-atrium", "labels"])
      #expect(masks[0]["path"]?.hasSuffix("out/masks/\(row["name"] ?? "").nii.gz") == true)
      #expect((row["missing_files"] as? [String]) == [])
    }
    #expect(listed.errors == "")
    // A folder of results is none of cases.
    #expect(try cases.call(["cohort", "run", "data", "--model", "left-atrium", "--no-pictures"]).status == 0)
    let again = try cases.call(["worklist", "data"])
    #expect(again.output.hasSuffix("3 cases, 0 decided\n"))
  }

  @Test("what is done is not done again; a changed image is, a touched one and a repeated run are not")
  func skipping() throws {
    let cases = try PhantomCases(in: "data")
    let folder = cases.folder
    defer { folder.remove() }
    let run = ["cohort", "run", "data", "--model", "left-atrium", "--no-pictures"]
    #expect(try cases.call(run).status == 0)
    let masks = try folder.bytes("data/segdeck-cohort/masks/case1.nii.gz")
    #expect(try cases.call(run).output.hasPrefix("3 cases: 3 done before, 0 to do\n"))
    // The settings are known by now.
    #expect(try cases.call(["cohort", "run", "data/segdeck-cohort"]).status == 0)
    #expect(try doneCounts(folder, "data/segdeck-cohort") == ["case1": 1, "case2": 1, "case10": 1])
    try folder.bytes("data/images/case1.nii").write(to: URL(filePath: folder("data/images/case1.nii")))
    try folder.bytes("data/images/case10.nii").write(to: URL(filePath: folder("data/images/case2.nii")))
    try FileManager.default.removeItem(atPath: folder("data/segdeck-cohort/masks/case10.nii.gz"))
    #expect(try cases.call(run).output.hasPrefix("3 cases: 1 done before, 2 to do\n"))
    #expect(try doneCounts(folder, "data/segdeck-cohort") == ["case1": 1, "case2": 2, "case10": 2])
    #expect(
      try folder.bytes("data/segdeck-cohort/masks/case2.nii.gz")
        == folder.bytes("data/segdeck-cohort/masks/case10.nii.gz"))
    #expect(try folder.bytes("data/segdeck-cohort/masks/case1.nii.gz") == masks)
    let other = try cases.call(run + ["--grid", "image"])
    #expect(other.status == 1)
    #expect(other.errors.contains("data/segdeck-cohort: holds results of other settings: found"))
    #expect(try cases.call(run + ["--grid", "image", "--force"]).output.contains("3 cases: 3 to do\n"))
  }

  @Test("a case that fails is named with the reason, costs no other, and is tried again when asked for")
  func failures() throws {
    let cases = try PhantomCases(in: "data")
    let folder = cases.folder
    defer { folder.remove() }
    let whole = try folder.bytes("data/images/case2.nii")
    try whole.prefix(900).write(to: URL(filePath: folder("data/images/case2.nii")))
    let run = ["cohort", "run", "data", "--model", "left-atrium", "--no-pictures"]
    let failed = try cases.call(run)
    #expect(failed.status == 1)
    #expect(failed.output.contains("case2: failed: data/images/case2.nii: "))
    #expect(
      failed.errors.contains(
        "segdeck: data/segdeck-cohort: 1 of 3 cases failed: found case2, expected `segdeck cohort retry`"))
    #expect(try cases.call(run).output.hasPrefix("3 cases: 2 done before, 1 failed before, 0 to do\n"))
    let status = try cases.call(["cohort", "status", "data"])
    #expect(status.output.hasPrefix("3 cases: 2 done, 1 failed, 0 running, 0 left\nfailed: case2: "))
    let list = try cases.call(["worklist", "data/segdeck-cohort/worklist.csv", "--filter", "cohort~failed"])
    #expect(list.output.hasSuffix("1 of 3 cases, 0 decided\n"))
    #expect(try cases.call(["cohort", "retry", "data"]).status == 1)
    #expect(try records(folder, "data/segdeck-cohort").count { $0["event"] as? String == "failed" } == 2)
    // A mended image needs no retry.
    try whole.write(to: URL(filePath: folder("data/images/case2.nii")))
    #expect(try cases.call(run).status == 0)
    #expect(try cases.call(["cohort", "retry", "data"]).output == "no case failed\n")
    #expect(try doneCounts(folder, "data/segdeck-cohort") == ["case1": 1, "case2": 1, "case10": 1])
  }

  @Test("a list on standard input is computed, and events are lines of JSON")
  func composable() throws {
    let cases = try PhantomCases(in: "data")
    let folder = cases.folder
    defer { folder.remove() }
    let outcome = try segdeck(
      ["cohort", "run", "-", "--model", "left-atrium", "-o", "out", "--json", "--no-pictures"],
      in: folder.path, environment: environment(folder),
      shell: "printf 'data/images/case1.nii\\ndata/images/case2.nii\\n' > list; exec < list")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let events = try outcome.output.split(separator: "\n").map {
      try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
    #expect(
      events.map { $0["event"] as? String } == [
        "run_started", "done", "progress", "done", "progress", "run_ended",
      ])
    #expect(events.allSatisfy { $0["schema"] as? String == "segdeck-cohort" && $0["version"] as? Int == 1 })
    #expect(events[4]["done"] as? Int == 2 && events[4]["left"] as? Int == 0)
    #expect(events.compactMap { $0["case"] as? String } == ["case1", "case2"])
    // Another step of a workflow adds to the list, and the settings are known by now.
    let added = try segdeck(
      ["cohort", "run", "-", "-o", "out"], in: folder.path, environment: environment(folder),
      shell: "echo data/images/case10.nii > list; exec < list")
    #expect(added.status == 0, "\(added.errors)")
    #expect(
      try cases.call(["cohort", "status", "out"]).output
        == "3 cases: 3 done, 0 failed, 0 running, 0 left\n")
    #expect(try cases.call(["worklist", "out/worklist.csv"]).output.hasSuffix("3 cases, 0 decided\n"))
    let refused = try segdeck(
      ["cohort", "run", "-", "--model", "left-atrium"], in: folder.path, environment: environment(folder))
    #expect(
      refused.errors
        == "segdeck: -o: is needed for a list on standard input: expected a folder for the results\n")
  }

  @Test("shares of two processes at once make the whole, each case once")
  func shares() throws {
    let cases = try PhantomCases(in: "data")
    let folder = cases.folder
    defer { folder.remove() }
    let program = try BuiltProgram.path()
    let share = checkout.appending(path: "sample-data").path
    let command =
      "env SEGDECK_SHARE='\(share)' XDG_CACHE_HOME=cache XDG_STATE_HOME=state '\(program)' cohort run data "
      + "--model left-atrium --no-pictures --share"
    // Both shares and a run of everything, at once.
    let outcome = try run([
      "sh", "-c", "cd '\(folder.path)' && (\(command) 1/2 & \(command) 2/2 & \(command) 1/1 & wait)",
    ])
    #expect(outcome.status == 0, "\(outcome.output)")
    #expect(
      try cases.call(["cohort", "status", "data"]).output == "3 cases: 3 done, 0 failed, 0 running, 0 left\n")
    #expect(try doneCounts(folder, "data/segdeck-cohort") == ["case1": 1, "case2": 1, "case10": 1])
  }

  @Test("a run that is killed goes on where it was, and loses and repeats no case that was done")
  func killed() throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    try folder.make("images")
    let names = (1...8).map { "c\($0)" }
    for (number, name) in names.enumerated() {
      try succeed(
        [
          "phantom", "mr", "--seed", "\(number)", "--size", "48x48x24", "--spacing", "4", "-o",
          "images/\(name).nii", "--labels", "labels.nii", "--force",
        ],
        in: folder.path)
    }
    let words = ["cohort", "run", "images", "--model", "left-atrium", "-o", "out", "--threads", "1"]
    let program = try BuiltProgram.path()
    let variables = environment(folder).merging([
      "SEGDECK_SHARE": checkout.appending(path: "sample-data").path
    ]) { $1 }
    for goal in [1, 3] {
      let process = try spawn(["env", "-C", folder.path, program] + words, environment: variables) {
        actions in
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
      }
      let deadline = Date().addingTimeInterval(60)
      while Date() < deadline, (try? doneCounts(folder, "out").count) ?? 0 < goal { usleep(20_000) }
      kill(process, SIGKILL)
      var status: Int32 = 0
      waitpid(process, &status, 0)
      #expect(status & 0x7f == SIGKILL)
    }
    let before = try doneCounts(folder, "out")
    #expect(before.count >= 3)
    let last = try segdeck(words, in: folder.path, environment: environment(folder))
    #expect(last.status == 0, "\(last.errors)")
    #expect(try doneCounts(folder, "out") == Dictionary(uniqueKeysWithValues: names.map { ($0, 1) }))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder("out/masks")).count == 3 * names.count)
  }

  @Test("a BIDS dataset gets a derivative with the names, tables and sidecars of BIDS")
  func bids() throws {
    let cases = try PhantomCases()
    let folder = cases.folder
    defer { folder.remove() }
    try folder.make(
      "set", "set/sub-01", "set/sub-01/anat", "set/sub-02", "set/sub-02/ses-a", "set/sub-02/ses-a/anat")
    try folder.bytes("images/case1.nii").write(to: URL(filePath: folder("set/sub-01/anat/sub-01_T1w.nii")))
    try folder.bytes("images/case2.nii")
      .write(to: URL(filePath: folder("set/sub-02/ses-a/anat/sub-02_ses-a_FLAIR.nii")))
    try Data("{\"Name\":\"x\",\"BIDSVersion\":\"1.10.0\"}".utf8)
      .write(to: URL(filePath: folder("set/dataset_description.json")))
    try Data("participant_id\tage\tmask\nsub-01\t40\ta\nsub-02\tn/a\tb\n".utf8)
      .write(to: URL(filePath: folder("set/participants.tsv")))
    #expect(
      try cases.call(["worklist", "set", "--filter", "age>30"]).output.hasSuffix("1 of 2 cases, 0 decided\n"))
    #expect(try cases.call(["worklist", "set", "--suffix", "FLAIR"]).output.contains("sub-02_ses-a"))
    #expect(
      try cases.call(["worklist", "images", "--suffix", "T1w"]).errors.contains(
        "--suffix: chooses images of a BIDS dataset"))
    let outcome = try cases.call(["cohort", "run", "set", "--model", "left-atrium", "--probabilities"])
    #expect(outcome.status == 0, "\(outcome.errors)")
    let stem = "set/derivatives/segdeck/sub-02/ses-a/anat/sub-02_ses-a_desc-leftatrium_dseg"
    let sidecar = try #require(
      JSONSerialization.jsonObject(with: folder.bytes(stem + ".json")) as? [String: Any])
    #expect(
      sidecar["Sources"] as? [String] == ["bids:raw:sub-02/ses-a/anat/sub-02_ses-a_FLAIR.nii"])
    #expect((sidecar["GeneratedBy"] as? [[String: String]])?.first?["Name"] == "segdeck")
    #expect(sidecar["commands"] != nil)
    let probabilities = try #require(
      JSONSerialization.jsonObject(with: folder.bytes(stem.replacing("_dseg", with: "_probseg") + ".json"))
        as? [String: Any])
    #expect(probabilities["LabelMap"] as? [String] == ["background", "left atrium"])
    // The probabilities are those from which `refine` starts.
    #expect(
      try cases.call([
        "refine", "set/sub-02/ses-a/anat/sub-02_ses-a_FLAIR.nii", "--probabilities",
        stem.replacing("_dseg", with: "_probseg") + ".nii.gz", "-o", "refined.nii.gz",
      ]).status == 0)
    #expect(try text(stem + ".tsv", folder).hasPrefix("index\tname\tcolor\n1\t"))
    #expect(!FileManager.default.fileExists(atPath: folder(stem + ".labels.json")))
    let description = try text("set/derivatives/segdeck/dataset_description.json", folder)
    #expect(description.contains("\"DatasetType\" : \"derivative\""))
    // A review of the dataset has the masks as a version.
    let listed = try cases.call(["worklist", "set"])
    #expect(listed.output.components(separatedBy: "segdeck").count == 3)
    // Its own masks are no masks of the cases when it runs again.
    #expect(
      try cases.call(["cohort", "run", "set"]).output.hasPrefix("2 cases: 2 done before, 0 to do\n"))
  }
}
