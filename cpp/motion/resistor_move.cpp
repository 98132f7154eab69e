#include "motion/resistor_move.hpp"

#include <cmath>
#include <utility>

#include "ground/error.hpp"
#include "motion/relaxation.hpp"

namespace ktc {

ResistorMove::ResistorMove(SubstepDirection direction, const Resistor& resistor, double step)
    : direction_(std::move(direction)), resistor_(resistor) {
    const Relaxation exact(resistor.conductance, direction_.curvature(), resistor.kT, step);
    reach_ = exact.reach;
    width_ = exact.width;
    require(std::isfinite(reach_) && std::isfinite(width_),
            "dt is so large that a unit without stable curvature leaves the range of numbers; "
            "make it smaller");
    require(!direction_.is_quartic() || direction_.along_axis(),
            "quartic units need resistors along their own axes: make friction a scalar or (d,)");
    const double stride = direction_.along_axis() ? direction_.stride() : 0.0;
    quartic_rate_ = direction_.is_quartic()
                        ? resistor.conductance * step * direction_.quartic() * stride * stride
                        : 0.0;
}

void ResistorMove::advance(double* state, const std::vector<double>& force, double emf,
                           const NoiseAddress& address, std::uint32_t element, Posts& posts) const {
    double slope[block_width], displacement[block_width] = {}, noise[block_width];
    double energy[block_width] = {};
    row_of_normals(address, Purpose::hold, element, noise);
    const double per_kT = resistor_.kT > 0.0 ? 1.0 / resistor_.kT : 0.0;
    const BathMove bath{reach_, width_, direction_.curvature(), emf, per_kT};
    const auto relax = [&] {
        if (quartic_rate_ == 0.0) return;
        kernels().quartic_relax(state + direction_.axis() * block_width, direction_.stride(),
                                quartic_rate_, displacement);
    };
    const double pull = direction_.pull(force);
    direction_.slope(state, pull, slope);
    relax();
    kernels().bath_displace(bath, noise, slope, displacement);
    relax();
    direction_.move(state, displacement, slope, pull, energy, posts.supply);
    kernels().bath_post(bath, displacement, energy,
                        {posts.source, posts.heat, posts.entropy,
                         posts.heat_per_account.data() + resistor_.account * block_width});
    posts.has_source = posts.has_source || emf != 0.0;
}

}  // namespace ktc
