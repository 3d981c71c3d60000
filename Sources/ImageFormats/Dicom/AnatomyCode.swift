import Volumes

/// A coded concept (PS3.3 8.8), with which DICOM states the category and the type of a segment.
struct CodedConcept: Hashable, Sendable {
  /// For example "10200004" of "SCT" (SNOMED CT) with the meaning "Liver".
  var value, scheme, meaning: String

  init(_ value: String, _ meaning: String, scheme: String = "SCT") {
    (self.value, self.scheme, self.meaning) = (value, scheme, meaning)
  }
}

/// The category and type of a segment (CID 7150 and CID 7151), found by the name of its label.
struct AnatomyCode: Hashable, Sendable {
  var category, type: CodedConcept
  /// Left or right.
  var laterality: CodedConcept?

  private static let structure = CodedConcept("91723000", "Anatomical Structure")
  private static let abnormality = CodedConcept("49755003", "Morphologically Abnormal Structure")
  private static let tissue = CodedConcept("85756007", "Tissue")

  /// Looks up a label's name, such as "left kidney" or "kidney_left"; an unknown name is coded as "Tissue".
  init(label name: String) {
    var words = name.lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init)
    if let chamber = Self.chambers[words.sorted().joined(separator: " ")] {
      (category, type) = (Self.structure, chamber)
      return
    }
    let sides = words.filter { ["left", "right"].contains($0) }
    words.removeAll { ["left", "right", "the", "of"].contains($0) }
    let key = words.sorted().joined(separator: " ")
    if let concept = Self.structures[key] {
      (category, type) = (Self.structure, concept)
    } else if let concept = Self.abnormalities[key] {
      (category, type) = (Self.abnormality, concept)
    } else {
      (category, type) = (Self.tissue, Self.tissue)
      return
    }
    guard sides.count == 1 else { return }
    laterality = sides[0] == "left" ? CodedConcept("7771000", "Left") : CodedConcept("24028007", "Right")
  }

  /// Whether a name in small letters is a structure or an abnormality.
  static func isKnown(_ name: String) -> Bool { structures[name] != nil || abnormalities[name] != nil }

  /// Concepts by name; a key is the words of a name in alphabetical order.
  private static func table(_ rows: [(CodedConcept, [String])]) -> [String: CodedConcept] {
    var table: [String: CodedConcept] = [:]
    for (concept, names) in rows {
      for name in names { table[name.split(separator: " ").sorted().joined(separator: " ")] = concept }
    }
    return table
  }

  private static let abnormalities = table([
    (
      CodedConcept("52988006", "Lesion"),
      ["lesion", "lesions", "liver lesion", "kidney lesion", "lung lesion"]
    ),
    (
      CodedConcept("108369006", "Neoplasm"),
      [
        "neoplasm", "tumor", "tumour", "tumors", "liver tumor", "liver tumour", "kidney tumor",
        "pancreas tumor",
        "lung tumor", "colon cancer primaries", "cancer",
      ]
    ),
    (CodedConcept("27925004", "Nodule"), ["nodule", "lung nodule"]),
    (CodedConcept("367643001", "Cyst"), ["cyst", "kidney cyst"]),
    (CodedConcept("79654002", "Edema"), ["edema", "oedema"]),
    (CodedConcept("50960005", "Hemorrhage"), ["hemorrhage", "haemorrhage"]),
    (CodedConcept("6574001", "Necrosis"), ["necrosis"]),
    (CodedConcept("4147007", "Mass"), ["mass"]),
  ])

  private static let structures = table([
    (CodedConcept("10200004", "Liver"), ["liver"]), (CodedConcept("78961009", "Spleen"), ["spleen"]),
    (CodedConcept("64033007", "Kidney"), ["kidney", "kidneys"]),
    (CodedConcept("28231008", "Gallbladder"), ["gallbladder", "gall bladder"]),
    (CodedConcept("32849002", "Esophagus"), ["esophagus", "oesophagus"]),
    (CodedConcept("69695003", "Stomach"), ["stomach"]), (CodedConcept("15825003", "Aorta"), ["aorta"]),
    (CodedConcept("64131007", "Inferior vena cava"), ["inferior vena cava", "ivc", "postcava"]),
    (CodedConcept("48345005", "Superior vena cava"), ["superior vena cava"]),
    (
      CodedConcept("32764006", "Portal vein"),
      [
        "portal vein", "portal vein and splenic vein", "portal and splenic vein",
        "portal vein and vein splenic",
      ]
    ),
    (CodedConcept("35819009", "Splenic vein"), ["splenic vein"]),
    (CodedConcept("8993003", "Hepatic vein"), ["hepatic vein"]),
    (CodedConcept("81040000", "Pulmonary artery"), ["pulmonary artery"]),
    (CodedConcept("15776009", "Pancreas"), ["pancreas"]),
    (CodedConcept("23451007", "Adrenal gland"), ["adrenal gland", "adrenal", "adrenals", "adrenal glands"]),
    (CodedConcept("38848004", "Duodenum"), ["duodenum"]), (CodedConcept("71854001", "Colon"), ["colon"]),
    (CodedConcept("30315005", "Small intestine"), ["small intestine", "small bowel"]),
    (CodedConcept("34402009", "Rectum"), ["rectum"]),
    (CodedConcept("89837001", "Bladder"), ["bladder", "urinary bladder"]),
    (CodedConcept("41216001", "Prostate"), ["prostate"]), (CodedConcept("35039007", "Uterus"), ["uterus"]),
    (CodedConcept("15497006", "Ovary"), ["ovary"]), (CodedConcept("39607008", "Lung"), ["lung", "lungs"]),
    (CodedConcept("44567001", "Trachea"), ["trachea"]), (CodedConcept("80891009", "Heart"), ["heart"]),
    (CodedConcept("74281007", "Myocardium"), ["myocardium"]),
    (CodedConcept("69748006", "Thyroid"), ["thyroid", "thyroid gland"]),
    (CodedConcept("12738006", "Brain"), ["brain"]), (CodedConcept("113305005", "Cerebellum"), ["cerebellum"]),
    (CodedConcept("389080008", "White Matter"), ["white matter"]),
    (CodedConcept("389081007", "Gray Matter"), ["gray matter", "grey matter"]),
    (CodedConcept("65216001", "Cerebrospinal Fluid"), ["cerebrospinal fluid", "csf"]),
    (
      CodedConcept("5366008", "Hippocampus"),
      ["hippocampus", "anterior hippocampus", "posterior hippocampus"]
    ),
    (CodedConcept("42695009", "Thalamus"), ["thalamus"]),
    (CodedConcept("11000004", "Caudate Nucleus"), ["caudate", "caudate nucleus"]),
    (CodedConcept("89278009", "Putamen"), ["putamen"]),
    (CodedConcept("14738005", "Globus Pallidus"), ["pallidum", "globus pallidus"]),
    (CodedConcept("4958002", "Amygdala"), ["amygdala"]),
    (CodedConcept("2748008", "Spinal cord"), ["spinal cord"]),
    (CodedConcept("51282000", "Vertebra"), ["vertebra", "vertebrae", "spine"]),
    (CodedConcept("113197003", "Rib"), ["rib", "ribs"]), (CodedConcept("56873002", "Sternum"), ["sternum"]),
    (CodedConcept("54735007", "Sacrum"), ["sacrum"]), (CodedConcept("89546000", "Skull"), ["skull"]),
    (CodedConcept("91609006", "Mandible"), ["mandible"]), (CodedConcept("29836001", "Hip"), ["hip"]),
    (CodedConcept("71341001", "Femur"), ["femur"]), (CodedConcept("12611008", "Tibia"), ["tibia"]),
    (CodedConcept("64234005", "Patella"), ["patella"]), (CodedConcept("85050009", "Humerus"), ["humerus"]),
    (CodedConcept("79601000", "Scapula"), ["scapula"]), (CodedConcept("51299004", "Clavicle"), ["clavicle"]),
    (CodedConcept("272673000", "Bone"), ["bone", "bones"]), (CodedConcept("71616004", "Muscle"), ["muscle"]),
    (CodedConcept("39937001", "Skin"), ["skin"]), (CodedConcept("309312004", "Cartilage"), ["cartilage"]),
    (CodedConcept("59441001", "Lymph Node"), ["lymph node", "lymph nodes"]),
    (CodedConcept("45289007", "Parotid gland"), ["parotid", "parotid gland"]),
    (CodedConcept("81745001", "Eye"), ["eye"]), (CodedConcept("18234004", "Optic nerve"), ["optic nerve"]),
  ])

  /// Chambers of the heart, whose sides are part of their names.
  private static let chambers = table([
    (CodedConcept("82471001", "Left atrium"), ["left atrium", "left heart atrium"]),
    (CodedConcept("73829009", "Right atrium"), ["right atrium", "right heart atrium"]),
    (CodedConcept("87878005", "Left ventricle"), ["left ventricle", "left heart ventricle"]),
    (CodedConcept("53085002", "Right ventricle"), ["right ventricle", "right heart ventricle"]),
  ])
}
