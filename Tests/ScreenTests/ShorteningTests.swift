import Screen
import Testing

@Test("a text that is too long is shortened in its middle, and never takes more columns than it may")
func middlesGiveWay() {
  #expect(TextWidth.shortened("right kidney", to: 12) == "right kidney")
  #expect(TextWidth.shortened("right kidney", to: 9) == "right…ney")
  #expect(TextWidth.shortened("right kidney", to: 1) == "…")
  #expect(TextWidth.shortened("right kidney", to: 0) == "")
  #expect(TextWidth.shortened([], to: 5) == [])
  for width in 0..<30 {
    for text in [
      "", "a", "liver", "肝臓の大きな区域と小さな区域", "cafe\u{301} au lait et croissant", "\u{1B}[2Jescape sequence",
    ] {
      #expect(TextWidth.columns(TextWidth.shortened(text, to: width)) <= width)
    }
  }
}

@Test("texts are told apart wherever they differ: at the start, in the middle, at the end")
func shortenedTextsDiffer() {
  let groups = [
    ["reader_one/seg.nii.gz", "reader_two/seg.nii.gz"],
    ["left_kidney_cortex_upper", "left_kidney_medulla_upper", "left_kidney_pelvis_upper"],
    ["case_0000001_a.nii.gz", "case_0000001_b.nii.gz"],
    ["left ventricle wall", "right ventricle wall"],
    ["Frontal_Sup_Orb_L", "Frontal_Sup_Orb_R", "Frontal_Mid_Orb_L", "Frontal_Mid_Orb_R"],
    ["liver", "segmentation of the liver by the network of the first reader"],
  ]
  for texts in groups {
    for width in [10, 12, 14, 18, 25] {
      let shown = TextWidth.shortened(texts, to: width)
      #expect(Set(shown).count == texts.count, "\(shown)")
      #expect(shown.allSatisfy { TextWidth.columns($0) <= width })
    }
  }
  #expect(
    TextWidth.shortened(["reader_one/seg.nii.gz", "reader_two/seg.nii.gz"], to: 16)
      == ["reader_on…nii.gz", "reader_tw…nii.gz"])
  // Equal names stay equal.
  #expect(Set(TextWidth.shortened(["segmentation", "segmentation"], to: 6)).count == 1)
}
