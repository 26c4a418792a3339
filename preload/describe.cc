#include "preload/describe.h"

#include <limits.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "mpi_coord/comm.h"
#include "mpi_coord/coordinator.h"
#include "mpi_coord/drain.h"
#include "mpi_coord/objects.h"
#include "mpi_coord/requests.h"
#include "preload/base/clock.h"
#include "preload/base/system.h"
#include "preload/restart.h"
#include "preload/settings.h"
#include "preload/world.h"

namespace sckpt {
namespace {

std::string read_all(const char *path) {
    const long fd = sys::open(path, O_RDONLY);
    std::string text;
    char part[4096];
    for (long got; fd >= 0 && (got = sys::read(static_cast<int>(fd), part, sizeof part)) > 0;)
        text.append(part, static_cast<size_t>(got));
    if (fd >= 0) sys::close(static_cast<int>(fd));
    return text;
}

std::string target_of(const char *link) {
    char path[PATH_MAX];
    const long length = system_call(SYS_readlink, as_long(link), as_long(path), sizeof path);
    return length > 0 ? std::string(path, static_cast<size_t>(length)) : std::string();
}

// World ranks with runs compressed: "0-3,8".
std::string ranges(const std::vector<std::uint32_t> &ranks) {
    std::string text;
    for (size_t i = 0; i < ranks.size();) {
        size_t end = i + 1;
        while (end < ranks.size() && ranks[end] == ranks[end - 1] + 1) ++end;
        text += (text.empty() ? "" : ",") + std::to_string(ranks[i]);
        if (end - i > 1) text += "-" + std::to_string(ranks[end - 1]);
        i = end;
    }
    return text;
}

const char *name_of(const mpi::RequestRecord *request) {
    using mpi::Mode;
    using mpi::Operation;
    if (request->operation == Operation::collective) return "non-blocking collective";
    if (request->operation == Operation::receive) return request->persistent ? "MPI_Recv_init" : "MPI_Irecv";
    switch (request->mode) {
        case Mode::buffered: return request->persistent ? "MPI_Bsend_init" : "MPI_Ibsend";
        case Mode::synchronous: return request->persistent ? "MPI_Ssend_init" : "MPI_Issend";
        case Mode::ready: return request->persistent ? "MPI_Rsend_init" : "MPI_Irsend";
        case Mode::standard: break;
    }
    return request->persistent ? "MPI_Send_init" : "MPI_Isend";
}

std::uint64_t id_of(const mpi::CommRecord *comm) { return comm && comm->info ? comm->info->id : 0; }

void add_communicator(Plan &plan, mpi::CommRecord *comm, const char *name) {
    if (!comm->info) return;
    plan.communicators.push_back({comm->info->id, static_cast<std::int32_t>(comm->info->world.size()), comm->info->rank,
                                  static_cast<std::uint64_t>(comm->collectives), plan.add(name),
                                  plan.add(comm->info->constructor), plan.add(ranges(comm->info->world))});
    for (const mpi::DrainedMessage *message = comm->drained; message; message = message->next)
        plan.messages.push_back({comm->info->id, message->source, message->tag, message->bytes});
}

}  // namespace

void describe_process(Plan &plan, std::uint32_t generation, const std::string &cause) {
    image::Process &process = plan.process;
    process.rank = static_cast<std::uint32_t>(world::rank());
    process.world_size = static_cast<std::uint32_t>(world::size());
    process.generation = generation;
    process.incarnation = static_cast<std::uint32_t>(settings().incarnation);
    process.pid = static_cast<std::int32_t>(sys::getpid());
    process.page_size = 4096;
    process.thread_level = static_cast<std::uint32_t>(mpi::thread_level());
    process.cut_time_ns = kernel_time(CLOCK_REALTIME);
    utsname host;
    system_call(SYS_uname, as_long(&host));
    process.host = plan.add(host.nodename);
    process.executable = plan.add(program_path());
    process.arguments = plan.add(program_arguments());
    process.environment = plan.add(read_all("/proc/thread-self/environ"));
    process.directory = plan.add(target_of("/proc/thread-self/cwd"));
    process.cluster = plan.add(settings().cluster);
    process.job = plan.add(settings().job);
    process.user = plan.add(settings().user);
    process.cause = plan.add(cause);
}

void describe_objects(Plan &plan) {
    if (!mpi::mpi_running()) return;
    add_communicator(plan, mpi::record_of(MPI_COMM_WORLD), "MPI_COMM_WORLD");
    add_communicator(plan, mpi::record_of(MPI_COMM_SELF), "MPI_COMM_SELF");
    mpi::for_each_live<mpi::CommRecord>(mpi::Kind::Comm, [&](mpi::CommRecord *comm) {
        add_communicator(plan, comm, comm->info ? comm->info->name.c_str() : "");
    });
    mpi::for_each_request([&](mpi::RequestRecord *request) {
        plan.requests.push_back({plan.add(name_of(request)), id_of(request->comm), request->peer, request->tag,
                                 request->count, reinterpret_cast<std::uint64_t>(request->buffer),
                                 plan.add(request->complete ? "complete" : request->active ? "active" : "inactive")});
    });
    auto add = [](void *context, const char *kind, const char *constructor, const char *description) {
        auto *into = static_cast<Plan *>(context);
        into->mpi_objects.push_back({into->add(kind), into->add(constructor), into->add(description)});
    };
    mpi::describe_groups(add, &plan);
    mpi::describe_infos(add, &plan);
    mpi::describe_datatypes(add, &plan);
    mpi::describe_operations(add, &plan);
    mpi::describe_files(add, &plan);
    mpi::describe_windows(add, &plan);
    mpi::describe_errhandlers(add, &plan);
    mpi::describe_error_classes(add, &plan);
    mpi::describe_attributes(add, &plan);
}

}  // namespace sckpt
