# libsckpt_lower.so: the root of the lower half's namespace.  It interposes, so everything in it is exported.
LOWER_OBJECTS := $(patsubst %.cc,$(BUILD)/%.pic.o,$(wildcard mpi_coord/lower/*.cc))
PROGRAMS += $(BUILD)/lib/libsckpt_lower.so
$(LOWER_OBJECTS): EXTRA_CXXFLAGS = -Wno-maybe-uninitialized -fvisibility=default -fno-builtin -fno-exceptions -fno-rtti -fno-optimize-sibling-calls -fno-threadsafe-statics
$(BUILD)/lib/libsckpt_lower.so: $(LOWER_OBJECTS)
	@mkdir -p $(@D)
	$(CXX) -shared -nodefaultlibs -o $@ $^ -Wl,-z,now -Wl,--no-as-needed -lmpi -Wl,--as-needed -lc -lgcc
