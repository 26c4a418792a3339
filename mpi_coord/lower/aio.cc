// POSIX asynchronous I/O, which MPI-IO uses for its non-blocking calls: done at once.  glibc does it with threads that
// it makes behind our back, that linger for a second after the last transfer, and that can be neither stopped for a
// checkpoint nor made again.  A transfer is a copy to or from the page cache; MPI allows that it is over when the call
// that starts it returns.
#include <aio.h>
#include <errno.h>
#include <unistd.h>

#include "mpi_coord/lower/arena.h"

using sckpt::as_long;
using sckpt::system_call;

namespace {

int transfer(aiocb *control, long call) {
    auto *buffer = static_cast<volatile char *>(control->aio_buf);
    size_t done = 0;
    long result = 0;
    while (done < control->aio_nbytes) {
        result =
            system_call(call, control->aio_fildes, as_long(const_cast<char *>(buffer) + done),
                        static_cast<long>(control->aio_nbytes - done), control->aio_offset + static_cast<long>(done));
        if (result == -EINTR) continue;
        if (result <= 0) break;  // an error, or the end of the file
        done += static_cast<size_t>(result);
    }
    const bool failed = result < 0 && done == 0;
    control->__error_code = failed ? static_cast<int>(-result) : 0;
    control->__return_value = failed ? -1 : static_cast<ssize_t>(done);
    return 0;
}

}  // namespace

extern "C" {

int aio_read(aiocb *control) noexcept { return transfer(control, SYS_pread64); }
int aio_write(aiocb *control) noexcept { return transfer(control, SYS_pwrite64); }
int aio_error(const aiocb *control) noexcept { return control->__error_code; }
ssize_t aio_return(aiocb *control) noexcept { return control->__return_value; }

}  // extern "C"
