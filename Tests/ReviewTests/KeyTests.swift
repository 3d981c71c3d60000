import Foundation
import Review
import ReviewFixtures
import Screen
import TestSupport
import Testing

@Test("docs/keys.md is what the key table prints")
func keysAreDocumented() throws {
  let text = try String(contentsOf: checkout.appending(path: "docs/keys.md"), encoding: .utf8)
  #expect(text == KeyReference.markdown, "run: segdeck keys > docs/keys.md")
}

@Test("no key means two things in one context, and every context can be left")
func keysAreUnambiguous() {
  for context in KeyContext.all {
    let keys = KeyTable.bindings.filter { $0.context == context }.flatMap(\.keys)
    #expect(keys.count == Set(keys).count, "\(context)")
    #expect(KeyTable.action(.escape, in: context) != nil, "\(context)")
  }
}

@Test("every context with keys is in the key reference")
func contextsAreListed() {
  #expect(Set(KeyTable.bindings.map(\.context)) == Set(KeyContext.all))
}

@Test("the key bar names only keys that are bound")
func keyBarIsBound() {
  for binding in KeyTable.bindings where binding.barWord != nil {
    for key in binding.barKeys {
      #expect(KeyTable.action(key, in: binding.context) != nil, "\(key.label) in \(binding.context)")
    }
  }
}
