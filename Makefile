# sckpt: transparent checkpoints for MPI jobs under Slurm.  `make help` lists the targets.
# Each directory says in its module.mk what it builds; this file holds what they share.

BUILD    ?= build
PREFIX   ?= /usr/local
CXX      ?= g++
OPT      ?= -O2 -g
WARN     := -Wall -Wextra -Werror
STD      := -std=c++23
# Paths in messages and debug information do not depend on where the tree lies.
CXXFLAGS += $(STD) $(OPT) $(WARN) -I. -I$(BUILD) -MMD -MP
MPI_CFLAGS := -isystem /usr/lib/x86_64-linux-gnu/openmpi/include
UNIT_LIBS := -lgtest -lgtest_main -lpthread

PROGRAMS :=
UNIT_TESTS :=
CLEAN_FIRST :=

.PHONY: all
all:

include $(sort $(wildcard */module.mk */*/module.mk))

all: $(PROGRAMS)

# Objects that go into programs; position-independent ones (for what is loaded into other programs) end in .pic.o
$(BUILD)/%.o: %.cc
	@mkdir -p $(@D)
	$(CXX) $(CXXFLAGS) $(EXTRA_CXXFLAGS) -c -o $@ $<
$(BUILD)/%.pic.o: %.cc
	@mkdir -p $(@D)
	$(CXX) $(CXXFLAGS) -fPIC -fvisibility=hidden $(EXTRA_CXXFLAGS) -c -o $@ $<

# --- tests

JOBS ?= $(shell nproc)

.PHONY: unit
unit: $(UNIT_TESTS)
	@set -e; for t in $(UNIT_TESTS); do echo "== $$t"; \
	    case $$t in *.py) timeout 300 $$t ;; *) timeout 300 $$t --gtest_brief=1 ;; esac; done

# The agreement's model, all of it: some minutes, 4 GiB for each of two searches.  `make test` has the quick part.
.PHONY: model check-model
model:
	tests/model/run.py --build $(BUILD) $(MODEL_ARGS)
check-model:
	tests/model/run.py --build $(BUILD) --jobs $(JOBS) --quick

# The corpus: every case plain, with a checkpoint, restarted, restarted twice (tests/run.py --help).
.PHONY: check-cases
check-cases: all cases
	tests/run.py --build $(BUILD) --jobs $(JOBS) --again $(CASE_ARGS)

# On a private Slurm that the tests start themselves.
.PHONY: check-slurm
check-slurm: all $(BUILD)/tests/slurm/counter
	tests/slurm/demo_test.py
	timeout 400 tests/slurm/minislurm_test.sh
	timeout 600 tests/slurm/plugin_test.sh
	tests/slurm/e2e.py --build $(BUILD) --again $(E2E_ARGS)

# Everything; at most 30 minutes on two cores.  Each part says how to repeat what failed.
.PHONY: test
test:
	+$(MAKE) -j$(JOBS) all cases $(UNIT_TESTS) $(BUILD)/tests/slurm/counter
	+$(MAKE) lint unit check-model
	+$(MAKE) check-slurm
	+$(MAKE) check-faults
	+$(MAKE) check-cases

.PHONY: demo
demo: deps
	+$(MAKE) -j$(JOBS) all
	scripts/demo $(DEMO_ARGS)

# --- setting up

.PHONY: deps
deps:
	scripts/deps

.PHONY: install-programs
install: install-programs
install-programs: all
	install -d $(DESTDIR)$(PREFIX)/lib/sckpt $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/include $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 755 $(addprefix $(BUILD)/lib/,libsckpt.so libsckpt_lower.so sckpt sckpt-writer sckpt-restore) $(DESTDIR)$(PREFIX)/lib/sckpt/
	ln -sf ../lib/sckpt/sckpt $(DESTDIR)$(PREFIX)/bin/sckpt
	install -m 644 preload/sckpt.h $(DESTDIR)$(PREFIX)/include/
	install -m 644 scripts/man/sckpt.1 $(DESTDIR)$(PREFIX)/share/man/man1/

.PHONY: format
format:
	clang-format -i $(shell git ls-files '*.cc' '*.h')

.PHONY: clean
clean:
	rm -rf $(BUILD)

.PHONY: help
help:
	@echo 'make            build everything into $(BUILD)/lib'
	@echo 'make deps       install the Debian packages that are missing (scripts/packages.txt)'
	@echo 'make demo       a preempted LAMMPS job comes back by itself, on a private Slurm'
	@echo 'make test       all tests: lint, unit, check-model, check-slurm, check-faults, check-cases'
	@echo 'make model      every state of the agreement (spin): minutes, 8 GiB'
	@echo 'make bench      measurements against native in the same run'
	@echo 'make install    PREFIX=$(PREFIX), DESTDIR'
	@echo 'make format     clang-format'

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
