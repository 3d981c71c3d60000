// swift-tools-version: 6.2
import PackageDescription

// Layers point downwards only; Tests/ArchitectureTests checks every import against its own table, which
// docs/architecture.md explains. Cross-target API is `package`.

let strict: [SwiftSetting] = [.treatAllWarnings(as: .error)]
let strictC: [CSetting] = [.treatAllWarnings(as: .error)]

let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let customDump: Target.Dependency = .product(name: "CustomDump", package: "swift-custom-dump")

func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(
  _ name: String, _ dependencies: [Target.Dependency], exclude: [String] = [], resources: [Resource] = []
) -> Target {
  .testTarget(
    name: name, dependencies: dependencies, exclude: exclude, resources: resources, swiftSettings: strict)
}

// libFuzzer has a main function of its own, so this is built by Tests/Fuzzing/run alone.
let fuzzing: [Target] =
  Context.environment["SEGDECK_FUZZ"] == nil
  ? []
  : [
    .executableTarget(
      name: "Fuzzing", dependencies: ["FuzzTargets"], path: "Tests/Fuzzing",
      exclude: ["corpus", "make_corpus.py", "run"],
      swiftSettings: strict + [.unsafeFlags(["-parse-as-library"])])
  ]

let package = Package(
  name: "segdeck",
  products: [
    .executable(name: "segdeck", targets: ["segdeck"]),
    .executable(name: "segdeck-bench", targets: ["segdeck-bench"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
    // For tests alone.
    .package(url: "https://github.com/pointfreeco/swift-custom-dump", from: "1.7.3"),
  ],
  targets: [
    // Layer 0: no knowledge of each other, but that work is held to the memory there is.
    .target(name: "CMemory", cSettings: strictC),
    library("Work", ["CMemory"]),
    .systemLibrary(name: "CBLAS"),
    .systemLibrary(name: "CZlib"),
    .systemLibrary(name: "CBZip2"),
    .systemLibrary(name: "CCrypto"),
    .systemLibrary(name: "CPNG"),
    .target(name: "CIgzip", cSettings: strictC),
    .target(name: "CDicom", cxxSettings: [.treatAllWarnings(as: .error)]),
    .target(
      name: "CTerminal", cSettings: strictC + [.define("NCURSES_WIDECHAR", to: "1")],
      linkerSettings: [.linkedLibrary("ncursesw"), .linkedLibrary("tinfo")]),
    .target(name: "CKernels", cSettings: strictC),

    // Layer 1: vocabularies.
    library("Volumes", ["Work"]),
    library("Tensors", ["Work", "CKernels", "CBLAS"]),
    library("Screen"),

    // Layer 2: one vocabulary each.
    library("ImageFormats", ["Work", "Volumes", "CZlib", "CBZip2", "CIgzip", "CDicom"]),
    library("Metrics", ["Work", "Volumes"]),
    library("Pictures", ["Work", "Volumes", "CPNG"]),
    library("Journal", ["Work", "CZlib"]),
    library("DenseCRF", ["Work", "Volumes", "CMemory", "CKernels"]),
    library("Networks", ["Work", "Tensors"]),
    library("TerminalPictures", ["Work", "Screen", "CZlib"]),

    // Layer 3: the pipeline, the program's behaviour, lists of cases, the terminal, networks of other programs. They do
    // not know each other.
    library("Segmentation", ["Work", "Volumes", "Tensors", "Networks", "DenseCRF", "Metrics"]),
    library("ONNX", ["Work", "Tensors", "Networks"]),
    library("Worklist", ["Work", "Volumes", "ImageFormats", "Metrics", "Journal"]),
    library("Review", ["Work", "Volumes", "Metrics", "Screen", "Worklist"]),
    library("CursesTerminal", ["Work", "Screen", "TerminalPictures", "CTerminal"]),

    // Layer 4: composition.
    library("Report", ["Work", "Worklist", "CCrypto"]),
    library("Cohort", ["Work", "Journal", "Worklist"]),
    library("RefinementAdapter", ["Work", "Volumes", "Segmentation", "Review"]),
    .executableTarget(
      name: "segdeck",
      dependencies: [
        "Work", "Volumes", "Tensors", "Screen", "ImageFormats", "Metrics", "DenseCRF", "Networks",
        "CursesTerminal", "Journal", "Segmentation", "Review", "Worklist", "RefinementAdapter", "Pictures",
        "Report", "ONNX", "Cohort", arguments, "CCrypto",
      ], swiftSettings: strict),
    .executableTarget(
      name: "segdeck-bench",
      dependencies: [
        "Work", "Volumes", "Tensors", "Screen", "TerminalPictures", "ImageFormats", "DenseCRF", "Networks",
        "Segmentation", "Review", "RefinementAdapter", arguments, "CZlib",
      ], swiftSettings: strict),

    .target(
      name: "TestSupport", dependencies: ["Work"], path: "Tests/TestSupport", swiftSettings: strict),
    .target(
      name: "ReviewFixtures", dependencies: ["Work", "Volumes", "Screen", "TerminalPictures", "Review"],
      path: "Tests/ReviewFixtures", swiftSettings: strict),
    // Plain loops beside every kernel; run-aarch64 builds the same sources for arm64.
    .target(
      name: "CKernelsCases", dependencies: ["CKernels"], path: "Tests/CKernelsCases",
      exclude: ["command.cpp", "run-aarch64"], cSettings: strictC,
      cxxSettings: [.treatAllWarnings(as: .error)]),
    tests("CKernelsTests", ["CKernels", "CKernelsCases", "TestSupport"]),
    tests("ArchitectureTests", ["TestSupport"]),
    tests("WorkTests", ["Work", "CMemory"]),
    tests("VolumesTests", ["Work", "Volumes", "TestSupport"]),
    tests("TensorsTests", ["Work", "Tensors", "CKernels", "TestSupport"]),
    tests("ScreenTests", ["Screen"]),
    tests("TerminalPicturesTests", ["Work", "Screen", "TerminalPictures", "CZlib"]),
    tests("CursesTerminalTests", ["Screen", "CTerminal", "CursesTerminal"]),
    tests(
      "ImageFormatsTests", ["Work", "Volumes", "ImageFormats", "TestSupport"], resources: [.copy("Fixtures")]),
    tests("MetricsTests", ["Work", "Volumes", "Metrics", "TestSupport"]),
    tests("JournalTests", ["Work", "Journal"]),
    tests("PicturesTests", ["Work", "Volumes", "Pictures", "CPNG"]),
    tests(
      "ReportTests", ["Work", "Metrics", "Worklist", "Report", "CCrypto", "TestSupport"], exclude: ["Golden"]),
    tests("CohortTests", ["Work", "Worklist", "Cohort"]),
    // Writes verdicts as one of several processes.
    .executableTarget(
      name: "RecordWriterProcess", dependencies: ["Work", "Worklist"], path: "Tests/RecordWriterProcess",
      swiftSettings: strict),
    tests(
      "WorklistTests",
      ["Work", "Volumes", "Metrics", "Journal", "Worklist", "RecordWriterProcess", "TestSupport"]),
    tests(
      "DenseCRFTests", ["Work", "Volumes", "DenseCRF", "CKernels", "TestSupport"],
      resources: [.copy("Golden")]),
    tests("NetworksTests", ["Work", "Tensors", "Networks", "TestSupport"], resources: [.copy("Golden")]),
    tests(
      "ONNXTests", ["Work", "Tensors", "Networks", "ONNX", "TestSupport"],
      exclude: ["Fixtures", "make_fixtures.py"]),
    tests(
      "SegmentationTests",
      ["Work", "Volumes", "Tensors", "Networks", "DenseCRF", "Metrics", "Segmentation", "TestSupport"],
      exclude: ["Golden"]),
    tests(
      "ReviewTests",
      [
        "Work", "Volumes", "Metrics", "Screen", "Worklist", "Review", "ReviewFixtures", "TestSupport",
        customDump,
      ],
      exclude: ["Frames"]),
    // Behaviour and the journal on the disk together, which the executable joins.
    tests(
      "ReviewJournalTests",
      [
        "Work", "Volumes", "Tensors", "ImageFormats", "Networks", "Segmentation", "Journal", "Worklist",
        "Review", "ReviewFixtures", "segdeck", "TestSupport",
      ]),
    tests("EndToEndTests", ["Work", "Volumes", "ImageFormats", "ONNX", "segdeck", "TestSupport"]),
    // What is fuzzed; the tests read the corpus again.
    .target(
      name: "FuzzTargets",
      dependencies: ["Work", "Volumes", "ImageFormats", "Journal", "Networks", "ONNX", "Worklist"],
      path: "Tests/FuzzTargets", swiftSettings: strict),
    tests("FuzzCorpusTests", ["FuzzTargets", "TestSupport"]),
  ] + fuzzing,
  swiftLanguageModes: [.v6],
  cxxLanguageStandard: .cxx17
)

// The debug pass of .ci/test-asserts leaves these out: they need optimised code, or start the program.
if Context.environment["SEGDECK_FAST_TESTS"] != nil {
  let slow: Set = ["CKernelsTests", "DenseCRFTests", "EndToEndTests", "SegmentationTests", "TensorsTests"]
  package.targets.removeAll { slow.contains($0.name) }
}

// These tests compute little themselves. They compile in a third of the time without optimisation.
let unoptimised: Set = [
  "ArchitectureTests", "CursesTerminalTests", "EndToEndTests", "ImageFormatsTests", "JournalTests",
  "ReportTests",
  "ReviewJournalTests", "ReviewTests", "WorklistTests",
]
for target in package.targets where unoptimised.contains(target.name) {
  target.swiftSettings = strict + [.unsafeFlags(["-Onone"])]
}
