import CZlib
import Foundation

/// The checksum of texts and voxels in files that only grow.
package enum CRC32 {
  /// The CRC-32 of zlib; 0 for no bytes.
  package static func checksum(of data: Data) -> UInt32 {
    data.withUnsafeBytes { bytes in
      UInt32(truncatingIfNeeded: crc32_z(0, bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count))
    }
  }
}
