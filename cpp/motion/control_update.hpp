#pragma once

#include <memory>
#include <vector>

#include "motion/replica_block.hpp"

namespace ktc {

/// One control update θ → θ′ at held state, and its work (Sekimoto 1998)
///     H(x; θ′) − H(x; θ) = ½ xᵀ ΔK x − Δbᵀ x + ¼ Σ Δκ_i x_i⁴,
/// evaluated in the coordinates of θ; then the state is converted to those of θ′.
class ControlUpdate {
   public:
    ControlUpdate(const Setting& from, const Setting& to);

    bool changes_energy() const { return !force_change_.empty(); }
    bool changes_shape() const { return !stiffness_change_.empty() || sparse_change_.rows() > 0; }
    /// Whether β changes, the rest with it, and nothing else does.
    bool changes_force_alone() const { return changes_energy() && !changes_shape() && !displaces_; }
    /// Δβ = Tᵀ (Δb, 0); empty if nothing changes.
    const std::vector<double>& force_change() const { return force_change_; }
    LaneNumbers force_change_of(std::uint64_t block) const {
        return own_change_ ? own_change_->block(block) : force_change_;
    }
    /// w* before the update.
    const std::vector<double>& rest_before() const { return before_->rest; }
    LaneNumbers rest_before_of(std::uint64_t block) const { return before_->rest_of(block); }
    /// Whether replicas have forces of their own, before or after.
    bool is_own() const { return own_change_ != nullptr; }

    /// Updates a block and posts the work.
    void apply(ReplicaBlock& block, Workspace& workspace) const;

   private:
    void apply_shape(std::uint64_t block, double* state, double* product, double* work) const;
    void shift(ReplicaBlock& block, Workspace& workspace, double* work) const;

    std::shared_ptr<const Drive> before_, after_;
    std::vector<double> force_change_;
    std::shared_ptr<const ReplicaNumbers> own_change_;  ///< Δβ of each replica; null if all alike
    bool displaces_ = false;                            ///< whether sources move the rest
    Matrix stiffness_change_;                           ///< ½ Tᵀ diag(ΔK, 0) T
    SparseMatrix sparse_change_;                        ///< the same of a sparse stiffness
    std::vector<double> quartic_change_;                ///< ¼ Δκ
    Matrix crossover_;                                  ///< T′⁻¹ T; empty if it is the identity
};

}  // namespace ktc
