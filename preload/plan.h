// The plan of a checkpoint while it is being put together: tables of image.h and their strings, in our own heap.
#pragma once

#include <string_view>
#include <vector>

#include "storage_hdf5/image.h"

namespace sckpt {

class Plan {
  public:
    image::Process process{};
    std::vector<image::Region> regions;
    std::vector<image::File> files;
    std::vector<image::Pipe> pipes;
    std::vector<image::Socket> sockets;
    std::vector<image::Descriptor> descriptors;
    std::vector<image::FileLock> file_locks;
    std::vector<image::Thread> threads;
    std::vector<image::Signal> signals;
    std::vector<image::IntervalTimer> interval_timers;
    std::vector<image::PosixTimer> posix_timers;
    std::vector<image::Communicator> communicators;
    std::vector<image::MpiObject> mpi_objects;
    std::vector<image::Request> requests;
    std::vector<image::Message> messages;

    image::Ref add(std::string_view text) {
        const image::Ref ref{static_cast<std::uint32_t>(strings_.size()), static_cast<std::uint32_t>(text.size())};
        strings_.insert(strings_.end(), text.begin(), text.end());
        return ref;
    }
    std::string_view text(image::Ref ref) const { return {strings_.data() + ref.offset, ref.length}; }

    // Writes header and sections into a new memfd and returns it; a negative errno on failure.
    int write_memfd() const;

  private:
    std::vector<char> strings_;
};

}  // namespace sckpt
