#include <doctest/doctest.h>

#include <clocale>
#include <cmath>
#include <limits>
#include <locale>
#include <string>
#include <string_view>
#include <vector>

#include <eigan/io/read_file.hpp>

#include "io/support.hpp"
#include "kit/line_chart.hpp"

using kit::LineChart;
using kit::render_line_chart;
using test::contains;
using test::count;
using test::error_text;

namespace {

// The path that was drawn with this stroke width.
std::string path_of_width(const std::string& svg, const std::string& width) {
  const std::size_t end = svg.find("stroke-width=\"" + width + "\"");
  if (end == std::string::npos) return "";
  const std::size_t begin = svg.rfind("<path d=\"", end) + 9;
  return svg.substr(begin, svg.find('"', begin) - begin);
}

LineChart chart_of(std::vector<double> x, std::vector<double> y) {
  return {.title = "", .x_label = "", .y_label = "", .log_y = false, .series = {{"s", std::move(x), std::move(y)}}};
}

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

}  // namespace

TEST_CASE("LineChart: title, labels, legend and ticks are there, and text is escaped") {
  LineChart chart = chart_of({0, 10}, {0, 3});
  chart.title = "a < b & \"c\"";
  chart.x_label = "epoch\x01";
  chart.y_label = "loss \xC3\xA9\xFF";
  chart.series.push_back({"other", {0}, {1}});
  const auto svg = render_line_chart(chart);
  CHECK(contains(svg, ">a &lt; b &amp; &quot;c&quot;</text>"));
  CHECK(contains(svg, "role=\"img\" aria-label=\"a &lt; b &amp; &quot;c&quot;\""));
  CHECK(contains(svg, ">epoch?</text>"));
  CHECK(contains(svg, ">loss \xC3\xA9?</text>"));
  CHECK(contains(svg, ">s</text>"));
  CHECK(contains(svg, ">other</text>"));
  for (const char* tick : {">0<", ">2<", ">10<", ">0.5<", ">2.5<", ">3<"}) CHECK(contains(svg, tick));
  CHECK(contains(svg, "prefers-color-scheme: dark"));
  CHECK(count(svg, "<text") == count(svg, "</text>"));
  CHECK(svg.rfind("</svg>\n") == svg.size() - 7);
}

TEST_CASE("LineChart: the line runs through its points, from corner to corner") {
  const auto svg = render_line_chart(chart_of({0, 1, 2}, {0, 3, 1.5}));
  CHECK(path_of_width(svg, "1.8") == "M74.5 422.0L475.2 78.0L876.0 250.0");
  CHECK(path_of_width(svg, "6") == "");
}

TEST_CASE("LineChart: what is not finite interrupts the line, and a point alone is a dot") {
  const auto svg = render_line_chart(chart_of(
      {0, 1, 2, 3, 4, 5, 6, not_a_number}, {1, 2, not_a_number, 2, std::numeric_limits<double>::infinity(), 1, 2, 1}));
  CHECK(count(path_of_width(svg, "1.8"), "M") == 3);
  CHECK(count(path_of_width(svg, "1.8"), "L") == 2);
  CHECK(count(path_of_width(svg, "6"), "M") == 1);
  CHECK_FALSE(contains(svg, "nan"));
  CHECK_FALSE(contains(svg, "inf"));
}

TEST_CASE("LineChart: on a logarithmic axis equal factors are equal distances, and what is not positive is left out") {
  LineChart chart = chart_of({0, 1, 2, 3}, {1, 10, 100, 0});
  chart.log_y = true;
  const auto svg = render_line_chart(chart);
  CHECK(contains(path_of_width(svg, "1.8"), " 422.0L"));
  CHECK(contains(path_of_width(svg, "1.8"), " 250.0L"));
  CHECK(count(path_of_width(svg, "1.8"), "L") == 2);
}

TEST_CASE("LineChart: a long run becomes a mean line over bars from lowest to highest, and a small file") {
  std::vector<double> x(200'000), y(200'000);
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = static_cast<double>(i);
    y[i] = i % 2 == 0 ? 0 : 3;
  }
  const auto svg = render_line_chart(chart_of(x, y));
  CHECK(svg.size() < 60'000);
  const std::string mean = path_of_width(svg, "1.8");
  CHECK(count(mean, " 249.") + count(mean, " 250.") > 700);  // half-way between 0 and 3
  CHECK(count(path_of_width(svg, "1.2"), " 422.0V78.0") > 700);
}

TEST_CASE("LineChart: the styles of a chart in a page touch nothing else there") {
  const auto svg = render_line_chart(chart_of({0, 1}, {0, 1}));
  const std::string_view style = std::string_view(svg).substr(0, svg.find("</style>")).substr(svg.find("<style>"));
  std::size_t rules = 0;
  for (std::size_t at = style.find(" {"); at != std::string::npos; at = style.find(" {", at + 2)) {
    const std::size_t begin = style.find_last_of("{}>", at - 1) + 1;
    const std::string_view selector = style.substr(begin, at - begin);
    if (contains(selector, "@media")) continue;
    CHECK(contains(selector, ".line-chart ."));
    ++rules;
  }
  CHECK(rules == 10);
  CHECK_FALSE(contains(svg, " id="));
}

TEST_CASE("LineChart: a chart has the size that is asked for, and its letters keep theirs") {
  const auto svg = render_line_chart(chart_of({0, 1, 2}, {0, 3, 1.5}), {.width = 500, .height = 300});
  CHECK(contains(svg, "viewBox=\"0 0 500 300\""));
  CHECK(path_of_width(svg, "1.8") == "M74.5 242.0L275.2 78.0L476.0 160.0");
  CHECK(contains(svg, "font-size=\"13\""));
  CHECK(contains(error_text<std::invalid_argument>([] { render_line_chart({}, {.width = 299, .height = 200}); }),
                 "expected a size of at least 300 x 200, found 299 x 200"));
  error_text<std::invalid_argument>([] { render_line_chart({}, {.width = 300, .height = not_a_number}); });
}

TEST_CASE("LineChart: names that do not fit beside each other go below, and the plot keeps its height") {
  LineChart chart = chart_of({0, 1}, {0, 1});
  chart.series = {{"a short one", {0}, {0}}, {std::string(30, 'm'), {1}, {1}}, {"another short one", {1}, {1}}};
  const auto svg = render_line_chart(chart, {.width = 400, .height = 300});
  CHECK(contains(svg, "viewBox=\"0 0 400 340\""));
  for (const char* place : {"x=\"102.5\" y=\"61.5\"", "x=\"102.5\" y=\"81.5\"", "x=\"102.5\" y=\"101.5\""}) {
    CHECK(contains(svg, place));
  }
  CHECK(contains(render_line_chart(chart, {.width = 900, .height = 300}), "viewBox=\"0 0 900 300\""));
}

TEST_CASE("LineChart: no series, empty series and extreme values give a chart") {
  constexpr double largest = std::numeric_limits<double>::max();
  for (const auto& chart : {LineChart{}, chart_of({}, {}), chart_of({not_a_number}, {not_a_number}), chart_of({5}, {5}),
                            chart_of({-largest, largest}, {-largest, largest}),
                            chart_of({-1e150, 1e150}, {-1e150, 1e150}), chart_of({0, 1}, {0, 5e-324})}) {
    const auto svg = render_line_chart(chart);
    CHECK(contains(svg, "</svg>"));
    CHECK_FALSE(contains(svg, "nan"));
    CHECK_FALSE(contains(svg, "inf"));
  }
  CHECK(contains(error_text<std::invalid_argument>([] {
                   render_line_chart(chart_of({1, 2}, {1}));
                 }),
                 "series 's': expected as many x as y, found 2 and 1"));
}

TEST_CASE("LineChart: numbers do not depend on the program's locale") {
  struct Commas : std::numpunct<char> {
    char do_decimal_point() const override { return ','; }
    char do_thousands_sep() const override { return '.'; }
    std::string do_grouping() const override { return "\3"; }
  };
  const LineChart chart = chart_of({0, 12345}, {0, 0.3});
  const auto expected = render_line_chart(chart);
  const std::locale before = std::locale::global(std::locale(std::locale::classic(), new Commas));
  const auto found = render_line_chart(chart);
  std::locale::global(before);
  CHECK(found == expected);
}

TEST_CASE("LineChart: is written to a file") {
  const test::TemporaryFolder folder;
  const LineChart chart = chart_of({0, 1}, {0, 1});
  kit::write_line_chart(folder / "loss.svg", chart);
  CHECK(test::text_of(eigan::read_file(folder / "loss.svg")) == render_line_chart(chart));
  CHECK(contains(error_text([&] { kit::write_line_chart("/missing/loss.svg", chart); }),
                 "/missing/loss.svg: cannot create"));
}
