// A value of a table as people read it: bits of known flags by their names, as the unit of the column says.
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#include <cstdio>
#include <string_view>

#include "storage_hdf5/sckpt_command.h"
#include "storage_hdf5/text.h"

namespace sckpt::command {

namespace {

struct Bit {
    std::uint64_t bits;
    const char *name;
};

// O_SYNC and O_TMPFILE contain the bits of another flag, and come before it.
constexpr Bit kOpenBits[] = {
    {O_RDWR, "RDWR"},       {O_WRONLY, "WRONLY"},   {O_APPEND, "APPEND"},       {O_NONBLOCK, "NONBLOCK"},
    {O_SYNC, "SYNC"},       {O_DSYNC, "DSYNC"},     {O_ASYNC, "ASYNC"},         {O_DIRECT, "DIRECT"},
    {0100000, "LARGEFILE"}, {O_TMPFILE, "TMPFILE"}, {O_DIRECTORY, "DIRECTORY"}, {O_NOFOLLOW, "NOFOLLOW"},
    {O_NOATIME, "NOATIME"}, {O_CLOEXEC, "CLOEXEC"}, {O_PATH, "PATH"},
};
constexpr Bit kActionBits[] = {
    {SA_NOCLDSTOP, "NOCLDSTOP"}, {SA_NOCLDWAIT, "NOCLDWAIT"}, {SA_SIGINFO, "SIGINFO"}, {0x04000000, "RESTORER"},
    {SA_ONSTACK, "ONSTACK"},     {SA_RESTART, "RESTART"},     {SA_NODEFER, "NODEFER"}, {0x80000000, "RESETHAND"},
};

std::string names(std::uint64_t value, std::span<const Bit> bits) {
    std::string text;
    for (const auto &[bit, name] : bits) {
        if ((value & bit) != bit) continue;
        value &= ~bit;
        text += (text.empty() ? "" : "|") + std::string(name);
    }
    if (value != 0) text += (text.empty() ? "" : "|") + storage::hex(value);
    return text;
}

std::string signal_name(std::uint64_t number) {
    const char *name = number < 65 ? sigabbrev_np(static_cast<int>(number)) : nullptr;
    return name != nullptr ? name : std::to_string(number);
}

std::string signal_set(std::uint64_t bits) {
    std::string text;
    for (std::uint64_t number = 1; number <= 64; ++number)
        if ((bits >> (number - 1) & 1) != 0) text += (text.empty() ? "" : " ") + signal_name(number);
    return text.empty() ? "-" : text;
}

std::string octal(std::uint64_t value) {
    char text[32];
    std::snprintf(text, sizeof text, "0%llo", static_cast<unsigned long long>(value));
    return text;
}

std::string protection(std::uint64_t bits) {
    return {(bits & PROT_READ) != 0 ? 'r' : '-', (bits & PROT_WRITE) != 0 ? 'w' : '-',
            (bits & PROT_EXEC) != 0 ? 'x' : '-'};
}

}  // namespace

std::string cell(const nlohmann::ordered_json &value, std::string_view unit) {
    if (value.is_string()) {
        const auto &text = value.get_ref<const std::string &>();
        return text.empty() ? "-" : text;
    }
    if (!value.is_number_unsigned() && !value.is_number_integer()) return dump(value);
    const auto number = value.get<std::uint64_t>();
    if (unit == "address" || unit == "register") return storage::hex(number);
    if (unit == "O_* bits")
        return (number & O_ACCMODE) == 0 ? "RDONLY" + (number != 0 ? "|" + names(number, kOpenBits) : "")
                                         : names(number, kOpenBits);
    if (unit == "SA_* bits") return number == 0 ? "-" : names(number, kActionBits);
    if (unit == "PROT_* bits") return protection(number);
    if (unit == "st_mode" || unit == "mode bits") return octal(number);
    if (unit == "bit n-1: signal n") return signal_set(number);
    if (unit == "signal") return std::to_string(number) + " " + signal_name(number);
    if (unit == "boolean") return number != 0 ? "yes" : "no";
    if (unit.starts_with("address,") && number > 1) return storage::hex(number);
    if (unit.starts_with("address,")) return number != 0 ? "ignore" : "default";
    return dump(value);
}

}  // namespace sckpt::command
