// What a wrapper does.  The generated wrappers (build/mpi_coord/calls.inc.cc) name a policy and mark each argument; all
// that this means is here.  With no checkpoint requested a wrapper costs the guard (an increment, a load, a predicted
// branch), one load per handle, and the call.
#pragma once

#include <tuple>
#include <type_traits>

#include "mpi_coord/coordinator.h"
#include "mpi_coord/extent.h"
#include "mpi_coord/handles.h"
#include "mpi_coord/holds.h"
#include "mpi_coord/lower_table.h"
#include "mpi_coord/persistent_collective.h"
#include "preload/base/thread.h"

namespace sckpt::mpi {

using enum Kind;

// The live functions.  Before MPI_Init every entry leads to a function that says so and ends the program, as Open MPI does.
extern LowerTable lower;

enum class policy { pass, coll, icoll, persist, rma, create, free, refuse };

// --- arguments: each adapter gives the lower half's value, and is told when the call has succeeded

template <class T>
struct Plain {
    T value;
    T get() { return value; }
    void done(CommRecord *) {}
};

template <Kind K>
struct Given {
    HandleOf<K> handle;
    bool followed;
    HandleOf<K> get() { return followed ? real_of(handle) : handle; }
    void done(CommRecord *) {}
};

// Handles are read when the call is made, not before: standing at the gate may take a restart.
// A handle that the call writes.
template <Kind K, bool MayBeKnown>
struct Written {
    HandleOf<K> *place;
    HandleOf<K> real = nullptr;
    HandleOf<K> *get() { return place ? &real : nullptr; }
    void done(CommRecord *about);
};

// A handle that the call reads and writes: usually it frees the object and leaves the null handle.
template <Kind K>
struct ReadWritten {
    HandleOf<K> *place;
    HandleOf<K> real = nullptr;
    HandleOf<K> *get() {
        if (!place) return nullptr;
        real = real_of(*place);
        return &real;
    }
    void done(CommRecord *about);
};

// An array with one entry for each rank or neighbour, of a call that is made again at a restart: kept, for the
// application may have taken its own back by then.
struct Each {
    const int *given;
    bool significant;
    MPI_Comm comm;
    Extent (*extent)(MPI_Comm real);
    int Extent::*side;
    std::vector<int> kept{};
    void keep() {
        if (!given || !significant || !comm || comm == MPI_COMM_NULL) return;
        kept.assign(given, given + extent(real_of(comm)).*side);
    }
    const int *get() { return kept.empty() ? given : kept.data(); }
    void done(CommRecord *) {}
};

template <Kind K>
Given<K> in(HandleOf<K> handle) {
    return {handle, true};
}
// Significant only under a condition: otherwise the argument may hold anything and must not be followed.
template <Kind K>
Given<K> in_if(bool significant, HandleOf<K> handle) {
    return {handle, significant};
}
template <Kind K>
Written<K, false> out(HandleOf<K> *place) {
    return {place};
}
template <Kind K>
Written<K, true> known(HandleOf<K> *place) {
    return {place};
}
template <Kind K>
ReadWritten<K> inout(HandleOf<K> *place) {
    return {place};
}

// True in the rank that `root` names; on intercommunicators, in the group and rank that says MPI_ROOT.
bool is_root(int root, MPI_Comm comm);

// --- what a call is about

struct On {
    CommRecord *comm = nullptr;
    WinRecord *win = nullptr;
};
inline On on(MPI_Comm comm) { return {record_of(comm)}; }
inline On on(MPI_Win win) { return {record_of(win) ? record_of(win)->comm : nullptr, record_of(win)}; }
inline On on(MPI_File file) { return {record_of(file) ? record_of(file)->comm : nullptr}; }

struct Holds {
    Hold reason;
};
struct Drops {
    Hold reason;
};
inline Holds holds(Hold reason) { return {reason}; }
inline Drops drops(Hold reason) { return {reason}; }

// Live objects that forbid a checkpoint, by reason.
extern std::atomic<int> hold_counts[kHolds];

// Out of line, with attention raised: stands at the gate until the agreement lets this rank enter the next collective
// of `comm` (settle.h, R4), which is announced and counted then; the thread is inside from there on.
void stand_at_gate(CommRecord *comm);
// The same for what is collective but not over a communicator of ours: an epoch under way is given up first.
void abandon_epoch_for(const char *what);

// Around a look at attention and the count that follows from it.  With MPI_THREAD_MULTIPLE another thread may join an
// epoch meanwhile, by the counts that it finds: it raises attention, makes all threads see that (barrier.h) and waits
// until nobody is between his look and his count.
class Entering {
  public:
    Entering() {
        self.entering = true;
        std::atomic_signal_fence(std::memory_order_seq_cst);
    }
    ~Entering() {
        std::atomic_signal_fence(std::memory_order_seq_cst);
        self.entering = false;
    }
    Entering(const Entering &) = delete;
    Entering &operator=(const Entering &) = delete;
};

// At the end the thread is inside a collective, to the agreement, if it was so at the beginning.
class InCollective {
  public:
    InCollective() = default;
    ~InCollective() {
        std::atomic_signal_fence(std::memory_order_seq_cst);
        self.in_collective = nested_;
    }
    InCollective(const InCollective &) = delete;
    InCollective &operator=(const InCollective &) = delete;

  private:
    bool nested_ = self.in_collective;
};

// Around a collective of the lower half: at its beginning the thread stands at the gate if it has to, and counts; until
// its end the agreement takes the thread to be inside.  Handles are to be read after the gate, where a restart can happen.
class Inside : InCollective {
  public:
    // The next collective of `members` by the name of `id`, and of `comm` unless null: enter_meeting().
    Inside(CommRecord *comm, std::uint64_t id, std::span<const std::uint32_t> members) {
        enter_meeting(comm, id, members);
    }
    explicit Inside(CommRecord *comm) {
        const Entering entering;
        if (attention.load(std::memory_order_relaxed) & kSettling) [[unlikely]] {
            stand_at_gate(comm);
        } else {
            self.in_collective = true;
            if (comm) ++comm->collectives;
        }
    }
};

// The same around what is collective but not over a communicator of ours: an epoch under way is given up first.
class InsideUncounted : InCollective {
  public:
    explicit InsideUncounted(const char *what) : InsideUncounted(true, what) {}
    InsideUncounted(bool collective, const char *what) {
        if (!collective) return;
        self.in_collective = true;
        std::atomic_signal_fence(std::memory_order_seq_cst);
        if (attention.load(std::memory_order_relaxed) & kSettling) [[unlikely]]
            abandon_epoch_for(what);
    }
};

// Out of line, with attention raised: an operation on the window is about to be issued.  Counts it; the first one of an
// epoch that has to be closed by a fence stands at the gate (settle.h, R12).
void begin_operation(WinRecord *win);

inline void enter_operation(WinRecord *win) {
    if (!win) return;
    const Entering entering;
    if (attention.load(std::memory_order_relaxed) & kSettling) [[unlikely]]
        begin_operation(win);
    else
        ++win->operations;
}

// The request of a non-blocking collective, or of an operation on a window.
RequestRecord *new_collective_request(MPI_Request real, CommRecord *comm);
void discard_request(RequestRecord *request);

// What must precede the freeing of an object: attribute callbacks, and putting it off while a pending request needs it.
enum class Freeing { now, deferred };
Freeing before_free(Record *record);

template <Kind K, bool MayBeKnown>
void Written<K, MayBeKnown>::done(CommRecord *about) {
    static_assert(K != Kind::Comm, "constructors of communicators are written by hand: construct.h");
    if (!place || !real) return;
    if constexpr (K == Kind::Request) {
        *place = handle_of(new_collective_request(real, about));
    } else {
        if constexpr (MayBeKnown)
            for (Record *record = live_records[static_cast<size_t>(K)].first; record; record = record->next)
                if (record->real == real) {
                    *place = handle_of(static_cast<RecordOf<K> *>(record));
                    return;
                }
        *place = handle_of(wrap<K>(real));
    }
}

template <Kind K>
void ReadWritten<K>::done(CommRecord *) {
    if (!place) return;
    auto *record = record_of(*place);
    if (real == record->real) return;
    if (real != real_of(null_handle<K>())) {
        record->real = real;
        return;
    }
    *place = null_handle<K>();
    if (!record->predefined) {
        delist(record);
        delete record;
    }
}

namespace detail {

inline MPI_Comm real_null(MPI_Comm) { return MPI_COMM_NULL; }
inline MPI_Datatype real_null(MPI_Datatype) { return MPI_DATATYPE_NULL; }
inline MPI_Group real_null(MPI_Group) { return MPI_GROUP_NULL; }
inline MPI_Info real_null(MPI_Info) { return MPI_INFO_NULL; }
inline MPI_Win real_null(MPI_Win) { return MPI_WIN_NULL; }
inline MPI_File real_null(MPI_File) { return MPI_FILE_NULL; }

struct Tags {
    CommRecord *comm = nullptr;
    WinRecord *win = nullptr;
    bool collective = false;
    int holds = -1, drops = -1;
    const char *what() const { return holds >= 0 ? kHoldSentences[holds] : "a call that cannot be held at the gate"; }
};

template <class T>
auto adapt(T value) {
    return Plain<T>{value};
}
template <Kind K>
auto adapt(Given<K> value) {
    return value;
}
template <Kind K, bool M>
auto adapt(Written<K, M> value) {
    return value;
}
template <Kind K>
auto adapt(ReadWritten<K> value) {
    return value;
}

inline Each adapt(Each value) { return value; }

template <class T>
inline constexpr bool is_freed = false;
template <Kind K>
inline constexpr bool is_freed<ReadWritten<K>> = true;

// Of a persistent collective: what its arguments need to be given once more.
template <class Adapter>
void keep(PersistentCollective &, Adapter &) {}
inline void keep(PersistentCollective &, Each &each) { each.keep(); }
template <Kind K>
    requires(K == Kind::Datatype || K == Kind::Op)
void keep(PersistentCollective &made, Given<K> &given) {
    if (given.followed && given.handle) made.needs.push_back(record_of(given.handle));
}

// Hints are gone when it is made again: the info object may be.
template <class Adapter>
auto give(Adapter &adapter, MPI_Request *, bool) {
    return adapter.get();
}
inline MPI_Info give(Given<Kind::Info> &given, MPI_Request *, bool again) {
    return again ? real_of(MPI_INFO_NULL) : given.get();
}
template <bool M>
MPI_Request *give(Written<Kind::Request, M> &, MPI_Request *real, bool) {
    return real;
}

template <class Adapter>
void look_for_place(MPI_Request *&, const Adapter &) {}
template <bool M>
void look_for_place(MPI_Request *&place, const Written<Kind::Request, M> &written) {
    place = written.place;
}

template <class Function, class... Adapters>
int persist(CommRecord *comm, Function function, Adapters... adapters) {
    auto *made = new PersistentCollective;
    (keep(*made, adapters), ...);
    MPI_Request *place = nullptr;
    (look_for_place(place, adapters), ...);
    made->make = [function, ... given = std::move(adapters)](MPI_Request *real, bool again) mutable {
        return function(give(given, real, again)...);
    };
    return begin_persistent_collective(made, comm, place);
}

template <policy P, class Function, class... Adapters>
[[gnu::always_inline]] inline auto run(const Tags &tags, Function function, Adapters... adapters) {
    Guard guard;
    [[maybe_unused]] const auto inside = [&] {
        if constexpr (P == policy::coll || P == policy::icoll || P == policy::persist)
            return Inside(tags.comm);
        else if constexpr (P == policy::pass || P == policy::rma)
            return nullptr;
        else
            return InsideUncounted(tags.collective || P == policy::refuse, tags.what());
    }();
    if constexpr (P == policy::rma) enter_operation(tags.win);
    if constexpr (P == policy::free) {
        Freeing freeing = Freeing::now;
        auto ask = [&](auto &adapter) {
            if constexpr (is_freed<std::remove_cvref_t<decltype(adapter)>>)
                if (adapter.place && *adapter.place && freeing == Freeing::now) {
                    freeing = before_free(record_of(*adapter.place));
                    if (freeing == Freeing::deferred) *adapter.place = real_null(*adapter.place);
                }
        };
        (ask(adapters), ...);
        if (freeing != Freeing::now) return MPI_SUCCESS;
    }
    if constexpr (P == policy::persist) return persist(tags.comm, function, std::move(adapters)...);
    auto result = function(adapters.get()...);
    if constexpr (std::is_same_v<decltype(result), int>) {
        if (result == MPI_SUCCESS) {
            (adapters.done(tags.comm), ...);
            if (tags.holds >= 0) ++hold_counts[tags.holds];
            if (tags.drops >= 0) --hold_counts[tags.drops];
        }
    }
    return result;
}

template <policy P, class Function, class... Rest>
[[gnu::always_inline]] inline auto peel(Tags tags, Function function, Rest... rest) {
    return run<P>(tags, function, adapt(rest)...);
}
template <policy P, class Function, class... Rest>
[[gnu::always_inline]] inline auto peel(Tags tags, Function function, On about, Rest... rest) {
    tags.comm = about.comm;
    tags.win = about.win;
    tags.collective = true;
    return peel<P>(tags, function, rest...);
}
template <policy P, class Function, class... Rest>
[[gnu::always_inline]] inline auto peel(Tags tags, Function function, Holds held, Rest... rest) {
    tags.holds = static_cast<int>(held.reason);
    return peel<P>(tags, function, rest...);
}
template <policy P, class Function, class... Rest>
[[gnu::always_inline]] inline auto peel(Tags tags, Function function, Drops dropped, Rest... rest) {
    tags.drops = static_cast<int>(dropped.reason);
    return peel<P>(tags, function, rest...);
}

}  // namespace detail

template <policy P, class Function, class... Arguments>
[[gnu::always_inline]] inline auto call(Function function, Arguments... arguments) {
    return detail::peel<P>(detail::Tags{}, function, arguments...);
}

}  // namespace sckpt::mpi
