// Tells whether a file is still what it was, without reading gigabytes: a hash over 64 KiB at its start, at its end and
// around the place where the program reads.  Used by the rank at the cut and by sckpt-restore.
#pragma once

#include <algorithm>
#include <cstdint>

#include "preload/base/system.h"

namespace sckpt {

// FNV-1a: of more bytes, when `hash` is what the ones before have given.
inline constexpr std::uint64_t kHashBasis = 0xcbf29ce484222325;
inline std::uint64_t hash_bytes(const void *bytes, std::size_t count, std::uint64_t hash = kHashBasis) {
    constexpr std::uint64_t kPrime = 0x100000001b3;
    for (std::size_t i = 0; i < count; ++i) hash = (hash ^ static_cast<const unsigned char *>(bytes)[i]) * kPrime;
    return hash;
}

// Of the first `size` bytes of the file, whatever follows; `offset` is the place in it, bytes.  0: cannot be read.
inline std::uint64_t fingerprint(int fd, std::int64_t size, std::int64_t offset) {
    constexpr std::int64_t kPart = 64 << 10;
    std::uint64_t hash = kHashBasis ^ static_cast<std::uint64_t>(size);
    const std::int64_t last = std::max<std::int64_t>(size - kPart, 0);
    for (const std::int64_t start : {std::int64_t{0}, std::clamp<std::int64_t>(offset - kPart / 2, 0, last), last}) {
        const std::int64_t end = std::min(start + kPart, size);
        for (std::int64_t at = start; at < end;) {
            unsigned char bytes[4096];
            const long wanted = std::min<long>(sizeof bytes, end - at);
            const long got = system_call(SYS_pread64, fd, as_long(bytes), wanted, at);
            if (got <= 0) return 0;
            hash = hash_bytes(bytes, static_cast<std::size_t>(got), hash);
            at += got;
        }
    }
    return hash ? hash : 1;
}

}  // namespace sckpt
