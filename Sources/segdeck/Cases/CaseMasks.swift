import ImageFormats
import Volumes
import Work

/// The masks of a case that could be read, on its image's grid.
struct CaseMasks {
  /// Each mask with its opened file, in the order of the paths.
  private(set) var masks: [(OpenedImage, FittedMask)] = []
  /// A line for each mask that could not be read, which begins with its name where that is not its file's.
  private(set) var refusals: [String] = []

  /// Reads the masks of a case, in parallel where there are threads for it.
  ///
  /// A defective mask does not prevent the review of the others. Where all masks together have too many label values or
  /// need too much memory, a mask is left out when it does not fit with those before it.
  /// - Parameters:
  ///   - choices: What to read of masks with several segments or layers, by their paths; those that the format of a mask
  ///     does not leave are ignored.
  ///   - names: The names of masks by their paths; a mask without one is named after its file.
  /// - Throws: ``Cancelled``.
  init(
    _ paths: [String], choices: [String: ImageReadingOptions], names: [String: String], of image: ImageFile,
    imagePath: String, work: WorkContext
  ) throws {
    var opened: [OpenedImage] = []
    for path in paths {
      let choice = choices[path] ?? ImageReadingOptions()
      let mask = try accepted(names[path]) {
        try OpenedImage(path, options: choice.limited(toThoseOf: path), work: work)
      }
      if let mask { opened.append(mask) }
    }
    func fit(_ masks: [OpenedImage]) throws -> [FittedMask] {
      let fitted = try FittedMask.masks(masks.map(\.image), of: image, work: work)
      // Chunks may take as much memory as whole volumes.
      try LabelVolume.requireMemory(
        on: image.grid.size, volumes: fitted.count, subject: masks.last?.image.path ?? imagePath)
      return fitted
    }
    do {
      masks = Array(zip(opened, try fit(opened)))
    } catch is InputError {
      var fitting: [OpenedImage] = []
      for mask in opened {
        let fits = try accepted(names[mask.image.path]) { try fit(fitting + [mask]) } != nil
        if fits { fitting.append(mask) }
      }
      masks = Array(zip(fitting, try fit(fitting)))
    }
  }

  /// The value of `body`; nil and a refusal where it throws an ``InputError``.
  private mutating func accepted<Value>(_ name: String?, _ body: () throws -> Value) throws -> Value? {
    do {
      return try body()
    } catch let error as InputError {
      // The masks of a case often have files of one name in folders of their own.
      let isFileName = name.map { FilePath.name(of: error.subject).hasPrefix($0) } ?? true
      refusals.append((isFileName ? "" : "\(name ?? ""): ") + error.description)
      return nil
    }
  }
}
