import Foundation

/// The words by which texts of a file are recognised that tell who the patient is, so that they are not shown.
struct PatientData: Sendable {
  /// The words of the name, and of the institution's name without the general ones; in small letters.
  private let words: [String]
  /// The patient's ID and date of birth, in small letters.
  private let identifiers: [String]

  init(_ dataSet: DicomDataSet, _ characterSet: DicomCharacterSet) {
    func words(_ tag: DicomTag) -> [String] {
      // Names have 64 characters in each of their representations.
      let text = dataSet.decoded(tag, in: characterSet)?.text.prefix(256) ?? ""
      return Self.words(of: String(text))
    }
    // A name such as LIVER^CASE12 or a clinic for kidneys must not hide the labels of liver and kidney.
    func tell(_ word: String) -> Bool {
      !Self.generalWords.contains(word) && !AnatomyCode.isKnown(word)
        && (word.contains(where: \.isLetter) || word.count > 3)
    }
    let ofName = words(.patientName).filter { $0.count > 1 && tell($0) }
    self.words = ofName + words(.institutionName).filter { $0.count > 3 && tell($0) }
    identifiers = [DicomTag.patientID, .patientBirthDate].compactMap {
      dataSet.decoded($0, in: characterSet)?.text.lowercased()
    }.filter { $0.count > 2 }
  }

  /// Whether a text contains a word of the patient's name or institution, the ID, or a date.
  ///
  /// Words of up to three letters count only as whole words, because longer words contain them by chance; those of
  /// Chinese, Japanese and Korean, which are written without blanks, count everywhere.
  func occurs(in text: String) -> Bool {
    let text = text.lowercased()
    let ownWords = Self.words(of: text)
    return (words + identifiers).contains { word in
      let isDistinctive = word.count > 3 || word.unicodeScalars.contains { $0.value >= 0x2e80 }
      return isDistinctive ? text.contains(word) : ownWords.contains(word)
    } || Self.containsDate(text)
  }

  /// Whether a text contains a date, such as 19510203, 1951-02-03, 03.02.1951 or 3 Feb 1951.
  static func containsDate(_ text: String) -> Bool {
    let text = text.lowercased()
    return text.contains(/(^|[^0-9])(19|20)[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])/)
      || text.contains(/(^|[^0-9])(0[1-9]|[12][0-9]|3[01])(0[1-9]|1[0-2])(19|20)[0-9]{2}($|[^0-9])/)
      || text.contains(/(^|[^0-9])[0-9]{4}[-.\/_ ][0-9]{1,2}[-.\/_ ][0-9]{1,2}($|[^0-9])/)
      || text.contains(/(^|[^0-9])[0-9]{1,2}[-.\/_ ][0-9]{1,2}[-.\/_ ](19|20)[0-9]{2}($|[^0-9])/)
      || text.contains(/(^|[^0-9])[0-9]{1,2}[-.\/][0-9]{1,2}[-.\/][0-9]{2}($|[^0-9])/)
      || text.contains(
        #/
        (^|[^0-9])[0-9]{1,2}[-.\/_\ ]{0,2}(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*
        [-.,\/_\ ]{0,2}[0-9]{2,4}
        /#
      )
      || text.contains(
        /(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[-.\/_ ]{0,2}[0-9]{1,2}[-.,\/_ ]{1,2}[0-9]{4}/
      )
  }

  private static func words(of text: String) -> [String] {
    text.lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init)
  }

  /// Words of names that tell nothing about a patient or an institution.
  private static let generalWords: Set<String> = [
    "hospital", "clinic", "clinics", "klinik", "klinikum", "university", "universität", "center", "centre",
    "medical",
    "institute", "general", "radiology", "radiologie", "imaging", "department", "health", "school", "saint",
    "college",
    "national", "research", "cancer", "tumor", "tumour", "care", "segmentation", "segment",
    "left", "right", "patient", "case", "subject", "anonymous", "anonymized", "anonymised",
  ]
}
