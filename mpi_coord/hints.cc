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
std::size_t status_place = 0;
MPI_Request put_off = nullptr;

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

using Places = std::set<std::size_t>;  // in bytes from the handle

// Words that were 0 in a request that was incomplete and are 1 now that it is complete.
Places changed_to_one(const Head &incomplete, const Head &complete) {
    Places places;
    for (std::size_t i = 1; i < kHead; ++i)
        if (incomplete[i] == 0 && complete[i] == 1) places.insert(i * sizeof(std::uintptr_t));
    return places;
}

// What a receive looks like.
struct Trial {
    Head incomplete, complete;
    MPI_Status status;  // MPI_ERROR is what MPI_Wait returned
};

// Of a message of this rank to itself.
Trial receive(int sent, int room) {
    constexpr int kTag = 7;
    const MPI_Comm comm = control::self_comm();
    char in[8], out[8] = {};
    MPI_Request request;
    Trial trial;
    lower.Irecv(in, room, real_of(MPI_BYTE), 0, kTag, comm, &request);
    trial.incomplete = head_of(request);
    lower.Send(out, sent, real_of(MPI_BYTE), 0, kTag, comm);
    for (int done = 0; !done;) lower.Request_get_status(request, &done, MPI_STATUS_IGNORE);
    trial.complete = head_of(request);
    trial.status.MPI_ERROR = lower.Wait(&request, &trial.status);
    return trial;
}

Places places_of_status(const Trial &trial) {
    Places places;
    const auto *head = reinterpret_cast<const char *>(trial.complete.data());
    for (std::size_t at = 0; at + sizeof trial.status <= sizeof trial.complete; at += alignof(MPI_Status))
        if (std::memcmp(head + at, &trial.status, sizeof trial.status) == 0) places.insert(at);
    return places;
}

// The one place that two kinds of requests have in common; 0 when there is none, or more.
std::size_t common_place(const Places &one, const Places &other) {
    Places common;
    std::ranges::set_intersection(one, other, std::inserter(common, common.end()));
    return common.size() == 1 ? *common.begin() : 0;
}

Places words_of_generalized_request() {
    MPI_Request request;
    lower.Grequest_start([](void *, MPI_Status *) { return MPI_SUCCESS; }, [](void *) { return MPI_SUCCESS; },
                         [](void *, int) { return MPI_SUCCESS; }, nullptr, &request);
    const Head incomplete = head_of(request);
    lower.Grequest_complete(request);
    const Places places = changed_to_one(incomplete, head_of(request));
    lower.Wait(&request, MPI_STATUS_IGNORE);
    return places;
}

void learn_places() {
    const Trial fits = receive(3, 5), truncated = receive(5, 2);
    progress = reinterpret_cast<void (*)()>(lower_symbol("opal_progress"));
    completion_word =
        progress ? common_place(changed_to_one(fits.incomplete, fits.complete), words_of_generalized_request()) : 0;
    status_place = common_place(places_of_status(fits), places_of_status(truncated));
    put_off = nullptr;  // one of a lower half that is gone
}

}  // namespace

void learn_hints() {
    learn_completed_at_once();
    learn_eager_counts();
    learn_places();
}

void give_back_slow() {
    MPI_Request real = put_off;
    put_off = nullptr;
    lower.Wait(&real, MPI_STATUS_IGNORE);
}

}  // namespace sckpt::mpi
