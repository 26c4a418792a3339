// The table of Fortran's numbers: every number finds its own object, numbers are used again, and readers are not
// disturbed by others that take and give.
#include "mpi_coord/fortran_numbers.h"

#include <gtest/gtest.h>

#include <set>
#include <thread>
#include <vector>

namespace {

using sckpt::mpi::Numbers;

TEST(FortranNumbers, EveryNumberFindsItsObject) {
    Numbers<int> numbers;
    std::vector<int> objects(5000);
    for (std::uint32_t i = 0; i < objects.size(); ++i) ASSERT_EQ(numbers.take(&objects[i]), i);
    for (std::uint32_t i = 0; i < objects.size(); ++i) ASSERT_EQ(numbers.find(i), &objects[i]);
}

TEST(FortranNumbers, UnknownNumbersFindNothing) {
    Numbers<int> numbers;
    EXPECT_EQ(numbers.find(0), nullptr);
    int object;
    numbers.take(&object);
    for (const std::uint32_t unknown : {1u, 63u, 64u, 1000000u, 0x7fffffffu, 0xffffffffu})
        EXPECT_EQ(numbers.find(unknown), nullptr) << unknown;
}

TEST(FortranNumbers, NumbersAreUsedAgain) {
    Numbers<int> numbers;
    std::vector<int> objects(200);
    for (int &object : objects) numbers.take(&object);
    for (std::uint32_t i = 0; i < objects.size(); i += 2) numbers.give(i);
    for (std::uint32_t i = 0; i < objects.size(); ++i) EXPECT_EQ(numbers.find(i), i % 2 ? &objects[i] : nullptr);
    std::set<std::uint32_t> again;
    for (std::uint32_t i = 0; i < objects.size(); i += 2) again.insert(numbers.take(&objects[i]));
    EXPECT_EQ(again.size(), 100u);
    EXPECT_LT(*again.rbegin(), objects.size());
    EXPECT_EQ(numbers.take(&objects[0]), objects.size());
}

TEST(FortranNumbers, ManyThreadsTakeAndGive) {
    Numbers<int> numbers;
    std::vector<std::thread> threads;
    std::atomic<int> wrong = 0;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&] {
            std::vector<int> objects(300);
            std::vector<std::uint32_t> taken(objects.size());
            for (int round = 0; round < 50; ++round) {
                for (std::size_t i = 0; i < objects.size(); ++i) taken[i] = numbers.take(&objects[i]);
                for (std::size_t i = 0; i < objects.size(); ++i) wrong += numbers.find(taken[i]) != &objects[i];
                for (const std::uint32_t number : taken) numbers.give(number);
            }
        });
    for (std::thread &thread : threads) thread.join();
    EXPECT_EQ(wrong, 0);
    int object;
    EXPECT_LT(numbers.take(&object), 1200u);
}

}  // namespace
