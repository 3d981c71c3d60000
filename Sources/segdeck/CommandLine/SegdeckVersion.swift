/// The program's version; docs/changelog.md lists the changes of each.
enum SegdeckVersion {
  static let text = "0.1.0"
}
