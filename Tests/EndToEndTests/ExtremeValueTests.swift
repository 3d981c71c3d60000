import Foundation
import Synchronization
import TestSupport
import Testing

/// Puts extreme numbers into every option of every command and into every number of every file that is read.
///
/// Each run gives a result, or one line and exit code 1: no signal, no more than ten seconds, no more than 512 MB.
/// Options come from the program's own description and numbers from its own files, so that new ones are tested without
/// a change here. An option or number gets some of the values; with SEGDECK_ALL_EXTREMES=1 it gets all of them.
@Suite(.serialized)
struct ExtremeValueTests {
  /// Values as a command line states them.
  static let words = [
    "0", "-1", "1", "nan", "inf", "-inf", "1e-308", "1e-30", "1e-8", "1e8", "1e30", "1e38", "1e300", "1e308",
    "9223372036854775807", "-9223372036854775808", "2147483648", "4294967296", "9223372036854775808", "",
    "1,2,3,4",
    "1e999", "0,0", "-1,1", "1048575x1048575x1048575", "1x1x1", String(repeating: "9", count: 400),
  ]

  /// Values as JSON states them.
  static let numbers = [
    "0", "-1", "1", "0.5", "1e-308", "1e-30", "1e-8", "1e8", "1e30", "1e38", "1e300", "1e308",
    "9223372036854775807", "-9223372036854775808", "2147483648", "4294967296", "18446744073709551616",
    "65536",
    "null", "\"1\"", "[]",
  ]

  static let takesAll = ProcessInfo.processInfo.environment["SEGDECK_ALL_EXTREMES"] != nil

  /// The `count` values for the case `index`.
  static func chosen(_ values: [String], caseIndex index: Int, count: Int) -> [String] {
    takesAll ? values : (0..<count).map { values[(index * 5 + $0 * 7) % values.count] }
  }

  /// A case of 1344 voxels, a network trained on it, and one of each file that the program reads.
  static let files = Result { () throws -> [String: Data] in
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    try folder.make("images", "labels")
    for seed in 1...2 {
      try succeed(
        [
          "phantom", "mr", "--seed", "\(seed)", "--size", "14x12x8", "--spacing", "10", "-o",
          "images/c\(seed).nii", "--labels", "labels/c\(seed).nii",
        ], in: folder.path)
    }
    try Data(graph.utf8).write(to: URL(filePath: folder("graph.json")))
    try succeed(
      train + ["-o", "model.safetensors", "--log", "log.jsonl", "--checkpoints", "run"], in: folder.path)
    try succeed(
      [
        "segment", "images/c1.nii", "--model", "./model.safetensors", "--probabilities", "p.nii", "-o",
        "o.nii",
      ],
      in: folder.path)
    try succeed(sweep + ["--preset-output", "preset.json"], in: folder.path)
    try succeed(["export", "./model.safetensors", "-o", "network.onnx"], in: folder.path)
    return try folder.contents().filter { !$0.value.isEmpty }
  }

  static let graph = """
    {"inputChannels": 1, "layers": [
    {"name": "conv1", "kind": "convolution", "input": "input", "outputChannels": 2, "kernel": [3, 3, 3], "padding": 1,
     "stride": 1, "dilation": 1},
    {"name": "bn1", "kind": "batchNormalisation", "input": "conv1", "epsilon": 0.00001},
    {"name": "relu1", "kind": "relu", "input": "bn1"},
    {"name": "pool1", "kind": "maxPooling", "input": "relu1", "kernel": 2, "stride": 2},
    {"name": "up", "kind": "transposedConvolution", "input": "pool1", "outputChannels": 2, "kernel": 2, "stride": 2,
     "padding": 0, "outputPadding": 0}],
    "heads": [{"name": "main", "layer": "up", "lossWeight": 1}]}
    """
  static let train = [
    "train", "--images", "images", "--labels", "labels", "--network", "graph.json", "--iterations", "2",
    "--validate-every", "1", "--crop", "8x8x8", "--batch", "1", "--threads", "1", "--spacing", "10",
  ]
  static let sweep = [
    "sweep", "--images", "images", "--labels", "labels", "--model", "./model.safetensors", "--trials", "2",
    "--finalists", "1", "--threads", "1", "--resume", "journal.jsonl",
  ]

  /// A run of each command that succeeds, or that lacks nothing but a terminal, a journal, a cohort or a batch system.
  static let commands: [String: [String]] = [
    "review": ["review", "images/c1.nii"],
    "segment": [
      "segment", "images/c1.nii", "--model", "./model.safetensors", "-o", "new.nii", "--threads", "1",
    ],
    "refine": ["refine", "images/c1.nii", "--mask", "labels/c1.nii", "-o", "new.nii", "--threads", "1"],
    "compare": ["compare", "labels/c1.nii", "labels/c2.nii", "--threads", "1"],
    "evaluate": [
      "evaluate", "--images", "images", "--labels", "labels", "--model", "./model.safetensors", "--threads",
      "1",
    ],
    "sweep": sweep, "train": train + ["-o", "new.safetensors"],
    "curves": ["curves", "log.jsonl"],
    "phantom": [
      "phantom", "ct", "--seed", "1", "--size", "8x8x8", "-o", "new.nii", "--labels", "newlabels.nii",
    ],
    "info": ["info", "images/c1.nii"], "convert": ["convert", "images/c1.nii", "new.nii"],
    "import": [
      "import", "network.onnx", "-o", "new.safetensors", "--axes", "zyx", "--orientation", "RAS", "--spacing",
      "10",
      "--normalise", "score", "--label", "1=atrium", "--threads", "1",
    ],
    "export": ["export", "./model.safetensors", "-o", "new.onnx"],
    "replay": ["replay", "o.json", "-o", "new.nii"], "terminal": ["terminal"], "keys": ["keys"],
    "journal list": ["journal", "list"], "journal show": ["journal", "show", "images/c1.nii"],
    "journal export": ["journal", "export", "images/c1.nii", "-o", "new.nii"],
    "journal remove": ["journal", "remove", "images/c1.nii"],
    "cohort run": [
      "cohort", "run", "images", "--model", "./model.safetensors", "-o", "newcohort", "--threads", "1",
    ],
    // Without a batch system, which a test must not call.
    "cohort submit": ["cohort", "submit", "images", "--model", "./model.safetensors", "-o", "newcohort"],
    "cohort status": ["cohort", "status", "images", "-o", "newcohort"],
    "cohort retry": ["cohort", "retry", "images", "-o", "newcohort"],
    "cohort gather": ["cohort", "gather", "images", "-o", "newcohort"], "worklist": ["worklist", "."],
    "tour": ["tour"],
    "report": ["report", "images", "-o", "newreport"],
    "render": ["render", "images/c1.nii", "-o", "new.png"],
  ]

  /// The fault in the end of a run; nil for none.
  static func fault(_ words: [String], in folder: TemporaryFolder) throws -> String? {
    let limited =
      ["env", "-C", folder.path, "SEGDECK_SHARE=\(checkout.appending(path: "sample-data").path)"]
      + ["SWIFT_BACKTRACE=enable=no", "timeout", "10", try BuiltProgram.path()] + words
    let run = try runMeasured(limited)
    let what = words.map { $0.count > 60 ? $0.prefix(60) + "..." : $0 }.joined(separator: " ")
    // Linux counts the peak of whoever starts a program as the program's own.
    var own = rusage()
    getrusage(Int32(RUSAGE_SELF.rawValue), &own)
    if run.peakBytes > max(512 << 20, own.ru_maxrss << 10) {
      return "\(what): took \(run.peakBytes >> 20) MiB"
    }
    switch run.status {
    case 0: return nil
    case 1:
      let lines = run.output.split(separator: "\n").filter { !$0.hasPrefix("segdeck: note: ") }
      // A training says what it chose, and a cohort what became of each case, before it fails.
      let isOne = ["train", "cohort"].contains(words[0]) ? !lines.isEmpty : lines.count == 1
      guard isOne, let last = lines.last, last.hasPrefix("segdeck: "), last.contains(": ") else {
        return "\(what): says \(run.output.prefix(300))"
      }
      return nil
    default: return "\(what): ended with \(run.status)"
    }
  }

  /// Runs of files that were changed, each in a folder of its own, on all cores.
  static func faults(_ runs: [(words: [String], changes: [String: Data])]) throws -> [String] {
    let original = try files.get()
    let found = Mutex<[String]>([])
    DispatchQueue.concurrentPerform(iterations: runs.count) { index in
      do {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        try folder.make("images", "labels", "run")
        for (name, content) in original.merging(runs[index].changes, uniquingKeysWith: { $1 }) {
          try content.write(to: URL(filePath: folder(name)))
        }
        if let fault = try fault(runs[index].words, in: folder) { found.withLock { $0.append(fault) } }
      } catch { found.withLock { $0.append("\(error)") } }
    }
    return found.withLock { $0.sorted() }
  }

  @Test("no value of any option stops the program or takes it beyond its limits")
  func options() throws {
    var runs: [(words: [String], changes: [String: Data])] = []
    var caseIndex = 0
    for (words, command) in try CommandHelp.leaves() {
      let name = words.joined(separator: " ")
      guard let base = Self.commands[name] else {
        Issue.record("\(name) needs a run in `commands`")
        continue
      }
      for argument in command.arguments ?? [] where argument.kind == "option" {
        guard let name = argument.longName else { continue }
        caseIndex += 1
        for value in Self.chosen(Self.words, caseIndex: caseIndex, count: 3) {
          runs.append((base + ["\(name)=\(value)"], [:]))
        }
      }
    }
    #expect(caseIndex > 60)
    let faults = try Self.faults(runs)
    #expect(faults == [])
  }

  @Test("no number in any file that is read stops the program or takes it beyond its limits")
  func fileNumbers() throws {
    let files = try Self.files.get()
    var runs: [(words: [String], changes: [String: Data])] = []
    var caseIndex = 0
    func walk(_ text: String, _ words: [String], _ change: (String) throws -> [String: Data]) throws {
      let leaves = JSONNumbers.ranges(in: text)
      #expect(!leaves.isEmpty)
      for leaf in leaves {
        caseIndex += 1
        for value in Self.chosen(Self.numbers, caseIndex: caseIndex, count: 2) {
          runs.append((words, try change(text.replacingCharacters(in: leaf, with: value))))
        }
      }
    }
    func text(_ name: String) throws -> String { String(decoding: try #require(files[name]), as: UTF8.self) }
    try walk(try text("o.json"), ["replay", "o.json", "-o", "new.nii"]) { ["o.json": Data($0.utf8)] }
    let refine = ["refine", "images/c1.nii", "-o", "new.nii", "--threads", "1"]
    try walk(try text("preset.json"), refine + ["--mask", "labels/c1.nii", "--preset", "preset.json"]) {
      ["preset.json": Data($0.utf8)]
    }
    try walk(try text("p.json"), refine + ["--probabilities", "p.nii"]) { ["p.json": Data($0.utf8)] }
    try walk(Self.graph, Self.train + ["-o", "new.safetensors"]) { ["graph.json": Data($0.utf8)] }
    try walk(try text("log.jsonl"), ["curves", "log.jsonl"]) { ["log.jsonl": Data($0.utf8)] }
    try walk(try text("labels/c1.labels.json"), ["compare", "labels/c1.nii", "labels/c2.nii"]) {
      ["labels/c1.labels.json": Data($0.utf8)]
    }
    try walk(try text("journal.jsonl"), Self.sweep + ["--trials", "3"]) { ["journal.jsonl": Data($0.utf8)] }
    for (name, words) in [
      ("model.safetensors", ["segment", "images/c1.nii", "--model", "./model.safetensors", "-o", "new.nii"]),
      (
        "run/last.safetensors",
        Self.train + ["-o", "new.safetensors", "--checkpoints", "run", "--resume", "--force"]
      ),
    ] {
      let model = try TensorFileTexts(try #require(files[name]))
      for key in model.texts.keys.sorted() where key != "card" {
        guard let text = model.texts[key], !JSONNumbers.ranges(in: text).isEmpty else { continue }
        try walk(text, words) { [name: try model.replacing(key, with: $0)] }
      }
    }
    #expect(caseIndex > 200)
    let faults = try Self.faults(runs)
    #expect(faults == [])
  }
}

/// The ranges of the numbers in a JSON text.
enum JSONNumbers {
  static func ranges(in text: String) -> [Range<String.Index>] {
    var ranges: [Range<String.Index>] = []
    var isInString = false
    var position = text.startIndex
    while position < text.endIndex {
      let character = text[position]
      if isInString, character == "\\" { position = text.index(after: position) }
      if character == "\"" { isInString.toggle() }
      if !isInString, character == "-" || character.isASCII && character.isNumber {
        let end =
          text[position...].firstIndex { !($0.isASCII && ($0.isNumber || "+-.eE".contains($0))) }
          ?? text.endIndex
        ranges.append(position..<end)
        position = end
      } else {
        position = text.index(after: position)
      }
    }
    return ranges
  }
}

/// The texts of a safetensors file, which may be replaced.
struct TensorFileTexts {
  let texts: [String: String]
  private let header: [String: Any]
  private let tensors: Data

  init(_ file: Data) throws {
    let length = Int(file.withUnsafeBytes { UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)) })
    let object = try JSONSerialization.jsonObject(with: file.dropFirst(8).prefix(length))
    header = try #require(object as? [String: Any])
    texts = try #require(header["__metadata__"] as? [String: String])
    tensors = Data(file.dropFirst(8 + length))
  }

  /// The file with another text under `key`.
  func replacing(_ key: String, with text: String) throws -> Data {
    var header = header
    header["__metadata__"] = texts.merging([key: text]) { $1 }
    let bytes = try JSONSerialization.data(withJSONObject: header)
    return withUnsafeBytes(of: UInt64(bytes.count).littleEndian) { Data($0) } + bytes + tensors
  }
}
