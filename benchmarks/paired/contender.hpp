// Contender: another program that runs steps when told to (see serve.hpp), at the other end of two pipes.
#pragma once

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace bench {

using Environment = std::vector<std::pair<std::string, std::string>>;

class Contender {
 public:
  /// Starts `command`; all thread pools that the program may have are told to use `threads`, or nothing for 0.
  /// `environment`: variables and what they are; an empty one is not there.
  Contender(const std::vector<std::string>& command, int threads, const Environment& environment = {}) {
    int to_child[2], from_child[2];
    if (pipe2(to_child, O_CLOEXEC) != 0 || pipe2(from_child, O_CLOEXEC) != 0) throw std::runtime_error("no more pipes");
    child_ = fork();
    if (child_ < 0) throw std::runtime_error("cannot start another process");
    if (child_ == 0) {
      dup2(to_child[0], STDIN_FILENO);
      dup2(from_child[1], STDOUT_FILENO);
      const std::string count = std::to_string(threads);
      for (const char* variable : {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"})
        if (threads > 0) setenv(variable, count.c_str(), 1);
      for (const auto& [variable, value] : environment)
        value.empty() ? unsetenv(variable.c_str()) : setenv(variable.c_str(), value.c_str(), 1);
      std::vector<char*> arguments;
      for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
      arguments.push_back(nullptr);
      execvp(arguments[0], arguments.data());
      std::perror(arguments[0]);
      _exit(127);
    }
    close(to_child[0]);
    close(from_child[1]);
    requests_ = fdopen(to_child[1], "w");
    answers_ = fdopen(from_child[0], "r");
    name_ = command.front();
    about_ = read_line();
  }

  Contender(Contender&& other) noexcept
      : child_(std::exchange(other.child_, 0)),
        requests_(std::exchange(other.requests_, nullptr)),
        answers_(std::exchange(other.answers_, nullptr)),
        name_(std::move(other.name_)),
        about_(std::move(other.about_)) {}
  Contender& operator=(Contender&&) = delete;

  /// The end of its input is the contender's end.
  ~Contender() {
    if (child_ <= 0) return;
    std::fclose(requests_);
    std::fclose(answers_);
    waitpid(child_, nullptr, 0);
  }

  /// What the contender said of itself: a line of JSON.
  const std::string& about() const { return about_; }

  /// Milliseconds of each of `count` steps, after `warm` that are not timed.
  std::vector<double> run(long warm, long count) {
    std::fprintf(requests_, "%ld %ld\n", warm, count);
    std::fflush(requests_);
    std::istringstream line(read_line());
    std::vector<double> times;
    for (double nanoseconds = 0; line >> nanoseconds;) times.push_back(nanoseconds * 1e-6);
    if (static_cast<long>(times.size()) != count) throw std::runtime_error(name_ + ": gave no times");
    return times;
  }

 private:
  std::string read_line() {
    std::string line;
    for (int c = 0; (c = std::fgetc(answers_)) != '\n';) {
      if (c == EOF) throw std::runtime_error(name_ + ": ended early");
      line += static_cast<char>(c);
    }
    return line;
  }

  pid_t child_ = 0;
  std::FILE* requests_ = nullptr;
  std::FILE* answers_ = nullptr;
  std::string name_, about_;
};

}  // namespace bench
