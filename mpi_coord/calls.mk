# The MPI wrappers: generated from calls.tbl and the installed mpi.h.  Included by mpi_coord/module.mk.
MPI_LIBRARY ?= /usr/lib/x86_64-linux-gnu/libmpi.so.40

CALLS_DIR := $(BUILD)/mpi_coord
CALLS_GENERATED := $(addprefix $(CALLS_DIR)/,calls.inc.cc lower_table.h holds.h predefined.h)
CALLS_OBJECT := $(CALLS_DIR)/calls.inc.pic.o
CALLS_GENERATE = mpi_coord/gen_calls.py --table mpi_coord/calls.tbl --header mpi_coord/mpi_all.h \
    --library $(MPI_LIBRARY) --output $(CALLS_DIR) --flags "$(MPI_CFLAGS)"

# The generator leaves a file alone whose text would not change, so the stamp, not the files, says when it last ran.
$(CALLS_DIR)/calls.stamp: mpi_coord/calls.tbl mpi_coord/gen_calls.py mpi_coord/mpi_all.h $(MPI_LIBRARY)
	@mkdir -p $(@D)
	$(CALLS_GENERATE)
	@touch $@
$(CALLS_GENERATED): $(CALLS_DIR)/calls.stamp
	@test -e $@ || $(CALLS_GENERATE)

$(CALLS_OBJECT): $(CALLS_DIR)/calls.inc.cc | $(CALLS_GENERATED)
	$(CXX) $(CXXFLAGS) $(MPI_CFLAGS) -fPIC -fvisibility=hidden -c -o $@ $<

# Whatever may include a generated header needs it to be there before its own dependencies are known.
CALLS_USERS := $(wildcard mpi_coord/*.cc preload/*.cc)
$(patsubst %.cc,$(BUILD)/%.o,$(CALLS_USERS)) $(patsubst %.cc,$(BUILD)/%.pic.o,$(CALLS_USERS)): | $(CALLS_GENERATED)

UNIT_TESTS += mpi_coord/calls_test.py

.PHONY: lint
lint:
	scripts/lint.py --library $(MPI_LIBRARY) --build $(BUILD) --flags "$(MPI_CFLAGS)"
