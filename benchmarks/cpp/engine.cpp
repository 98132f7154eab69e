#include "engine/engine.hpp"

#include <cstdio>
#include <vector>

#include "measure.hpp"

/// One overdamped unit in a trap that moves from 0 to 5 in one relaxation time, by the least-work
/// drive (Schmiedl, Seifert, Phys. Rev. Lett. 98, 108301, 2007): noise, motion, work and heat.
int main() {
    using namespace ktc;
    constexpr std::size_t ticks = 1000, replicas = 8192;
    constexpr double duration = 1.0, target = 5.0;
    Waveform drive{std::vector<double>(ticks, duration / ticks), {}};
    drive.control = [](std::size_t tick, Controls& controls) {
        const double time = (static_cast<double>(tick) + 0.5) * duration / ticks;
        controls.bias[0] = target * (time + 1.0) / (duration + 2.0);
    };
    const Controls start{{0.0}, Stiffness(Matrix::identity(1)), {1.0}, {0.0}, {0.0}, {}};
    Controls end = start;
    end.bias = {target};
    EngineOptions options;
    options.seed = 7;
    options.range = {0, replicas};
    Engine engine(Network(Matrix::identity(1), {}), start, options);
    benchmarks::measure("one unit in a moving trap, with its ledger", "trajectory-steps/s", 3.5e8,
                        static_cast<double>(ticks * replicas), [&] {
                            engine.set(start);
                            engine.equilibrate();
                            engine.play(drive, {});
                            engine.set(end);
                        });
    std::vector<double> work(replicas);
    engine.readout().balance(Ledger::work, work.data());
    double excess = 0.0;
    for (double w : work) excess += w / replicas;
    // ΔF = −b²/2k. The work of one replica scatters by √(2 kT W_ex): the mean by 0.045.
    std::printf("  mean excess work %.3f kT, least %.3f\n", excess + 0.5 * target * target,
                target * target / (duration + 2.0));
}
