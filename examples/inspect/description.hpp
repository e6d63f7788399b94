// What a safetensors file holds, in words: metadata, tensors, what their elements are like. Text from the file is made
// printable.
#pragma once

#include <string>

#include <eigan/io/safetensors.hpp>

namespace inspect {

std::string for_people(const eigan::SafetensorsFile& file);
/// As JSON.
std::string for_machines(const eigan::SafetensorsFile& file);

}  // namespace inspect
