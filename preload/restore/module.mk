# sckpt-restore, and the restorer that it embeds.

RESTORE := preload/restore
RESTORE_LIB_SOURCES := $(addprefix $(RESTORE)/,checks.cc elf.cc files_check.cc launch.cc limits.cc maps.cc match.cc \
	plan.cc request.cc restorer_blob.cc source_hdf5.cc vdso.cc)
RESTORE_OBJECTS := $(RESTORE_LIB_SOURCES:%.cc=$(BUILD)/%.o) $(addprefix $(BUILD)/preload/base/,maps.o spec.o)

# No libc, no stack protector (the FS register changes under it), nothing that would need a relocation.
RESTORER_FLAGS := -ffreestanding -fPIE -fvisibility=hidden -fno-stack-protector -fno-exceptions -fno-rtti \
	-fno-asynchronous-unwind-tables -fcf-protection=none -fno-jump-tables -fno-tree-loop-distribute-patterns
RESTORER := $(BUILD)/$(RESTORE)/restorer

$(RESTORER).o: $(RESTORE)/restorer.cc
	@mkdir -p $(@D)
	$(CXX) $(STD) -O2 $(WARN) -I. -MMD -MP $(RESTORER_FLAGS) -c -o $@ $<
$(RESTORER).bin: $(RESTORER).o $(RESTORE)/restorer.ld
	ld -pie --no-dynamic-linker -z norelro --no-warn-rwx-segments -T $(RESTORE)/restorer.ld -o $(RESTORER).elf $<
	@! readelf -rW $(RESTORER).elf 2>/dev/null | grep R_X86_64 || { echo "error: the restorer has relocations"; exit 1; }
	@! nm -u $(RESTORER).elf | grep . || { echo "error: the restorer has undefined symbols"; exit 1; }
	objcopy -O binary -j .text $(RESTORER).elf $@
$(BUILD)/$(RESTORE)/restorer_blob.o: EXTRA_CXXFLAGS := -Wa,-I$(BUILD)/$(RESTORE)
$(BUILD)/$(RESTORE)/restorer_blob.o: $(RESTORER).bin

# storage_hdf5/module.mk adds its library to these.
$(BUILD)/lib/sckpt-restore: $(BUILD)/$(RESTORE)/main.o $(RESTORE_OBJECTS)
	@mkdir -p $(@D)
	$(CXX) $(OPT) -o $@ $^ $(STORAGE_READER_LIBS)
PROGRAMS += $(BUILD)/lib/sckpt-restore

RESTORE_TESTING := $(addprefix $(BUILD)/$(RESTORE)/testing/,snapshot.o victim.o) $(BUILD)/preload/base/context.o
$(BUILD)/unit/restore_launch_test: $(BUILD)/tests/unit/restore_launch_test.o $(RESTORE_TESTING) \
	$(addprefix $(BUILD)/$(RESTORE)/,launch.o maps.o plan.o restorer_blob.o vdso.o) $(BUILD)/preload/base/maps.o
	@mkdir -p $(@D)
	$(CXX) $(OPT) -o $@ $^ -lgtest -lpthread
UNIT_TESTS += $(BUILD)/unit/restore_launch_test

$(BUILD)/unit/restore_vdso_test: $(BUILD)/tests/unit/restore_vdso_test.o \
	$(addprefix $(BUILD)/$(RESTORE)/,maps.o plan.o vdso.o) $(BUILD)/preload/base/maps.o
	@mkdir -p $(@D)
	$(CXX) $(OPT) -o $@ $^ $(UNIT_LIBS)
UNIT_TESTS += $(BUILD)/unit/restore_vdso_test

$(BUILD)/unit/restore_plan_test: $(BUILD)/tests/unit/restore_plan_test.o $(BUILD)/$(RESTORE)/plan.o
	@mkdir -p $(@D)
	$(CXX) $(OPT) -o $@ $^ $(UNIT_LIBS)
UNIT_TESTS += $(BUILD)/unit/restore_plan_test

$(BUILD)/unit/restore_checks_test: $(BUILD)/tests/unit/restore_checks_test.o \
	$(addprefix $(BUILD)/$(RESTORE)/,checks.o elf.o files_check.o limits.o maps.o match.o request.o) $(addprefix $(BUILD)/preload/base/,maps.o spec.o)
	@mkdir -p $(@D)
	$(CXX) $(OPT) -o $@ $^ $(UNIT_LIBS)
UNIT_TESTS += $(BUILD)/unit/restore_checks_test

$(BUILD)/unit/restore_image_test: $(BUILD)/tests/unit/restore_image_test.o $(RESTORE_TESTING) $(addprefix $(BUILD)/$(RESTORE)/,maps.o plan.o) $(BUILD)/preload/base/maps.o \
	| $(BUILD)/lib/sckpt-restore $(BUILD)/lib/sckpt-writer
	@mkdir -p $(@D)
	$(CXX) $(OPT) -o $@ $^ -lgtest -lpthread
UNIT_TESTS += $(BUILD)/unit/restore_image_test
