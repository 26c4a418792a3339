# libsckpt.so: the interceptor.  It brings no library of its own into the program: the C++ runtime is linked statically
# and hidden, and its operator new is our heap (base/own_heap.h).
PRELOAD_SOURCES := $(wildcard preload/*.cc preload/base/*.cc)
PRELOAD_OBJECTS := $(patsubst %.cc,$(BUILD)/%.pic.o,$(PRELOAD_SOURCES))
$(PRELOAD_OBJECTS): EXTRA_CXXFLAGS = $(MPI_CFLAGS) -fno-exceptions -Wno-deprecated-declarations

PROGRAMS += $(BUILD)/lib/libsckpt.so
$(BUILD)/lib/libsckpt.so: $(PRELOAD_OBJECTS) $(patsubst mpi_coord/%.cc,$(BUILD)/mpi_coord/%.pic.o,$(wildcard mpi_coord/*.cc)) \
		$(BUILD)/mpi_coord/calls.inc.pic.o preload/libsckpt.map
	@mkdir -p $(@D)
	$(CXX) -shared -static-libstdc++ -static-libgcc -Wl,-z,now -Wl,-z,defs -Wl,--version-script=preload/libsckpt.map \
		-o $@ $(filter %.o,$^) -ldl

$(BUILD)/unit/slurm_state_test: $(BUILD)/tests/unit/slurm_state_test.o $(BUILD)/preload/slurm_state.o
	@mkdir -p $(@D)
	$(CXX) -o $@ $^ $(UNIT_LIBS)
UNIT_TESTS += $(BUILD)/unit/slurm_state_test

$(BUILD)/unit/process_tree_test: $(BUILD)/tests/unit/process_tree_test.o $(BUILD)/preload/process_tree.o
	@mkdir -p $(@D)
	$(CXX) -o $@ $^ $(UNIT_LIBS)
UNIT_TESTS += $(BUILD)/unit/process_tree_test

$(BUILD)/unit/smaps_test: $(BUILD)/tests/unit/smaps_test.o $(BUILD)/preload/smaps.o $(BUILD)/preload/base/maps.o
	@mkdir -p $(@D)
	$(CXX) -o $@ $^ $(UNIT_LIBS)
UNIT_TESTS += $(BUILD)/unit/smaps_test
