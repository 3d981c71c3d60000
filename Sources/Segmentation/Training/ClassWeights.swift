import Networks

extension TrainingCases {
  /// Voxels of each class in the labelled cases that train.
  func voxelCounts(classCount: Int) -> [Int] {
    var counts = [Int](repeating: 0, count: classCount)
    for example in training {
      for value in example.classes where Int(value) < classCount { counts[Int(value)] += 1 }
    }
    return counts
  }

  /// The class weights that balance the classes of the labelled cases that train, background first; 0 for a class that
  /// occurs in none of them.
  package func classWeights(_ balance: ClassBalance, classCount: Int) -> [Float] {
    balance.weights(ofVoxels: voxelCounts(classCount: classCount)).map { Float($0) }
  }
}
