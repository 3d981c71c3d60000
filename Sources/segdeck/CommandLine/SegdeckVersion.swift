/// The program's version; docs/changelog.md says what each brought.
enum SegdeckVersion {
  static let text = "0.1.0"
}
