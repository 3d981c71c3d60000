import Foundation
import Work

/// The character sets of a data set's texts (SpecificCharacterSet, PS3.3 C.12.1.1.2), decoded by the C library's iconv.
struct DicomCharacterSet: Sendable {
  /// The stated terms: "ISO 2022 IR 6", "ISO 2022 IR 87".
  private let terms: [String]

  init(_ dataSet: DicomDataSet) {
    terms = dataSet.texts(.specificCharacterSet)
  }

  /// A decoded text.
  struct Decoded: Equatable {
    var text: String
    /// Whether no character had to be replaced.
    var isWhole: Bool
  }

  /// Decodes a value; bytes that are no characters become U+FFFD.
  ///
  /// Where no character set is stated, a text is UTF-8 or else Latin-1.
  func decode(_ bytes: [UInt8]) -> Decoded {
    guard terms.contains(where: { !$0.isEmpty }) else {
      let text =
        String(validating: bytes, as: UTF8.self)
        ?? String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
      return Decoded(text: text, isWhole: true)
    }
    var state = State(highEncoding: Self.encoding(of: terms[0]))
    var decoded = Decoded(text: "", isWhole: true)
    var rest = bytes[...]
    while let escape = rest.firstIndex(of: 0x1b) {
      state.append(rest[..<escape], to: &decoded)
      rest = rest[escape...]
      guard let (sequence, change) = Self.escapes.first(where: { rest.starts(with: $0.sequence) }) else {
        decoded.isWhole = false
        rest = rest.dropFirst()
        continue
      }
      switch change {
      case .low(let low): state.low = low
      case .high(let encoding): state.highEncoding = encoding
      }
      rest = rest.dropFirst(sequence.count)
    }
    state.append(rest, to: &decoded)
    return decoded
  }

  /// The characters that bytes stand for after an escape sequence.
  private struct State {
    /// The characters of bytes below 0x80.
    enum Low: Equatable {
      case ascii, romaji
      /// Two bytes for each character, announced by this escape sequence.
      case twoBytes(escape: [UInt8])
    }

    /// The encoding of text in which bytes from 0x80 on occur; nil for an unknown character set.
    var highEncoding: String?
    var low = Low.ascii

    func append(_ bytes: ArraySlice<UInt8>, to decoded: inout Decoded) {
      guard !bytes.isEmpty else { return }
      let piece: Decoded? =
        switch low {
        case .ascii: highEncoding.flatMap { DicomCharacterSet.convert(Array(bytes), from: $0) }
        case .romaji: DicomCharacterSet.convert(Array(bytes), from: DicomCharacterSet.japaneseSingleBytes)
        case .twoBytes(let escape): DicomCharacterSet.convert(escape + bytes, from: "ISO-2022-JP-2")
        }
      let replaced = String(
        String.UnicodeScalarView(bytes.map { $0 < 0x80 ? Unicode.Scalar($0) : "\u{fffd}" }))
      decoded.text += piece?.text ?? replaced
      decoded.isWhole = decoded.isWhole && (piece?.isWhole ?? bytes.allSatisfy { $0 < 0x80 })
    }
  }

  private enum Change {
    case low(State.Low)
    case high(String)
  }

  private static let escapes: [(sequence: [UInt8], change: Change)] = {
    let letters: [(String, Change)] = [
      ("(B", .low(.ascii)), ("(J", .low(.romaji)), (")I", .high(DicomCharacterSet.japaneseSingleBytes)),
      ("$B", .low(.twoBytes(escape: [0x1b] + "$B".utf8))),
      ("$(D", .low(.twoBytes(escape: [0x1b] + "$(D".utf8))), ("$)C", .high("EUC-KR")),
      ("$)A", .high("EUC-CN")), ("-A", .high("ISO-8859-1")), ("-B", .high("ISO-8859-2")),
      ("-C", .high("ISO-8859-3")), ("-D", .high("ISO-8859-4")), ("-F", .high("ISO-8859-7")),
      ("-G", .high("ISO-8859-6")), ("-H", .high("ISO-8859-8")), ("-L", .high("ISO-8859-5")),
      ("-M", .high("ISO-8859-9")), ("-T", .high("TIS-620")), ("-b", .high("ISO-8859-15")),
    ]
    return letters.map { ([0x1b] + $0.0.utf8, $0.1) }
  }()

  /// The encoding of a defined term, as iconv names it; nil for an unknown term.
  private static func encoding(of term: String) -> String? {
    let words = term.uppercased().split { " _-".contains($0) }
    switch words.joined(separator: " ") {
    case "", "ISO IR 6", "ISO 2022 IR 6", "ISO 2022 IR 87", "ISO 2022 IR 159": return "ASCII"
    case "GB18030": return "GB18030"
    case "GBK": return "GBK"
    case "ISO IR 192": return "UTF-8"
    case "ISO 2022 IR 149": return "EUC-KR"
    case "ISO 2022 IR 58": return "EUC-CN"
    default: break
    }
    guard words.first == "ISO", words.count > 2, words[words.count - 2] == "IR" else { return nil }
    switch words.last {
    case "100": return "ISO-8859-1"
    case "101": return "ISO-8859-2"
    case "109": return "ISO-8859-3"
    case "110": return "ISO-8859-4"
    case "144": return "ISO-8859-5"
    case "127": return "ISO-8859-6"
    case "126": return "ISO-8859-7"
    case "138": return "ISO-8859-8"
    case "148": return "ISO-8859-9"
    case "203": return "ISO-8859-15"
    case "13": return DicomCharacterSet.japaneseSingleBytes
    case "166": return "TIS-620"
    default: return nil
    }
  }

  /// JIS X 0201, which glibc does not convert.
  private static let japaneseSingleBytes = "JIS_X0201"

  /// Converts JIS X 0201: ASCII with a yen sign and an overline, and half-width katakana.
  private static func convertJapanese(_ bytes: [UInt8]) -> Decoded {
    let scalars = bytes.map { byte -> Unicode.Scalar in
      switch byte {
      case 0x5c: "\u{a5}"
      case 0x7e: "\u{203e}"
      case 0..<0x80: Unicode.Scalar(byte)
      case 0xa1...0xdf: Unicode.Scalar(0xff61 + UInt32(byte) - 0xa1) ?? "\u{fffd}"
      default: "\u{fffd}"
      }
    }
    return Decoded(
      text: String(String.UnicodeScalarView(scalars)), isWhole: !scalars.contains("\u{fffd}"))
  }

  /// Converts bytes of an encoding to text; nil where the C library lacks the encoding.
  private static func convert(_ bytes: [UInt8], from encoding: String) -> Decoded? {
    if encoding == japaneseSingleBytes { return convertJapanese(bytes) }
    let converter = iconv_open("UTF-8", encoding)
    guard Int(bitPattern: converter) != -1 else { return nil }
    defer { iconv_close(converter) }
    var isWhole = true
    var input = bytes.map { CChar(bitPattern: $0) }
    var output = [CChar](repeating: 0, count: 4 * bytes.count + 16)
    let count = input.withUnsafeMutableBufferPointer { input in
      output.withUnsafeMutableBufferPointer { output in
        var (source, sourceCount) = (input.baseAddress, input.count)
        var (target, room) = (output.baseAddress, output.count)
        while iconv(converter, &source, &sourceCount, &target, &room) == -1, sourceCount > 0, room > 3 {
          isWhole = false
          for byte in "\u{fffd}".utf8 {
            target?.pointee = CChar(bitPattern: byte)
            target = target?.advanced(by: 1)
          }
          room -= 3
          source = source?.advanced(by: 1)
          sourceCount -= 1
        }
        return output.count - room
      }
    }
    return Decoded(
      text: String(decoding: output[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self), isWhole: isWhole)
  }
}

extension DicomDataSet {
  /// A text in the character sets of its file; nil where it is missing or empty.
  func decoded(_ tag: DicomTag, in characterSet: DicomCharacterSet) -> DicomCharacterSet.Decoded? {
    textBytes(tag).map { characterSet.decode(Array($0)) }
  }
}
