import Foundation
import Screen

/// A colour in CIELAB, with the white of D65.
struct LabColour {
  var lightness, a, b: Double

  init(_ lightness: Double, _ a: Double, _ b: Double) { (self.lightness, self.a, self.b) = (lightness, a, b) }

  init(_ colour: RGB) {
    let (red, green, blue) = (linear(colour.red), linear(colour.green), linear(colour.blue))
    func curve(_ value: Double) -> Double {
      value > 216.0 / 24389 ? cbrt(value) : (24389.0 / 27 * value + 16) / 116
    }
    let x = curve((0.4124564 * red + 0.3575761 * green + 0.1804375 * blue) / 0.95047)
    let y = curve(0.2126729 * red + 0.7151522 * green + 0.0721750 * blue)
    let z = curve((0.0193339 * red + 0.1191920 * green + 0.9503041 * blue) / 1.08883)
    self.init(116 * y - 16, 500 * (x - y), 200 * (y - z))
  }

  var chroma: Double { hypot(a, b) }

  /// The difference of two colours by CIEDE2000 (Sharma, Wu, Dalal 2005), with all weights 1.
  func difference(_ other: LabColour) -> Double {
    func radians(_ degrees: Double) -> Double { degrees * .pi / 180 }
    func seventh(_ chroma: Double) -> Double { (pow(chroma, 7) / (pow(chroma, 7) + pow(25, 7))).squareRoot() }
    let stretch = 1.5 - 0.5 * seventh((chroma + other.chroma) / 2)
    let (one, two) = (
      LabColour(lightness, a * stretch, b), LabColour(other.lightness, other.a * stretch, other.b)
    )
    func hue(_ colour: LabColour) -> Double {
      let degrees = atan2(colour.b, colour.a) * 180 / .pi
      return degrees < 0 ? degrees + 360 : degrees
    }
    let (hueOne, hueTwo) = (hue(one), hue(two))
    let isGrey = one.chroma * two.chroma == 0
    var turn = hueTwo - hueOne
    if turn > 180 { turn -= 360 } else if turn < -180 { turn += 360 }
    if isGrey { turn = 0 }
    var meanHue = (hueOne + hueTwo) / 2
    if isGrey {
      meanHue = hueOne + hueTwo
    } else if abs(hueOne - hueTwo) > 180 {
      meanHue += meanHue < 180 ? 180 : -180
    }
    let meanLightness = (lightness + other.lightness) / 2
    let meanChroma = (one.chroma + two.chroma) / 2
    let hueWeight =
      1 - 0.17 * cos(radians(meanHue - 30)) + 0.24 * cos(radians(2 * meanHue))
      + 0.32 * cos(radians(3 * meanHue + 6)) - 0.2 * cos(radians(4 * meanHue - 63))
    let middle = (meanLightness - 50) * (meanLightness - 50)
    let byLightness = (two.lightness - one.lightness) / (1 + 0.015 * middle / (20 + middle).squareRoot())
    let byChroma = (two.chroma - one.chroma) / (1 + 0.045 * meanChroma)
    let byHue =
      2 * (one.chroma * two.chroma).squareRoot() * sin(radians(turn / 2))
      / (1 + 0.015 * meanChroma * hueWeight)
    let rotation = -2 * seventh(meanChroma) * sin(radians(60 * exp(-pow((meanHue - 275) / 25, 2))))
    return (byLightness * byLightness + byChroma * byChroma + byHue * byHue + rotation * byChroma * byHue)
      .squareRoot()
  }
}

extension RGB {
  /// The colour as readers without green cones see it (Machado, Oliveira, Fernandes 2009, severity 1).
  var withoutGreenCones: RGB {
    let (red, green, blue) = (linear(self.red), linear(self.green), linear(self.blue))
    func channel(_ weights: (Double, Double, Double)) -> UInt8 {
      let value = min(1, max(0, weights.0 * red + weights.1 * green + weights.2 * blue))
      return UInt8(
        (255 * (value <= 0.0031308 ? 12.92 * value : 1.055 * pow(value, 1 / 2.4) - 0.055)).rounded())
    }
    return RGB(
      channel((0.367322, 0.860646, -0.227968)), channel((0.280085, 0.672501, 0.047413)),
      channel((-0.011820, 0.042940, 0.968881)))
  }
}

/// The light of a channel of sRGB, from 0 to 1.
private func linear(_ channel: UInt8) -> Double {
  let value = Double(channel) / 255
  return value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4)
}
