import Work

/// The cases of a session, in the order in which the reviewer goes through them.
package struct WorklistState: Equatable, Sendable {
  /// A case of the list.
  package struct Case: Equatable, Sendable {
    /// What it is called.
    package var name: String
    /// Which files it opens.
    package var request: OpenCaseRequest

    /// A case.
    package init(name: String, request: OpenCaseRequest) {
      self.name = name
      self.request = request
    }
  }

  /// Every case, by ``CaseID``.
  package let cases: [Case]
  /// The cases that the filter leaves, in the order of the list.
  package internal(set) var order: [CaseID]
  /// Cases that somebody opened.
  package internal(set) var read: Set<CaseID> = []

  /// A list of these cases; there is at least one.
  package init(_ cases: [Case]) {
    precondition(!cases.isEmpty, "a session has a case")
    self.cases = cases
    order = cases.indices.map { CaseID($0) }
  }

  /// One case.
  package init(_ request: OpenCaseRequest) { self.init([Case(name: "", request: request)]) }

  /// Whether there is one case only, and so no list.
  package var isSingle: Bool { cases.count == 1 }

  /// Which files a case opens.
  package func request(of id: CaseID) -> OpenCaseRequest { cases[id.position].request }

  /// Where a case stands in the list, "3/40"; a case that the filter leaves out stands in none.
  func place(of id: CaseID) -> String {
    order.firstIndex(of: id).map { "\($0 + 1)/\(order.count)" } ?? "-/\(order.count)"
  }

  /// The case that stands `count` behind another in the list; nil beyond its ends.
  ///
  /// From a case that the filter leaves out, the list goes on where that case would stand.
  func neighbour(of id: CaseID, by count: Int) -> CaseID? {
    guard let position = order.firstIndex(of: id) else {
      return count > 0 ? order.first { $0 > id } : order.last { $0 < id }
    }
    let next = position + count
    return order.indices.contains(next) ? order[next] : nil
  }

  /// The next case behind this one that nobody read, from the top again at the end; nil where all were read.
  func nextUnread(after id: CaseID) -> CaseID? {
    let start = order.firstIndex(of: id).map { $0 + 1 } ?? 0
    return (order[start...] + order[..<start]).first { !read.contains($0) && $0 != id }
  }
}
