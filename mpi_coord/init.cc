// Start and end of MPI.  MPI_Init is where the lower half comes into being.
#include <dlfcn.h>
#include <unistd.h>

#include <cstdlib>

#include "mpi_coord/alias.h"
#include "mpi_coord/attributes.h"
#include "mpi_coord/by_name.h"
#include "mpi_coord/call.h"
#include "mpi_coord/comm.h"
#include "mpi_coord/coordinator.h"
#include "mpi_coord/half.h"
#include "mpi_coord/hints.h"
#include "mpi_coord/objects.h"
#include "mpi_coord/profiled.h"
#include "mpi_coord/rebuild.h"
#include "preload/base/log.h"
#include "preload/base/start.h"

namespace sckpt::mpi {

LowerTable lower;

namespace {

const char *library_directory = "";
void (*give_way)(const char *reason) = nullptr;
// What MPI_Wtime of the application is ahead of the lower half's, in seconds: not zero after a restart only.
double wtime_ahead = 0, wtime_at_cut = 0;
int wanted_level = -1;  // of MPI_Init_thread, -1 after MPI_Init

using Anything = void (*)();
constexpr size_t kEntries = sizeof(LowerTable) / sizeof(Anything);

// Before MPI_Init the application's own libmpi answers: its few functions that are legal then, and its messages for
// those that are not.
void bind_to_application() {
    auto *entries = reinterpret_cast<Anything *>(&lower);
    for (size_t i = 0; i < kEntries; ++i) entries[i] = reinterpret_cast<Anything>(dlsym(RTLD_NEXT, kLowerSymbols[i]));
    if (lower.Initialized) return find_profilers();
    // The program has no MPI yet; if a runtime (Python's) loads it later, it is found by then.
    if (void *library = dlopen("libmpi.so.40", RTLD_LAZY | RTLD_NOLOAD))
        for (size_t i = 0; i < kEntries; ++i)
            entries[i] = reinterpret_cast<Anything>(symbol_in(library, kLowerSymbols[i]));
}

// For the functions that may be the first of MPI that a program calls.
void begin() {
    start_once();
    if (!lower.Initialized) bind_to_application();
}

// A sentence on failure.
std::string bind_to_lower_half() {
    auto *entries = reinterpret_cast<Anything *>(&lower);
    for (size_t i = 0; i < kEntries; ++i) {
        entries[i] = reinterpret_cast<Anything>(lower_symbol(kLowerSymbols[i]));
        if (!entries[i]) return std::string("the MPI library has no function ") + kLowerSymbols[i];
    }
    return bind_predefined();
}

void load() {
    if (lower_half_loaded()) return;
    std::string failure;
    if (auto loaded = load_lower_half(library_directory); !loaded) failure = loaded.error();
    if (failure.empty()) failure = bind_to_lower_half();
    // Nothing of MPI has happened yet: the program can still be run as if we had never been there.
    if (!failure.empty()) give_way(failure.c_str());
}

void describe_world() {
    describe_communicator(record_of(MPI_COMM_WORLD), 1, "MPI_Init");
    describe_communicator(record_of(MPI_COMM_SELF), 2, "MPI_Init");
}

int initialise(auto function) {
    begin();
    int error;
    {
        Busy busy;
        load();
        error = function();
        if (error != MPI_SUCCESS) return error;
        int provided = MPI_THREAD_SINGLE;
        lower.Query_thread(&provided);
        describe_world();
        start_coordinator(provided);
        set_log_rank(world_rank());
    }
    Guard guard;  // a request that came meanwhile is taken up here
    return error;
}

}  // namespace

void load_mpi() {
    Busy busy;
    load();
}

void prepare_mpi(const char *directory, void (*on_failure)(const char *reason)) {
    library_directory = directory;
    give_way = on_failure;
    bind_to_application();
}

void initialise_again() {
    int provided;
    const int error =
        wanted_level < 0 ? lower.Init(nullptr, nullptr) : lower.Init_thread(nullptr, nullptr, wanted_level, &provided);
    if (error != MPI_SUCCESS) die("MPI_Init failed at the restart with error %d", error);
}

void record_wtime() { wtime_at_cut = PMPI_Wtime(); }
void rebuild_wtime() { wtime_ahead = wtime_at_cut - lower.Wtime(); }

bool is_root(int root, MPI_Comm comm) {
    const CommRecord *record = record_of(comm);
    if (!record || !record->info) return false;
    return record->info->inter ? root == MPI_ROOT : root == record->info->rank;
}

extern "C" {

int PMPI_Init(int *argc, char ***argv) {
    return initialise([=] { return lower.Init(argc, argv); });
}

int PMPI_Init_thread(int *argc, char ***argv, int required, int *provided) {
    wanted_level = required;
    return initialise([=] { return lower.Init_thread(argc, argv, required, provided); });
}

int PMPI_Finalize(void) {
    Guard guard;
    if (!mpi_running()) return lower.Finalize();
    // MPI-3.1, 8.7.1: attributes of MPI_COMM_SELF are deleted first of all, MPI still being there for the callbacks.
    if (const int error = delete_attributes(record_of(MPI_COMM_SELF)); error != MPI_SUCCESS) return error;
    delete_attributes(record_of(MPI_COMM_WORLD));
    leave_coordinator();
    give_back();
    const int error = lower.Finalize();
    if (auto flush = reinterpret_cast<void (*)()>(lower_symbol("sckpt_lower_flush"))) flush();
    return error;
}

int PMPI_Initialized(int *flag) {
    begin();
    Busy busy;
    return lower.Initialized(flag);
}

int PMPI_Finalized(int *flag) {
    begin();
    Busy busy;
    return lower.Finalized(flag);
}

int PMPI_Is_thread_main(int *flag) {
    Guard guard;
    if (!mpi_running()) return lower.Is_thread_main(flag);
    // After a restart the thread that initialised the lower half is the same thread of the application.
    return lower.Is_thread_main(flag);
}

int PMPI_Query_thread(int *provided) {
    Guard guard;
    return lower.Query_thread(provided);
}

int PMPI_Abort(MPI_Comm comm, int code) {
    Busy busy;
    return lower.Abort(lower_half_loaded() ? real_of(comm) : comm, code);
}

double PMPI_Wtime(void) {
    Busy busy;  // a cut between the two would add what belongs to another start
    return lower.Wtime() + wtime_ahead;
}

int PMPI_Pcontrol(const int, ...) { return MPI_SUCCESS; }

int PMPI_Get_version(int *version, int *subversion) {
    begin();
    Busy busy;
    return lower.Get_version(version, subversion);
}

int PMPI_Get_library_version(char *version, int *length) {
    begin();
    Busy busy;
    return lower.Get_library_version(version, length);
}

}  // extern "C"

SCKPT_ALIAS(Init)
SCKPT_ALIAS(Init_thread)
SCKPT_ALIAS(Finalize)
SCKPT_ALIAS(Initialized)
SCKPT_ALIAS(Finalized)
SCKPT_ALIAS(Is_thread_main)
SCKPT_ALIAS(Query_thread)
SCKPT_ALIAS(Abort)
SCKPT_ALIAS(Wtime)
SCKPT_ALIAS(Pcontrol)
SCKPT_ALIAS(Get_version)
SCKPT_ALIAS(Get_library_version)

}  // namespace sckpt::mpi
