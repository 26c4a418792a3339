// C++ after a restore: an exception in flight across the cut, rethrown later, throw and catch, iostream, locale,
// future.
#include <exception>
#include <fstream>
#include <future>
#include <iostream>
#include <map>
#include <sstream>
#include <stdexcept>

#include "testcase_mpi.h"

namespace {

struct Guard {
    int &count;
    ~Guard() { ++count; }
};

int parse(const std::string &text) { return std::stoi(text); }

[[gnu::noinline]] void throw_deep(int depth, int &unwound) {
    Guard guard{unwound};
    if (depth == 0) throw std::domain_error("from the bottom");
    throw_deep(depth - 1, unwound);
}

}  // namespace

int main(int argc, char **argv) {
    start(&argc, &argv, "cxx_exceptions");
    std::map<std::string, std::shared_ptr<std::ostringstream>> streams;
    streams["a"] = std::make_shared<std::ostringstream>();
    *streams["a"] << std::hex << 255 << ' ';
    std::exception_ptr kept;
    std::promise<int> promise;
    std::future<int> future = promise.get_future();
    std::ofstream file(case_path("stream"));
    file << "before ";
    try {
        throw std::runtime_error("thrown before the cut");
    } catch (const std::exception &error) {
        kept = std::current_exception();
        // Inside the handler: the exception object and the unwinder's state are live at the cut.
        ready();
        wait_for_go();
        CHECK(error.what() == std::string("thrown before the cut"));
    }
    try {
        std::rethrow_exception(kept);
    } catch (const std::runtime_error &error) {
        CHECK(error.what() == std::string("thrown before the cut"));
    }
    int unwound = 0;
    try {
        throw_deep(50, unwound);
        fail("an exception was lost");
    } catch (const std::logic_error &error) {
        CHECK(error.what() == std::string("from the bottom"));
    }
    CHECK_EQUAL(unwound, 51);
    bool caught = false;
    try {
        parse("no number");
    } catch (const std::invalid_argument &) {
        caught = true;
    }
    CHECK(caught);
    *streams["a"] << 16;
    CHECK(streams["a"]->str() == "ff 10");
    promise.set_value(7);
    CHECK_EQUAL(future.get(), 7);
    CHECK_EQUAL(std::async(std::launch::async, [] { return 12; }).get(), 12);
    file << "and after" << std::endl;
    std::string line;
    std::getline(std::ifstream(case_path("stream")), line);
    CHECK(line == "before and after");
    std::cout << "the end of rank " << rank << std::endl;
    CHECK(std::cout.good());
    return finish();
}
