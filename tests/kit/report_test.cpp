#include <doctest/doctest.h>

#include <filesystem>
#include <stdexcept>
#include <string>

#include <eigan/io/atomic_file.hpp>
#include <eigan/io/read_file.hpp>

#include "io/support.hpp"
#include "kit/report.hpp"

using kit::Report;
using test::contains;
using test::count;
using test::error_text;

namespace {

Report::Sheet sheet(const test::TemporaryFolder& folder, const std::string& caption, const std::string& content) {
  const std::filesystem::path png = folder / (content + ".png");
  eigan::write_file(png, content);
  return {caption, png};
}

std::string page_of(const test::TemporaryFolder& folder, const Report& report) {
  kit::write_report(folder / "report.html", report);
  return test::text_of(eigan::read_file(folder / "report.html"));
}

kit::LineChart chart(const std::string& title) {
  return {.title = title, .x_label = "", .y_label = "", .log_y = false, .series = {}};
}

}  // namespace

TEST_CASE("Report: everything that it is given is text, whatever it says") {
  const test::TemporaryFolder folder;
  const std::string hostile = "</title><script>alert('a' && \"b\")</script>\x1b";
  const std::string harmless =
      "&#60;/title&#62;&#60;script&#62;alert(&#39;a&#39; &#38;&#38; &#34;b&#34;)&#60;/script&#62;\\x1b";
  Report report;
  report.title = hostile;
  report.facts = {{hostile, hostile}};
  report.sheets = {sheet(folder, hostile, "one")};
  report.tables = {{hostile, {hostile, hostile}, {{hostile, hostile}}, hostile}};
  report.settings = {{hostile, hostile}};
  report.charts = {chart(hostile)};
  const auto page = page_of(folder, report);
  CHECK(count(page, harmless) == 2 + 2 + 2 + (2 + 2 + 2 + 1) + 2);
  CHECK(count(page, "<script") == 0);
  CHECK(count(page, "</title>") == 1);
}

TEST_CASE("Report: sheets are in the page, of any length") {
  const test::TemporaryFolder folder;
  Report report;
  for (const char* content : {"f", "fo", "foo", "foob", "\xFB\xEF\xFF\xFE"}) {
    report.sheets.push_back(sheet(folder, "a sheet", content));
  }
  const auto page = page_of(folder, report);
  for (const char* image : {"Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "++///g=="}) {
    CHECK(contains(page, std::string("\"data:image/png;base64,") + image + "\""));
  }
  CHECK(count(page, "<img") == 6);  // the last one twice: it is what the slider begins with
  CHECK(count(page, "++///g==") == 2);
  CHECK(contains(page, "max=\"4\" value=\"4\""));
  CHECK(count(page, "<script>") == 1);
}

TEST_CASE("Report: of many sheets some are taken, evenly spread, and the page says so") {
  const test::TemporaryFolder folder;
  const auto png = sheet(folder, "", "one").png;
  for (const std::size_t sheets : {std::size_t{40}, std::size_t{41}, std::size_t{79}, std::size_t{1000}}) {
    CAPTURE(sheets);
    Report report;
    for (std::size_t i = 0; i < sheets; ++i) report.sheets.push_back({"epoch " + std::to_string(i) + ".", png});
    const auto page = page_of(folder, report);
    const std::string gallery = page.substr(page.find("<details>"));
    CHECK(count(gallery, "<img") == 40);
    CHECK(contains(gallery, ">epoch 0.<"));
    CHECK(contains(gallery, ">epoch " + std::to_string(sheets - 1) + ".<"));
    CHECK(contains(page, "40 of " + std::to_string(sheets) + " sheets") == (sheets > 40));

    std::size_t before = 0, widest = 0, narrowest = sheets;
    for (std::size_t i = 1; i < sheets; ++i) {
      if (!contains(gallery, ">epoch " + std::to_string(i) + ".<")) continue;
      widest = std::max(widest, i - before), narrowest = std::min(narrowest, i - before);
      before = i;
    }
    CHECK(narrowest >= 1);
    CHECK(widest - narrowest <= 1);
  }
}

TEST_CASE("Report: what is not there has no section, and a single sheet no slider") {
  const test::TemporaryFolder folder;
  Report report;
  report.title = "nothing yet";
  CHECK_FALSE(contains(page_of(folder, report), "<section"));
  report.sheets = {sheet(folder, "epoch 1", "one")};
  const auto page = page_of(folder, report);
  CHECK(count(page, "<section") == 1);
  CHECK(count(page, "<img") == 1);
  for (const char* part : {"<input", "<script", "<details"}) CHECK_FALSE(contains(page, part));
}

TEST_CASE("Report: charts and tables stand in their order") {
  const test::TemporaryFolder folder;
  Report report;
  report.charts = {chart("first chart"), chart("second chart")};
  report.tables = {{"scores", {"", "score"}, {{"real", "9.8"}, {"generated", "6.1"}}, "Higher is better."}};
  const auto page = page_of(folder, report);
  std::size_t at = 0;
  for (const char* part :
       {"aria-label=\"first chart\"", "</svg>", "aria-label=\"second chart\"", "</svg>", "<h2>scores</h2>",
        "<tr><td></td><th scope=\"col\">score</th></tr>", "<tr><th scope=\"row\">real</th><td>9.8</td></tr>",
        "<tr><th scope=\"row\">generated</th><td>6.1</td></tr>", "</table>", "Higher is better."}) {
    CAPTURE(part);
    const std::size_t found = page.find(part, at);
    CHECK(found != std::string::npos);
    at = found == std::string::npos ? at : found + 1;
  }
}

TEST_CASE("Report: what cannot be written leaves no page") {
  const test::TemporaryFolder folder;
  Report uneven;
  uneven.tables = {{"scores", {"images", "score"}, {{"real", "9.8"}, {"generated"}}, ""}};
  CHECK(contains(error_text<std::invalid_argument>([&] { kit::write_report(folder / "report.html", uneven); }),
                 "table 'scores': expected rows of 2 cells, found one of 1"));
  Report missing;
  missing.sheets = {{"epoch 1", folder / "missing.png"}};
  CHECK(contains(error_text([&] { kit::write_report(folder / "report.html", missing); }), "missing.png"));
  CHECK(folder.names().empty());
}
