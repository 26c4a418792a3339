// A program that brings its own libstdc++, in a directory of its own: an exception that is in flight, streams, locales
// and a thread over a restore.
#include <dlfcn.h>

#include <atomic>
#include <iomanip>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>

#include "testcase_mpi.h"

static std::string library_of(const void *address) {
    Dl_info info;
    return dladdr(address, &info) && info.dli_fname ? info.dli_fname : "nowhere";
}

int main(int argc, char **argv) {
    start(&argc, &argv, "cxx_own_runtime");
    const std::string runtime = library_of(dlsym(RTLD_DEFAULT, "__cxa_throw"));
    if (runtime.find("/own_runtime/libstdc++.so.6") == std::string::npos)
        fail("the C++ runtime is %s, not that of the program", runtime.c_str());
    std::map<std::string, std::ostringstream> streams;
    streams["hex"] << std::hex << std::setw(8) << std::setfill('0') << 0xbeef;
    std::atomic<int> turn{0};
    std::thread other([&] {
        try {
            throw std::runtime_error("of the other thread");
        } catch (const std::runtime_error &error) {
            while (turn == 0) std::this_thread::yield();
            if (std::string(error.what()) == "of the other thread") turn = 2;
        }
    });
    try {
        throw std::out_of_range("in flight");
    } catch (const std::exception &error) {
        ready();
        wait_for_go();
        CHECK(std::string(error.what()) == "in flight");
        CHECK(std::current_exception() != nullptr);
    }
    turn = 1;
    other.join();
    CHECK_EQUAL(turn, 2);
    streams["hex"] << 0xcafe;
    CHECK(streams["hex"].str() == "0000beefcafe");
    bool caught = false;
    try {
        streams.at("none");
    } catch (const std::out_of_range &) {
        caught = true;
    }
    CHECK(caught);
    CHECK(library_of(dlsym(RTLD_DEFAULT, "__cxa_throw")) == runtime);
    return finish();
}
