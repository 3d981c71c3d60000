import Foundation
import Work

/// Files of a case with an image for each input channel of a network, as nnU-Net names them: `CASE_0000.nii.gz`,
/// `CASE_0001.nii.gz` and so on.
package enum ChannelFiles {
  /// The case and the channel in a file's name without its suffix: ("liver_1", 3) of "liver_1_0003"; nil for a name that
  /// states no channel.
  package static func parts(ofStem stem: String) -> (caseName: String, channel: Int)? {
    guard stem.utf8.count > 5, stem.utf8.dropLast(4).last == UInt8(ascii: "_"),
      stem.utf8.suffix(4).allSatisfy({ (48...57).contains($0) }), let channel = Int(stem.suffix(4))
    else { return nil }
    return (String(stem.dropLast(5)), channel)
  }

  /// The name of a channel's file without its suffix: "liver_1_0003".
  package static func stem(ofCase name: String, channel: Int) -> String {
    let digits = String(channel)
    return name + "_" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
  }

  /// The files of the channels 1, 2 and so on beside that of channel 0, up to the first that is missing; none where
  /// `path` is not that of a channel 0.
  ///
  /// Of several formats the one of channel 0 counts, else the first by name.
  /// - Throws: ``InputError`` when the folder cannot be read.
  package static func further(besideFirst path: String) throws(InputError) -> [String] {
    guard let own = parts(ofStem: ImageName.stem(of: FilePath.name(of: path))), own.channel == 0 else {
      return []
    }
    let folder = FilePath.folder(of: path)
    let suffix = path.dropFirst(ImageName.stem(of: path).count)
    var files: [String: String] = [:]
    for name in try FileSystem.names(in: folder.isEmpty ? "." : folder) {
      guard ImageName.suffix(of: name) != nil, !ImageName.isVoxelFile(name) else { continue }
      let stem = ImageName.stem(of: name)
      if files[stem] == nil || name.hasSuffix(suffix) { files[stem] = name }
    }
    var further: [String] = []
    while let name = files[stem(ofCase: own.caseName, channel: further.count + 1)] {
      further.append(FilePath.joined(folder, name))
    }
    return further
  }

  /// The names of channels that nnU-Net's `dataset.json` in the folder of the images, or in the one above, states in order
  /// (`channel_names`, before version 2 `modality`); nil where no such file states them.
  package static func names(ofImagesIn folder: String) -> [String]? {
    for path in ["dataset.json", "../dataset.json"].map({ FilePath.joined(folder, $0) }) {
      guard let data = try? FileSystem.readIfPresent(path, limit: 16 << 20),
        let document = JSONValue(String(decoding: data, as: UTF8.self)),
        let stated = document[key: "channel_names"] ?? document[key: "modality"]
      else { continue }
      var names: [String] = []
      while case .string(let name) = stated[key: "\(names.count)"] { names.append(name.printableLine) }
      if !names.isEmpty { return names }
    }
    return nil
  }
}
