// `image_to_image evaluate`: what a translator is worth.
#include <cstdio>
#include <string>

#include <eigan/core/printable.hpp>
#include <eigan/io/atomic_file.hpp>

#include "kit/exit_code.hpp"
#include "kit/message.hpp"

#include "commands.hpp"
#include "scores.hpp"
#include "translator.hpp"

namespace image_to_image {

int evaluate(const EvaluateOptions& options) {
  const Translator translator = load_translator(options.model);
  DataOptions where;
  where.task = translator.task, where.data = options.data;
  const TaskData data = read_task(where.folder());
  if (data.info.task != translator.task)
    throw BadInput(concat(eigan::printable(options.model), ": translates ", eigan::printable(translator.task),
                          "; expected a model of ", eigan::printable(data.info.task), ", which ",
                          eigan::printable(where.folder()), " holds"));
  const Evaluation scores = evaluated(translator, data, options.validation, options.recogniser, {options.threads});
  if (!options.json.empty()) eigan::write_file(options.json, scores.json());
  const std::string table = scores.table();
  print(table.substr(0, table.size() - 1));
  return success;
}

}  // namespace image_to_image
