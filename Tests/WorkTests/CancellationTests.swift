import Testing
import Work

@Suite("Requests to stop")
struct CancellationTests {
  @Test("a request is one of all that follow it, and theirs are none of it")
  func following() {
    let leader = Cancellation()
    let followers = [Cancellation(following: leader), Cancellation(following: leader)]
    followers[0].request()
    #expect(followers.map(\.isRequested) == [true, false])
    #expect(!leader.isRequested && !leader.wasRequested)
    leader.request()
    #expect(followers.map(\.wasRequested) == [true, true])
    #expect(leader.isRequested)
    #expect(Cancellation(following: followers[1]).isRequested)
  }
}
