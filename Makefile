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

.PHONY: unit
unit: $(UNIT_TESTS)
	@set -e; for t in $(UNIT_TESTS); do echo "== $$t"; timeout 300 $$t --gtest_brief=1; done

.PHONY: clean
clean:
	rm -rf $(BUILD)

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
