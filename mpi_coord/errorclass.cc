// Error classes and codes that the application has added (MPI-3.1, 8.5), and their strings.
//
// The application knows a class or code by its number, which it may have stored anywhere, so the same numbers must come
// back.  The lower half gives them in sequence, classes and codes together; adding the same ones in the same order
// after MPI_Init does it.  A string can be set again, and only its last text counts.
#include <algorithm>
#include <mutex>
#include <string>
#include <vector>

#include "mpi_coord/alias.h"
#include "mpi_coord/call.h"
#include "mpi_coord/objects.h"
#include "preload/base/log.h"
#include "preload/base/spin.h"

namespace sckpt::mpi {
namespace {

constexpr int kIsClass = -1;

struct Addition {
    int number;
    int error_class;  // of a code, or kIsClass
    std::string text;
};
std::vector<Addition> additions;  // ascending: the order in which the lower half numbered them
Spin lock;                        // not held over a call of the lower half, which may call an error handler

const char *constructor_of(const Addition &added) {
    return added.error_class == kIsClass ? "MPI_Add_error_class" : "MPI_Add_error_code";
}

int add(int error_class, int *number) {
    return error_class == kIsClass ? lower.Add_error_class(number) : lower.Add_error_code(error_class, number);
}

int add_and_note(int error_class, int *number) {
    Guard guard;
    const int error = add(error_class, number);
    if (error != MPI_SUCCESS) return error;
    std::lock_guard locked(lock);
    const auto place = std::ranges::upper_bound(additions, *number, {}, &Addition::number);
    additions.insert(place, {*number, error_class, {}});
    return error;
}

}  // namespace

void rebuild_error_classes() {
    for (const Addition &added : additions) {
        int number = MPI_SUCCESS;
        int error = add(added.error_class, &number);
        if (error == MPI_SUCCESS && number != added.number)
            die("the MPI library of this job gives the number %d to what the program knows as error %s %d; restart "
                "with "
                "the version of the MPI library that the checkpoint was taken with",
                number, added.error_class == kIsClass ? "class" : "code", added.number);
        if (error == MPI_SUCCESS && !added.text.empty()) error = lower.Add_error_string(number, added.text.c_str());
        if (error != MPI_SUCCESS) die("%s failed at the restart: MPI error %d", constructor_of(added), error);
    }
}

void describe_error_classes(Describe describe, void *context) {
    for (const Addition &added : additions) {
        std::string text = std::to_string(added.number);
        if (added.error_class != kIsClass) text += " of class " + std::to_string(added.error_class);
        if (!added.text.empty()) text += ": " + added.text;
        describe(context, "error", constructor_of(added), text.c_str());
    }
}

extern "C" {

int PMPI_Add_error_class(int *error_class) { return add_and_note(kIsClass, error_class); }

int PMPI_Add_error_code(int error_class, int *code) {
    // A negative class is not one: the lower half says so, and there is nothing to note.
    if (error_class >= 0) return add_and_note(error_class, code);
    Guard guard;
    return lower.Add_error_code(error_class, code);
}

int PMPI_Add_error_string(int code, const char *text) {
    Guard guard;
    const int error = lower.Add_error_string(code, text);
    if (error != MPI_SUCCESS) return error;
    std::lock_guard locked(lock);
    for (Addition &added : additions)
        if (added.number == code) added.text = text;
    return error;
}

}  // extern "C"

SCKPT_ALIAS(Add_error_class)
SCKPT_ALIAS(Add_error_code)
SCKPT_ALIAS(Add_error_string)

}  // namespace sckpt::mpi
