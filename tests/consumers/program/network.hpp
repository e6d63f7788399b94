// What the two halves of the program share.
#pragma once

#include <eigan/eigan.hpp>

using Net = eigan::Sequential<eigan::Linear<2, 8>, eigan::Tanh, eigan::Linear<8, 1>>;

eigan::Model<Net> train_xor();
