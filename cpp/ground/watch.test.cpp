#include "ground/watch.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <functional>
#include <thread>

using namespace ktc;

TEST_CASE("a watch asks a few dozen times a second, until it is told to stop") {
    int asked = 0;
    const std::function<bool()> keep_going = [&] { return ++asked < 2; };
    Watch watch(keep_going);
    watch.look();
    CHECK(asked == 0);  // too soon
    while (!watch.stopped()) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        watch.look();
    }
    CHECK(asked == 2);
    watch.look();
    CHECK(asked == 2);
}

TEST_CASE("other threads see the answer and do not ask") {
    int asked = 0;
    const std::function<bool()> keep_going = [&] { return ++asked < 1; };
    Watch watch(keep_going);
    std::thread([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(40));
        CHECK(watch.due());
        watch.look();
        CHECK_FALSE(watch.stopped());
    }).join();
    CHECK(asked == 0);
    watch.look();
    std::thread([&] { CHECK(watch.stopped()); }).join();
}

TEST_CASE("without a question nothing stops") {
    const std::function<bool()> none;
    Watch watch(none);
    std::this_thread::sleep_for(std::chrono::milliseconds(40));
    watch.look();
    CHECK_FALSE(watch.stopped());
}
