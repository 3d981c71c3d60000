import Foundation

/// The words by which texts of a file are recognised that tell who the patient is, so that they are not shown.
///
/// Texts are compared in ``folded(_:)`` letters.
struct PatientData: Sendable {
  /// The words of the names of the patient, the mother and the physician, and long ones of the institution's name.
  private let words: Set<String>
  /// Words of Chinese, Japanese and Korean, which are written without blanks.
  private let unspacedWords: [String]
  /// Two words of one name without a blank, and the institution's name: letters and digits alone.
  private let phrases: [String]
  /// IDs, accession number and dates of birth: letters and digits alone.
  private let identifiers: Set<String>

  init(_ dataSet: DicomDataSet, _ characterSet: DicomCharacterSet) {
    func text(_ tag: DicomTag, in set: DicomDataSet) -> String {
      // Names have 64 characters in each of their representations.
      String(set.decoded(tag, in: characterSet)?.text.prefix(256) ?? "")
    }
    let nameTags: [DicomTag] = [
      .patientName, .otherPatientNames, .patientBirthName, .patientMotherBirthName, .referringPhysicianName,
    ]
    let names = nameTags.flatMap { Self.names(text($0, in: dataSet)) }
    let institution = Self.distinctive(text(.institutionName, in: dataSet)) { $0.count > 5 }
    let all = names.joined() + institution
    unspacedWords = all.filter { $0.count > 1 && Self.isUnspaced($0) }
    words = Set(all)
    let pairs = names.flatMap { name in name.flatMap { one in name.map { one + $0 } } }
    let place = Self.tokens(of: text(.institutionName, in: dataSet))
    phrases = pairs.filter { $0.count > 7 } + [place.joined()].filter { place.count > 1 && $0.count > 5 }
    let ids =
      [text(.patientID, in: dataSet), text(.accessionNumber, in: dataSet)]
      + text(.otherPatientIDs, in: dataSet).split(separator: "\\").map(String.init)
      + dataSet.items(.otherPatientIDsSequence).map { text(.patientID, in: $0) }
    identifiers = Set(
      ids.flatMap(Self.identifiers) + Self.birthDates(text(.patientBirthDate, in: dataSet)))
  }

  /// Whether a text contains a name, an ID or the institution of the file, or a date.
  ///
  /// A name counts as a whole word, so that it hides no longer word that contains it by chance.
  func occurs(in text: String) -> Bool {
    let tokens = Self.tokens(of: text)
    let own = Set(tokens + tokens.flatMap(Self.runs(of:)) + Self.tokens(of: Self.separatingCapitals(text)))
    if !words.isDisjoint(with: own) || !identifiers.isDisjoint(with: own) { return true }
    let condensed = tokens.joined()
    return unspacedWords.contains { condensed.contains($0) } || phrases.contains { condensed.contains($0) }
      || identifiers.contains { id in
        id.count > 4 && id.contains(where: \.isLetter) && condensed.contains(id)
      }
      || Self.containsDate(text)
  }

  /// Whether a text contains a date or a month of a year, such as 19510203, 1951-02-03, 03.02.1951, 3 Feb 1951, 2019-4,
  /// 03/2019 or März 2020, or a year of birth ("born 1951").
  static func containsDate(_ text: String) -> Bool {
    let text = text.lowercased()
    // Expressions are slow, and most texts have too few digits for any of them.
    let runs = text.split { !("0"..."9").contains($0) }
    guard let longest = runs.map(\.count).max() else { return false }
    return longest > 3
      && (containsYear(text) || MonthName.isNamedWithYear(in: tokens(of: text)))
      || longest > 1 && runs.count > 2
        && withoutSizes(text).contains(/(^|[^0-9])[0-9]{1,2}[-.\/][0-9]{1,2}[-.\/][0-9]{2}($|[^0-9])/)
      || months.contains { text.contains($0) } && containsMonth(text)
  }

  private static let months = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
  ]

  /// Whether a text contains a date or month in numbers with a year of four digits.
  private static func containsYear(_ text: String) -> Bool {
    let withoutSizes = withoutSizes(text)
    return text.contains(/(^|[^0-9])(19|20)[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])/)
      || text.contains(/(^|[^0-9])(0[1-9]|[12][0-9]|3[01])(0[1-9]|1[0-2])(19|20)[0-9]{2}($|[^0-9])/)
      || text.contains(/(^|[^0-9])[0-9]{4}[-.\/_ ][0-9]{1,2}[-.\/_ ][0-9]{1,2}($|[^0-9])/)
      || text.contains(/(^|[^0-9])[0-9]{1,2}[-.\/_ ][0-9]{1,2}[-.\/_ ](19|20)[0-9]{2}($|[^0-9])/)
      || withoutSizes.contains(/(^|[^0-9.])(19|20)[0-9]{2}[-.\/_](0?[1-9]|1[0-2])($|[^0-9])/)
      || withoutSizes.contains(/(^|[^0-9.])(0?[1-9]|1[0-2])[-.\/_](19|20)[0-9]{2}($|[^0-9])/)
      || text.contains(/(^|[^a-z])(born|birth|dob|geboren|geb)[^0-9]{0,12}(19|20)[0-9]{2}($|[^0-9])/)
  }

  /// Whether a text contains a date with the name of a month.
  private static func containsMonth(_ text: String) -> Bool {
    text.contains(
      #/
      (^|[^0-9])[0-9]{1,2}[-.\/_\ ]{0,2}(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*
      [-.,\/_\ ]{0,2}[0-9]{2,4}
      /#
    )
      || text.contains(
        /(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[-.\/_ ]{0,2}[0-9]{1,2}[-.,\/_ ]{1,2}[0-9]{4}/
      )
  }

  /// A text without sizes and doses, such as "3.2.19 mm".
  private static func withoutSizes(_ text: String) -> String {
    let unit = "(mm|cm|ml|cc|um|hu|gy|cgy|ms|sec|s|kv|kev|mev|t|%|°)"
    return text.replacingOccurrences(
      of: "[0-9][0-9.,\\/x-]* ?\(unit)(?![a-z0-9])", with: " ", options: .regularExpression)
  }

  /// The words of each name of a value; prefixes and suffixes such as "Dr." are left out.
  private static func names(_ text: String) -> [[String]] {
    text.split { $0 == "=" || $0 == "\\" }.map { name in
      let parts = name.split(separator: "^", omittingEmptySubsequences: false).prefix(3)
      let spelled = parts.joined(separator: " ")
      // O'Brien is also written without the apostrophe.
      let joined = spelled.filter { !"'’".contains($0) }
      return (joined == spelled ? [spelled] : [spelled, joined]).flatMap { text in
        distinctive(text) { $0.count > 1 || isUnspaced($0) }
      }
    }
  }

  /// The words of a text that are neither general nor anatomical: a name such as LIVER^CASE12 or a clinic for kidneys
  /// must not hide the labels of liver and kidney.
  private static func distinctive(_ text: String, _ isLongEnough: (String) -> Bool) -> [String] {
    let spelled = text.lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init)
    return spelled.filter { word in
      isLongEnough(word) && !AnatomyCode.isKnown(word) && !generalWords.contains(folded(word))
        && (word.contains(where: \.isLetter) || word.count > 3)
    }.map(folded)
  }

  /// An ID without its punctuation, and its digits alone where they are five or more.
  private static func identifiers(_ id: String) -> [String] {
    let plain = tokens(of: id).joined()
    let letters = plain.filter { !$0.isNumber }
    let digits = plain.filter(\.isNumber)
    let isGeneral =
      digits.count < 3 && (generalWords.contains(letters) || AnatomyCode.isKnown(letters))
    return (plain.count > 2 && !isGeneral ? [plain] : []) + (digits.count > 4 ? [digits] : [])
  }

  /// The date of birth as it is stated, and without its century in both orders: 510203, 030251.
  private static func birthDates(_ text: String) -> [String] {
    let digits = text.filter(\.isNumber)
    guard digits.count == 8 else { return digits.count > 3 ? [digits] : [] }
    let (year, month, day) = (digits.dropFirst(2).prefix(2), digits.dropFirst(4).prefix(2), digits.suffix(2))
    return [digits, "\(year)\(month)\(day)", "\(day)\(month)\(year)"]
  }

  /// A text in small letters without diacritics, in which ä, ae and a are one.
  static func folded(_ text: String) -> String {
    var folded = text.lowercased()
    if folded.utf8.allSatisfy({ $0 < 0x80 }) { return withoutSecondVowel(folded) }
    for (letter, plain) in [("ß", "ss"), ("æ", "a"), ("œ", "o"), ("ø", "o"), ("ł", "l"), ("đ", "d")] {
      folded = folded.replacingOccurrences(of: letter, with: plain)
    }
    folded = folded.folding(options: [.diacriticInsensitive, .caseInsensitive], locale: nil)
    return withoutSecondVowel(folded)
  }

  /// A text without the "e" of ae, oe and ue.
  private static func withoutSecondVowel(_ text: String) -> String {
    var scalars = String.UnicodeScalarView()
    var last: Unicode.Scalar?
    for scalar in text.unicodeScalars {
      let isSecond = scalar == "e" && (last == "a" || last == "o" || last == "u")
      if !isSecond { scalars.append(scalar) }
      last = scalar
    }
    return String(scalars)
  }

  /// The words of a text: sequences of letters and digits.
  private static func tokens(of text: String) -> [String] {
    folded(text).split { !$0.isLetter && !$0.isNumber }.map(String.init)
  }

  /// The sequences of letters, and those of digits, in a word.
  private static func runs(of word: String) -> [String] {
    word.split { !$0.isLetter }.map(String.init) + word.split { !$0.isNumber }.map(String.init)
  }

  /// "AnnaMaria" as "Anna Maria".
  private static func separatingCapitals(_ text: String) -> String {
    var separated = ""
    var last: Character?
    for character in text {
      if character.isUppercase, last?.isLowercase == true { separated.append(" ") }
      separated.append(character)
      last = character
    }
    return separated
  }

  private static func isUnspaced(_ word: String) -> Bool {
    word.unicodeScalars.contains { $0.value >= 0x2e80 }
  }

  /// Words of names that tell nothing about a patient or an institution.
  private static let generalWords: Set<String> = Set(
    [
      "hospital", "clinic", "clinics", "klinik", "kliniken", "klinikum", "krankenhaus", "university",
      "universität",
      "universitätsklinikum", "universitair", "universidad", "université", "hôpital", "center", "centre",
      "zentrum",
      "medical", "medizin", "medicine", "medizinische", "institute", "institut", "general", "radiology",
      "radiologie",
      "imaging", "department", "health", "healthcare", "school", "saint", "college", "national", "regional",
      "county",
      "research", "cancer", "tumor", "tumour", "children", "childrens", "surgery", "nuclear", "praxis",
      "practice",
      "diagnostic", "diagnostics", "foundation", "memorial", "northern", "southern", "eastern", "western",
      "central",
      "care", "segmentation", "segment", "lesion", "region", "volume", "vessel", "artery", "left", "right",
      "patient",
      "case", "subject", "test", "phantom", "anon", "anonymous", "anonymized", "anonymised", "unknown",
      "none", "dr",
      "prof", "med", "dipl", "ing", "mr", "mrs", "ms", "md", "phd", "jr", "sr", "herr", "frau", "an", "na",
      "de", "da",
      "di", "du", "la", "le", "el", "al", "in", "of", "on", "no", "the", "and", "von", "van", "der", "den",
      "des", "und",
    ].map(folded))
}
