// The same headers in a second translation unit.
#include "branches.hpp"
#include "every_layer.hpp"
#include "in_double.hpp"
#include "without_parameters.hpp"

const void* second_branches() {
  return &branches::model();
}
const void* second_every_layer() {
  return &compiled::every_layer::model();
}
const void* second_in_double() {
  return &in_double::model();
}
const void* second_without_parameters() {
  return &without_parameters::model();
}
