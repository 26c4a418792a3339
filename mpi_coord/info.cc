// Info objects: at the cut, their keys and values in order.
#include "mpi_coord/info.h"

#include "mpi_coord/call.h"
#include "mpi_coord/objects.h"
#include "preload/base/log.h"

namespace sckpt::mpi {

InfoEntries read_info(MPI_Info real) {
    InfoEntries entries;
    int count = 0;
    lower.Info_get_nkeys(real, &count);
    for (int i = 0; i < count; ++i) {
        char key[MPI_MAX_INFO_KEY + 1];
        int length = 0, found = 0;
        int error = lower.Info_get_nthkey(real, i, key);
        if (error == MPI_SUCCESS) error = lower.Info_get_valuelen(real, key, &length, &found);
        if (error != MPI_SUCCESS) die("cannot list an info object: MPI error %d", error);
        std::vector<char> value(static_cast<size_t>(length) + 1);
        lower.Info_get(real, key, length, value.data(), &found);
        if (found) entries.emplace_back(key, value.data());
    }
    return entries;
}

InfoEntries take_info(MPI_Info real) {
    InfoEntries entries = read_info(real);
    lower.Info_free(&real);
    return entries;
}

MPI_Info make_info(const InfoEntries &entries) {
    MPI_Info made;
    if (const int error = lower.Info_create(&made); error != MPI_SUCCESS)
        die("cannot make an info object again: MPI error %d", error);
    for (const auto &[key, value] : entries) lower.Info_set(made, key.c_str(), value.c_str());
    return made;
}

void record_infos() {
    for_each_live<InfoRecord>(Kind::Info, [](InfoRecord *record) {
        delete record->entries;
        record->entries = new InfoEntries(read_info(static_cast<MPI_Info>(record->real)));
    });
}

void rebuild_infos() {
    for_each_live<InfoRecord>(Kind::Info, [](InfoRecord *record) {
        SCKPT_ASSERT(record->entries);
        record->real = make_info(*record->entries);
        delete record->entries;
        record->entries = nullptr;
    });
}

void describe_infos(Describe describe, void *context) {
    for_each_live<InfoRecord>(Kind::Info, [&](InfoRecord *record) {
        if (!record->entries) return;
        std::string text;
        for (const auto &[key, value] : *record->entries) text += (text.empty() ? "" : ", ") + key + '=' + value;
        describe(context, "info", "MPI_Info_create", text.c_str());
    });
}

}  // namespace sckpt::mpi
