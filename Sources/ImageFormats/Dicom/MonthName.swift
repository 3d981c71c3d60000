/// The names of the months in the languages whose texts are common in DICOM files.
enum MonthName {
  /// Whether a month stands beside a year of four digits ("March 2020", "2020 Mrz", "marzo de 2020", "March 3, 2020").
  ///
  /// The name of a month counts as a whole word, so that "marginal 2000" is none.
  /// - Parameter tokens: The sequences of letters and digits of a text, ``PatientData/folded(_:)``, in its order.
  static func isNamedWithYear(in tokens: [String]) -> Bool {
    let words = tokens.flatMap(separated)
    return words.indices.contains { index in
      guard names.contains(words[index]) else { return false }
      // At most "rd" and a day stand between.
      return isYear(words[(index + 1)...].prefix(3).first { !isBetween($0) })
        || isYear(words[..<index].suffix(3).last { !isBetween($0) })
    }
  }

  /// The sequences of letters and those of digits in a word: "3", "rd" of "3rd".
  private static func separated(_ word: String) -> [String] {
    var parts: [String] = []
    for character in word {
      if let last = parts.last?.last, last.isNumber == character.isNumber {
        parts[parts.count - 1].append(character)
      } else {
        parts.append(String(character))
      }
    }
    return parts
  }

  private static func isYear(_ word: String?) -> Bool {
    guard let word else { return false }
    return word.count == 4 && (word.hasPrefix("19") || word.hasPrefix("20")) && word.allSatisfy(\.isNumber)
  }

  /// Whether a word is one that may stand between a month and its year: a day, or "of".
  private static func isBetween(_ word: String) -> Bool {
    Int(word).map((1...31).contains)
      ?? ["of", "de", "del", "do", "di", "st", "nd", "rd", "th"].contains(word)
  }

  /// Names in English, German, French, Spanish, Italian, Portuguese, Dutch and the languages of Scandinavia, and their
  /// abbreviations but those that are words of other meanings ("set", "out", "des").
  private static let names: Set<String> = Set(
    [
      "jan", "january", "januar", "januari", "jänner", "jän", "janvier", "janv", "enero", "ene", "gennaio",
      "gen",
      "janeiro",
      "feb", "febr", "february", "februar", "februari", "feber", "février", "févr", "fév", "febrero",
      "febbraio",
      "fevereiro", "fev",
      "mar", "march", "märz", "mär", "mrz", "mars", "marzo", "março", "maart", "mrt", "marts",
      "apr", "april", "avril", "avr", "abril", "abr", "aprile",
      "may", "mai", "mayo", "maggio", "mag", "maio", "mei", "maj",
      "jun", "june", "juni", "juin", "junio", "giugno", "giu", "junho",
      "jul", "july", "juli", "juillet", "juil", "julio", "luglio", "lug", "julho",
      "aug", "august", "août", "aoû", "agosto", "ago", "augustus", "augusti",
      "sep", "sept", "september", "septembre", "septiembre", "setiembre", "settembre", "setembro",
      "oct", "october", "oktober", "okt", "octobre", "octubre", "ottobre", "ott", "outubro",
      "nov", "november", "novembre", "noviembre", "novembro",
      "dec", "december", "dezember", "dez", "décembre", "déc", "diciembre", "dic", "dicembre", "dezembro",
      "desember",
    ].map(PatientData.folded))
}
