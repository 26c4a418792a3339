# tests/slurm/: tests on a private Slurm.  The programs that they submit are built here.
SLURM_PROGRAMS := $(addprefix $(BUILD)/tests/slurm/,counter deaf everything)

$(SLURM_PROGRAMS): $(BUILD)/tests/slurm/%: tests/slurm/%.c
	@mkdir -p $(@D)
	gcc -std=gnu17 $(OPT) $(WARN) $(MPI_CFLAGS) -o $@ $< -lmpi

$(BUILD)/tests/slurm/sanitized: tests/slurm/counter.c
	@mkdir -p $(@D)
	gcc -std=gnu17 $(OPT) $(WARN) $(MPI_CFLAGS) -fsanitize=address -o $@ $< -lmpi

# Without MPI, and not linked with it either.
$(BUILD)/tests/slurm/serial: tests/slurm/serial.c
	@mkdir -p $(@D)
	gcc -std=gnu17 $(OPT) $(WARN) -o $@ $<

.PHONY: e2e
e2e: all
	tests/slurm/e2e.py --build $(BUILD) $(E2E_ARGS)

e2e check-slurm: $(SLURM_PROGRAMS) $(addprefix $(BUILD)/tests/slurm/,serial sanitized) $(BUILD)/tests/faults/endings $(WITHOUT_MPI)
