# The case corpus: one program per feature, run by tests/run.py.  `make cases` builds all of them.
# They are the programs of users: built by MPI's own compiler wrappers, without a trace of sckpt.
MPICC    ?= mpicc
MPICXX   ?= mpicxx
MPIFORT  ?= mpifort
CASE_DIR := $(BUILD)/cases
CASE_WARN := -Wall -Wextra -Werror
CASE_C   := $(basename $(notdir $(wildcard tests/cases/*.c)))
CASE_CC  := $(basename $(notdir $(wildcard tests/cases/*.cc)))
CASE_F90 := $(basename $(notdir $(wildcard tests/cases/*.f90)))
CASES    := $(addprefix $(CASE_DIR)/,$(CASE_C) $(CASE_CC) $(CASE_F90))
CASE_LIB := $(CASE_DIR)/lib/testcase.o

.PHONY: cases
cases: $(CASES) $(CASE_DIR)/lib/libcase_plugin.so $(addprefix $(CASE_DIR)/lib/libcase_static_tls,256.so 16.so)

$(CASE_LIB): tests/lib/testcase.c tests/lib/testcase.h
	@mkdir -p $(@D)
	gcc -std=gnu17 -O1 -g $(CASE_WARN) -c -o $@ $<

$(CASE_DIR)/lib/libcase_plugin.so: tests/cases/plugin/plugin.c
	@mkdir -p $(@D)
	gcc -std=gnu17 -O1 -g $(CASE_WARN) -fPIC -shared -o $@ $<

$(CASE_DIR)/lib/libcase_static_tls%.so: tests/cases/plugin/static_tls.c
	@mkdir -p $(@D)
	gcc -std=gnu17 -O1 -g $(CASE_WARN) -DBYTES=$* -fPIC -shared -o $@ $<

$(CASE_DIR)/lib/testcase.mod.o: tests/lib/testcase.f90
	@mkdir -p $(@D)
	$(MPIFORT) -O1 -g $(CASE_WARN) -J$(@D) -c -o $@ $<

$(addprefix $(CASE_DIR)/,$(CASE_C)): $(CASE_DIR)/%: tests/cases/%.c $(CASE_LIB) $(wildcard tests/lib/*.h)
	@mkdir -p $(@D)
	$(MPICC) -std=gnu17 -O1 -g $(CASE_WARN) -pthread -Itests/lib $(CASE_FLAGS) -o $@ $< $(CASE_LIB) -ldl -lm -lrt

$(addprefix $(CASE_DIR)/,$(CASE_CC)): $(CASE_DIR)/%: tests/cases/%.cc $(CASE_LIB) $(wildcard tests/lib/*.h)
	@mkdir -p $(@D)
	$(MPICXX) -std=c++20 -O1 -g $(CASE_WARN) -Wno-cast-function-type -pthread -Itests/lib $(CASE_FLAGS) -o $@ $< $(CASE_LIB) -ldl

$(addprefix $(CASE_DIR)/,$(CASE_F90)): $(CASE_DIR)/%: tests/cases/%.f90 $(CASE_DIR)/lib/testcase.mod.o $(CASE_LIB)
	@mkdir -p $(@D)
	$(MPIFORT) -O1 -g $(CASE_WARN) -Wno-compare-reals $(CASE_FLAGS) -I$(CASE_DIR)/lib -J$(CASE_DIR)/lib -o $@ $< $(CASE_DIR)/lib/testcase.mod.o $(CASE_LIB)

$(CASE_DIR)/openmp_funneled: CASE_FLAGS := -fopenmp
$(CASE_DIR)/sanitized_undefined: CASE_FLAGS := -fsanitize=undefined
$(CASE_DIR)/call_checkpoint: CASE_FLAGS := -I.
# Handles and environ are then copied into the executable.
$(CASE_DIR)/no_pie: CASE_FLAGS := -no-pie -fno-pie
# mpif.h has no interfaces: buffers of different types look like a mistake to the compiler.
$(CASE_DIR)/fortran_mpifh: CASE_FLAGS := -w -fallow-argument-mismatch
# It must not be linked with MPI.
$(CASE_DIR)/dlopen_mpi: MPICC := gcc -isystem /usr/lib/x86_64-linux-gnu/openmpi/include
$(CASE_DIR)/lib/libcase_profiler.so: tests/cases/plugin/profiler.c
	@mkdir -p $(@D)
	$(MPICC) -std=gnu17 -O1 -g $(CASE_WARN) -fPIC -shared -o $@ $<
$(CASE_DIR)/lib/libcase_preloaded.so: tests/cases/plugin/preloaded.c
	@mkdir -p $(@D)
	$(MPICC) -std=gnu17 -O1 -g $(CASE_WARN) -fPIC -shared -o $@ $< -ldl
$(CASE_DIR)/preloaded: $(CASE_DIR)/lib/libcase_preloaded.so
# A copy of the C++ runtime, as programs bring it that were built elsewhere.
$(CASE_DIR)/lib/own_runtime/libstdc++.so.6:
	@mkdir -p $(@D)
	cp $(shell $(CXX) -print-file-name=libstdc++.so.6) $@
$(CASE_DIR)/cxx_own_runtime: $(CASE_DIR)/lib/own_runtime/libstdc++.so.6
$(CASE_DIR)/cxx_own_runtime: CASE_FLAGS := -Wl,--disable-new-dtags,-rpath,$(abspath $(CASE_DIR)/lib/own_runtime)
$(CASE_DIR)/profiled: $(CASE_DIR)/lib/libcase_profiler.so
$(CASE_DIR)/profiled: CASE_FLAGS := -L$(CASE_DIR)/lib -Wl,-rpath,$(abspath $(CASE_DIR)/lib) -Wl,--no-as-needed -lcase_profiler
