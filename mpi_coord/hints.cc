#include "mpi_coord/hints.h"

#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>
#include <set>

#include "mpi_coord/call.h"
#include "mpi_coord/control.h"
#include "mpi_coord/half.h"

namespace sckpt::mpi {

RequestRecord completed_at_once;
std::size_t completion_word = 0;
void (*progress)() = nullptr;

namespace {

void learn_completed_at_once() {
    void *real = lower_symbol("ompi_request_empty");
    if (!real || completed_at_once.real) return;
    completed_at_once.kind = Kind::Request;
    completed_at_once.predefined = completed_at_once.used = true;
    completed_at_once.real = real;
    add_predefined(&completed_at_once);
}

// Of the header that goes with an eager message and counts towards the limit there are less bytes than this.
constexpr std::size_t kHeader = 64;

// opal/mca/base/mca_base_var.h.
using Find = int(const char *project, const char *framework, const char *component, const char *variable);
using GetValue = int(int index, const void *value, void *source, const char **file);

// The limits are those of btl components: they say something only about the pml that sends through them.
bool sends_through_btls() {
    void *const *functions = static_cast<void *const *>(lower_symbol("mca_pml"));
    Dl_info about;
    return functions && *functions && dladdr(*functions, &about) != 0 && about.dli_fname &&
           std::strstr(about.dli_fname, "mca_pml_ob1") != nullptr;
}

// Bytes that every transport takes along at once; 0 when that is not known.
std::size_t eager_limit() {
    const auto find = reinterpret_cast<Find *>(lower_symbol("mca_base_var_find"));
    const auto get_value = reinterpret_cast<GetValue *>(lower_symbol("mca_base_var_get_value"));
    if (!find || !get_value || !sends_through_btls()) return 0;
    std::size_t least = 0;
    for (const char *component : {"self", "vader", "tcp", "sm", "openib", "usnic", "uct", "ofi", "smcuda"}) {
        const int index = find("opal", "btl", component, "eager_limit");
        const std::size_t *limit = nullptr;
        if (index < 0 || get_value(index, &limit, nullptr, nullptr) != 0 || !limit) continue;
        least = least == 0 ? *limit : std::min(least, *limit);
    }
    return least > kHeader ? least - kHeader : 0;
}

void learn_eager_counts() {
    const std::size_t limit = eager_limit();
    for_each_predefined(Kind::Datatype, [limit](Record *record) {
        int size = 0;
        if (record->real != real_of(MPI_DATATYPE_NULL)) lower.Type_size(static_cast<MPI_Datatype>(record->real), &size);
        static_cast<DatatypeRecord *>(record)->eager_count =
            size > 0 ? static_cast<unsigned>(limit / static_cast<unsigned>(size)) : 0;
    });
}

// The head of a request is some 100 bytes, and the whole of a receive's many hundreds.
constexpr std::size_t kHead = 24;
using Head = std::array<std::uintptr_t, kHead>;
Head head_of(MPI_Request request) {
    Head head;
    std::memcpy(head.data(), request, sizeof head);
    return head;
}

using Words = std::set<std::size_t>;
// Words that were 0 in a request that was incomplete and are 1 now that it is complete, by their place in bytes.
Words changed_to_one(const Head &incomplete, MPI_Request request) {
    const Head complete = head_of(request);
    Words words;
    for (std::size_t i = 1; i < kHead; ++i)
        if (incomplete[i] == 0 && complete[i] == 1) words.insert(i * sizeof(std::uintptr_t));
    return words;
}

Words words_of_receive() {
    constexpr int kTag = 7;
    const MPI_Comm comm = control::self_comm();
    char in[3], out[3] = {};
    MPI_Request request;
    lower.Irecv(in, sizeof in, real_of(MPI_BYTE), 0, kTag, comm, &request);
    const Head incomplete = head_of(request);
    lower.Send(out, sizeof out, real_of(MPI_BYTE), 0, kTag, comm);
    for (int done = 0; !done;) lower.Request_get_status(request, &done, MPI_STATUS_IGNORE);
    Words words = changed_to_one(incomplete, request);
    lower.Wait(&request, MPI_STATUS_IGNORE);
    return words;
}

Words words_of_generalized_request() {
    MPI_Request request;
    lower.Grequest_start([](void *, MPI_Status *) { return MPI_SUCCESS; }, [](void *) { return MPI_SUCCESS; },
                         [](void *, int) { return MPI_SUCCESS; }, nullptr, &request);
    const Head incomplete = head_of(request);
    lower.Grequest_complete(request);
    Words words = changed_to_one(incomplete, request);
    lower.Wait(&request, MPI_STATUS_IGNORE);
    return words;
}

// It is the one that is common to requests of different kinds.
void learn_completion_word() {
    completion_word = 0;
    progress = reinterpret_cast<void (*)()>(lower_symbol("opal_progress"));
    if (!progress) return;
    Words common;
    std::ranges::set_intersection(words_of_receive(), words_of_generalized_request(),
                                  std::inserter(common, common.end()));
    if (common.size() == 1) completion_word = *common.begin();
}

}  // namespace

void learn_hints() {
    learn_completed_at_once();
    learn_eager_counts();
    learn_completion_word();
}

}  // namespace sckpt::mpi
