#include "ground/aligned.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <utility>

using namespace ktc;

TEST_CASE("numbers begin with a cache line and are moved without a copy") {
    Aligned<float> first(3);
    CHECK(reinterpret_cast<std::uintptr_t>(first.data()) % 64 == 0);
    first.data()[2] = 5.0f;
    const float* at = first.data();
    const Aligned<float> second = std::move(first);
    CHECK(second.data() == at);
    CHECK(second.data()[2] == 5.0f);
    CHECK(Aligned<double>().data() == nullptr);
}
