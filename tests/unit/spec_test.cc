#include "preload/base/spec.h"

#include <gtest/gtest.h>

#include <random>

namespace sckpt::base {
namespace {

std::string error_of(std::string_view text) {
    const auto spec = parse_spec(text);
    return spec ? "(accepted)" : spec.error();
}

TEST(Spec, OnIsTheDefaultPolicy) {
    ASSERT_TRUE(parse_spec("on"));
    EXPECT_EQ(*parse_spec("on"), Spec{});
    EXPECT_EQ(canonical(Spec{}), "on=preempt+timelimit,keep=2,sync=no,requeue=auto,fallback=refuse,"
                                 "files=name,changed=refuse,libraries=name,children=decline");
}

TEST(Spec, OffStandsAlone) {
    ASSERT_TRUE(parse_spec("off"));
    EXPECT_FALSE(parse_spec("off")->enabled);
    EXPECT_EQ(canonical(*parse_spec("off")), "off");
    EXPECT_NE(error_of("off,keep=3").find("'off'"), std::string::npos);
    EXPECT_NE(error_of("on,off").find("'off'"), std::string::npos);
}

TEST(Spec, SlurmTimes) {
    const std::pair<const char *, std::uint64_t> times[] = {
        {"10", 600},     {"30:00", 1800},  {"0:07", 7},          {"1:00:00", 3600}, {"1-0", 86400},
        {"1-2", 93600},  {"1-2:3", 93780}, {"1-2:3:4", 93784},   {"0-0:0:1", 1},    {"600s", 600},
        {"90:90", 5490}, {"00010", 600},   {"3660-0", 316224000}};
    for (const auto &[text, seconds] : times) {
        ASSERT_TRUE(parse_spec(text)) << text << ": " << error_of(text);
        EXPECT_EQ(parse_spec(text)->interval_seconds, seconds) << text;
        const std::string keyed = std::string("interval=") + text;
        ASSERT_TRUE(parse_spec(keyed)) << keyed;
        EXPECT_EQ(parse_spec(keyed)->interval_seconds, seconds) << keyed;
    }
}

TEST(Spec, WrongTimes) {
    for (const char *text : {"10:", ":10", "1:2:3:4", "1-", "-1", "1-2-3", "1-2:3:4:5", "10m", "1:00s", "1-0s", "s",
                             "1 0", "+5", "0x10", "1.5", "10::5", "99999999999999999999"}) {
        const auto seconds = parse_slurm_time(text);
        ASSERT_FALSE(seconds) << text;
        EXPECT_TRUE(seconds.error().starts_with("is not a time")) << text << ": " << seconds.error();
    }
    for (const char *text : {"0", "0:00", "0s", "0-0"}) {
        ASSERT_FALSE(parse_slurm_time(text));
        EXPECT_NE(parse_slurm_time(text).error().find("no time at all"), std::string::npos) << text;
    }
    for (const char *text : {"3661-0", "18446744073709551615", "18446744073709551615-0", "316224001s",
                             "18446744073709551615-18446744073709551615:18446744073709551615:18446744073709551615"}) {
        ASSERT_FALSE(parse_slurm_time(text)) << text;
        EXPECT_NE(parse_slurm_time(text).error().find("ten years"), std::string::npos) << text;
    }
}

TEST(Spec, EveryKey) {
    const auto spec = parse_spec("interval=1-0,on=term+preempt,keep=7,sync=yes,requeue=hold,fallback=fresh,"
                                 "files=copy,changed=accept,libraries=copy,children=ignore");
    ASSERT_TRUE(spec) << spec.error();
    EXPECT_EQ(*spec, (Spec{.enabled = true,
                           .interval_seconds = 86400,
                           .on_preempt = true,
                           .on_timelimit = false,
                           .on_term = true,
                           .keep = 7,
                           .synchronous = true,
                           .requeue = Requeue::kHold,
                           .fallback = Fallback::kFresh,
                           .copy_files = true,
                           .changed = Changed::kAccept,
                           .copy_libraries = true,
                           .ignore_children = true}));
    EXPECT_EQ(canonical(*spec), "interval=86400s,on=preempt+term,keep=7,sync=yes,requeue=hold,fallback=fresh,"
                                "files=copy,changed=accept,libraries=copy,children=ignore");
}

TEST(Spec, ABareWordMayBeFollowedByKeys) {
    EXPECT_EQ(parse_spec("on,keep=3")->keep, 3u);
    EXPECT_EQ(parse_spec("10,on=none")->interval_seconds, 600u);
    EXPECT_FALSE(parse_spec("10,on=none")->on_preempt);
}

TEST(Spec, EveryErrorNamesTheWordAndWhatIsAllowed) {
    const struct {
        const char *text, *word, *allowed;
    } cases[] = {
        {"", "missing", "allowed: on"},
        {"on,", "missing", "allowed: on"},
        {",on", "''", "allowed:"},
        {"on,,keep=1", "''", "allowed:"},
        {"yes", "'yes'", "allowed:"},
        {"ON", "'ON'", "allowed:"},
        {"keep=1,on", "'on'", "allowed:"},
        {"keep=1,10", "'10'", "allowed:"},
        {"often=1", "'often'", "interval=, on=, keep="},
        {"=1", "''", "interval=, on=, keep="},
        {"interval=soon", "'soon'", "minutes:seconds"},
        {"interval=", "''", "minutes:seconds"},
        {"on=", "''", "preempt, timelimit, term"},
        {"on=preempt+", "'preempt+'", "preempt, timelimit, term"},
        {"on=+preempt", "''", "preempt, timelimit, term"},
        {"on=preempt+none", "'none'", "or none"},
        {"keep=0", "'0'", "1 to 1000"},
        {"keep=1001", "'1001'", "1 to 1000"},
        {"keep=-1", "'-1'", "1 to 1000"},
        {"keep=2x", "'2x'", "1 to 1000"},
        {"sync=maybe", "'maybe'", "yes, no"},
        {"requeue=no", "'no'", "auto, hold"},
        {"fallback=retry", "'retry'", "refuse, fresh"},
        {"files=yes", "'yes'", "name, copy"},
        {"changed=", "''", "refuse, accept"},
        {"keep=1,keep=2", "'keep'", "twice"},
        {"10,interval=5", "'interval'", "twice"},
        {"on\n", "control character", "words joined by commas"},
        {"keep=1\x7f", "control character", "words joined by commas"},
    };
    for (const auto &c : cases) {
        const std::string sentence = error_of(c.text);
        EXPECT_TRUE(sentence.starts_with("checkpoint SPEC: ")) << c.text << ": " << sentence;
        EXPECT_NE(sentence.find(c.word), std::string::npos) << c.text << ": " << sentence;
        EXPECT_NE(sentence.find(c.allowed), std::string::npos) << c.text << ": " << sentence;
    }
    EXPECT_NE(error_of(std::string_view("on\0", 3)).find("control character"), std::string::npos);
}

TEST(Spec, LengthIsBoundedAndMessagesStayShort) {
    std::string text = "on=preempt";
    while (text.size() + 8 <= kSpecMaximum) text += "+preempt";
    EXPECT_TRUE(parse_spec(text));
    EXPECT_NE(error_of(text + std::string(kSpecMaximum, 'x')).find("at most 4096"), std::string::npos);
    EXPECT_LT(error_of(std::string(kSpecMaximum, 'x')).size(), 300u);
}

TEST(Spec, CanonicalTextIsAFixedPoint) {
    for (unsigned bits = 0; bits < 256; ++bits) {
        for (const std::uint64_t interval :
             {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{600}, kIntervalMaximum}) {
            const Spec spec{.enabled = true,
                            .interval_seconds = interval,
                            .on_preempt = (bits & 1) != 0,
                            .on_timelimit = (bits & 2) != 0,
                            .on_term = (bits & 4) != 0,
                            .keep = 1 + bits,
                            .synchronous = (bits & 8) != 0,
                            .requeue = (bits & 16) != 0 ? Requeue::kHold : Requeue::kAuto,
                            .fallback = (bits & 32) != 0 ? Fallback::kFresh : Fallback::kRefuse,
                            .copy_files = (bits & 64) != 0,
                            .changed = (bits & 128) != 0 ? Changed::kAccept : Changed::kRefuse};
            const auto again = parse_spec(canonical(spec));
            ASSERT_TRUE(again) << again.error();
            EXPECT_EQ(*again, spec) << canonical(spec);
        }
    }
}

// Whatever is accepted has a canonical text that means the same; nothing crashes on the rest.
TEST(Spec, RandomWords) {
    std::mt19937 random(1);
    const char *pieces[] = {"on", "off", "=",        ",", "+",    "preempt", "keep", "1", "0",
                            ":",  "-",   "interval", "s", "none", "sync",    "yes",  "\t"};
    int accepted = 0;
    for (int i = 0; i < 20000; ++i) {
        std::string text;
        for (unsigned n = random() % 8; n > 0; --n) text += pieces[random() % std::size(pieces)];
        if (const auto spec = parse_spec(text)) {
            ++accepted;
            ASSERT_EQ(parse_spec(canonical(*spec)), spec) << text;
        }
    }
    EXPECT_GT(accepted, 100);
}

}  // namespace
}  // namespace sckpt::base
