#pragma once

namespace ktc {

/// How the coordinates of replicas are kept between moves. Energies and books are sums of doubles
/// either way.
enum class Precision { full, single };

}  // namespace ktc
