#include "preload/plan.h"

#include <sys/mman.h>

#include <cstring>
#include <span>

#include "preload/base/file_limit.h"
#include "preload/base/system.h"

namespace sckpt {
namespace {

long write_all(int fd, std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const long written = sys::write(fd, bytes.data(), bytes.size());
        if (written < 0) return written;
        bytes = bytes.subspan(static_cast<size_t>(written));
    }
    return 0;
}

}  // namespace

int Plan::write_memfd() const {
    const std::span<const std::byte> tables[] = {
        std::as_bytes(std::span(strings_)),      std::as_bytes(std::span(&process, 1)),
        std::as_bytes(std::span(regions)),       std::as_bytes(std::span(files)),
        std::as_bytes(std::span(pipes)),         std::as_bytes(std::span(sockets)),
        std::as_bytes(std::span(descriptors)),   std::as_bytes(std::span(file_locks)),
        std::as_bytes(std::span(threads)),       std::as_bytes(std::span(signals)),
        std::as_bytes(std::span(interval_timers)), std::as_bytes(std::span(posix_timers)),
        std::as_bytes(std::span(communicators)), std::as_bytes(std::span(mpi_objects)),
        std::as_bytes(std::span(requests)),      std::as_bytes(std::span(messages))};
    constexpr std::uint32_t sizes[] = {1,
                                       sizeof(image::Process),
                                       sizeof(image::Region),
                                       sizeof(image::File),
                                       sizeof(image::Pipe),
                                       sizeof(image::Socket),
                                       sizeof(image::Descriptor),
                                       sizeof(image::FileLock),
                                       sizeof(image::Thread),
                                       sizeof(image::Signal),
                                       sizeof(image::IntervalTimer),
                                       sizeof(image::PosixTimer),
                                       sizeof(image::Communicator),
                                       sizeof(image::MpiObject),
                                       sizeof(image::Request),
                                       sizeof(image::Message)};
    constexpr size_t kTables = static_cast<size_t>(image::Table::count);
    static_assert(std::size(tables) == kTables && std::size(sizes) == kTables);

    image::Header header;
    std::uint64_t offset = sizeof header;
    for (size_t i = 0; i < kTables; ++i) {
        header.sections[i] = {sizes[i], 0, offset, tables[i].size() / sizes[i]};
        offset = (offset + tables[i].size() + 7) & ~std::uint64_t{7};
    }
    header.size = offset;

    const WithinFileLimit no_signal;
    const long fd = system_call(SYS_memfd_create, as_long("sckpt plan"), MFD_CLOEXEC);
    if (fd < 0) return static_cast<int>(fd);
    long error = system_call(SYS_ftruncate, fd, static_cast<long>(offset));
    if (error == 0) error = write_all(static_cast<int>(fd), std::as_bytes(std::span(&header, 1)));
    for (size_t i = 0; i < kTables && error == 0; ++i) {
        system_call(SYS_lseek, fd, static_cast<long>(header.sections[i].offset), 0);
        error = write_all(static_cast<int>(fd), tables[i]);
    }
    if (error == 0) return static_cast<int>(fd);
    sys::close(static_cast<int>(fd));
    return static_cast<int>(error);
}

}  // namespace sckpt
