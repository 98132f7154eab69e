#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <type_traits>

namespace ktc {

/// Calls work(0) on the calling thread and, while it runs, work(worker) on up to `helpers` other
/// threads numbered from 1; returns when all calls have returned. Helpers are optional: `work` must
/// be complete on the calling thread alone, and must not throw. Helpers sleep between calls.
/// Several threads may call at once. A forked process has helpers of its own.
void work_together(std::size_t helpers, const std::function<void(std::size_t worker)>& work);

/// Time between two calls of waiting().
inline constexpr std::chrono::milliseconds between_waits{5};

/// Calls task(i, worker) once for every i < count on up to `threads` threads, where `worker` is the
/// number of the thread. Tasks must not depend on which thread runs them. While the calling thread
/// has no task left and others run, it calls waiting() every few milliseconds.
template <class Task, class Waiting>
void run_parallel(std::size_t count, std::size_t threads, Task&& task, Waiting&& waiting) {
    threads = std::min(threads, count);
    if (threads <= 1) {
        for (std::size_t i = 0; i < count; ++i) task(i, std::size_t{0});
        return;
    }
    std::atomic<std::size_t> next{0};
    std::atomic<std::ptrdiff_t> left{static_cast<std::ptrdiff_t>(count)};
    std::exception_ptr failure;
    std::mutex failure_guard;
    const auto work = [&](std::size_t worker) {
        try {
            for (std::size_t i = next++; i < count; i = next++) {
                task(i, worker);
                --left;
            }
        } catch (...) {
            const std::lock_guard<std::mutex> lock(failure_guard);
            failure = std::current_exception();
            next = count;
            left = 0;
        }
        if constexpr (!std::is_null_pointer_v<std::remove_cvref_t<Waiting>>)
            for (; worker == 0 && left > 0; waiting()) std::this_thread::sleep_for(between_waits);
    };
    work_together(threads - 1, std::ref(work));
    if (failure) std::rethrow_exception(failure);
}

template <class Task>
void run_parallel(std::size_t count, std::size_t threads, Task&& task) {
    run_parallel(count, threads, task, nullptr);
}

}  // namespace ktc
