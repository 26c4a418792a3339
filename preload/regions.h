// The mappings of this process as regions of an image: which there are, and which belong to the lower half.
#pragma once

#include "preload/plan.h"

namespace sckpt {

// Adds all regions to the plan.  Returns a sentence when one cannot be saved, or when
// their list cannot be read (`is_read`), else null.
const char *record_regions(Plan &plan, bool &is_read);

// Memory that cannot be saved, as a sentence, or null: to be asked before a checkpoint begins.  It sees what names and
// numbers of mappings tell; the rest is seen by record_regions(), since to look twice would cost as much again.
const char *blocker_memory();

// True when memory that a copy-on-write snapshot would not hold still must be read before the rank goes on.
bool needs_synchronous_write(const Plan &plan);
// True when a snapshot would lack memory altogether, as found by record_regions(): madvise(2), MADV_DONTFORK and
// MADV_WIPEONFORK, and pages of hugetlbfs.
bool must_read_in_place();

// Fields of /proc/self/stat and the kernel's brk, for the restorer.
void record_layout(image::Process &process);

}  // namespace sckpt
