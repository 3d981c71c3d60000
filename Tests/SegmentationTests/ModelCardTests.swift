import Foundation
import Networks
import Segmentation
import Tensors
import TestSupport
import Testing
import Volumes
import Work

@Test("a model's card comes back from its file, and a file without one has none")
func cardInModelFile() throws {
  var card = ModelCard()
  card.data = "20 heads"
  card.licence = "CC BY 4.0"
  card.cases = ["training": ["a"], "validation": ["b"]]
  card.validation = [ModelCard.ValidationResult(name: "b", dice: [0.9])]
  card.command = "segdeck train --images 'my images'"
  let graph = NetworkGraph.heart(classes: 2, widthFactor: 0.02)
  var model = SegmentationModel(
    name: "m", graph: graph, parameters: Parameters(initialising: try graph.resolved(), seed: 1),
    labels: [Label(value: 1, name: "head", colour: LabelTable.colour(ofValue: 1))],
    preprocessing: Preprocessing(spacingMillimetres: Spacing(1), normalisation: .standardScore), card: card)
  try withTemporaryFolder { folder in
    try model.write(to: folder + "/m.safetensors")
    #expect(try SegmentationModel(path: folder + "/m.safetensors").card == card)
    model.card = nil
    try model.write(to: folder + "/bare.safetensors", format: .f16)
    #expect(try SegmentationModel(path: folder + "/bare.safetensors").card == nil)
  }
}

@Test("an updated card has the new fields and keeps the others; a text that is not a card is refused")
func updatedCard() throws {
  let old = try ModelCard(
    json: #"{"data": "a", "limits": ["x"], "iterations": 3, "cases": {"training": ["p"]}}"#, subject: "old")
  let new = try ModelCard(
    json: #"{"data": "b", "results": ["y"], "cases": {"kept out": ["q"]}}"#, subject: "new")
  let card = old.updated(with: new)
  #expect(card.data == "b" && card.limits == ["x"] && card.results == ["y"] && card.iterations == 3)
  #expect(card.cases == ["training": ["p"], "kept out": ["q"]])
  #expect(throws: InputError.self) { try ModelCard(json: #"{"limits": "x"}"#, subject: "c") }
}

/// A layer graph of the share folder.
private func bundledNetwork(_ name: String) throws -> NetworkGraph {
  let path = checkout.appending(path: "sample-data/networks/\(name).json")
  return try NetworkGraph(json: String(contentsOf: path, encoding: .utf8), subject: name)
}

@Test(
  "the layer graphs of the share folder are the paper's networks",
  arguments: [
    ("heart", NetworkGraph.heart()), ("half-heart", .heart(widthFactor: 0.5)), ("liver", .liver()),
    ("liver-without-normalisation", .liver(hasBatchNormalisation: false)),
  ])
func bundledNetworks(name: String, graph: NetworkGraph) throws {
  #expect(try bundledNetwork(name) == graph)
}

@Test("the small heart network has the heart's heads, and two poolings")
func smallHeartNetwork() throws {
  let graph = try bundledNetwork("small-heart")
  #expect(graph.heads.map(\.name) == NetworkGraph.heart().heads.map(\.name))
  #expect(graph.heads.map(\.lossWeight) == NetworkGraph.heart().heads.map(\.lossWeight))
  let receptiveField = try #require(try graph.resolved().receptiveField())
  #expect(receptiveField.totalStride == Extent3(4))
}
