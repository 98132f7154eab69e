#pragma once

#include <pybind11/pybind11.h>

#include <string>

#include "motion/setting.hpp"

namespace ktc::bindings {

inline Motion motion_named(const std::string& name) {
    if (name == "exact") return Motion::exact;
    if (name == "midpoint") return Motion::midpoint;
    if (name == "split") return Motion::split;
    if (name == "pooled") return Motion::pooled;
    throw pybind11::value_error("unknown motion " + name);
}

}  // namespace ktc::bindings
