import ImageFormats
import Volumes
import Work
import Worklist

/// The masks of a case that do not fit the image or the first mask, each with the difference.
struct GridMisfits {
  private var texts: [(name: String, text: String)] = []
  /// The grid of the image; nil where it cannot be read.
  private(set) var imageGrid: VolumeGrid?
  /// "image cannot be read: is empty: found 0 bytes"; nil where it can, and where there is none.
  private var unreadImage: String?

  /// "net does not fit the image's grid: other dimensions, found 64 × 64 × 30, expected 64 × 64 × 40", after what is wrong
  /// with the image.
  var lines: [String] { [unreadImage].compactMap(\.self) + texts.map { "\($0.name) \($0.text)" } }

  /// Compares the grids of all masks of a case with that of its image, by their headers.
  ///
  /// Masks that cannot be read are not compared.
  init(of item: WorklistCase) {
    // An image that is missing is listed as that.
    guard let path = item.images.first, FileSystem.exists(path) else { return }
    let image: ImageFile
    do { image = try ImageFile.open(path, options: item.imageChoice()) } catch {
      unreadImage = "image cannot be read: " + ((error as? InputError).map(Self.difference) ?? "\(error)")
      return
    }
    imageGrid = image.grid
    for mask in item.masks {
      guard let opened = try? ImageFile.open(mask.path, options: item.choice(of: mask)) else { continue }
      let file = opened.extended(to: image.grid)
      do throws(InputError) {
        _ = try file.fit(on: image.grid)
      } catch {
        texts.append((mask.name, "does not fit the image's grid: \(Self.difference(error))"))
      }
    }
  }

  /// Whether one of the lines is about a mask.
  func concern(_ name: String) -> Bool { texts.contains { $0.name == name } }

  /// Opens the second mask of a case, which has to fit the grid of the first.
  /// - Throws: ``InputError`` where it cannot be read or does not fit.
  func opened(
    _ mask: WorklistCase.Mask, of item: WorklistCase, beside first: String, _ grid: VolumeGrid
  ) throws -> ImageFile {
    let file = try ImageFile.open(mask.path, options: item.choice(of: mask)).extended(to: grid)
    do throws(InputError) {
      _ = try file.fit(on: grid)
    } catch {
      // The mask that does not fit the image is at fault, which may be the first.
      if let misfit = texts.first(where: { [first, mask.name].contains($0.name) }) {
        throw InputError(mask.path, Self.isNotCompared + "\(misfit.name) \(misfit.text)")
      }
      throw InputError(
        mask.path, "does not fit the grid of \(first): \(Self.bareProblem(error))", found: error.found,
        expected: error.expected)
    }
    return file
  }

  /// How an error begins about a mask that is not compared because a mask does not fit the image.
  private static let isNotCompared = "is not compared: "

  /// Adds the reason why a mask is not compared, unless a grid that is known to be different is the reason.
  mutating func add(_ mask: WorklistCase.Mask, _ error: InputError) {
    guard !error.problem.hasPrefix(Self.isNotCompared), !texts.contains(where: { $0.name == mask.name })
    else {
      return
    }
    let isMisfit = error.problem.hasPrefix("does not fit")
    texts.append((mask.name, (isMisfit ? "" : Self.isNotCompared) + Self.difference(error)))
  }

  /// A line about the first mask of a case where it cannot be read.
  static func unreadMask(_ mask: WorklistCase.Mask, _ error: InputError) -> String {
    "\(mask.name) is not measured: \(difference(error))"
  }

  /// The problem alone.
  private static func bareProblem(_ error: InputError) -> String {
    error.problem.replacing("does not fit the image: ", with: "")
  }

  /// The problem and its details, without the file.
  private static func difference(_ error: InputError) -> String {
    var bare = error
    bare.problem = bareProblem(error)
    return String(bare.description.dropFirst(error.subject.printableLine.count + 2))
  }
}
