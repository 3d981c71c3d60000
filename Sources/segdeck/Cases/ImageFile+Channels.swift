import ImageFormats
import Volumes
import Work

extension [ImageFile] {
  /// Checks that the images of a case lie on the voxels of the first, in the same order.
  /// - Throws: ``InputError`` that names the first file that does not, and what differs.
  func requireOneGrid() throws(InputError) {
    for file in dropFirst() {
      try GridFit.requireSame(file.grid, as: self[0].grid, subject: file.path, imageName: self[0].path)
    }
  }
}
