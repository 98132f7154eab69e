#pragma once

#include "physics/sparse_circuit.hpp"

namespace ktc::testing {

/// A capacitor of 3 F at a source of 1 V behind two resistors of 1 Ω, with a node without charge
/// between them, and 2 Ω to ground; a current source into the capacitor.
inline SparseCircuit divider() {
    SparseCircuit circuit;
    circuit.storage = SparseMatrix(1, {0, 1}, {{0, 3.0}}, "storage");
    circuit.interconnection = SparseMatrix(2, {0, 0, 0}, {}, "interconnection");
    circuit.directions =
        SparseMatrix(2, {0, 1, 3, 4}, {{1, 1.0}, {0, 1.0}, {1, -1.0}, {0, 1.0}}, "directions");
    circuit.conductance = {1.0, 1.0, 0.5};
    circuit.account = {0, 0, 1};
    circuit.source_directions = SparseMatrix(2, {0, 1}, {{0, 1.0}}, "source_directions");
    circuit.noise_directions = SparseMatrix(2, {0}, {}, "noise_directions");
    circuit.first_flux = 1;
    circuit.order = {1, 0};
    circuit.fastest = circuit.slowest = 1.0 / 3.0;
    return circuit;
}

}  // namespace ktc::testing
