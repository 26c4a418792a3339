// job.h5: what a generation is, and the rank files that belong to it.
#pragma once

#include <expected>
#include <filesystem>
#include <string>

#include "storage_hdf5/reader.h"

namespace sckpt::storage {

// Writes <manifest.generation>/job.h5, durable under that name or not there; the error is one sentence.
std::expected<void, std::string> write_manifest(const Manifest &manifest);

// This node's topology as XML (hwloc), empty when it cannot be found out.
std::string topology_xml();

}  // namespace sckpt::storage
