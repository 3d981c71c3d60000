import Foundation
import Networks
import Volumes
import Work

/// A network with its labels, preprocessing, CRF settings and post-processing.
///
/// All of it is in the model file; the texts of its metadata are JSON.
package struct SegmentationModel: Sendable {
  /// The bundled name or the file's name without its ending.
  package var name: String
  /// The path it was read from; empty for a model that was not read.
  package var path: String
  /// The network and its weights.
  package var graph: NetworkGraph
  package var parameters: Parameters
  /// Labels of the classes above 0 in order; class 0 is background.
  package var labels: [Label]
  /// The values of ``labels`` in files: equal to them unless one is beyond 65535.
  package var coding: LabelCoding
  /// The values of label files that the labels were trained on, in the order of ``labels``; several lists where folders
  /// of cases numbered their structures differently; nil where they were not recorded.
  package var trainedSelections: [[LabelSelection]]?
  /// The preprocessing of images.
  package var preprocessing: Preprocessing
  /// The patches in which the network runs; nil where it runs on the whole image.
  package var tiling: PatchTiling?
  /// The CRF settings for this model.
  package var refinement: RefinementSettings
  /// Removal of components and filling of holes, the last step of every mask.
  package var postProcessing: PostProcessing
  /// The origin of the weights, as JSON text; empty where it is not stated.
  package var training: String
  /// The model card; nil where there is none.
  package var card: ModelCard?

  /// A model that is not read from a file.
  package init(
    name: String, graph: NetworkGraph, parameters: Parameters, labels: [Label],
    coding: LabelCoding = .identity,
    trainedSelections: [[LabelSelection]]? = nil, preprocessing: Preprocessing, tiling: PatchTiling? = nil,
    refinement: RefinementSettings = RefinementSettings(), postProcessing: PostProcessing = .none,
    training: String = "", card: ModelCard? = nil
  ) {
    self.name = name
    path = ""
    self.graph = graph
    self.parameters = parameters
    self.labels = labels
    self.coding = coding
    self.trainedSelections = trainedSelections
    self.preprocessing = preprocessing
    self.tiling = tiling
    self.refinement = refinement
    self.postProcessing = postProcessing
    self.training = training
    self.card = card
  }

  /// Reads a model file.
  /// - Throws: ``InputError``: file or network unusable, or metadata missing, damaged or at odds with the network.
  package init(path: String) throws(InputError) {
    try self.init(ModelFile(path: path), path: path)
  }

  /// Reads the texts of a model; `path` names it in messages.
  /// - Throws: As ``init(path:)``.
  package init(_ file: ModelFile, path: String) throws(InputError) {
    self.path = path
    name = FilePath.stem(of: path)
    graph = file.graph
    parameters = file.parameters
    let coded = try Self.decode(CodedLabels.self, "labels", of: file, path)
    (labels, coding) = (coded.labels, coded.coding)
    trainedSelections = try Self.decode(
      [[LabelSelection]]?.self, "selections", of: file, path, absent: .some(nil))
    preprocessing = try Self.decode(Preprocessing.self, "preprocessing", of: file, path)
    tiling = try Self.decode(PatchTiling?.self, "tiling", of: file, path, absent: .some(nil))
    refinement = try Self.decode(RefinementSettings.self, "crf", of: file, path, absent: RefinementSettings())
    postProcessing = try Self.decode(
      PostProcessing.self, "postprocessing", of: file, path, absent: PostProcessing.none)
    training = file.metadata["training"] ?? ""
    card = try file.metadata[ModelCard.metadataKey].map { text throws(InputError) in
      try ModelCard(json: text, subject: path)
    }
    let resolved = try graph.resolved(subject: path)
    let classCount = resolved.classCount
    guard classCount == labels.count + 1 else {
      throw InputError(
        path, "labels in its metadata", found: "\(labels.count)", expected: "\(classCount - 1), one per class"
      )
    }
    guard Set(labels.map(\.value)).count == labels.count, labels.allSatisfy({ $0.value > 0 }) else {
      throw InputError(path, "labels in its metadata: a value is 0 or occurs twice")
    }
    guard !selections.isEmpty, selections.allSatisfy({ isOfLabels($0) }) else {
      throw InputError(
        path, "the structures in its metadata are not those of its labels",
        expected: labels.map(\.name).joined(separator: ", "))
    }
    try preprocessing.validated(subject: path)
    try requireChannels(subject: path)
    try tiling?.validated(for: resolved, subject: path)
    try refinement.validated(subject: path)
    try postProcessing.validated(subject: path)
  }

  /// Whether these are the labels with values of files, which none of them shares.
  private func isOfLabels(_ own: [LabelSelection]) -> Bool {
    let values = own.flatMap(\.values)
    return own.map(\.nameKey) == labels.map(\.nameKey) && own.allSatisfy { !$0.values.isEmpty }
      && values.allSatisfy { $0 > 0 } && Set(values).count == values.count
  }

  /// Checks that a case has one image for each input channel of the network.
  /// - Parameter remedy: How further images are given, for the error.
  /// - Throws: ``InputError`` for another number of images.
  package func require(imageCount: Int, remedy: String) throws(InputError) {
    try preprocessing.require(
      imageCount: imageCount, subject: path.isEmpty ? name : path, remedy: remedy)
  }

  /// Checks that the preprocessing has a channel for each of the network's.
  /// - Throws: ``InputError`` about `subject` where it has not.
  package func requireChannels(subject: String) throws(InputError) {
    guard graph.inputChannels == preprocessing.channels.count else {
      throw InputError(
        subject, "channels in its preprocessing", found: "\(preprocessing.channels.count)",
        expected: "\(graph.inputChannels), one for each input channel of its network")
    }
  }

  /// Writes the model file; a file at `path` is replaced only when everything is written.
  /// - Throws: ``InputError`` when it cannot be written.
  package func write(to path: String, format: ElementFormat = .f32) throws(InputError) {
    try file.write(to: path, format: format)
  }

  /// The model as it is stored.
  package var file: ModelFile {
    var file = ModelFile(graph: graph, parameters: parameters, metadata: metadata)
    let isOfFirstVersion = preprocessing.channels.allSatisfy(\.normalisation.isOfFirstVersion)
    file.formatVersion = isOfFirstVersion ? ModelFile.formatVersions[0] : ModelFile.formatVersions[1]
    return file
  }

  /// The texts of the model file.
  package var metadata: [String: String] {
    var texts = [
      "labels": Self.text(codedLabels), "preprocessing": Self.text(preprocessing),
      "crf": Self.text(refinement),
      "postprocessing": Self.text(postProcessing), "training": training,
    ]
    texts["tiling"] = tiling.map(Self.text)
    texts["selections"] = trainedSelections.map(Self.text)
    texts[ModelCard.metadataKey] = card?.json
    return texts
  }

  /// The values of label files that the labels may be compared with: those that they were trained on, or their own.
  package var selections: [[LabelSelection]] {
    trainedSelections
      ?? [labels.map { LabelSelection(values: [coding.value(of: $0.value)], name: $0.name) }]
  }

  /// The labels as files state them.
  package var codedLabels: CodedLabels { CodedLabels(labels, coding: coding) }

  /// The label table of the model's masks.
  package var labelTable: LabelTable { LabelTable(labels) }

  /// Heads that a refinement's τ_d mix with the main one: those that have its classes; 0 where the graph is unusable.
  package var auxiliaryHeadCount: Int { (try? graph.resolved().mixedHeads.count - 1) ?? 0 }

  /// The voxel value of each class, background's 0 first.
  package var labelValues: [UInt16] { [0] + labels.map(\.value) }

  private static func decode<Value: Decodable>(
    _ type: Value.Type, _ key: String, of file: ModelFile, _ path: String, absent: Value? = nil
  ) throws(InputError) -> Value {
    guard let text = file.metadata[key], !text.isEmpty else {
      if let absent { return absent }
      throw InputError(path, "its metadata has no \"\(key)\"")
    }
    do { return try JSONDecoder().decode(type, from: Data(text.utf8)) } catch {
      throw InputError(path, "metadata \"\(key)\" cannot be read", found: "\(text.prefix(60))")
    }
  }

  private static func text(_ value: some Encodable) -> String {
    String(decoding: finiteJSON(value), as: UTF8.self)
  }
}
