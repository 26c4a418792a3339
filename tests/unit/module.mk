# Unit tests of the SETTLE agreement.

SETTLE_SIM := $(BUILD)/tests/unit/settle_sim.o $(BUILD)/tests/unit/settle_scenario.o $(BUILD)/mpi_coord/settle.o
SETTLE_TESTS := $(BUILD)/unit/settle_test $(BUILD)/unit/settle_epochs_test $(BUILD)/unit/settle_counterexamples_test \
                $(BUILD)/unit/settle_random_test $(BUILD)/unit/settle_scale_test \
                $(BUILD)/unit/settle_windows_test
UNIT_TESTS += $(SETTLE_TESTS)

$(SETTLE_TESTS): $(BUILD)/unit/settle%: $(BUILD)/tests/unit/settle%.o $(SETTLE_SIM)
	@mkdir -p $(@D)
	$(CXX) $(CXXFLAGS) -o $@ $^ $(UNIT_LIBS)
