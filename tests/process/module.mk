# Unit tests of the process state: the wrappers are linked into the test program, where they interpose just as well.
PROCESS_PARTS := wrap signals signal_calls signal_masks signal_record clocks cpu_times thread_state interruptions_io mutexes thread_timers threads_asked raw_calls interruptions timers files files_scan files_special \
	files_opened descriptors_made sockets sockets_restore terminals watches owners files_rows files_copy self_exe process process_tree children identity identity_threads
PROCESS_OBJECTS := $(PROCESS_PARTS:%=$(BUILD)/preload/%.pic.o) $(BUILD)/tests/process/copy.o \
	$(addprefix $(BUILD)/preload/base/,real.pic.o thread.pic.o log.pic.o own_heap.pic.o context.pic.o)
PROCESS_TESTS := $(addprefix $(BUILD)/unit/,process_signals_test process_waits_test process_files_test process_times_test)
UNIT_TESTS += $(PROCESS_TESTS)

$(PROCESS_TESTS): $(BUILD)/unit/%: $(BUILD)/tests/unit/%.o $(PROCESS_OBJECTS)
	@mkdir -p $(@D)
	$(CXX) $(OPT) -o $@ $^ $(UNIT_LIBS)

UNIT_TESTS += $(BUILD)/unit/process_wrapper_test
$(BUILD)/unit/process_wrapper_test: $(BUILD)/tests/unit/process_wrapper_test.o $(PROCESS_OBJECTS) \
		$(addprefix $(BUILD)/preload/,wrapper.pic.o settings.pic.o base/spec.pic.o)
	@mkdir -p $(@D)
	$(CXX) $(OPT) -o $@ $^ $(UNIT_LIBS)
