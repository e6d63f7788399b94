#include "report.hpp"

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <string_view>

#include <eigan/io/atomic_file.hpp>
#include <eigan/io/read_file.hpp>

#include "html.hpp"
#include "text.hpp"

namespace kit {
namespace {

// Forbids what the page does not do anyway: load something from elsewhere.
constexpr std::string_view head = R"(<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
)";

constexpr std::string_view style = R"(<style>
:root { color-scheme: light dark; --page: #ffffff; --ink: #1f2328; --soft: #59636e; --line: #d9dee3 }
@media screen and (prefers-color-scheme: dark) {
  :root { --page: #15191e; --ink: #e6e9ec; --soft: #9aa4ae; --line: #2c333b }
}
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 76rem; padding: 1rem clamp(1rem, 4vw, 2.5rem) 3rem;
  background: var(--page); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif }
h1 { margin: 1rem 0 1.5rem; font-size: 1.6rem; line-height: 1.25; overflow-wrap: anywhere }
h2 { margin: 0 0 1rem; font-size: 1.2rem }
section { margin-bottom: 3rem }
figure, dl, dd { margin: 0 }
img { display: block; width: 100%; height: auto; border-radius: 4px }
svg { display: block; width: 100%; height: auto }
dt, figcaption, .note { color: var(--soft); font-size: .875rem }
dd { overflow-wrap: anywhere; font-variant-numeric: tabular-nums }
.result dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(8rem, 1fr)); gap: .75rem 1.5rem }
.sheet { max-width: 604px }
.sheet > figure figcaption { margin-top: .5rem; font-size: 1rem; color: var(--ink) }
.slider { display: flex; align-items: center; gap: .75rem; margin: .75rem 0 0 }
.slider[hidden] { display: none }
.slider input { flex: 1; min-width: 0; margin: 0; accent-color: #4269d0 }
details { margin-top: 1rem }
summary { cursor: pointer }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(8rem, 1fr)); gap: 1rem; margin-top: 1rem }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: 1.5rem 2rem }
.scroll { overflow-x: auto; background:
  linear-gradient(to left, var(--page) 50%, transparent) right / 3rem 100% no-repeat local,
  linear-gradient(to left, var(--line), transparent) right / 1rem 100% no-repeat }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums }
th, td { padding: .35rem .6rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap }
tr > :first-child { position: sticky; left: 0; padding-left: 0; text-align: left; background: var(--page) }
thead th { color: var(--soft); font-weight: 500; vertical-align: bottom }
tbody th { font-weight: 500 }
.note { max-width: 45rem; margin: .5rem 0 0 }
.settings div { display: grid; grid-template-columns: 7rem 1fr; gap: 0 1rem; align-items: baseline; margin-bottom: .35rem }
@media (min-width: 60rem) {
  main { display: grid; grid-template: auto 1fr / minmax(0, 1fr) 604px; column-gap: 3rem }
  section { grid-column: 1 / 3; min-width: 0 }
  .result { grid-area: 1 / 1 }
  .settings { grid-area: 2 / 1 }
  .sheet { grid-area: 1 / 2 / 3 }
  #large { image-rendering: pixelated }
}
@media (max-width: 36rem) {
  .settings div { display: block }
  .line-chart { font-size: 17px }
  tbody th { min-width: 7rem; white-space: normal }
}
@media print {
  body { max-width: none; padding: 0 }
  .slider, details, .sheet .note { display: none }
  .charts { grid-template-columns: 1fr 1fr }
  section { margin-bottom: 1.5rem }
  figure, tr { break-inside: avoid }
  h2 { break-after: avoid }
  .scroll { overflow-x: visible }
  th, td { white-space: normal }
}
</style>
)";

// The pictures are in the page once, as the gallery; the slider shows one of them large.
constexpr std::string_view script = R"(<script>
(() => {
  const slider = document.getElementById("slider"), caption = document.getElementById("caption");
  const large = document.getElementById("large"), sheets = document.querySelectorAll(".grid figure");
  const show = () => {
    const [image, name] = sheets[slider.value].children;
    large.src = image.src;
    large.alt = image.alt;
    caption.textContent = name.textContent;
    slider.setAttribute("aria-valuetext", name.textContent);
  };
  slider.addEventListener("input", show);
  slider.parentElement.hidden = false;
  show();
})();
</script>
)";

/// `at_most` of 0 ... count - 1, evenly spread.
std::vector<std::size_t> evenly_spread(std::size_t count, std::size_t at_most) {
  const std::size_t taken = std::min(count, at_most);
  std::vector<std::size_t> indices;
  for (std::size_t i = 0; i < taken; ++i) {
    indices.push_back(taken > 1 ? (2 * i * (count - 1) + taken - 1) / (2 * (taken - 1)) : count - 1);
  }
  return indices;
}

class Page {
 public:
  explicit Page(const Report& report) {
    add("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n", head, "<title>", html_text(report.title), "</title>\n", style,
        "</head>\n<body>\n<header><h1>", html_text(report.title), "</h1></header>\n<main>\n");
    add_facts("Result", "result", report.facts);
    add_sheets(report.sheets);
    add_charts(report.charts);
    for (const Report::Table& table : report.tables) add_table(table);
    add_facts("Settings", "settings", report.settings);
    add("</main>\n");
    if (report.sheets.size() > 1) add(script);
    add("</body>\n</html>\n");
  }

  const std::string& text() const { return text_; }

 private:
  template <class... Parts>
  void add(const Parts&... parts) {
    (text_.append(parts), ...);
  }

  void add_facts(const char* title, const char* kind, const Report::Facts& facts) {
    if (facts.empty()) return;
    add("<section class=\"", kind, "\">\n<h2>", title, "</h2>\n<dl>\n");
    for (const auto& [name, value] : facts) {
      add("<div><dt>", html_text(name), "</dt><dd>", html_text(value), "</dd></div>\n");
    }
    add("</dl>\n</section>\n");
  }

  void add_sheets(const std::vector<Report::Sheet>& sheets) {
    if (sheets.empty()) return;
    const auto image = [&](const Report::Sheet& sheet, const char* attributes) {
      add("<img ", attributes, "src=\"data:image/png;base64,", base64(eigan::read_file(sheet.png)),
          "\" alt=\"Generated images: ", html_text(sheet.caption), "\">");
    };
    const std::string last = html_text(sheets.back().caption);
    add("<section class=\"sheet\">\n<h2>Samples</h2>\n<figure>\n");
    image(sheets.back(), "id=\"large\" ");
    add("\n<figcaption id=\"caption\">", last, "</figcaption>\n</figure>\n");
    if (sheets.size() > 1) {
      const auto chosen = evenly_spread(sheets.size(), max_report_sheets);
      const std::string end = std::to_string(chosen.size() - 1);
      add("<label class=\"slider\" hidden>Sheet <input type=\"range\" id=\"slider\" min=\"0\" max=\"", end,
          "\" value=\"", end, "\" autocomplete=\"off\"></label>\n");
      if (chosen.size() < sheets.size()) {
        add("<p class=\"note\">", std::to_string(chosen.size()), " of ", std::to_string(sheets.size()),
            " sheets, evenly spread from the first to the last.</p>\n");
      }
      add("<details>\n<summary>", std::to_string(chosen.size()),
          " sheets side by side</summary>\n<div class=\"grid\">\n");
      for (const std::size_t index : chosen) {
        add("<figure>");
        image(sheets[index], "");
        add("<figcaption>", html_text(sheets[index].caption), "</figcaption></figure>\n");
      }
      add("</div>\n</details>\n");
    }
    add("</section>\n");
  }

  void add_charts(const std::vector<LineChart>& charts) {
    if (charts.empty()) return;
    add("<section>\n<h2>Training</h2>\n<div class=\"charts\">\n");
    // Two of them beside each other, or one on a phone: in both places the letters stay legible.
    for (const LineChart& chart : charts) {
      add("<figure>\n", render_line_chart(chart, {.width = 540, .height = 360}), "</figure>\n");
    }
    add("</div>\n</section>\n");
  }

  void add_table(const Report::Table& table) {
    const std::string title = html_text(table.title);
    add("<section>\n<h2>", title, "</h2>\n<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"", title,
        "\">\n<table>\n<thead><tr>");
    for (const std::string& name : table.header)
      add(name.empty() ? "<td></td>" : concat("<th scope=\"col\">", html_text(name), "</th>"));
    add("</tr></thead>\n<tbody>\n");
    for (const auto& row : table.rows) {
      if (row.size() != table.header.size()) {
        throw std::invalid_argument(concat("report: table '", eigan::printable(table.title), "': expected rows of ",
                                           table.header.size(), " cells, found one of ", row.size()));
      }
      add("<tr>");
      for (std::size_t i = 0; i < row.size(); ++i) {
        add(i == 0 ? "<th scope=\"row\">" : "<td>", html_text(row[i]), i == 0 ? "</th>" : "</td>");
      }
      add("</tr>\n");
    }
    add("</tbody>\n</table>\n</div>\n");
    if (!table.note.empty()) add("<p class=\"note\">", html_text(table.note), "</p>\n");
    add("</section>\n");
  }

  std::string text_;
};

}  // namespace

void write_report(const std::filesystem::path& path, const Report& report) {
  eigan::write_file(path, Page(report).text());
}

}  // namespace kit
