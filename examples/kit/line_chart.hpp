// LineChart: a plot of named series as one self-contained SVG that any browser shows, in light or dark: as a file, or
// inside an HTML page, together with others.
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <eigan/core/error.hpp>
#include <eigan/core/finite.hpp>
#include <eigan/core/printable.hpp>
#include <eigan/io/atomic_file.hpp>
#include <eigan/io/utf8.hpp>

#include "chart_axis.hpp"

namespace kit {

/// What is drawn.
struct LineChart {
  /// One line of the plot.
  struct Series {
    std::string name;       ///< in the legend
    std::vector<double> x;  ///< in the order in which points are joined
    std::vector<double> y;  ///< as many as x; points that are not finite (or beyond 1e150) interrupt the line
  };
  std::string title;           ///< above the plot
  std::string x_label;         ///< below it
  std::string y_label;         ///< on its left
  bool log_y = false;          ///< logarithmic y axis; points that are not positive interrupt the line
  std::vector<Series> series;  ///< in the order of the legend
};

/// How large a chart is, in the unit in which its letters are 13 high.
struct ChartSize {
  double width = 900;   ///< at least 300
  double height = 480;  ///< at least 200, without the legend's further lines
};

// Locale-independent, unlike streams and printf.
inline std::string svg_number(double value, std::chars_format format = std::chars_format::fixed, int precision = 1) {
  std::array<char, 400> text{};
  return {text.data(), std::to_chars(text.data(), text.data() + text.size(), value, format, precision).ptr};
}

inline std::string svg_text(std::string_view text) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const auto [value, length] = eigan::detail::decode_utf8(text.substr(at));
    if (value == '&' || value == '<' || value == '"') {
      result += value == '&' ? "&amp;" : value == '<' ? "&lt;" : "&quot;";
    } else {
      result += length == 0 || value < 0x20 ? "?" : text.substr(at, length);
    }
    at += std::max<std::size_t>(length, 1);
  }
  return result;
}

/// The chart as SVG text, whose styles touch nothing but charts. std::invalid_argument if a series has not as many x
/// as y, or if the size is below 300 x 200.
inline std::string render_line_chart(const LineChart& chart, const ChartSize& size = {}) {
  if (!(eigan::detail::at_least(size.width, 300) && eigan::detail::at_least(size.height, 200))) {
    eigan::detail::fail_contract("line chart: expected a size of at least 300 x 200, found ", size.width, " x ",
                                 size.height);
  }
  constexpr std::array colours{"#4269d0", "#e8710a", "#2c9c5a", "#d6448f", "#a463f2", "#9c6b4e", "#1aa3b8", "#8a8f98"};
  const auto number = [](double value) { return svg_number(value); };
  const auto label = [](double value) { return svg_number(value, std::chars_format::general, 6); };
  const auto shown = [&](double x, double y) {
    const bool finite = std::abs(x) <= chart_limit && std::abs(y) <= chart_limit;
    return finite && (!chart.log_y || y >= 1 / chart_limit);
  };

  constexpr double infinity = std::numeric_limits<double>::infinity();
  double x_low = infinity, x_high = -infinity, y_low = infinity, y_high = -infinity;
  for (const auto& [name, x, y] : chart.series) {
    if (x.size() != y.size()) {
      eigan::detail::fail_contract("line chart: series '", eigan::printable(name), "': expected as many x as y, found ",
                                   x.size(), " and ", y.size());
    }
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (!shown(x[i], y[i])) continue;
      x_low = std::min(x_low, x[i]), x_high = std::max(x_high, x[i]);
      y_low = std::min(y_low, y[i]), y_high = std::max(y_high, y[i]);
    }
  }
  const ChartAxis x_axis(x_low, x_high, false, false), y_axis(y_low, y_high, chart.log_y, true);

  std::size_t longest = 1;
  for (const double tick : y_axis.ticks()) longest = std::max(longest, label(tick).size());
  const double left = 52 + 7.5 * static_cast<double>(longest), right = size.width - 24;

  // Where each series is named: beside the one before it, or below where there is no room; then the chart grows.
  struct Place {
    double x, y;
  };
  std::vector<Place> legend;
  Place next_place{left, 57};
  for (const LineChart::Series& series : chart.series) {
    const double needed = 28 + 7.5 * static_cast<double>(series.name.size());
    if (next_place.x + needed > right && next_place.x > left) next_place = {left, next_place.y + 20};
    legend.push_back(next_place);
    next_place.x += needed + 24;
  }
  const double top = next_place.y + 21, height = size.height + top - 78, bottom = height - 58;

  std::string svg;
  const auto add = [&](const auto&... parts) { (svg.append(parts), ...); };
  add(R"(<svg xmlns="http://www.w3.org/2000/svg" class="line-chart" viewBox="0 0 )", label(size.width), " ",
      label(height), R"(" role="img" aria-label=")", svg_text(chart.title),
      R"(" font-family="system-ui, sans-serif" font-size="13">
<style>
  .line-chart .page { fill: #ffffff } .line-chart .ink { fill: #1f2328 } .line-chart .soft { fill: #59636e }
  .line-chart .grid { stroke: #d9dee3 } .line-chart .axis { stroke: #59636e }
  @media screen and (prefers-color-scheme: dark) {
    .line-chart .page { fill: #15191e } .line-chart .ink { fill: #e6e9ec } .line-chart .soft { fill: #9aa4ae }
    .line-chart .grid { stroke: #2c333b } .line-chart .axis { stroke: #9aa4ae }
  }
</style>
<rect class="page" width="100%" height="100%"/>
)");
  const auto text = [&](double x, double y, std::string_view attributes, std::string_view words) {
    add("<text x=\"", number(x), "\" y=\"", number(y), "\" ", attributes, ">", svg_text(words), "</text>\n");
  };
  const auto draw = [&](std::string_view path, const auto&... attributes) {
    if (!path.empty()) add("<path d=\"", path, "\" ", attributes..., "/>\n");
  };
  const auto point = [&](double x, double y) { return number(x).append(" ").append(number(y)); };
  const auto line = [&](double x1, double y1, double x2, double y2, const auto&... attributes) {
    draw(std::string("M").append(point(x1, y1)).append("L").append(point(x2, y2)), attributes...);
  };

  const auto x_pixel = [&](double x) { return left + x_axis.position(x) * (right - left); };
  const auto y_pixel = [&](double y) { return bottom - y_axis.position(y) * (bottom - top); };

  text(left, 34, R"(class="ink" font-size="18" font-weight="600")", chart.title);
  for (const double tick : y_axis.ticks()) {
    line(left, y_pixel(tick), right, y_pixel(tick), R"(class="grid")");
    text(left - 9, y_pixel(tick) + 4.5, R"(class="soft" text-anchor="end")", label(tick));
  }
  for (const double tick : x_axis.ticks()) {
    line(x_pixel(tick), bottom, x_pixel(tick), bottom + 5, R"(class="axis")");
    text(x_pixel(tick), bottom + 21, R"(class="soft" text-anchor="middle")", label(tick));
  }
  line(left, bottom, right, bottom, R"(class="axis")");
  text((left + right) / 2, height - 14, R"(class="ink" text-anchor="middle")", chart.x_label);
  const double middle = (top + bottom) / 2;
  const std::string upwards = std::string("rotate(-90 24 ").append(number(middle)).append(")");
  text(24, middle, std::string(R"(class="ink" text-anchor="middle" transform=")").append(upwards).append("\""),
       chart.y_label);

  for (std::size_t s = 0; s < chart.series.size(); ++s) {
    const std::string& name = chart.series[s].name;
    const std::vector<double>&x = chart.series[s].x, &y = chart.series[s].y;
    const std::string stroke = eigan::detail::concat(
        R"(fill="none" stroke-linecap="round" stroke-linejoin="round" stroke=")", colours[s % colours.size()], '"');
    const auto [name_x, name_y] = legend[s];
    line(name_x, name_y, name_x + 20, name_y, stroke, R"( stroke-width="3")");
    text(name_x + 28, name_y + 4.5, R"(class="ink")", name);

    // Points that share a pixel's column are drawn as their mean, over a pale bar from the lowest to the highest: a
    // long noisy run stays legible, and the file small.
    std::string means, bars, dots;
    for (std::size_t i = 0, next = 0; i < x.size(); i = next) {
      const auto column = [&](std::size_t k) { return std::floor(x_pixel(x[k])); };
      const auto joins = [&](std::size_t k) { return k < x.size() && shown(x[k], y[k]); };
      next = i + 1;
      if (!joins(i)) continue;
      double lowest = y[i], highest = y[i], sum = y[i];
      for (; joins(next) && column(next) == column(i); ++next) {
        lowest = std::min(lowest, y[next]), highest = std::max(highest, y[next]), sum += y[next];
      }
      const double mean = std::clamp(sum / static_cast<double>(next - i), lowest, highest);
      const bool starts = i == 0 || !joins(i - 1);
      const std::string at = point(x_pixel(x[i]), y_pixel(mean));
      means.append(starts ? "M" : "L").append(at);
      if (starts && !joins(next)) dots.append("M").append(at).append("h0");
      if (lowest < highest) {
        bars.append("M").append(point(x_pixel(x[i]), y_pixel(lowest))).append("V").append(number(y_pixel(highest)));
      }
    }
    draw(bars, stroke, R"( stroke-width="1.2" stroke-opacity="0.3")");
    draw(means, stroke, R"( stroke-width="1.8")");
    draw(dots, stroke, R"( stroke-width="6")");
  }
  return svg + "</svg>\n";
}

/// Writes the chart as an SVG file, atomically. Error if that fails.
inline void write_line_chart(const std::filesystem::path& path, const LineChart& chart) {
  eigan::write_file(path, render_line_chart(chart));
}

}  // namespace kit
