// DigitGenerator: a trained generator of any of the recipes' architectures.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include <eigan/core/parallel.hpp>
#include <eigan/core/view.hpp>
#include <eigan/io/safetensors.hpp>

#include "latent.hpp"

namespace mnist_gan {

using Metadata = std::map<std::string, std::string>;

/// What one needs to know of a generator besides its network, to draw with it and to judge it.
struct Drawing {
  Latent latent;
  double truncation;  ///< that its recipe draws digits with
  Index holdout;      ///< how many training images it was kept from, as its recipe has it
};

class DigitGenerator {
 public:
  virtual ~DigitGenerator() = default;

  const Drawing& drawing() const { return drawing_; }
  const Latent& latent() const { return drawing_.latent; }
  /// Images in [-1, 1], 784 x samples, from inputs as draw_latent makes them.
  virtual eigan::Matrix<float> images(eigan::ConstView<float> input, eigan::Threads threads) const = 0;
  virtual Index param_size() const = 0;
  /// The same network before any training.
  virtual std::unique_ptr<DigitGenerator> untrained() const = 0;
  /// Writes it with what load_generator needs; eigan::Error if the file cannot be written.
  virtual void save(const std::filesystem::path& path, const Metadata& metadata) const = 0;

 protected:
  explicit DigitGenerator(const Drawing& drawing) : drawing_(drawing) {}

 private:
  Drawing drawing_;
};

/// The generator in a file that mnist_gan trained, with the sizes that its tensors have. BadInput if it is anything
/// else.
std::unique_ptr<DigitGenerator> load_generator(const std::filesystem::path& path);
/// The same from a file in memory; eigan::Error if it is anything else.
std::unique_ptr<DigitGenerator> load_generator(const eigan::SafetensorsFile& file);

}  // namespace mnist_gan
