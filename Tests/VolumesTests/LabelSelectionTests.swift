import Testing
import Volumes
import Work

@Test("label selections are read as commands write them")
func labelSelectionsAreRead() throws {
  #expect(try LabelSelection("6=liver") == LabelSelection(values: [6], name: "liver"))
  #expect(try LabelSelection("2, 1 = whole liver ") == LabelSelection(values: [2, 1], name: "whole liver"))
  #expect(try LabelSelection("614454277=VISp").values == [614_454_277])
  #expect(try LabelSelection("3").name == "label 3")
  #expect(try LabelSelection("1,2=liver").description == "1,2=liver")
}

@Test("a label selection that names no value is refused with one line")
func badLabelSelections() {
  for text in ["", "0=a", "x=a", "1,=a", "9223372036854775808", "-1", "4=", "1=label 2", "1,2=Label_2"] {
    #expect(throws: InputError.self) { try LabelSelection(text) }
  }
}

@Test("names are matched regardless of letter case, underscores, hyphens and spaces at the ends")
func namesAreMatched() {
  #expect(
    ["Left_Kidney", " left-kidney ", "LEFT KIDNEY", "leftkidney"].map(\.nameKey)
      == ["left kidney", "left kidney", "left kidney", "leftkidney"])
}
