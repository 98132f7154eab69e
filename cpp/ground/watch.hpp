#pragma once

#include <atomic>
#include <chrono>
#include <exception>
#include <functional>
#include <thread>

namespace ktc {

/// Thrown if a Watch stops a call that has no partial result; nothing has changed then.
struct Interrupted : std::exception {};

/// Asks a few dozen times per second whether to continue. Only the thread that made it asks,
/// because Python receives Ctrl-C on its main thread; other threads read the answer.
class Watch {
   public:
    explicit Watch(const std::function<bool()>& keep_going) : keep_going_(keep_going) {}

    bool due() const { return Clock::now() >= next_; }
    bool stopped() const { return stopped_; }
    void look() {
        if (std::this_thread::get_id() != caller_ || stopped_ || !due()) return;
        stopped_ = keep_going_ && !keep_going_();
        next_ = Clock::now() + between_looks;
    }

   private:
    using Clock = std::chrono::steady_clock;
    static constexpr std::chrono::milliseconds between_looks{30};

    const std::function<bool()>& keep_going_;
    const std::thread::id caller_ = std::this_thread::get_id();
    Clock::time_point next_ = Clock::now() + between_looks;
    std::atomic<bool> stopped_{false};
};

}  // namespace ktc
