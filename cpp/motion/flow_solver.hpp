#pragma once

#include <vector>

#include "ground/dense.hpp"
#include "physics/network.hpp"

namespace ktc {

/// Solutions of A y = b for A = J − G and its transpose. Sources change b alone, so that a solver
/// serves as long as the stiffness does.
class FlowSolver {
   public:
    FlowSolver(const Network& network, const Controls& controls);

    /// Raises if A is singular and b reaches a coordinate that no resistor binds.
    std::vector<double> solve(std::vector<double> b, Transposed transposed) const;

   private:
    /// One of A and its transpose. Where it is singular, or nearly so, it is bound along its null
    /// space, which b must not reach.
    class Side {
       public:
        Side(const Matrix& a, bool unbound);
        std::vector<double> solve(const std::vector<double>& b) const;

       private:
        std::vector<std::vector<double>> null_;
        LuFactors factors_;
    };

    std::vector<double> unit_;  ///< in which ∇²H has a unit diagonal
    bool unbound_;
    std::vector<Side> sides_;  ///< A and its transpose, in these units where unbound
};

}  // namespace ktc
