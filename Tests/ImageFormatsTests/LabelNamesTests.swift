import Foundation
import ImageFormats
import Testing
import Volumes
import Work

/// Writes `text` as `name` beside `scan.nii.gz` and reads the names of that mask.
private func names(_ name: String, _ text: String) throws -> LabelTable? {
  try withTemporaryFolder { folder in
    try Data(text.utf8).write(to: folder.appending(path: name))
    return try LabelNamesFile.read(besideMask: folder.appending(path: "scan.nii.gz").path)
  }
}

@Test("names beside a mask are read as each tool writes them")
func namesOfEachTool() throws {
  let itkSnap = """
    ################
    # ITK-SnAP Label Description File
        0     0    0    0        0  0  0    "Clear Label"
        6   255    0    0        1  1  1    "right liver"
    """
  let liver = Label(value: 6, name: "right liver", colour: RGBColour(255, 0, 0))
  #expect(try names("scan.label", itkSnap) == LabelTable([liver]))
  #expect(try names("scan.txt", itkSnap) == LabelTable([liver]))
  let precentral = Label(value: 1, name: "Precentral_L", colour: LabelTable.colour(ofValue: 1))
  #expect(try names("scan.nii.txt", "1 Precentral_L 2001\r\n") == LabelTable([precentral]))
  let hippocampus = Label(value: 17, name: "Left-Hippocampus", colour: RGBColour(220, 216, 20))
  #expect(try names("scan.txt", "17  Left-Hippocampus  220 216 20 0") == LabelTable([hippocampus]))
  #expect(
    try names("scan.labels.json", #"{"labels": {"background": 0, "Precentral_L": 1}}"#)
      == LabelTable([precentral]))
  #expect(
    try names(
      "scan.labels.json", ##"{"labels": [{"value": 6, "name": "right liver", "colour": "#ff0000"}]}"##)
      == LabelTable([liver]))
}

@Test("names that are written are read back")
func namesRoundTrip() throws {
  let table = LabelTable([
    Label(value: 6, name: "Leber \"rechts\"", colour: RGBColour(1, 2, 255)),
    Label(value: 65535, name: "x", colour: RGBColour(0, 0, 0)),
  ])
  try withTemporaryFolder { folder in
    let mask = folder.appending(path: "scan.nii.gz").path
    let place = try LabelNamesFile.write(LabelNames(table), besideMask: mask)
    let read = try LabelNamesFile.read(besideMask: mask)
    #expect(place == folder.appending(path: "scan.labels.json").path)
    #expect(read == table)
  }
}

@Test("a text that holds no label names is passed over, a label file that is damaged is refused")
func damagedNames() throws {
  #expect(try names("scan.txt", "Patient moved during the scan.") == nil)
  #expect(try names("other.label", "1 a") == nil)
  #expect(throws: InputError.self) { try names("scan.label", "1 a\nnonsense") }
  #expect(throws: InputError.self) { try names("scan.labels.json", "{") }
  #expect(throws: InputError.self) {
    try names("scan.labels.json", #"{"labels": [{"value": 6, "name": "liver", "colour": "red"}]}"#)
  }
}
