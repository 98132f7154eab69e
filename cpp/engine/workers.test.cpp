#include "engine/workers.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <initializer_list>
#include <new>
#include <stdexcept>
#include <vector>

using namespace ktc;

TEST_CASE("every task is done once, by workers that are numbered") {
    for (const std::size_t threads : {0, 1, 2, 5}) {
        std::vector<int> done(1000);
        std::atomic<std::size_t> largest{0};
        run_parallel(done.size(), threads, [&](std::size_t index, std::size_t worker) {
            ++done[index];
            std::size_t seen = largest;
            while (worker > seen && !largest.compare_exchange_weak(seen, worker)) {
            }
        });
        CHECK(done == std::vector<int>(1000, 1));
        CHECK(largest < std::max<std::size_t>(threads, 1));
    }
    run_parallel(0, 4, [](std::size_t, std::size_t) { FAIL("there is no task"); });
}

TEST_CASE("an error of a task reaches the caller, and the workers stay usable") {
    for (const std::size_t threads : {1, 3}) {
        CHECK_THROWS_AS(run_parallel(100, threads,
                                     [](std::size_t index, std::size_t) {
                                         if (index == 42) throw std::domain_error("task");
                                     }),
                        std::domain_error);
        std::atomic<int> calls{0};
        run_parallel(10, threads, [&](std::size_t, std::size_t) { ++calls; });
        CHECK(calls == 10);
    }
}

TEST_CASE("the caller is told while it waits for others") {
    const std::thread::id caller = std::this_thread::get_id();
    std::atomic<bool> waited{false}, helped{false};
    for (int attempt = 0; attempt < 100 && !waited; ++attempt)
        run_parallel(
            2, 2,
            [&](std::size_t, std::size_t worker) {
                // The helper's task ends after the caller has begun to wait.
                if (worker == 0) return;
                helped = true;
                for (int k = 0; k < 1000 && !waited; ++k)
                    std::this_thread::sleep_for(std::chrono::milliseconds(1));
            },
            [&] {
                CHECK(std::this_thread::get_id() == caller);
                waited = true;
            });
    CHECK(waited == helped);
}

TEST_CASE("calls may be nested and made from several threads at once") {
    std::atomic<int> calls{0};
    const auto outer = [&] {
        run_parallel(8, 4, [&](std::size_t, std::size_t) {
            run_parallel(8, 4, [&](std::size_t, std::size_t) { ++calls; });
        });
    };
    std::thread other(outer);
    outer();
    other.join();
    CHECK(calls == 128);
}

// Sanitizers bring an allocator of their own, which must not be replaced.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
namespace {

/// While it exists, this thread gets no memory.
struct OutOfMemory {
    OutOfMemory() { now = true; }
    ~OutOfMemory() { now = false; }
    OutOfMemory(const OutOfMemory&) = delete;
    OutOfMemory& operator=(const OutOfMemory&) = delete;
    static inline thread_local bool now = false;
};

}  // namespace

// The whole test program allocates here, so that a test can run out of memory.
void* operator new(std::size_t size) {
    void* const place = OutOfMemory::now ? nullptr : std::malloc(size > 0 ? size : 1);
    if (place == nullptr) throw std::bad_alloc();
    return place;
}
void operator delete(void* place) noexcept { std::free(place); }
void operator delete(void* place, std::size_t) noexcept { std::free(place); }

TEST_CASE("no memory for more helpers leaves the work to those that there are") {
    std::atomic<int> calls{0};
    const auto call = [&](std::size_t, std::size_t) { ++calls; };
    run_parallel(8, 2, call);
    {
        const OutOfMemory none;
        run_parallel(500, 400, call);
    }
    CHECK(calls == 508);
    run_parallel(500, 400, call);
    CHECK(calls == 1008);
}
#endif
