import Work

/// The generated case that `segdeck` opens when no image is named.
struct SampleCase {
  let name: String
  let image: String
  let labels: String

  /// The bundled CT of an abdomen.
  /// - Throws: ``InputError`` when the sample data is not found.
  static func find() throws(InputError) -> SampleCase {
    let name = "ct-abdomen"
    let folder = try ShareFolder.find().path + "/cases/" + name
    return SampleCase(name: name, image: folder + "/image.nii.gz", labels: folder + "/labels.nii.gz")
  }
}
