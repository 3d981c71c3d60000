import Cohort
import Testing
import Work
import Worklist

@Suite("Names and parts of a cohort")
struct CohortFolderTests {
  private func mask(_ name: String, isBIDS: Bool = false, image: String = "x.nii") -> String {
    CohortFolder("out", isBIDS: isBIDS).mask(
      of: WorklistCase(name: name, images: [image]), version: "left-atrium")
  }

  @Test("a case has a file of its own whatever its name")
  func fileNames() {
    let names = ["a", "a b", "tue/scan", "tue_scan", "..", ".a", "-o", "", " a", "a:b", "a?b", "straße"]
    let masks = names.map { mask($0) }
    #expect(Set(masks).count == names.count)
    #expect(
      masks[0] == "masks/a.nii.gz" && masks[1] == "masks/a b.nii.gz" && masks[3] == "masks/tue_scan.nii.gz")
    for path in masks {
      let parts = path.split(separator: "/")
      #expect(parts.count == 2 && !parts[1].hasPrefix(".") && !parts[1].contains { ":?*".contains($0) })
    }
  }

  @Test(
    "a mask of a BIDS dataset has the name of its image",
    arguments: [
      ("sub-01/anat/sub-01_T1w.nii.gz", "sub-01/anat/sub-01_desc-leftatrium_dseg.nii.gz"),
      (
        "/data/sub-01/ses-2/anat/sub-01_ses-2_acq-hr_FLAIR.nii",
        "sub-01/ses-2/anat/sub-01_ses-2_acq-hr_desc-leftatrium_dseg.nii.gz"
      ),
      ("sub-01/scan.nii.gz", "masks/c.nii.gz"),
    ])
  func bids(image: String, expected: String) {
    #expect(mask("c", isBIDS: true, image: image) == expected)
  }

  @Test("shares are disjoint and complete", arguments: [1, 2, 3, 7, 12])
  func shares(count: Int) throws {
    let cases = Array(0..<11)
    let parts = try (1...count).map { try CohortShare("\($0)/\(count)").of(cases) }
    #expect(parts.flatMap(\.self).sorted() == cases)
    #expect((parts.map(\.count).max() ?? 0) - (parts.map(\.count).min() ?? 0) <= 1)
  }

  @Test("what is no share is refused", arguments: ["", "1", "0/2", "3/2", "1/0", "1/2/3", "a/b", "-1/2"])
  func refusedShare(text: String) {
    #expect(throws: InputError.self) { try CohortShare(text) }
  }
}
