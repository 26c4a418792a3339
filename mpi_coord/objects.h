// Record and rebuild of MPI objects, one file per kind with both side by side.
//
// record_*: at the cut, all ranks stopped, the lower half alive: asks it what is needed to make the live objects of the
// kind again, and keeps that in the upper half.  rebuild_*: at a restart, after MPI_Init: makes each object again in
// the new lower half and stores the new live handle in its record; every handle of the application stays what it is.
// None of them communicates, but for communicators, files and windows, which are rebuilt collectively in one global order.
#pragma once

#include "mpi_coord/handles.h"

namespace sckpt::mpi {

void record_wtime();  // MPI_Wtime must not run backwards
void rebuild_wtime();
void record_groups();
void rebuild_groups();
void record_infos();
void rebuild_infos();
void record_datatypes();
void rebuild_datatypes();
void rebuild_operations();
void rebuild_errhandlers();
void record_communicators();
void rebuild_communicators();
void rebuild_set_errhandlers();           // of communicators, files and windows, after all of these exist
std::string record_files();               // collective; empty, or a sentence: no checkpoint is possible
std::string rebuild_files();              // collective; empty, or a sentence: no restart is possible
std::string record_windows();             // collective; empty, or a sentence: no checkpoint is possible
void resume_windows();                    // collective: see resume_objects() in rebuild.h
std::string rebuild_windows();            // collective; empty, or a sentence: no restart is possible
void rebuild_error_classes();             // first: nothing else may add one before
void rebuild_buffer();                    // MPI_Buffer_attach
void rebuild_requests();                  // last: persistent ones, then pending receives in their order of posting

// One row for the human-readable table of the image (image.h, MpiObject): kind, constructor, description.
using Describe = void (*)(void *context, const char *kind, const char *constructor, const char *description);
void describe_groups(Describe, void *context);
void describe_infos(Describe, void *context);
void describe_datatypes(Describe, void *context);
void describe_operations(Describe, void *context);
void describe_files(Describe, void *context);
void describe_windows(Describe, void *context);
void describe_errhandlers(Describe, void *context);
void describe_error_classes(Describe, void *context);
void describe_attributes(Describe, void *context);

}  // namespace sckpt::mpi
