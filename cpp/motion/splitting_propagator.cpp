#include "motion/splitting_propagator.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "ground/dense.hpp"
#include "ground/error.hpp"
#include "motion/transition.hpp"

namespace ktc {
LosslessMove::LosslessMove(const Elements& elements, const Energy& energy, double step)
    : interconnection_(elements.interconnection),
      sources_(elements.source_directions),
      hessian_(energy.hessian),
      step_(step) {
    for (std::size_t s = 0; s < elements.sources(); ++s)
        injections_.emplace_back(energy, sources_.row(s));
    if (interconnection_.empty()) return;
    const std::size_t n = interconnection_.rows();
    // Scaled by √|A_ii| the norm of a rotation is its frequency although henries and farads differ
    // by many decades.
    std::vector<double> scale(n, 1.0);
    for (std::size_t i = 0; i < n; ++i)
        if (hessian_(i, i) != 0.0) scale[i] = std::sqrt(std::abs(hessian_(i, i)));
    const Flow flow = exact_flow(multiply(interconnection_, hessian_.dense()), scale, step);
    require(flow.doublings < 60,
            "dt is so long that a lossless rotation cannot be followed; shorten it");
    growth_ = flow.growth;
    integral_ = flow.integral;
    quartic_ = energy.quartic;
    for (std::size_t i = 0; i < quartic_.size(); ++i) {
        if (quartic_[i] == 0.0) continue;
        std::vector<double> column(n);
        for (std::size_t j = 0; j < n; ++j) column[j] = interconnection_(j, i);
        kicks_.emplace_back(energy, column);
        kicked_by_.push_back(i);
        require(!kicks_.back().is_quartic(),
                "a quartic unit must not push another: its kick would not be exact");
    }
}

void LosslessMove::advance(double* state, const Drive& drive, const LaneNumbers& force,
                           Workspace& workspace, Posts& posts) const {
    posts.has_source = true;
    posts.has_shadow = !interconnection_.empty();
    if (interconnection_.empty()) {
        inject(state, drive, force, step_, posts);
        return;
    }
    // The work of a source on a quartic unit is exact only if nothing else moves.
    const bool apart = !kicks_.empty();
    if (apart) inject(state, drive, force, 0.5 * step_, posts);
    kick(state, force, posts);
    rotate(state, drive, force, !apart, workspace, posts);
    kick(state, force, posts);
    if (apart) inject(state, drive, force, 0.5 * step_, posts);
}

void LosslessMove::inject(double* state, const Drive& drive, const LaneNumbers& force, double time,
                          Posts& posts) const {
    double slope[block_width], charge[block_width];
    for (std::size_t s = 0; s < injections_.size(); ++s) {
        if (drive.current[s] == 0.0) continue;
        const SubstepDirection::Pull pull = injections_[s].pull(force);
        injections_[s].slope(state, pull, slope);
        std::fill(charge, charge + block_width, time * drive.current[s]);
        injections_[s].move(state, charge, slope, pull, posts.source, posts.supply);
    }
}

void LosslessMove::kick(double* state, const LaneNumbers& force, Posts& posts) const {
    double slope[block_width], push[block_width];
    for (std::size_t k = 0; k < kicks_.size(); ++k) {
        const double* w = state + kicked_by_[k] * block_width;
        const double strength = 0.5 * step_ * quartic_[kicked_by_[k]];
        for (std::size_t lane = 0; lane < block_width; ++lane)
            push[lane] = strength * w[lane] * w[lane] * w[lane];
        const SubstepDirection::Pull pull = kicks_[k].pull(force);
        kicks_[k].slope(state, pull, slope);
        kicks_[k].move(state, push, slope, pull, posts.shadow, posts.supply);
    }
}

void LosslessMove::offset(const Drive& drive, const LaneNumbers& force, bool with_sources,
                          double* block) const {
    const std::size_t n = growth_.rows();
    std::vector<double> own(n);
    for (std::size_t lane = 0; lane < (force.differ() ? block_width : 1); ++lane) {
        for (std::size_t i = 0; i < n; ++i) own[i] = force(i, lane);
        std::vector<double> steady = multiply(interconnection_, own);
        for (double& entry : steady) entry = -entry;
        for (std::size_t s = 0; with_sources && s < sources_.rows(); ++s)
            for (std::size_t i = 0; i < n; ++i) steady[i] += sources_(s, i) * drive.current[s];
        const std::vector<double> moved = multiply(integral_, steady);
        for (std::size_t i = 0; i < n; ++i)
            std::fill_n(block + i * block_width + lane, force.differ() ? 1 : block_width, moved[i]);
    }
}

void LosslessMove::rotate(double* state, const Drive& drive, const LaneNumbers& force,
                          bool with_sources, Workspace& workspace, Posts& posts) const {
    const std::size_t n = growth_.rows();
    bool driven = false;
    for (std::size_t s = 0; with_sources && s < sources_.rows(); ++s)
        driven = driven || drive.current[s] != 0.0;
    double* change = workspace.first.data();
    double* slope = change + n * block_width;
    multiply_block(growth_, state, change, block_width);
    double* middle = workspace.second.data();
    offset(drive, force, with_sources, middle);
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t lane = 0; lane < block_width; ++lane) {
            const std::size_t at = i * block_width + lane;
            change[at] += middle[at];
            middle[at] = state[at] + 0.5 * change[at];
        }
    multiply_block(hessian_.dense(), middle, slope, block_width);
    double *account = driven ? posts.source : posts.shadow, room[block_width];
    for (std::size_t i = 0; i < n; ++i) {
        const double quartic = quartic_.empty() ? 0.0 : quartic_[i];
        const double* beta = force.row(i, room);
        for (std::size_t lane = 0; lane < block_width; ++lane) {
            const std::size_t at = i * block_width + lane;
            const double before = state[at], after = before + change[at];
            account[lane] += change[at] * (slope[at] - beta[lane]);
            posts.supply[lane] += beta[lane] * change[at];
            posts.shadow[lane] += 0.25 * quartic * (after - before) * (after + before) *
                                  (after * after + before * before);
            state[at] = after;
        }
    }
}

namespace {

class SplittingPropagator final : public StepPropagator {
   public:
    SplittingPropagator(const Elements& elements, const Energy& energy,
                        const std::vector<double>& kT, double hold, std::uint64_t steps,
                        bool pooled)
        : elements_(energy.hessian.is_sparse() ? Elements() : elements),
          hessian_(energy.hessian),
          per_kT_(elements.resistors(), 0.0),
          step_(hold / static_cast<double>(steps)),
          steps_(steps),
          coordinates_(elements.dimension()),
          lossless_(elements, energy, 0.5 * hold / static_cast<double>(steps)) {
        const double half_step = 0.5 * hold / static_cast<double>(steps);
        for (std::size_t r = 0; r < per_kT_.size(); ++r)
            if (kT[elements.account[r]] > 0.0) per_kT_[r] = 1.0 / kT[elements.account[r]];
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
        if (drive.undriven) {
            advance_about_rest(state, drive, address, workspace, posts);
            return;
        }
        const LaneNumbers force = drive.force_of(address.block());
        move(state, drive, address, workspace, posts, [&](std::uint32_t r, std::uint32_t element) {
            resistors_[r].advance(state, force, drive.emf[r], address, element, posts);
        });
    }

   private:
    /// One step, with resistor(number, element of noise) for the sub-steps of resistors.
    template <class Resistor>
    void move(double* state, const Drive& drive, const NoiseAddress& address, Workspace& workspace,
              Posts& posts, Resistor&& resistor, const std::vector<double>& rest_slope = {}) const {
        const auto count = static_cast<std::uint32_t>(resistors_.size());
        const auto noises = static_cast<std::uint32_t>(generators_.size());
        const LaneNumbers force = drive.force_of(address.block());
        const auto lossless = [&] {
            if (lossless_.idle()) return;
            add_energy(rest_slope, state, -1.0, posts.shadow);
            lossless_.advance(state, drive, force, workspace, posts);
            add_energy(rest_slope, state, 1.0, posts.shadow);
        };
        inject(state, drive, address, 2 * count, posts, rest_slope);
        lossless();
        for (std::uint32_t r = 0; r < count; ++r) resistor(r, r);
        for (std::uint32_t r = count; r-- > 0;) resistor(r, count + r);
        lossless();
        inject(state, drive, address, 2 * count + 2 * noises, posts, rest_slope);
    }

    /// A step of the deviation δ from the rest z*, without sources, whose energy is ½ δᵀAδ. What
    /// the steady currents through resistors and sources add to the accounts is
    ///     u² g h + u g h d·Aδ − u δξ    to the heat of a resistor, u = d·∇H(z*) − e,
    ///     e (δξ − u g h), I h a·(∇H(z*) + Aδ)    to source,
    ///     ∇H(z*)·δz of generators and of lossless moves, and h Aδ·J∇H(z*)    to theirs,
    /// with the displacement δξ of a resistor, and Aδ the mean of before and after the step, one
    /// for all, so that the first law closes.
    void advance_about_rest(double* state, const Drive& drive, const NoiseAddress& address,
                            Workspace& workspace, Posts& posts) const {
        const std::size_t n = elements_.dimension();
        const std::vector<double>&rest_slope = drive.rest_slope, &held = drive.undriven->force;
        std::vector<double>& middle = workspace.before;
        middle.assign(state, state + n * block_width);
        const auto voltage = [&](std::size_t r) {
            return dot(elements_.directions.row(r), rest_slope) - drive.emf[r];
        };
        posts.has_source = true;
        move(
            state, *drive.undriven, address, workspace, posts,
            [&](std::uint32_t r, std::uint32_t element) {
                resistors_[r].advance_about_rest(state, held, drive.emf[r], voltage(r), address,
                                                 element, posts);
            },
            rest_slope);
        std::fill(posts.supply, posts.supply + block_width, 0.0);
        for (std::size_t i = 0; i < n; ++i)
            for (std::size_t lane = 0; lane < block_width; ++lane) {
                double& before = middle[i * block_width + lane];
                const double after = state[i * block_width + lane];
                posts.supply[lane] += drive.force[i] * (after - before);
                before = 0.5 * (before + after);
            }
        double* slope = workspace.first.data();
        multiply_block(hessian_.dense(), middle.data(), slope, block_width);
        for (std::size_t i = 0; i < n; ++i)
            for (std::size_t lane = 0; lane < block_width; ++lane)
                slope[i * block_width + lane] -= held[i];
        post_steady(drive, slope, voltage, posts);
    }

    template <class Voltage>
    void post_steady(const Drive& drive, const double* slope, Voltage&& voltage,
                     Posts& posts) const {
        double along[block_width];
        const auto set_along = [&](std::span<const SparseEntry> direction) {
            multiply_row(direction, slope, block_width, along);
        };
        for (std::size_t r = 0; r < resistors_.size(); ++r) {
            const double u = voltage(r), charge = step_ * elements_.conductance[r] * u;
            set_along(elements_.directions.row(r));
            double* own = posts.heat_per_account.data() + elements_.account[r] * block_width;
            for (std::size_t lane = 0; lane < block_width; ++lane) {
                const double heat = charge * (u + along[lane]);
                posts.heat[lane] += heat;
                own[lane] += heat;
                posts.entropy[lane] += heat * per_kT_[r];
                posts.source[lane] -= drive.emf[r] * charge;
            }
        }
        for (std::size_t s = 0; s < elements_.sources(); ++s) {
            const std::vector<SparseEntry> direction =
                entries_of(elements_.source_directions.row(s));
            const double charge = step_ * drive.current[s], rest = dot(direction, drive.rest_slope);
            set_along(direction);
            for (std::size_t lane = 0; lane < block_width; ++lane)
                posts.source[lane] += charge * (rest + along[lane]);
        }
        if (elements_.interconnection.empty()) return;
        set_along(entries_of(multiply(elements_.interconnection, drive.rest_slope)));
        for (std::size_t lane = 0; lane < block_width; ++lane)
            posts.shadow[lane] += step_ * along[lane];
    }

    static void add_energy(const std::vector<double>& slope, const double* state, double sign,
                           double* energy) {
        for (std::size_t i = 0; i < slope.size(); ++i)
            for (std::size_t lane = 0; lane < block_width; ++lane)
                energy[lane] += sign * slope[i] * state[i * block_width + lane];
    }

    void inject(double* state, const Drive& drive, const NoiseAddress& address,
                std::uint32_t element, Posts& posts, const std::vector<double>& rest_slope) const {
        double* filter = state + coordinates_ * block_width;
        for (std::size_t i = 0; i < generators_.size(); ++i) {
            const double slope =
                rest_slope.empty() ? 0.0
                                   : dot(entries_of(elements_.noise_directions.row(i)), rest_slope);
            generators_[i].advance(state, filtered_[i] ? filter : nullptr,
                                   drive.force_of(address.block()), address, element, posts, slope);
            if (filtered_[i]) filter += block_width;
            element += 2;
        }
    }

    // Of steps about a rest.
    Elements elements_;
    Stiffness hessian_;
    std::vector<double> per_kT_;
    double step_;

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
