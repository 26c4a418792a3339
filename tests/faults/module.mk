# tests/faults/: what goes wrong from outside while a job is checkpointed or restored (tests/faults.py).

FAULT_PROGRAMS := $(addprefix $(BUILD)/tests/faults/,steady endings runs_on)
SANITIZED := $(addprefix $(BUILD)/tests/faults/runs_on_,address leak thread)
WITHOUT_MPI := $(addprefix $(BUILD)/tests/faults/runs_on_,serial static serial_thread)
FAULT_BUILD = -std=gnu17 -O1 -g $(CASE_WARN) -pthread -Itests/lib

$(FAULT_PROGRAMS): $(BUILD)/tests/faults/%: tests/faults/%.c $(CASE_LIB) $(wildcard tests/lib/*.h)
	@mkdir -p $(@D)
	$(MPICC) $(FAULT_BUILD) -o $@ $< $(CASE_LIB) -ldl
$(SANITIZED): $(BUILD)/tests/faults/runs_on_%: tests/faults/runs_on.c $(CASE_LIB)
	@mkdir -p $(@D)
	$(MPICC) $(FAULT_BUILD) -fsanitize=$* -o $@ $< $(CASE_LIB)
$(BUILD)/tests/faults/runs_on_static: FAULT_FLAGS := -static
$(BUILD)/tests/faults/runs_on_serial_thread: FAULT_FLAGS := -fsanitize=thread
$(WITHOUT_MPI): tests/faults/runs_on.c $(CASE_LIB)
	@mkdir -p $(@D)
	gcc $(FAULT_BUILD) -DWITHOUT_MPI $(FAULT_FLAGS) -o $@ $< $(CASE_LIB)

FAULT_PROGRAMS += $(SANITIZED) $(WITHOUT_MPI)
.PHONY: check-faults
check-faults: all $(FAULT_PROGRAMS) $(CASE_DIR)/lib/libcase_plugin.so
	tests/faults.py --build $(BUILD) --again $(FAULT_ARGS)
