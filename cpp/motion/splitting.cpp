#include "motion/splitting.hpp"

#include <cmath>
#include <cstdint>

#include "ground/error.hpp"
#include "motion/bath.hpp"
#include "motion/generator.hpp"
#include "motion/lossless.hpp"

namespace ktc {
namespace {

class SplittingPropagator final : public Propagator {
   public:
    SplittingPropagator(const Elements& elements, const Energy& energy,
                        const std::vector<double>& kT, double hold, std::uint64_t steps,
                        bool pooled)
        : steps_(steps),
          coordinates_(elements.dimension()),
          lossless_(elements, energy, 0.5 * hold / static_cast<double>(steps)) {
        const double half = 0.5 * hold / static_cast<double>(steps);
        baths_.reserve(elements.resistors());
        for (std::size_t r = 0; r < elements.resistors(); ++r)
            baths_.emplace_back(Line(energy, elements.directions.row(r)),
                                Bath::Resistor{elements.conductance[r], kT[elements.account[r]],
                                               pooled ? 0 : elements.account[r]},
                                half);
        for (std::size_t i = 0; i < elements.noises(); ++i) {
            generators_.emplace_back(Line(energy, elements.noise_directions.row(i)),
                                     elements.noise_density[i], elements.noise_rate[i], half);
            filtered_.push_back(elements.noise_rate[i] > 0.0);
        }
    }

    std::uint64_t steps() const override { return steps_; }
    bool itemised() const override { return true; }

    void advance(double* state, const Drive& drive, const NoiseAddress& address,
                 Workspace& workspace, Posts& posts) const override {
        posts.clear();
        const auto resistors = static_cast<std::uint32_t>(baths_.size());
        const auto noises = static_cast<std::uint32_t>(generators_.size());
        inject(state, drive, address, 2 * resistors, posts);
        if (!lossless_.idle()) lossless_.advance(state, drive, workspace, posts);
        for (std::uint32_t r = 0; r < resistors; ++r)
            baths_[r].advance(state, drive.force, drive.emf[r], address, r, posts);
        for (std::uint32_t r = resistors; r-- > 0;)
            baths_[r].advance(state, drive.force, drive.emf[r], address, resistors + r, posts);
        if (!lossless_.idle()) lossless_.advance(state, drive, workspace, posts);
        inject(state, drive, address, 2 * resistors + 2 * noises, posts);
    }

   private:
    void inject(double* state, const Drive& drive, const NoiseAddress& address,
                std::uint32_t element, Posts& posts) const {
        double* filter = state + coordinates_ * block_width;
        for (std::size_t i = 0; i < generators_.size(); ++i) {
            generators_[i].advance(state, filtered_[i] ? filter : nullptr, drive.force, address,
                                   element, posts);
            if (filtered_[i]) filter += block_width;
            element += 2;
        }
    }

    std::uint64_t steps_;
    std::size_t coordinates_;
    Lossless lossless_;
    std::vector<Bath> baths_;
    std::vector<Generator> generators_;
    std::vector<bool> filtered_;
};

}  // namespace

std::unique_ptr<Propagator> splitting_propagator(const Elements& elements, const Energy& energy,
                                                 const std::vector<double>& kT, double hold,
                                                 double longest_step, bool pooled) {
    return std::make_unique<SplittingPropagator>(elements, energy, kT, hold,
                                                 steps_of(hold, longest_step), pooled);
}

}  // namespace ktc
