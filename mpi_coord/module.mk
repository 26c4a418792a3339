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

# The lower half and its reset, without the interceptor.
LOWER_COMPONENT := $(BUILD)/tests/unit/liblower_component.so
$(LOWER_COMPONENT): tests/unit/lower_library.c
	@mkdir -p $(@D)
	gcc -std=gnu17 $(OPT) $(WARN) -fPIC -shared -o $@ $<

UNIT_TESTS += $(BUILD)/unit/lower_reset_test
$(BUILD)/unit/lower_reset_test: $(BUILD)/tests/unit/lower_reset_test.o $(BUILD)/lib/libsckpt_lower.so $(LOWER_COMPONENT) \
		$(addprefix $(BUILD)/mpi_coord/,half.pic.o pristine.pic.o services.pic.o) \
		$(addprefix $(BUILD)/preload/base/,real.pic.o thread.pic.o log.pic.o own_heap.pic.o context.pic.o)
	@mkdir -p $(@D)
	$(CXX) $(OPT) -o $@ $(filter %.o,$^) $(UNIT_LIBS) -ldl
