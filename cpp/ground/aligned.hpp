#pragma once

#include <cstddef>
#include <memory>
#include <new>

namespace ktc {

/// Numbers that begin with a cache line, so that no vector of them lies across two. They are
/// without values at first: what is not used takes no memory.
template <class T>
class Aligned {
   public:
    Aligned() = default;
    explicit Aligned(std::size_t size)
        : values_(static_cast<T*>(::operator new[](size * sizeof(T), line))) {}
    T* data() { return values_.get(); }
    const T* data() const { return values_.get(); }

   private:
    static constexpr std::align_val_t line{64};
    struct Free {
        void operator()(T* values) const { ::operator delete[](values, line); }
    };
    std::unique_ptr<T[], Free> values_;
};

}  // namespace ktc
