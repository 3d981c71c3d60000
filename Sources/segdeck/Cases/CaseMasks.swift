import ImageFormats
import Volumes
import Work

/// The masks of a case that could be read, on its image's grid.
struct CaseMasks {
  /// Each mask with its opened file, in the order of the paths.
  private(set) var masks: [(OpenedImage, FittedMask)] = []
  /// A line for each mask that could not be read.
  private(set) var refusals: [String] = []

  /// Reads the masks of a case, in parallel where there are threads for it.
  ///
  /// A defective mask does not prevent the review of the others. Where all masks together have too many label values or
  /// need too much memory, a mask is left out when it does not fit with those before it.
  /// - Parameter choices: What to read of masks with several segments or layers, by their paths; those that the format of
  ///   a mask does not leave are ignored.
  /// - Throws: ``Cancelled``.
  init(
    _ paths: [String], choices: [String: ImageReadingOptions], of image: ImageFile, imagePath: String,
    work: WorkContext
  ) throws {
    var opened: [OpenedImage] = []
    for path in paths {
      let choice = choices[path] ?? ImageReadingOptions()
      if let mask = try accepted({
        try OpenedImage(path, options: choice.limited(toThoseOf: path), work: work)
      }) {
        opened.append(mask)
      }
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
      for mask in opened where try accepted({ try fit(fitting + [mask]) }) != nil { fitting.append(mask) }
      masks = Array(zip(fitting, try fit(fitting)))
    }
  }

  /// The value of `body`; nil and a refusal where it throws an ``InputError``.
  private mutating func accepted<Value>(_ body: () throws -> Value) throws -> Value? {
    do {
      return try body()
    } catch let error as InputError {
      refusals.append(error.description)
      return nil
    }
  }
}
