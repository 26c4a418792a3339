// From a live handle, which the lower half passes to a callback of the application, back to the application's own.
#pragma once

#include "mpi_coord/handles.h"

namespace sckpt::mpi {

// The record whose live handle is `real`, predefined ones included; null when no handle of the application stands for
// it.
template <Kind K>
RecordOf<K> *find_record(const void *real) {
    if (!real) return nullptr;
    if (Record *known = predefined_record(K, real)) return static_cast<RecordOf<K> *>(known);
    RecordList &list = live_records[static_cast<size_t>(K)];
    list.lock.lock();
    Record *record = list.first;
    while (record && record->real != real) record = record->next;
    list.lock.unlock();
    return static_cast<RecordOf<K> *>(record);
}

}  // namespace sckpt::mpi
