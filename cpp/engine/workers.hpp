#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace ktc {

/// Calls task(i, worker) once for every i < count, on up to `threads` threads, worker being the
/// number of the thread. Which thread takes which i is left open: tasks must not depend on it.
template <class Task>
void run_parallel(std::size_t count, std::size_t threads, Task&& task) {
    threads = std::min(threads, count);
    if (threads <= 1) {
        for (std::size_t i = 0; i < count; ++i) task(i, std::size_t{0});
        return;
    }
    std::atomic<std::size_t> next{0};
    std::exception_ptr failure;
    std::mutex failure_guard;
    const auto work = [&](std::size_t worker) {
        try {
            for (std::size_t i = next++; i < count; i = next++) task(i, worker);
        } catch (...) {
            const std::lock_guard<std::mutex> lock(failure_guard);
            failure = std::current_exception();
            next = count;
        }
    };
    std::vector<std::thread> helpers;
    for (std::size_t worker = 1; worker < threads; ++worker) helpers.emplace_back(work, worker);
    work(0);
    for (auto& helper : helpers) helper.join();
    if (failure) std::rethrow_exception(failure);
}

}  // namespace ktc
