# The SPANK plugin.  It is loaded into srun, sbatch, salloc and slurmstepd, so it brings its own C++ runtime and shows
# nothing but SPANK's symbols; slurm_* and spank_* are resolved in the program that loads it.

SPANK_PURE := $(addprefix $(BUILD)/,preload/base/spec.pic.o preload/base/executable.pic.o preload/base/unserved.pic.o \
    spank_plugin/settings.pic.o spank_plugin/restart.pic.o \
    spank_plugin/task.pic.o spank_plugin/directory.pic.o spank_plugin/run.pic.o \
    spank_plugin/pmix_socket.pic.o)
SPANK_HOST := $(addprefix $(BUILD)/spank_plugin/,plugin.pic.o options.pic.o submit.pic.o launch.pic.o step.pic.o)

PROGRAMS   += $(BUILD)/lib/spank_checkpoint.so
UNIT_TESTS += $(BUILD)/unit/spec_test $(BUILD)/unit/plugin_decisions_test $(BUILD)/unit/plugin_system_test

$(BUILD)/lib/spank_checkpoint.so: $(SPANK_HOST) $(SPANK_PURE) spank_plugin/plugin.map
	@mkdir -p $(@D)
	$(CXX) -shared -static-libstdc++ -static-libgcc -Wl,--version-script=spank_plugin/plugin.map -Wl,--as-needed \
	    -o $@ $(filter %.o,$^)

$(BUILD)/unit/spec_test: $(BUILD)/tests/unit/spec_test.o $(BUILD)/preload/base/spec.pic.o
$(BUILD)/unit/plugin_decisions_test: $(BUILD)/tests/unit/plugin_decisions_test.o $(SPANK_PURE)
$(BUILD)/unit/plugin_system_test: $(BUILD)/tests/unit/plugin_system_test.o $(SPANK_PURE)
$(BUILD)/unit/spec_test $(BUILD)/unit/plugin_decisions_test $(BUILD)/unit/plugin_system_test:
	@mkdir -p $(@D)
	$(CXX) -o $@ $(filter %.o,$^) $(UNIT_LIBS)

.PHONY: install install-plugin
install: install-plugin
install-plugin: $(BUILD)/lib/spank_checkpoint.so
	install -d $(DESTDIR)$(PREFIX)/lib/sckpt $(DESTDIR)$(PREFIX)/share/man/man8
	install -m 755 $< $(DESTDIR)$(PREFIX)/lib/sckpt/
	install -m 644 scripts/man/spank_checkpoint.8 $(DESTDIR)$(PREFIX)/share/man/man8/
	@echo 'Add to plugstack.conf: required $(PREFIX)/lib/sckpt/spank_checkpoint.so'
