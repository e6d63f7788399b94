// Model files with eight bits a weight, a quarter of the size.
//
// A file is safetensors as ever, and says "quantised": "rows" in its metadata. A tensor of two or more extents is I8,
// in
// [-127, 127], and beside it stands "NAME.scale", F32, one number for each row, that is for each index of the first
// extent: weight = scale[row] * number, scale being the row's largest magnitude / 127. All other tensors, and the
// metadata, are those of the model.
#pragma once

#include <cstddef>
#include <vector>

#include <eigan/io/safetensors.hpp>

namespace page {

/// The file with eight bits a weight. eigan::Error if it has them already, or for a weight that is not finite.
std::vector<std::byte> with_eight_bits(const eigan::SafetensorsFile& file);

/// The same model in F32, for what reads models; any other file as it is. eigan::Error for a scale that is missing, has
/// another length or is not finite.
eigan::SafetensorsFile in_full(eigan::SafetensorsFile file);

}  // namespace page
