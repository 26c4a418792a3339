# Objects of mpi_coord for libsckpt.so, and the unit tests of its pure parts.
include mpi_coord/calls.mk

COORD_SOURCES := $(wildcard mpi_coord/*.cc)
COORD_OBJECTS := $(patsubst %.cc,$(BUILD)/%.pic.o,$(COORD_SOURCES)) $(CALLS_OBJECT)
# mpi.h marks the functions removed in MPI-3.0 as deprecated; we define them all the same.
$(COORD_OBJECTS): EXTRA_CXXFLAGS = $(MPI_CFLAGS) -fno-exceptions -Wno-deprecated-declarations

UNIT_TESTS += $(BUILD)/unit/fortran_numbers_test
$(BUILD)/unit/fortran_numbers_test: $(BUILD)/tests/unit/fortran_numbers_test.o $(BUILD)/preload/base/log.o
	@mkdir -p $(@D)
	$(CXX) $(CXXFLAGS) -o $@ $^ $(UNIT_LIBS)
