// `image_to_image evaluate`: what a translator is worth.
#include <algorithm>
#include <cstdio>
#include <numeric>
#include <string>
#include <vector>

#include <eigan/core/printable.hpp>
#include <eigan/io/atomic_file.hpp>

#include "kit/exit_code.hpp"
#include "kit/message.hpp"

#include "baselines.hpp"
#include "commands.hpp"
#include "data.hpp"
#include "scores.hpp"
#include "sheet.hpp"
#include "translator.hpp"

namespace image_to_image {

namespace {

/// The translations furthest from their partners, the furthest first.
void write_worst(const std::string& path, const PictureSet& from, const PictureSet& made, const PictureSet& to) {
  constexpr std::size_t most = 32;
  const std::vector<double> l1 = differences(made, to).l1;
  std::vector<Index> order(l1.size());
  std::iota(order.begin(), order.end(), Index{0});
  std::ranges::stable_sort(
      order, [&](Index i, Index j) { return l1[static_cast<std::size_t>(i)] > l1[static_cast<std::size_t>(j)]; });
  order.resize(std::min(order.size(), most));
  write_sheet(path, {some_of(from, order), some_of(made, order), some_of(to, order)});
}

}  // namespace

int evaluate(const EvaluateOptions& options) {
  const Translator translator = load_translator(options.model);
  DataOptions where;
  where.task = translator.task, where.data = options.data;
  TaskData data = read_task(where.folder());
  if (data.info.task != translator.task)
    throw BadInput(concat(eigan::printable(options.model), ": translates ", eigan::printable(translator.task),
                          "; expected a model of ", eigan::printable(data.info.task), ", which ",
                          eigan::printable(where.folder()), " holds"));
  if (translator.reversed) reverse(data);
  const TwoDomains& held_out = options.validation ? data.validation : data.test;
  if (!options.worst.empty() && !held_out.paired)
    throw BadInput(concat("--worst: expected pictures that have partners, found unpaired ones in ",
                          eigan::printable(where.folder())));
  const Evaluation scores = evaluated(translator, data, options.validation, options.recogniser, {options.threads});
  if (!options.worst.empty()) write_worst(options.worst, held_out.a, scores.made, held_out.b);
  if (!options.json.empty()) eigan::write_file(options.json, scores.json());
  const std::string table = scores.table();
  print(table.substr(0, table.size() - 1));
  return success;
}

}  // namespace image_to_image
