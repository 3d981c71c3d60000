import Foundation
import FuzzTargets

/// The target that the environment names, and its folder.
private let session: (target: FuzzTarget, folder: String) = {
  let environment = ProcessInfo.processInfo.environment
  guard let target = FuzzTarget.all.first(where: { $0.name == environment["SEGDECK_FUZZ_TARGET"] }),
    let folder = environment["SEGDECK_FUZZ_FOLDER"]
  else {
    print("targets: " + FuzzTarget.all.map(\.name).joined(separator: " "))
    exit(2)
  }
  return (target, folder)
}()

/// Called by libFuzzer once for each input: traps where reading it ends in a fault.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzz(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  do {
    let input = Array(UnsafeBufferPointer(start: bytes, count: count))
    let outcome = try session.target.outcome(of: input, in: session.folder)
    if case .fault(let fault) = outcome { fatalError("the input \(fault)") }
  } catch { fatalError("the files of an input cannot be written: \(error)") }
  return 0
}

/// Called by libFuzzer first: adds the fixtures of the target to the inputs with which it begins.
@_cdecl("LLVMFuzzerInitialize")
func initialize(
  _ count: UnsafeMutablePointer<Int32>,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>
) -> Int32 {
  let seeds = session.target.seeds(of: URL(filePath: FileManager.default.currentDirectoryPath))
  guard !seeds.isEmpty else { return 0 }
  let stated = Int(count.pointee)
  // libFuzzer keeps the memory.
  let extended = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: stated + 2)
  extended.initialize(from: arguments.pointee, count: stated)
  (extended + stated).initialize(to: strdup("-seed_inputs=" + seeds.joined(separator: ",")))
  (extended + stated + 1).initialize(to: nil)
  (count.pointee, arguments.pointee) = (Int32(stated + 1), extended)
  return 0
}
