import Foundation

extension String {
  /// The text of a file without its byte order mark: UTF-16 where the mark says so, else UTF-8; nil when the bytes are
  /// invalid.
  package init?(textOf data: Data) {
    switch (data.first, data.dropFirst().first) {
    case (0xff, 0xfe): self.init(data: data.dropFirst(2), encoding: .utf16LittleEndian)
    case (0xfe, 0xff): self.init(data: data.dropFirst(2), encoding: .utf16BigEndian)
    default:
      let isMarked = data.starts(with: [0xef, 0xbb, 0xbf])
      self.init(validating: isMarked ? data.dropFirst(3) : data, as: UTF8.self)
    }
  }
}
