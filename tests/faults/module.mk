# tests/faults/: what goes wrong from outside while a job is checkpointed or restored (tests/faults.py).

FAULT_PROGRAMS := $(addprefix $(BUILD)/tests/faults/,steady endings)

$(FAULT_PROGRAMS): $(BUILD)/tests/faults/%: tests/faults/%.c $(CASE_LIB) $(wildcard tests/lib/*.h)
	@mkdir -p $(@D)
	$(MPICC) -std=gnu17 -O1 -g $(CASE_WARN) -pthread -Itests/lib -o $@ $< $(CASE_LIB) -ldl

.PHONY: check-faults
check-faults: all $(FAULT_PROGRAMS) $(CASE_DIR)/lib/libcase_plugin.so
	tests/faults.py --build $(BUILD) --again $(FAULT_ARGS)
