# storage_hdf5/: sckpt-writer, the sckpt command, and a library for whoever reads images.

STORAGE := storage_hdf5
HDF5_CFLAGS := -isystem /usr/include/hdf5/serial
STORAGE_READER_LIBS := -lhdf5_serial -lxxhash -lpthread
STORAGE_LIBS := $(STORAGE_READER_LIBS) -luring -lhwloc
STORAGE_SOURCES := $(addprefix $(STORAGE)/,catalog.cc commit.cc durable.cc facts.cc h5.cc log.cc manifest.cc \
	manifest_read.cc names.cc open.cc pages.cc pipeline.cc plan.cc reader.cc request.cc schema.cc sink.cc table.cc text.cc writer.cc)
STORAGE_OBJECTS := $(STORAGE_SOURCES:%.cc=$(BUILD)/%.o)
SCKPT_OBJECTS := $(patsubst %.cc,$(BUILD)/%.o,$(wildcard $(STORAGE)/sckpt_*.cc))
STORAGE_LIBRARY := $(BUILD)/$(STORAGE)/libstorage.a

$(STORAGE_OBJECTS): EXTRA_CXXFLAGS := $(HDF5_CFLAGS)

$(STORAGE_LIBRARY): $(STORAGE_OBJECTS)
	rm -f $@
	ar rcs $@ $^

$(BUILD)/lib/sckpt-writer: $(BUILD)/$(STORAGE)/writer_main.o $(STORAGE_LIBRARY)
	@mkdir -p $(@D)
	$(CXX) $(OPT) -o $@ $^ $(STORAGE_LIBS)
$(BUILD)/lib/sckpt: $(SCKPT_OBJECTS) $(STORAGE_LIBRARY)
	@mkdir -p $(@D)
	$(CXX) $(OPT) -o $@ $^ $(STORAGE_READER_LIBS)
PROGRAMS += $(BUILD)/lib/sckpt-writer $(BUILD)/lib/sckpt

# Reads images through reader.h; its own rule is read before this file.
$(BUILD)/lib/sckpt-restore: $(STORAGE_LIBRARY)

STORAGE_TESTING := $(BUILD)/$(STORAGE)/testing/rank.o
STORAGE_TESTS := $(patsubst tests/unit/%.cc,$(BUILD)/unit/%,$(wildcard tests/unit/storage_*_test.cc))
$(BUILD)/tests/unit/storage_refusal_test.o: EXTRA_CXXFLAGS := $(HDF5_CFLAGS)
$(STORAGE_TESTS): $(BUILD)/unit/%: $(BUILD)/tests/unit/%.o $(STORAGE_TESTING) $(STORAGE_LIBRARY) | $(BUILD)/lib/sckpt-writer \
	$(BUILD)/lib/sckpt
	@mkdir -p $(@D)
	$(CXX) $(OPT) -o $@ $^ $(STORAGE_LIBS) $(UNIT_LIBS)
UNIT_TESTS += $(STORAGE_TESTS)
