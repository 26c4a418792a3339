// Memory that is shared without a name: memfd_create(2), deleted files, anonymous memory mapped more than once, System
// V segments.  All mappings of one device and inode are one object, in this rank and in the others on its node.
//
// At the cut each object's contents are stored by one rank alone.  Which one is decided on the node, by the name of a
// socket that only one can bind; a second one that wants it connects, which tells the first that it is not alone.
// At a restart sckpt-restore brings the contents back as private memory; here the object is made again, filled by the
// rank that stored it, and mapped where it was.  A program that has one alone gets it as memory of its own; ranks that
// share one meet at a file in /dev/shm, which has its name only until all have mapped it.
#pragma once

#include "preload/plan.h"
#include "preload/resources.h"

namespace sckpt {

// Notes the objects among the plan's regions, and marks those (image::kElsewhere) that another mapping stores.
void record_shared_memory(Plan &plan);
// The list of regions is made again: what was claimed stays so.
void forget_shared_memory();
// Once all ranks have recorded theirs: finds out which are shared.
void release_claims();

// Before descriptors are restored: the objects are there, mapped at their old addresses, with the contents stored here.
Restored restore_shared_memory();
// A descriptor of the object with this device and inode, as the image had it, or -1; valid until forget_objects().
int restored_object(std::uint64_t device, std::uint64_t inode);
void forget_objects();
// Once MPI runs again: the contents that others stored are there, too.  Called by all ranks.
Restored complete_shared_memory();

}  // namespace sckpt
