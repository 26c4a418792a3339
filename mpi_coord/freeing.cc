// What precedes the freeing of an object (call.h).
//
// The lower half keeps a datatype alive while one of its own requests needs it, but after a restart those requests are
// made again from our records, which name the type: it lives on without a handle until no request does.
#include <mutex>

#include "mpi_coord/attributes.h"
#include "mpi_coord/call.h"
#include "mpi_coord/requests.h"

namespace sckpt::mpi {
namespace {

bool in_use(const DatatypeRecord *type) {
    bool found = false;
    for_each_request([&](RequestRecord *request) {
        found |= request->datatype == type || needed_by_persistent_collective(request, type);
    });
    return found;
}

void sweep_datatypes() {
    static Spin sweeping;
    std::lock_guard one_at_a_time(sweeping);
    RecordList &list = live_records[static_cast<size_t>(Kind::Datatype)];
    std::vector<DatatypeRecord *> freed;
    {
        std::lock_guard locked(list.lock);
        for (Record *record = list.first; record; record = record->next)
            if (record->freed) freed.push_back(static_cast<DatatypeRecord *>(record));
    }
    for (DatatypeRecord *record : freed) {
        if (in_use(record)) continue;
        auto real = static_cast<MPI_Datatype>(record->real);
        lower.Type_free(&real);
        delist(record);
        delete record;
    }
}

}  // namespace

Freeing before_free(Record *record) {
    if (record->predefined) return Freeing::now;  // the lower half says what is wrong
    switch (record->kind) {
        case Kind::Datatype: {
            auto *type = static_cast<DatatypeRecord *>(record);
            sweep_datatypes();
            delete_attributes(type);
            if (!in_use(type)) return Freeing::now;
            type->freed = true;
            return Freeing::deferred;
        }
        default:
            return Freeing::now;
    }
}

}  // namespace sckpt::mpi
