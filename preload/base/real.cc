#include "preload/base/real.h"

#include "preload/base/log.h"

namespace sckpt::real {

#define X(name) decltype(&::name) name;
SCKPT_REAL_FUNCTIONS(X)
#undef X

void find_all() {
#define X(function)                                                            \
    function = reinterpret_cast<decltype(function)>(dlsym(RTLD_NEXT, #function)); \
    if (!function) die("this system's libc has no %s", #function);
    SCKPT_REAL_FUNCTIONS(X)
#undef X
}

}  // namespace sckpt::real
