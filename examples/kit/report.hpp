// Report: a run on one page, a file that needs no network and no other file: what came of it, sheets of images with a
// slider through them, charts, tables, settings. Light or dark as the reader has it, on paper and on a phone.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "line_chart.hpp"

namespace kit {

struct Report {
  using Facts = std::vector<std::pair<std::string, std::string>>;  ///< names and values
  struct Sheet {
    std::string caption;
    std::filesystem::path png;
  };
  struct Table {
    std::string title;
    std::vector<std::string> header;
    std::vector<std::vector<std::string>> rows;  ///< as many cells each as the header; the first one names the row
    std::string note;
  };

  std::string title;
  Facts facts;
  std::vector<Sheet> sheets;  ///< in the order of the slider, which begins at the last one
  std::vector<LineChart> charts;
  std::vector<Table> tables;
  Facts settings;
};

/// The most sheets that a page holds. Of more, as many are taken, evenly spread, the first and the last among them.
inline constexpr std::size_t max_report_sheets = 40;

/// Writes the page, atomically. What is empty has no section. std::invalid_argument for a table whose rows do not fit
/// its header, eigan::Error for a sheet that cannot be read or a page that cannot be written.
void write_report(const std::filesystem::path& path, const Report& report);

}  // namespace kit
