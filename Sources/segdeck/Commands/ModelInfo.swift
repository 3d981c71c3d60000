import Foundation
import Segmentation
import Tensors
import Volumes
import Work

/// The description of a model by `segdeck info`.
struct ModelInfo: Encodable {
  var file: String
  var labels: CodedLabels
  /// The values in the label files that each label was trained on, where they are known.
  var selections: [[LabelSelection]]?
  var preprocessing: Preprocessing
  /// The patches in which the network runs; nil where it runs on the whole image.
  var tiling: PatchTiling?
  var refinement: RefinementSettings
  var postProcessing: PostProcessing
  var heads: [String]
  /// Heads of labels whose regions may overlap; nil where there are none.
  var sigmoidHeads: [String]?
  var layers: Int
  var weights: Int
  /// Extent in voxels along x, y, z of the smallest box that one logit depends on.
  var receptiveField: [Int]?
  /// Whether a logit depends on the whole image, as after an instance normalisation.
  var readsWholeImage: Bool
  /// The trainer's description, as JSON text.
  var training: String
  /// The model card, if the file has one.
  var card: ModelCard?

  init(_ model: SegmentationModel) throws(InputError) {
    file = model.path
    labels = model.codedLabels
    selections = model.trainedSelections
    preprocessing = model.preprocessing
    tiling = model.tiling
    refinement = model.refinement
    postProcessing = model.postProcessing
    heads = model.graph.heads.map(\.name)
    let sigmoidHeads = model.graph.heads.filter { $0.activation == .sigmoid }.map(\.name)
    self.sigmoidHeads = sigmoidHeads.isEmpty ? nil : sigmoidHeads
    layers = model.graph.layers.count
    weights = model.parameters.tensors.values.reduce(0) { $0 + $1.elements.count }
    let field = try model.graph.resolved(subject: model.path).receptiveField()
    receptiveField = field?.extent.map { [$0.w, $0.h, $0.d] }
    readsWholeImage = field.map { $0.extent == nil } ?? false
    training = model.training
    card = model.card
  }

  /// "6 liver", "5 whole (trained on 5,1)".
  private func described(_ index: Int) -> String {
    let name = labels.labels[index].name
    let value = labels.coding.value(of: labels.labels[index].value)
    let values = (selections ?? []).map { $0[index].values }
    let isOwn = values.allSatisfy { $0 == [value] }
    let listed = values.map { $0.map(String.init).joined(separator: ",") }.joined(separator: " or ")
    return "\(value) \(name)" + (isOwn ? "" : " (trained on \(listed))")
  }

  /// The description as lines.
  var text: String {
    let spacing = preprocessing.spacingMillimetres
    var lines = [
      "\(file): model of \(counted(layers, "layer")), \(counted(weights, "weight"))",
      "labels: " + labels.labels.indices.map(described).joined(separator: ", "),
      "working grid: \(preprocessing.orientation), \(spacing.i) x \(spacing.j) x \(spacing.k) mm",
    ]
    lines += preprocessing.channels.map { channel in
      let name = preprocessing.channels.count == 1 ? "intensities" : "intensities of \(channel.name)"
      return "\(name): \(channel.normalisation.summary)"
    }
    let named = heads.map { sigmoidHeads?.contains($0) == true ? "\($0) (sigmoid)" : $0 }
    lines.append("heads: " + named.joined(separator: ", "))
    if let receptiveField {
      lines.append("receptive field: " + receptiveField.map(String.init).joined(separator: "x") + " voxels")
    } else if readsWholeImage {
      lines.append("receptive field: the whole image")
    }
    if let tiling { lines.append("patches: " + tiling.summary) }
    lines.append("CRF: " + RefinementOptions.words(refinement).joined(separator: " "))
    if let card {
      lines += card.lines
    } else if !training.isEmpty {
      lines.append("training: \(training)")
    }
    return lines.map(\.printableLine).joined(separator: "\n")
  }
}
