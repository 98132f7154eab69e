#pragma once

#include <cstdint>
#include <memory>
#include <type_traits>
#include <vector>

#include "motion/block.hpp"
#include "motion/coordinates.hpp"

namespace ktc {

class Midpoint;

/// Decay and width of a hold of independent Ornstein–Uhlenbeck processes.
template <class Real>
struct ModesOf {
    std::vector<Real> decay, growth, width;
};
struct Modes {
    ModesOf<double> full;
    ModesOf<float> single;

    template <class Real>
    const ModesOf<Real>& of() const {
        if constexpr (std::is_same_v<Real, float>)
            return single;
        else
            return full;
    }
};

/// The one contract of every integrator: move a block of replicas at held controls through one of
/// the steps that make a hold, and post what that step moved.
class Propagator {
   public:
    virtual ~Propagator() = default;
    /// Steps of a hold, each at a noise address of its own.
    virtual std::uint64_t steps() const { return 1; }
    /// A hold may be left after every so many of them and nowhere else.
    virtual std::uint64_t steps_at_once() const { return 1; }
    /// Whether the posts tell all accounts apart, or total heat and supply alone.
    virtual bool itemised() const { return false; }
    /// Where the motion is that of independent modes: kernels.hpp plays many such holds at once.
    virtual const Modes* modes() const { return nullptr; }
    /// Where many steps are one call, in either precision.
    virtual const Midpoint* midpoint() const { return nullptr; }
    /// `state` is [coordinate][lane], followed by [filter][lane]. Lanes outside the address's
    /// groups are left alone or filled with finite numbers.
    virtual void advance(double* state, const Drive& drive, const NoiseAddress& address,
                         Workspace& workspace, Posts& posts) const = 0;
};

/// Steps of equal length, none longer than `longest`, that make a hold. Raises where they are too
/// many to count.
std::uint64_t steps_of(double hold, double longest);

/// The exact propagator of a linear network in natural coordinates: coordinate by coordinate where
/// the motion decouples (O(d) a replica), by dense products otherwise.
std::unique_ptr<Propagator> exact_propagator(const Coordinates& coordinates, double kT,
                                             double hold);

}  // namespace ktc
