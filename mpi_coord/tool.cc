// The tool interface (MPI-3.1, 14.3), where MPI objects come through a void pointer.
#include "mpi_coord/alias.h"
#include "mpi_coord/call.h"
#include "mpi_coord/rebuild.h"

namespace sckpt::mpi {
namespace {

// `object` points to a handle of the application, of whatever kind the variable is bound to: the live handle is the
// first word of every record.
void *real_object(void *object) { return *static_cast<void **>(*static_cast<void **>(object)); }

template <class Function, class... Before>
int allocate(Function function, int bind, int index, void *object, Before... rest) {
    if (bind == MPI_T_BIND_NO_OBJECT || !object) return function(index, object, rest...);
    void *real = real_object(object);
    return function(index, &real, rest...);
}

}  // namespace

extern "C" {

// May come before MPI_Init, but speaks of the library that MPI_Init will start.
int PMPI_T_init_thread(int required, int *provided) {
    Guard guard;
    load_mpi();
    const int error = lower.T_init_thread(required, provided);
    if (error == MPI_SUCCESS) ++hold_counts[static_cast<int>(Hold::tool_interface)];
    return error;
}

int PMPI_T_cvar_handle_alloc(int index, void *object, MPI_T_cvar_handle *handle, int *count) {
    Guard guard;
    int bind = MPI_T_BIND_NO_OBJECT;
    lower.T_cvar_get_info(index, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, &bind, nullptr);
    return allocate(lower.T_cvar_handle_alloc, bind, index, object, handle, count);
}

int PMPI_T_pvar_handle_alloc(MPI_T_pvar_session session, int index, void *object, MPI_T_pvar_handle *handle,
                             int *count) {
    Guard guard;
    int bind = MPI_T_BIND_NO_OBJECT;
    lower.T_pvar_get_info(index, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, &bind, nullptr,
                          nullptr, nullptr);
    const auto with_session = [=](int i, void *real, MPI_T_pvar_handle *h, int *c) {
        return lower.T_pvar_handle_alloc(session, i, real, h, c);
    };
    return allocate(with_session, bind, index, object, handle, count);
}

}  // extern "C"

SCKPT_ALIAS(T_init_thread)
SCKPT_ALIAS(T_cvar_handle_alloc)
SCKPT_ALIAS(T_pvar_handle_alloc)

}  // namespace sckpt::mpi
