# tests/slurm/: tests on a private Slurm.  The program that they submit is built here.

$(BUILD)/tests/slurm/counter: tests/slurm/counter.c
	@mkdir -p $(@D)
	gcc -std=gnu17 $(OPT) $(WARN) $(MPI_CFLAGS) -o $@ $< -lmpi

.PHONY: e2e
e2e: all $(BUILD)/tests/slurm/counter
	tests/slurm/e2e.py --build $(BUILD) $(E2E_ARGS)
