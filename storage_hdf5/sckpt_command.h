// What the subcommands of `sckpt` share: how they are registered, how they print, how they call Slurm's commands.
#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage_hdf5/catalog.h"

namespace sckpt::command {

// Each adds its subcommand to `app`; running it sets `status`, the exit status.
void add_list(CLI::App &app, int &status);
void add_verify(CLI::App &app, int &status);
void add_restart_point(CLI::App &app, int &status);
void add_create(CLI::App &app, int &status);
void add_show(CLI::App &app, int &status);

// "sckpt: error: ..." on standard error; returns the exit status 1.
int fail(const std::string &sentence);

// Prints rows in columns as wide as their widest cell, the first row being the heading.
void print_columns(const std::vector<std::vector<std::string>> &rows);

// A value of a table's column with that unit, as people read it: flags and signals by name, addresses in hexadecimal.
std::string cell(const nlohmann::ordered_json &value, std::string_view unit);

std::string human_bytes(std::uint64_t bytes);  // 1.5 MiB
nlohmann::ordered_json to_json(const storage::Manifest &manifest);
nlohmann::ordered_json to_json(const storage::Generation &generation);
// dump() of text that may not be UTF-8: paths and arguments are bytes.
std::string dump(const nlohmann::ordered_json &json);

// A line on standard error that is rewritten in place on a terminal and is silent for the first second.
class Progress {
  public:
    void show(const std::string &line);
    ~Progress();

  private:
    using Clock = std::chrono::steady_clock;
    Clock::time_point next_ = Clock::now() + std::chrono::seconds(1);
    std::string last_;
    bool open_line_ = false;
};

struct Output {
    int status;         // exit status, 127 when it could not be run
    std::string text;   // standard output
    std::string error;  // standard error
};
// Runs a program found by PATH to its end.
Output run_program(const std::vector<std::string> &arguments);

}  // namespace sckpt::command
