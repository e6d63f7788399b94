// A table in a CSV file: how long wood dries, from temperature, humidity, speed of the air and thickness. Columns are
// standardised, weights decay, and training stops where the error of held-out rows has not fallen for a while.
#include <cmath>
#include <iomanip>
#include <iostream>
#include <utility>
#include <vector>

#include <libfccp/csv.h>  // Debian's libfccp-dev, a parser in one header
#include <eigan/data/batches.hpp>
#include <eigan/data/gather_columns.hpp>
#include <eigan/eigan.hpp>

using namespace eigan;

struct Table {
  Matrix<float> x, y;  // columns are rows of the file
};

Table read_table(const char* path) {
  io::CSVReader<5> csv(path);
  csv.read_header(io::ignore_extra_column, "temperature", "humidity", "air_speed", "thickness", "minutes");
  std::vector<float> x, y;
  for (float t, h, v, d, minutes; csv.read_row(t, h, v, d, minutes);) {
    x.insert(x.end(), {t, h, v, d});
    y.push_back(std::log(minutes));  // relative errors count, not minutes
  }
  const auto rows = static_cast<Index>(y.size());
  return {ConstView<float>(x.data(), 4, rows), ConstView<float>(y.data(), 1, rows)};
}

int main(int, char** argv) {
  Table table = read_table(argv[1]);
  const Index train = 200, validation = 50, test = table.x.cols() - train - validation;
  const Eigen::VectorXf mean = table.x.leftCols(train).rowwise().mean();
  table.x.colwise() -= mean;
  const Eigen::VectorXf deviation = (table.x.leftCols(train).rowwise().squaredNorm() / float(train)).cwiseSqrt();
  table.x.array().colwise() /= deviation.array();

  Model<Sequential<Linear<4, 32>, Tanh, Linear<32, 1>>> model(Rng(1)), best = model.clone();
  auto tape = model.tape(20);
  auto gradient = model.zeros();
  AdamW adam(gradient.size(), {.lr = 0.01, .weight_decay = 0.01});
  Batches batches(train, 20, Rng(2));
  Matrix<float> x(4, 20), y(1, 20);
  const auto error = [&](const auto& net, Index first, Index count) {  // relative
    return std::sqrt(mse<float>(net.infer(table.x.middleCols(first, count)), table.y.middleCols(first, count)));
  };
  float least = error(model, train, validation);
  for (Index epoch = 0, waited = 0; epoch < 500 && waited < 50; ++epoch, ++waited) {
    batches.start_epoch(epoch);
    for (Index b = 0; b < batches.size(); ++b) {
      const auto target = gather_columns(table.y, batches.indices(b), View<float>(y));
      const auto output = model.forward(tape, gather_columns(table.x, batches.indices(b), View<float>(x)));
      mse<float>(output, target, tape.output_gradient());
      backward_and_step(model, tape, adam, gradient);
    }
    if (const float now = error(model, train, validation); now < least) {
      least = now, waited = 0;
      copy_parameters(model, best);
    }
  }
  const float spread = std::sqrt((table.y.array() - table.y.mean()).square().mean());
  const float left = error(best, train + validation, test);
  std::clog << "relative error of the network " << left << '\n';  // whose last digits are the machine's
  std::cout << std::fixed << std::setprecision(1) << "relative error of the mean " << spread << '\n'
            << "the network's is below 0.1: " << std::boolalpha << (left < 0.1f) << '\n';
}
