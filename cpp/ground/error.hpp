#pragma once

#include <stdexcept>
#include <string>

namespace ktc {

/// Refuses a value before anything has changed. Reaches Python as `ValueError`.
inline void require(bool condition, const std::string& message) {
    if (!condition) throw std::invalid_argument(message);
}

}  // namespace ktc
