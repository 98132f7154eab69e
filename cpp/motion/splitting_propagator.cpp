#include "motion/splitting_propagator.hpp"

#include <cmath>
#include <cstdint>

#include "ground/error.hpp"
#include "motion/generator_move.hpp"
#include "motion/lossless_move.hpp"
#include "motion/resistor_move.hpp"

namespace ktc {
namespace {

class SplittingPropagator final : public StepPropagator {
   public:
    SplittingPropagator(const Elements& elements, const Energy& energy,
                        const std::vector<double>& kT, double hold, std::uint64_t steps,
                        bool pooled)
        : steps_(steps),
          coordinates_(elements.dimension()),
          lossless_(elements, energy, 0.5 * hold / static_cast<double>(steps)) {
        const double half_step = 0.5 * hold / static_cast<double>(steps);
        resistors_.reserve(elements.resistors());
        for (std::size_t r = 0; r < elements.resistors(); ++r)
            resistors_.emplace_back(
                SubstepDirection(energy, elements.directions.row(r)),
                ResistorMove::Resistor{elements.conductance[r], kT[elements.account[r]],
                                       pooled ? 0 : elements.account[r]},
                half_step);
        for (std::size_t i = 0; i < elements.noises(); ++i) {
            generators_.emplace_back(SubstepDirection(energy, elements.noise_directions.row(i)),
                                     elements.noise_density[i], elements.noise_rate[i], half_step);
            filtered_.push_back(elements.noise_rate[i] > 0.0);
        }
        const auto n = static_cast<double>(elements.dimension() + elements.filters());
        const double products = energy.hessian.is_sparse()
                                    ? 2.0 + static_cast<double>(energy.hessian.sparse().size()) / n
                                    : n / 8.0 + static_cast<double>(elements.resistors());
        cost_ = n + n * products;
    }

    std::uint64_t steps() const override { return steps_; }
    double cost() const override { return cost_; }

    void advance(double* state, const Drive& drive, const NoiseAddress& address,
                 Workspace& workspace, Posts& posts) const override {
        posts.clear();
        const auto count = static_cast<std::uint32_t>(resistors_.size());
        const auto noises = static_cast<std::uint32_t>(generators_.size());
        inject(state, drive, address, 2 * count, posts);
        if (!lossless_.idle()) lossless_.advance(state, drive, workspace, posts);
        for (std::uint32_t r = 0; r < count; ++r)
            resistors_[r].advance(state, drive.force, drive.emf[r], address, r, posts);
        for (std::uint32_t r = count; r-- > 0;)
            resistors_[r].advance(state, drive.force, drive.emf[r], address, count + r, posts);
        if (!lossless_.idle()) lossless_.advance(state, drive, workspace, posts);
        inject(state, drive, address, 2 * count + 2 * noises, posts);
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
    LosslessMove lossless_;
    std::vector<ResistorMove> resistors_;
    std::vector<GeneratorMove> generators_;
    std::vector<bool> filtered_;
    double cost_;
};

}  // namespace

std::unique_ptr<StepPropagator> splitting_propagator(const Elements& elements, const Energy& energy,
                                                     const std::vector<double>& kT, double hold,
                                                     double longest_step, bool pooled) {
    return std::make_unique<SplittingPropagator>(elements, energy, kT, hold,
                                                 steps_of(hold, longest_step), pooled);
}

}  // namespace ktc
