# bench/: measurements, each with a native side in the same run.  `make bench` runs all of them; bench/README.md says how.

BENCH_PROGRAMS := $(BUILD)/bench/calls $(BUILD)/bench/process $(BUILD)/bench/payload $(BUILD)/bench/barriers \
	$(BUILD)/bench/objects $(BUILD)/bench/raw_write

$(addprefix $(BUILD)/bench/,calls.o payload.o barriers.o objects.o): EXTRA_CXXFLAGS := $(MPI_CFLAGS) -DOMPI_SKIP_MPICXX

$(BUILD)/bench/calls: $(BUILD)/bench/calls.o
	$(CXX) -o $@ $< -lbenchmark -lmpi -lpthread
$(BUILD)/bench/process: $(BUILD)/bench/process.o
	$(CXX) -o $@ $< -lbenchmark -lpthread
$(BUILD)/bench/payload $(BUILD)/bench/barriers $(BUILD)/bench/objects: $(BUILD)/bench/%: $(BUILD)/bench/%.o
	$(CXX) -o $@ $< -lmpi
$(BUILD)/bench/raw_write: $(BUILD)/bench/raw_write.o
	$(CXX) -o $@ $<

.PHONY: bench bench-programs
bench-programs: $(BENCH_PROGRAMS)
bench: all bench-programs
	bench/run.py --build $(BUILD) $(BENCH_ARGS)
