// RunFolder: where a training leaves its files, and what they are called.
//
//   config.json  losses.csv  losses.svg  metrics.csv  samples/epoch_001.png ...  samples.png  report.html
//   checkpoint.safetensors, checkpoint.previous.safetensors: what --resume goes on from
//   evaluation.json: scores at the end; result.json, which is written last: its presence means "finished"; and whatever
//   files the program adds
#pragma once

#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <eigan/core/error.hpp>
#include <eigan/core/printable.hpp>
#include <eigan/io/file_descriptor.hpp>

#include "text.hpp"

namespace kit {

using namespace kit;

class RunFolder {
 public:
  /// files: of the program's own, models as a rule.
  RunFolder(std::filesystem::path path, const std::vector<std::string>& files) : path_(std::move(path)) {
    files_.insert(files_.end(), files.begin(), files.end());
  }

  std::filesystem::path file(const std::string& name) const { return path_ / name; }
  /// The sheet of an epoch, counted from 1.
  std::filesystem::path sheet(std::ptrdiff_t epoch) const {
    std::string number = std::to_string(epoch);
    if (number.size() < 3) number.insert(0, 3 - number.size(), '0');
    return path_ / "samples" / concat("epoch_", number, ".png");
  }
  std::string name() const { return eigan::printable(path_.native(), 4096); }

  /// What of a run is there already: the name of a file that create() would take away, or nothing.
  std::string occupant() const {
    std::error_code ignored;
    for (const std::string& name : files_)
      if (std::filesystem::exists(file(name), ignored)) return name;
    std::filesystem::directory_iterator entry(path_ / "samples", ignored);
    for (; !ignored && entry != std::filesystem::directory_iterator(); entry.increment(ignored))
      if (is_sheet(*entry)) return eigan::printable("samples/" + entry->path().filename().native());
    return "";
  }

  bool is_finished() const {
    std::error_code ignored;
    return std::filesystem::exists(file("result.json"), ignored);
  }

  /// Makes the folder, unless it is there.
  void make() const {
    const auto sheets = path_ / "samples";
    std::error_code error;
    std::filesystem::create_directories(sheets, error);
    if (error) fail(sheets, "create the folder", error);
  }

  /// Keeps other processes away from the folder for as long as the descriptor lives; it ends with the process, whatever
  /// ends that. eigan::Error if another one has it.
  eigan::detail::FileDescriptor lock() const {
    eigan::detail::FileDescriptor folder(path_, O_RDONLY | O_DIRECTORY);
    if (!folder.is_open()) fail(path_, "open the folder", {errno, std::generic_category()});
    // Some network file systems know no locks.
    if (::flock(folder.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
      throw eigan::Error(concat(name(), ": another process works on it"));
    return folder;
  }

  /// Whether it is still the folder of that lock(); false if it has gone. eigan::Error if another one has its name now,
  /// which may be another run's.
  bool is_kept_by(const eigan::detail::FileDescriptor& lock) const {
    struct stat locked {
    }, now{};
    if (::stat(path_.c_str(), &now) != 0) return false;
    if (::fstat(lock.get(), &locked) == 0 && locked.st_dev == now.st_dev && locked.st_ino == now.st_ino) return true;
    throw eigan::Error(concat(name(), ": is another folder than the one that the run began in"));
  }

  /// For a run that goes on: it is not finished any more, and what a process left half written goes.
  void reopen() const {
    sweep();
    for (const char* of_the_end : {"result.json", "evaluation.json"}) remove(file(of_the_end));
  }

  /// Makes the folder, and takes away what an earlier run left of these files: sheets of two runs must not mix.
  void create() const {
    namespace fs = std::filesystem;
    make();
    sweep();
    const auto sheets = path_ / "samples";
    std::error_code error;
    // result.json first: from here on the folder holds no finished run.
    for (const std::string& name : files_) remove(file(name));
    fs::directory_iterator entry(sheets, error);
    for (; !error && entry != fs::directory_iterator(); entry.increment(error))
      if (is_sheet(*entry)) remove(entry->path());
    if (error) fail(sheets, "list the folder", error);
  }

 private:
  static bool is_sheet(const std::filesystem::directory_entry& entry) {
    const std::string name = entry.path().filename();
    return name.starts_with("epoch_") && name.ends_with(".png");
  }
  /// What a killed process had not finished writing goes.
  void sweep() const {
    namespace fs = std::filesystem;
    for (const auto& folder : {path_, path_ / "samples"}) {
      std::error_code error;
      fs::directory_iterator entry(folder, error);
      for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
        const std::string name = entry->path().filename();
        if (name.starts_with(".eigan-") && name.find(".tmp") != std::string::npos) remove(entry->path());
      }
      if (error) fail(folder, "list the folder", error);
    }
  }
  [[noreturn]] static void fail(const std::filesystem::path& path, const char* action, std::error_code error) {
    throw eigan::Error(concat(eigan::printable(path.native(), 4096), ": cannot ", action, ": ", error.message()));
  }
  static void remove(const std::filesystem::path& path) {
    std::error_code error;
    std::filesystem::remove(path, error);
    if (error) fail(path, "replace", error);
  }

  std::filesystem::path path_;
  std::vector<std::string> files_{"result.json",
                                  "config.json",
                                  "losses.csv",
                                  "losses.svg",
                                  "samples.png",
                                  "report.html",
                                  "metrics.csv",
                                  "evaluation.json",
                                  "checkpoint.safetensors",
                                  "checkpoint.previous.safetensors"};
};

}  // namespace kit
