#include "mpi_coord/handles.h"

#include <dlfcn.h>

#include <new>
#include <unordered_map>

#include "mpi_coord/call.h"
#include "mpi_coord/fortran.h"
#include "mpi_coord/half.h"
#include "mpi_coord/predefined.h"

namespace sckpt::mpi {

ApplicationObjects application;
std::array<RecordList, static_cast<size_t>(Kind::count)> live_records;

namespace {

std::unordered_map<const void *, Record *> *predefined;

template <Kind K, size_t Room>
bool place(const char *symbol, void *&storage) {
    static_assert(sizeof(RecordOf<K>) <= Room, "the record does not fit into the storage of the predefined handle");
    storage = application_symbol(symbol);
    void *real = lower_symbol(symbol);
    if (!storage || !real) return false;
    auto *record = new (storage) RecordOf<K>;
    record->real = real;
    record->kind = K;
    record->predefined = true;
    predefined->emplace(real, record);
    return true;
}

}  // namespace

// In the program itself when it was linked with a copy relocation, else in libmpi, which may have been loaded without
// RTLD_GLOBAL (by a language's runtime).
void *application_symbol(const char *name) {
    if (void *found = dlsym(RTLD_DEFAULT, name)) return found;
    static void *library = nullptr;
    if (!library) library = dlopen("libmpi.so.40", RTLD_LAZY | RTLD_NOLOAD);
    return library ? dlsym(library, name) : nullptr;
}

void enlist(Record *record) {
    RecordList &list = live_records[static_cast<size_t>(record->kind)];
    list.lock.lock();
    record->previous = nullptr;
    record->next = list.first;
    if (list.first) list.first->previous = record;
    list.first = record;
    list.lock.unlock();
    if (record->kind == Kind::Group) fortran_index(record);  // Fortran reads it without asking, see fortran.cc
}

void delist(Record *record) {
    forget_fortran(record);
    RecordList &list = live_records[static_cast<size_t>(record->kind)];
    list.lock.lock();
    if (record->next) record->next->previous = record->previous;
    (record->previous ? record->previous->next : list.first) = record->next;
    list.lock.unlock();
}

std::string bind_predefined() {
    predefined = new std::unordered_map<const void *, Record *>;
    std::string missing;
#define X(kind, symbol, size) \
    if (!place<Kind::kind, size>(#symbol, application.symbol) && missing.empty()) missing = #symbol;
    SCKPT_PREDEFINED(X)
#undef X
    if (!missing.empty()) return "MPI has no object " + missing + " in one of the halves: two different MPI libraries?";
    return {};
}

Record *predefined_record(Kind kind, const void *real) {
    const auto found = predefined->find(real);
    return found != predefined->end() && found->second->kind == kind ? found->second : nullptr;
}

void add_predefined(Record *record) { predefined->emplace(record->real, record); }

void for_each_predefined(Kind kind, const std::function<void(Record *)> &visit) {
    for (const auto &[real, record] : *predefined)
        if (record->kind == kind) visit(record);
}

}  // namespace sckpt::mpi
