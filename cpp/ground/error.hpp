#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

namespace ktc {

inline std::string message_part(std::string_view text) { return std::string(text); }
template <class Number>
    requires std::is_arithmetic_v<Number>
std::string message_part(Number number) {
    return std::to_string(number);
}

/// Raises an error that becomes a `ValueError` in Python. Its message joins texts and numbers.
template <class... Parts>
[[noreturn]] void refuse(const Parts&... parts) {
    throw std::invalid_argument((message_part(parts) + ...));
}

/// Raises if a condition fails; call it before anything changes. The message is built only on
/// failure, so that a check that passes costs no more than its condition.
template <class... Parts>
inline void require(bool condition, const Parts&... parts) {
    if (!condition) [[unlikely]]
        refuse(parts...);
}

}  // namespace ktc
