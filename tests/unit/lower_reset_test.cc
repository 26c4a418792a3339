// The lower half and its reset, in a process without MPI_Init.  One process, loaded once: tests that end it are death
// tests, and every other one leaves it as a reset does.
#include <dirent.h>
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <limits.h>
#include <link.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "mpi_coord/half.h"
#include "mpi_coord/lower/abi.h"
#include "preload/base/real.h"
#include "preload/base/thread.h"

namespace sckpt {

// Of preload/stop.cc, which nothing here stops with.
void attend_entry() {}
void attend_exit() {}
void park_if_stopping() {}

namespace mpi {
namespace {

constexpr char kHost[] = "host-of-the-pristine-copy";
bool host_renamed = false;

template <class Function>
Function *lower(const char *name) {
    return reinterpret_cast<Function *>(lower_symbol(name));
}

bool in_arena(const void *address) {
    const auto number = reinterpret_cast<std::uint64_t>(address);
    return number >= SCKPT_ARENA && number < SCKPT_ARENA + SCKPT_ARENA_SIZE;
}

std::string build_directory() {
    const std::string program = std::filesystem::read_symlink("/proc/self/exe");
    return program.substr(0, program.rfind("/unit/"));
}
std::string component_path() { return build_directory() + "/tests/unit/liblower_component.so"; }

// The component, loaded as the lower half loads its own.
struct Component {
    void *handle = lower<void *(const char *, int)>("dlopen")(component_path().c_str(), RTLD_NOW | RTLD_GLOBAL);
    template <class Function>
    Function *find(const char *name) const {
        return reinterpret_cast<Function *>(dlsym(handle, name));
    }
};

class LowerReset : public testing::Test {
protected:
    static void SetUpTestSuite() {
        if (lower_half_loaded()) return;
        setenv("OMPI_MCA_memory", "patcher", 1);
        setenv("UCX_MEM_MMAP_HOOK_MODE", "bistro", 1);
        // In a namespace of its own, as nobody else must see the name.
        host_renamed = unshare(CLONE_NEWUTS) == 0 && sethostname(kHost, strlen(kHost)) == 0;
        real::find_all();
        find_control_block();
        const auto loaded = load_lower_half((build_directory() + "/lib").c_str());
        ASSERT_TRUE(loaded.has_value()) << loaded.error();
    }
    static void reset() {
        reset_lower_memory();
        reset_lower_thread();
        clear_lower_helpers();
    }
};

TEST_F(LowerReset, GlobalScopeInANamespaceDoesNotCrash) {
    const Component component;
    ASSERT_NE(component.handle, nullptr) << lower<const char *()>("sckpt_lower_error")();
    // From inside the lower half, too, where it is our dlopen that answers.
    EXPECT_NE(component.find<void *(const char *, int)>("component_open")("libm.so.6", RTLD_LAZY | RTLD_GLOBAL), nullptr);
}

TEST_F(LowerReset, LibrariesAreLookedForInTheLowerNamespace) {
    const Component component;
    Lmid_t where = LM_ID_BASE;
    ASSERT_EQ(dlinfo(component.handle, RTLD_DI_LMID, &where), 0);
    EXPECT_NE(where, LM_ID_BASE);
    int libraries = 0, of_base = 0;
    struct Count {
        int *libraries, *of_base;
    } count{&libraries, &of_base};
    lower<decltype(sckpt_lower_iterate)>("sckpt_lower_iterate")(
        [](dl_phdr_info *info, size_t, void *data) {
            auto *counted = static_cast<Count *>(data);
            ++*counted->libraries;
            *counted->of_base += strstr(info->dlpi_name, "libgtest") != nullptr;
            return 0;
        },
        &count);
    EXPECT_GT(libraries, 20);
    EXPECT_EQ(of_base, 0) << "the libraries of the base namespace would be reset";
}

TEST_F(LowerReset, DataIsPristineAgain) {
    const Component component;
    int *data = component.find<int>("component_data");
    ASSERT_EQ(*data, 1);
    *data = 100;
    auto *shown = lower<int>("opterr");  // of the lower libc
    ASSERT_NE(shown, nullptr);
    const int before = *shown;
    *shown = before + 1;
    reset();
    EXPECT_EQ(*data, 1);
    EXPECT_EQ(*shown, before);
}

TEST_F(LowerReset, ThreadLocalDataIsPristineAgainInEveryThread) {
    const Component component;
    auto *address = component.find<int *()>("component_local_address");
    auto *lower_errno = lower<int *()>("__errno_location");
    ASSERT_NE(lower_errno(), &errno) << "both halves share one libc";
    auto change_and_reset = [&](auto *reset_here) {
        start_lower_thread();
        *address() = 50;
        *lower_errno() = 77;
        reset_here();
        EXPECT_EQ(*address(), 2);
        EXPECT_EQ(*lower_errno(), 0);
    };
    std::thread(change_and_reset, reset_lower_thread).join();
    change_and_reset(+[] { reset(); });
}

TEST_F(LowerReset, TheArenaIsDroppedButNotWhatConstructorsOfLateLibrariesMade) {
    const Component component;
    auto *allocate = lower<void *(size_t)>("malloc");
    auto *map = lower<void *(void *, size_t, int, int, int, off_t)>("mmap");
    void *block = allocate(1000), *large = allocate(10 << 20);
    ASSERT_TRUE(in_arena(block) && in_arena(large));
    memset(large, 1, 10 << 20);
    void *mapped = map(nullptr, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT_TRUE(in_arena(mapped));
    const char *kept = component.find<const char *()>("component_allocated")();
    EXPECT_TRUE(in_arena(kept));
    reset();
    EXPECT_STREQ(component.find<const char *()>("component_allocated")(), "by the constructor");
    EXPECT_EQ(component.find<const char *()>("component_allocated")(), kept);
    // The same addresses are given again, and what is given is clean.
    EXPECT_EQ(allocate(1000), block);
    char *again = static_cast<char *>(allocate(10 << 20));
    EXPECT_EQ(again, large);
    EXPECT_EQ(std::count(again, again + (10 << 20), 1), 0);
    reset();
}

TEST_F(LowerReset, KeysOfTheLowerHalfAreGivenBack) {
    const Component component;
    auto free_keys = [] {
        std::vector<pthread_key_t> keys(PTHREAD_KEYS_MAX);
        size_t count = 0;
        while (count < keys.size() && pthread_key_create(&keys[count], nullptr) == 0) ++count;
        for (size_t i = 0; i < count; ++i) pthread_key_delete(keys[i]);
        return count;
    };
    const size_t before = free_keys();
    auto *make_key = component.find<int()>("component_make_key");
    for (int i = 0; i < 3; ++i) ASSERT_GE(make_key(), 0);
    ASSERT_EQ(free_keys(), before - 3);
    reset();
    EXPECT_EQ(free_keys(), before);
}

TEST_F(LowerReset, AKeyHasOneOwnerInBothHalves) {
    const Component component;
    const int key = component.find<int()>("component_make_key")();
    ASSERT_GE(key, 0);
    EXPECT_EQ(lower<int(pthread_key_t, const void *)>("pthread_setspecific")(static_cast<pthread_key_t>(key), &key), 0);
    EXPECT_EQ(pthread_getspecific(static_cast<pthread_key_t>(key)), &key);
    reset();
}

TEST_F(LowerReset, NothingMayPatchCode) {
    auto *variable = lower<const char *(const char *)>("getenv");
    for (int round = 0; round < 2; ++round) {
        EXPECT_STREQ(variable("OMPI_MCA_memory"), "^patcher") << "set by the user, and dangerous";
        EXPECT_STREQ(variable("OMPI_MCA_patcher"), "^overwrite");
        EXPECT_STREQ(variable("UCX_MEM_MMAP_HOOK_MODE"), "none");
        EXPECT_EQ(variable("LD_PRELOAD"), nullptr);
        reset();
        setenv("LD_PRELOAD", "libsckpt.so", 1);
        set_lower_environment(environ);
        unsetenv("LD_PRELOAD");
    }
}

TEST_F(LowerReset, TheEnvironmentIsThatOfTheNewStart) {
    auto *variable = lower<const char *(const char *)>("getenv");
    for (const char *value : {"first", "second", "third"}) {
        setenv("SCKPT_TEST_START", value, 1);
        reset();
        set_lower_environment(environ);
        EXPECT_STREQ(variable("SCKPT_TEST_START"), value);
    }
    unsetenv("SCKPT_TEST_START");
}

TEST_F(LowerReset, NoConstructorKeepsWhereItRan) {
    std::string left_out;
    lower<decltype(sckpt_lower_iterate)>("sckpt_lower_iterate")(
        [](dl_phdr_info *info, size_t, void *data) {
            for (const char *part : {"libucp", "libuct", "libucs", "libfabric", "libpsm", "libibverbs", "libX11"})
                if (strstr(info->dlpi_name, part)) *static_cast<std::string *>(data) += std::string(info->dlpi_name) + ' ';
            return 0;
        },
        &left_out);
    EXPECT_EQ(left_out, "") << "their constructors keep the process id and the host name";
    if (!host_renamed) GTEST_SKIP() << "the host cannot be renamed here: not root";
    for (const Segment &segment : lower_segments())
        EXPECT_EQ(memmem(segment.copy, segment.size, kHost, strlen(kHost)), nullptr)
            << "the host name is in the pristine copy of the data at " << static_cast<void *>(segment.start);
}

TEST_F(LowerReset, ExitIsThatOfTheProgramAndFlushesBothLibcs) {
    auto leave = [] {
        if (dup2(2, 1) != 1) _exit(1);
        atexit([] { (void)!write(2, "handler of the program ", 23); });
        lower<int(const char *, ...)>("printf")("unflushed of the lower half ");
        printf("unflushed of the program");
        lower<void(int)>("exit")(9);
    };
    EXPECT_EXIT(leave(), testing::ExitedWithCode(9),
                "unflushed of the lower half handler of the program unflushed of the program");
}

TEST_F(LowerReset, FortyTimesWithoutGrowth) {
    auto count = [](const char *path) {
        DIR *directory = opendir(path);
        int entries = 0;
        while (readdir(directory)) ++entries;
        closedir(directory);
        return entries;
    };
    auto mappings = [] {
        std::ifstream maps("/proc/self/maps");
        return std::count(std::istreambuf_iterator<char>(maps), {}, '\n');
    };
    reset();
    const auto maps = mappings();
    const int descriptors = count("/proc/self/fd");
    for (int i = 0; i < 40; ++i) {
        reset();
        set_lower_environment(environ);
    }
    EXPECT_LE(mappings(), maps + 1);
    EXPECT_EQ(count("/proc/self/fd"), descriptors);
}

}  // namespace
}  // namespace mpi
}  // namespace sckpt
