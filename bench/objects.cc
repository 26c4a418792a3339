// What objects of MPI take: objects KIND COUNT.  Makes COUNT of them and prints by how many bytes the private memory of
// the process has grown for each.  Some are made before, so that what is made once does not count.  One rank, which is
// its own peer.
#include <mpi.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <string>

namespace {

long private_bytes() {
    std::ifstream file("/proc/self/smaps_rollup");
    long kib = 0;
    for (std::string line; std::getline(file, line);)
        if (line.starts_with("Private_Clean:") || line.starts_with("Private_Dirty:"))
            kib += std::atol(line.c_str() + line.find(':') + 1);
    return kib * 1024;
}

constexpr int kEagerly = 8, kNotEagerly = 1 << 20;  // bytes of messages
char out[kNotEagerly], in[kNotEagerly];

void ignore_error(MPI_Comm *, int *, ...) {}

// What makes one of them; handles that nobody asks for again are forgotten.
const std::map<std::string, std::function<void()>> kKinds = {
    {"communicator",
     [] {
         MPI_Comm made;
         MPI_Comm_dup(MPI_COMM_SELF, &made);
     }},
    {"group",
     [] {
         constexpr int kFirst = 0;
         MPI_Group world, made;
         MPI_Comm_group(MPI_COMM_WORLD, &world);
         MPI_Group_incl(world, 1, &kFirst, &made);
         MPI_Group_free(&world);
     }},
    {"datatype",
     [] {
         MPI_Datatype made;
         MPI_Type_vector(4, 2, 3, MPI_INT, &made);
         MPI_Type_commit(&made);
     }},
    {"operation",
     [] {
         MPI_Op made;
         MPI_Op_create([](void *, void *, int *, MPI_Datatype *) {}, 1, &made);
     }},
    {"info",
     [] {
         MPI_Info made;
         MPI_Info_create(&made);
         MPI_Info_set(made, "key", "value");
     }},
    {"keyval",
     [] {
         int made;
         MPI_Comm_create_keyval(MPI_COMM_NULL_COPY_FN, MPI_COMM_NULL_DELETE_FN, &made, nullptr);
         MPI_Comm_set_attr(MPI_COMM_SELF, made, out);
     }},
    {"error_handler",
     [] {
         MPI_Errhandler made;
         MPI_Comm_create_errhandler(ignore_error, &made);
     }},
    {"window",
     [] {
         MPI_Win made;
         MPI_Win_create(in, kEagerly, 1, MPI_INFO_NULL, MPI_COMM_SELF, &made);
     }},
    {"persistent_request",
     [] {
         MPI_Request made;
         MPI_Recv_init(in, kEagerly, MPI_BYTE, 0, 1, MPI_COMM_SELF, &made);
     }},
    {"pending_receive",
     [] {
         MPI_Request made;
         MPI_Irecv(in, kEagerly, MPI_BYTE, 0, 2, MPI_COMM_SELF, &made);
     }},
    {"pending_send",
     [] {
         MPI_Request made;
         MPI_Isend(out, kNotEagerly, MPI_BYTE, 0, 3, MPI_COMM_SELF, &made);
     }},
};

}  // namespace

int main(int argc, char **argv) {
    const auto kind = argc == 3 ? kKinds.find(argv[1]) : kKinds.end();
    if (kind == kKinds.end() || std::atoi(argv[2]) <= 0) {
        std::fprintf(stderr, "usage: objects KIND COUNT, KIND being one of");
        for (const auto &[name, make] : kKinds) std::fprintf(stderr, " %s", name.c_str());
        std::fprintf(stderr, "\n");
        return 2;
    }
    const int count = std::atoi(argv[2]);
    constexpr int kBefore = 70;
    MPI_Init(&argc, &argv);
    private_bytes();
    for (int i = 0; i < kBefore; ++i) kind->second();
    const long before = private_bytes();
    for (int i = 0; i < count; ++i) kind->second();
    std::printf("%.1f\n", static_cast<double>(private_bytes() - before) / count);
    MPI_Finalize();
}
