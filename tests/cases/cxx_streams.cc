// C++ streams: what is in their buffers, their places and formats go on after a restart, and what was written after the
// cut is there once.
#include <fstream>
#include <iomanip>
#include <sstream>
#include <string>

#include "testcase_mpi.h"

int main(int argc, char **argv) {
    start(&argc, &argv, "cxx_streams");
    {
        std::ofstream numbers(case_path("numbers"));
        for (int i = 0; i < 10000; ++i) numbers << i << "\n";
    }
    std::ifstream in(case_path("numbers"));
    std::ofstream out(case_path("out"));
    std::stringstream text;
    int number = -1, steps = 0;
    for (int i = 0; i < 100; ++i) in >> number;
    out << std::hex << std::setfill('0') << std::setw(4) << 255;
    text << "kept " << 17;
    ready();
    for (; still_waiting(); ++steps) {
        out << ' ' << steps;
        if (steps % 7 == 0) out.flush();
        nap();
    }
    out.close();
    in >> number;
    CHECK_EQUAL(number, 100);
    std::ifstream back(case_path("out"));
    std::string word;
    back >> word;
    CHECK(word == "00ff");
    int read = 0;
    for (; back >> std::hex >> number; ++read) CHECK_EQUAL(number, read);
    CHECK_EQUAL(read, steps);
    text >> word >> number;
    CHECK(word == "kept");
    CHECK_EQUAL(number, 17);
    return finish();
}
