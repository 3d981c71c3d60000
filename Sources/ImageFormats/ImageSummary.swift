import Volumes
import Work

extension ImageFile {
  /// The image in a few words, by its header: "512x512x300, 0.703x0.703x1 mm, CT, 16-bit".
  package var summary: String {
    let spacing = (0..<3).map { significant(grid.spacing[$0], 3) }.joined(separator: "x") + " mm"
    return [sizeText, spacing, modality, voxelType.text].filter { !$0.isEmpty }.joined(separator: ", ")
  }

  /// "512x512x300", or "64x64x30, 4 frames".
  package var sizeText: String {
    grid.size.description + (frameCount > 1 ? ", " + counted(frameCount, "frame") : "")
  }

  /// The size of all files of the image in bytes, as they are stored.
  package var byteCount: Int { files.reduce(0) { $0 + Int(FileSystem.status($1)?.st_size ?? 0) } }
}

extension VoxelType {
  /// "16-bit" or "32-bit float"; the name of the type where voxels are not one number each.
  fileprivate var text: String {
    isReadable ? "\(8 * byteCount)-bit" + (isFloatingPoint ? " float" : "") : rawValue
  }
}
