#include "engine/workers.hpp"

#include <cfenv>
#include <condition_variable>
#include <exception>
#include <vector>

#ifndef _WIN32
#include <pthread.h>
#include <signal.h>
#endif

namespace ktc {
namespace {

constexpr std::size_t most_helpers = 4095;
// Sleeping and waking take tens of microseconds, which calls in quick succession avoid.
constexpr std::chrono::microseconds before_sleep{20};

struct Job {
    Job(std::size_t helpers, const std::function<void(std::size_t)>& call)
        : work(call), seats(helpers) {
        std::fegetenv(&arithmetic);
    }
    const std::function<void(std::size_t)>& work;
    /// Rounding and flushing to zero are properties of a thread. Helpers adopt those of the caller,
    /// so that bits do not depend on the thread.
    std::fenv_t arithmetic;
    std::size_t seats;  ///< for helpers that have not joined
    std::size_t next_worker = 1;
    std::atomic<std::size_t> present{0};  ///< helpers at work
    std::condition_variable all_left;
};

template <class Condition>
void spin_until(Condition&& holds) {
    const auto end = std::chrono::steady_clock::now() + before_sleep;
    while (!holds() && std::chrono::steady_clock::now() < end) std::this_thread::yield();
}

/// Blocks signals for helpers: one that took a signal would not wake the main thread.
class SignalsBlocked {
   public:
#ifndef _WIN32
    SignalsBlocked() {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    SignalsBlocked(const SignalsBlocked&) = delete;
    SignalsBlocked& operator=(const SignalsBlocked&) = delete;

   private:
    sigset_t before_;
#endif
};

class Pool {
   public:
    void run(Job& job) {
        std::size_t calls = 0;
        {
            const std::lock_guard<std::mutex> lock(guard_);
            open_jobs_.push_back(&job);
            open_seats_ += job.seats;
            hire();
            calls = std::min(job.seats, idle_);
        }
        while (calls-- > 0) wake_.notify_one();
        job.work(0);
        spin_until([&] { return job.present == 0; });
        std::unique_lock<std::mutex> lock(guard_);
        close(job);
        job.all_left.wait(lock, [&] { return job.present == 0; });
    }

   private:
    /// Starts helpers until there is one for every open seat, or the system has no more threads or
    /// memory. It must not throw: the job is on the caller's stack, and helpers know of it.
    void hire() noexcept {
        const SignalsBlocked blocked;
        try {
            for (; idle_ < open_seats_ && helpers_ < most_helpers; ++idle_, ++helpers_)
                std::thread([this] { help(); }).detach();
        } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch)
        }
    }

    void close(Job& job) {
        open_seats_ -= job.seats;
        job.seats = 0;
        std::erase(open_jobs_, &job);
    }

    [[noreturn]] void help() {
        std::unique_lock<std::mutex> lock(guard_);
        for (;;) {
            wake_.wait(lock, [&] { return open_seats_ > 0; });
            --idle_;
            Job& job = *open_jobs_.front();
            const std::size_t worker = job.next_worker++;
            ++job.present;
            --open_seats_;
            if (--job.seats == 0) std::erase(open_jobs_, &job);
            lock.unlock();
            std::fesetenv(&job.arithmetic);
            job.work(worker);
            lock.lock();
            ++idle_;
            if (--job.present == 0) job.all_left.notify_one();
            lock.unlock();
            spin_until([&] { return open_seats_ > 0; });
            lock.lock();
        }
    }

    std::mutex guard_;
    std::condition_variable wake_;
    std::vector<Job*> open_jobs_;  ///< with open seats
    std::atomic<std::size_t> open_seats_{0};
    std::size_t idle_ = 0, helpers_ = 0;
};

// Never destroyed, because helpers sleep in it until the process ends.
std::atomic<Pool*> current{nullptr};

#ifndef _WIN32
// A fork copies the pool in any state, without its threads.
[[maybe_unused]] const int forks_are_watched =
    pthread_atfork(nullptr, nullptr, [] { current = nullptr; });
#endif

Pool& pool() {
    if (Pool* const known = current) return *known;
    Pool* expected = nullptr;
    Pool* const fresh = new Pool;
    if (current.compare_exchange_strong(expected, fresh)) return *fresh;
    delete fresh;
    return *expected;
}

}  // namespace

void work_together(std::size_t helpers, const std::function<void(std::size_t)>& work) {
    Job job(helpers, work);
    pool().run(job);
}

}  // namespace ktc
