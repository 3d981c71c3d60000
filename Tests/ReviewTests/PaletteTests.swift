import Review
import Screen
import Testing
import Volumes

/// The default colours of labels as a terminal with 256 colours shows them.
private let shownColours = LabelTable.defaultColours.map { colour in
  Palette.xterm256[Palette.index256(RGB(colour.red, colour.green, colour.blue))]
}

@Test("the colour difference of the tests is CIEDE2000, by published pairs")
func publishedPairs() {
  // Sharma, Wu, Dalal: The CIEDE2000 color-difference formula, table 1.
  let pairs: [(LabColour, LabColour, Double)] = [
    (LabColour(50, 2.6772, -79.7751), LabColour(50, 0, -82.7485), 2.0425),
    (LabColour(50, -1.3802, -84.2814), LabColour(50, 0, -82.7485), 1),
    (LabColour(50, 0, 0), LabColour(50, -1, 2), 2.3669),
    (LabColour(50, 2.49, -0.001), LabColour(50, -2.49, 0.0009), 7.1792),
    (LabColour(50, 2.49, -0.001), LabColour(50, -2.49, 0.0011), 7.2195),
    (LabColour(50, -0.001, 2.49), LabColour(50, 0.0009, -2.49), 4.8045),
    (LabColour(50, -0.001, 2.49), LabColour(50, 0.0011, -2.49), 4.7461),
    (LabColour(50, 2.5, 0), LabColour(50, 0, -2.5), 4.3065),
    (LabColour(50, 2.5, 0), LabColour(73, 25, -18), 27.1492),
    (LabColour(50, 2.5, 0), LabColour(61, -5, 29), 22.8977),
    (LabColour(50, 2.5, 0), LabColour(56, -27, -3), 31.9030),
    (LabColour(50, 2.5, 0), LabColour(58, 24, 15), 19.4535),
    (LabColour(60.2574, -34.0099, 36.2677), LabColour(60.4626, -34.1751, 39.4387), 1.2644),
    (LabColour(22.7233, 20.0904, -46.6940), LabColour(23.0331, 14.9730, -42.5619), 2.0373),
    (LabColour(90.9257, -0.5406, -0.9208), LabColour(88.6381, -0.8985, -0.7239), 1.5381),
    (LabColour(2.0776, 0.0795, -1.1350), LabColour(0.9033, -0.0636, -0.5514), 0.9082),
  ]
  for (one, other, difference) in pairs {
    #expect(abs(one.difference(other) - difference) < 0.0001)
    #expect(abs(other.difference(one) - difference) < 0.0001)
  }
}

@Test(
  "with 256 colours the 16 default label colours differ from each other, from greys, and without green cones")
func labelColoursDiffer() {
  #expect(shownColours.count == 16)
  for (position, one) in shownColours.enumerated() {
    #expect(LabColour(one).chroma >= 40, "\(one)")
    for other in shownColours.dropFirst(position + 1) {
      #expect(LabColour(one).difference(LabColour(other)) >= 20, "\(one) and \(other)")
      let seen = (LabColour(one.withoutGreenCones), LabColour(other.withoutGreenCones))
      #expect(seen.0.difference(seen.1) >= 10, "\(one) and \(other) without green cones")
    }
  }
}

@Test("the first default colours are Okabe and Ito's, but for small changes")
func habitualColours() {
  let okabeIto = [
    RGB(230, 159, 0), RGB(86, 180, 233), RGB(0, 158, 115), RGB(240, 228, 66), RGB(0, 114, 178),
    RGB(213, 94, 0),
  ]
  for (published, own) in zip(okabeIto, LabelTable.defaultColours) {
    #expect(LabColour(published).difference(LabColour(RGB(own.red, own.green, own.blue))) < 1)
  }
}

@Test("with 16 colours each of the first nine labels has a hue, and no two have the same colour and hatch")
func nineLabels() {
  let table = LabelTable().completed(for: (1...9).map { UInt16($0) })
  let hatches = table.hatches
  let looks = table.labels.map { label in
    [
      Palette.index16(RGB(label.colour.red, label.colour.green, label.colour.blue)),
      Int(hatches[label.value] ?? 0),
    ]
  }
  #expect(Set(looks).count == 9)
  #expect(looks.allSatisfy { ![0, 7, 8, 15].contains($0[0]) })
}
