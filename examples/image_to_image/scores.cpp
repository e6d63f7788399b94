#include "scores.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <limits>
#include <numeric>
#include <span>

#include "kit/aligned.hpp"
#include "kit/exit_code.hpp"
#include "kit/json_object.hpp"
#include "kit/text.hpp"
#include "mnist_recogniser/recogniser.hpp"

#include "baselines.hpp"
#include "feed.hpp"

namespace image_to_image {

using namespace eigan;

namespace {

/// More pictures are looked for among each other no further: the time grows with the square of their number.
constexpr Index most_retrieved = 1000;

PictureSet first_of(const PictureSet& set, Index count) {
  PictureSet some = set;
  some.count = std::min(count, set.count);
  some.bytes.resize(static_cast<std::size_t>(some.count * some.size()));
  return some;
}

/// Reads labels off pictures.
class Reader {
 public:
  Reader(const std::string& path, Threads threads) : threads_(threads) {
    if (path.empty()) return;
    model_.emplace(mnist_recogniser::load_recogniser(path));
    name_ = mnist_recogniser::yardstick_name(*model_);
  }
  const std::string& name() const { return name_; }

  std::optional<double> operator()(const PictureSet& pictures, const std::vector<std::uint8_t>& labels) const {
    if (!model_ || labels.empty() || !is_readable(pictures)) return std::nullopt;
    const auto seen = mnist_recogniser::recognise(*model_, picture_matrix(pictures), threads_);
    Index right = 0;
    for (Index j = 0; j < pictures.count; ++j) {
      Index label = 0;
      seen.probabilities.col(j).maxCoeff(&label);
      right += label == labels[static_cast<std::size_t>(j)];
    }
    return static_cast<double>(right) / static_cast<double>(pictures.count);
  }

 private:
  std::optional<mnist_recogniser::RecogniserModel> model_;
  std::string name_;
  Threads threads_;
};

/// The row of pictures that stand for those of y.
Score row(const std::string& name, const PictureSet& x, const PictureSet& y, bool paired,
          const std::vector<std::uint8_t>& labels, const Reader& reader) {
  Score score{name, {}, {}, {}, reader(x, labels), {}};
  if (x.channels == 3) score.colourfulness = colourfulness(x);
  if (!paired) return score;
  const Difference from_partner = difference(x, y);
  score.l1 = from_partner.l1, score.psnr = from_partner.psnr;
  if (x.channels == y.channels) score.retrieved = retrieved(first_of(x, most_retrieved), first_of(y, most_retrieved));
  return score;
}

double sum(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

std::string per_cent(double part, double whole) {
  return fixed(whole > 0 ? 100 * part / whole : 0, 0) + " %";
}

/// The part of their sum that the largest tenth of the values has.
std::string share_of_tenth(std::vector<double> values) {
  std::ranges::sort(values, std::greater<>());
  return per_cent(sum(std::span(values).first((values.size() + 9) / 10)), sum(values));
}

std::string cell(const std::optional<double>& value, int digits, double factor = 1) {
  return value ? fixed(factor * *value, digits) : "";
}

}  // namespace

double colourfulness(const PictureSet& pictures) {
  double sum = 0;
  const auto pixels = static_cast<double>(pictures.height * pictures.width);
  for (Index i = 0; i < pictures.count; ++i) {
    const auto bytes = pictures.picture(i);
    double rg = 0, yb = 0, rg2 = 0, yb2 = 0;
    for (std::size_t at = 0; at < bytes.size(); at += 3) {
      const double r = bytes[at], g = bytes[at + 1], b = bytes[at + 2], first = r - g, second = (r + g) / 2 - b;
      rg += first, yb += second, rg2 += first * first, yb2 += second * second;
    }
    rg /= pixels, yb /= pixels;
    const double variance = std::max(0.0, rg2 / pixels - rg * rg) + std::max(0.0, yb2 / pixels - yb * yb);
    sum += std::sqrt(variance) + 0.3 * std::sqrt(rg * rg + yb * yb);
  }
  return pictures.count > 0 ? sum / static_cast<double>(pictures.count) : 0;
}

double retrieved(const PictureSet& x, const PictureSet& y) {
  Index right = 0;
  for (Index i = 0; i < x.count; ++i) {
    const auto wanted = x.picture(i);
    Index nearest = 0;
    std::int64_t least = std::numeric_limits<std::int64_t>::max();
    for (Index j = 0; j < y.count; ++j) {
      const auto candidate = y.picture(j);
      int distance = 0;
      for (std::size_t at = 0; at < wanted.size(); ++at) distance += std::abs(int{wanted[at]} - int{candidate[at]});
      if (distance < least) least = distance, nearest = j;
    }
    right += nearest == i;
  }
  return x.count > 0 ? static_cast<double>(right) / static_cast<double>(x.count) : 0;
}

bool is_readable(const PictureSet& pictures) {
  return shape_of(pictures) == eigan::Shape{1, mnist_recogniser::image_side, mnist_recogniser::image_side};
}

void check_scorer(const std::string& recogniser, const PictureSet& to, const std::vector<std::uint8_t>& labels) {
  if (recogniser.empty() || (is_readable(to) && !labels.empty())) return;
  throw BadInput(concat(eigan::printable(recogniser),
                        ": a recogniser scores grey pictures of 28x28 made of pictures with ", "labels; found ",
                        picture_text(to), labels.empty() ? ", and no labels" : ""));
}

Evaluation evaluated(const Translator& translator, const TaskData& data, bool validation, const std::string& recogniser,
                     Threads threads) {
  const TwoDomains& held_out = validation ? data.validation : data.test;
  const PictureSet& from = held_out.a;
  const PictureSet& to = held_out.b;
  if (from.count == 0 || to.count == 0) throw BadInput("the data have no pictures that are held out");
  if (from.channels != translator.from_channels() || to.channels != translator.to_channels() ||
      !translator.takes(from.height, from.width))
    throw BadInput(concat("the model translates pictures of ", translator.from_channels(), " channels into ",
                          translator.to_channels(), ", sides multiples of ", translator.multiple,
                          "; expected such data, found ", shape_text(shape_of(from)), " and ",
                          shape_text(shape_of(to))));
  const Reader reader(recogniser, threads);
  check_scorer(recogniser, to, held_out.a_labels);
  const bool paired = held_out.paired;
  Evaluation all;
  all.made = translator.translate(from, {}, threads);
  all.rows.push_back(row("translations", all.made, to, paired, held_out.a_labels, reader));
  all.rows.push_back(row("as they are", from, to, paired, held_out.a_labels, reader));
  if (paired) {
    const Baselines base = baselines(data.train, held_out);
    all.rows.push_back({"mean picture", base.mean_l1, {}, {}, {}, {}});
    if (data.train.paired) all.rows.push_back({"nearest neighbour", base.nearest_l1, {}, {}, {}, {}});
  }
  Score real = row("real pictures", to, to, false, held_out.b_labels, reader);
  all.rows.push_back(real);
  all.note = concat(grouped(from.count), validation ? " validation" : " test", " pictures, ", translator.from, " to ",
                    translator.to);
  if (paired) {
    const Differences of = differences(all.made, to);
    all.note += concat("; the worst tenth has ", share_of_tenth(of.l1), " of the L1, and ", share_of_tenth(of.squared),
                       " of the squared error; pictures' mean colours differ by ",
                       per_cent(sum(of.l1_of_means), sum(of.l1)), " of the L1");
  }
  if (!reader.name().empty()) all.note += concat("; labels read by ", reader.name());
  return all;
}

std::vector<std::string> Evaluation::header() const {
  return {"", "L1", "PSNR, dB", "colourfulness", "label read, %", "partner nearest, %"};
}

std::vector<std::vector<std::string>> Evaluation::cells() const {
  std::vector<std::vector<std::string>> all;
  for (const Score& s : rows)
    all.push_back({s.name, cell(s.l1, 4), cell(s.psnr, 1), cell(s.colourfulness, 1), cell(s.read, 1, 100),
                   cell(s.retrieved, 1, 100)});
  return all;
}

std::string Evaluation::table() const {
  auto lines = cells();
  lines.insert(lines.begin(), header());
  return aligned(lines) + note + "\n";
}

std::string Evaluation::json() const {
  std::vector<JsonObject> objects;
  for (const Score& s : rows) {
    JsonObject object;
    object.add("name", s.name);
    const auto add = [&](const char* name, const std::optional<double>& value) {
      if (value) object.add(name, *value);
    };
    add("l1", s.l1), add("psnr", s.psnr), add("colourfulness", s.colourfulness);
    add("label_read", s.read), add("partner_nearest", s.retrieved);
    objects.push_back(object);
  }
  return JsonObject().add("rows", objects).add("note", note).text();
}

}  // namespace image_to_image
