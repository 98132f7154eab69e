#include "kernels/kernels.hpp"

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <array>
#include <type_traits>
#include <vector>

#include "ground/block_width.hpp"
#include "kernels/packed_matrix.hpp"

namespace py = pybind11;
using namespace ktc;

namespace {

template <class Real>
using Table = py::array_t<Real, py::array::c_style>;

/// Books of one group of replicas, and the kernels that keep them.
template <class Real>
class Group {
   public:
    static constexpr std::size_t width = 128 / sizeof(Real);

    explicit Group(Table<Real> state) : state_(std::move(state)) {
        if (state_.ndim() != 2 || state_.shape(1) != static_cast<py::ssize_t>(width))
            throw py::value_error("state must be a table of units by " + std::to_string(width) +
                                  " replicas");
    }

    void play(std::uint64_t seed, std::uint64_t group, std::uint64_t step, const Table<Real>& force,
              const Table<Real>& force_change, const Table<Real>& decay, const Table<Real>& growth,
              const Table<Real>& width_of_noise) {
        const auto units = static_cast<std::size_t>(state_.shape(0));
        const py::ssize_t ticks = force.ndim() == 2 ? force.shape(0) : -1;
        for (const auto* table : {&force, &force_change, &decay, &growth, &width_of_noise})
            if (table->ndim() != 2 || table->shape(0) != ticks ||
                table->shape(1) != state_.shape(0))
                throw py::value_error("every table must have a row for each tick, with all units");
        const std::vector<Real> none(units, Real(0));
        std::vector<ModalTick<Real>> run;
        run.reserve(static_cast<std::size_t>(ticks));
        for (py::ssize_t k = 0; k < ticks; ++k)
            run.push_back({force_change.data(k, 0), force.data(k, 0), decay.data(k, 0),
                           growth.data(k, 0), width_of_noise.data(k, 0), none.data(),
                           common_work(force, force_change, k)});
        const StreamAddress first{seed, Purpose::hold, group, 0, step};
        const ModalBooks books{sum_[0].data(), carry_[0].data(), sum_[1].data(),  carry_[1].data(),
                               sum_[2].data(), carry_[2].data(), turnover_.data()};
        kernels().of<Real>().modal(state_.mutable_data(), width, units, run.data(), run.size(),
                                   first, books);
    }

    /// −Δβ·β of a tick in single precision, in double.
    static double common_work(const Table<Real>& force, const Table<Real>& change, py::ssize_t k) {
        double sum = 0.0;
        for (py::ssize_t i = 0; i < force.shape(1) && std::is_same_v<Real, float>; ++i) {
            const double step = change.at(k, i);
            sum -= step * (static_cast<double>(force.at(k, i)) - step);
        }
        return sum;
    }

    Table<Real> state() const { return Table<Real>(state_.request()); }
    std::vector<double> balance(std::size_t account) const {
        std::vector<double> result;
        result.reserve(width);
        for (std::size_t i = 0; i < width; ++i)
            result.push_back(sum_[account][i] + carry_[account][i]);
        return result;
    }
    std::vector<double> turnover() const { return {turnover_.begin(), turnover_.end()}; }

   private:
    Table<Real> state_;
    std::array<std::array<double, width>, 3> sum_{};
    std::array<std::array<UpperHalf, width>, 3> carry_{};
    std::array<UpperHalf, width> turnover_{};
};

template <class Real>
void bind_group(py::module_& module, const char* name) {
    using Of = Group<Real>;
    py::class_<Of>(module, name, "A group of replicas of independent units, moved by the kernels.")
        .def(py::init<Table<Real>>(), py::arg("state"))
        .def("play", &Of::play, py::arg("seed"), py::arg("group"), py::arg("step"),
             py::arg("force"), py::arg("force_change"), py::arg("decay"), py::arg("growth"),
             py::arg("width"), "Plays ticks, a row of each table for each.")
        .def_property_readonly(
            "state", &Of::state,
            "Units by replicas; in single precision their deviations from the force.")
        .def_property_readonly("work", [](const Of& group) { return group.balance(0); })
        .def_property_readonly("heat", [](const Of& group) { return group.balance(1); })
        .def_property_readonly("supply", [](const Of& group) { return group.balance(2); })
        .def_property_readonly("turnover", &Of::turnover, "Sizes of what was posted, summed.");
}

/// A matrix times a block of replicas, and the move by it.
template <class Real>
class Packed {
   public:
    explicit Packed(const Table<double>& matrix) {
        if (matrix.ndim() != 2) throw py::value_error("a matrix must have two dimensions");
        rows_ = static_cast<std::size_t>(matrix.shape(0));
        columns_ = static_cast<std::size_t>(matrix.shape(1));
        packed_ = PackedMatrix<Real>(rows_, columns_, [&](std::size_t i, std::size_t j) {
            return *matrix.data(static_cast<py::ssize_t>(i), static_cast<py::ssize_t>(j));
        });
    }

    Table<Real> multiply(const Table<Real>& block) const {
        check(block, columns_);
        Table<Real> out({rows_, block_width});
        packed_.multiply(block.data(), out.mutable_data());
        return out;
    }
    Table<Real> move(const Table<Real>& y, const Table<Real>& x) const {
        check(y, columns_);
        check(x, rows_);
        if (rows_ != columns_) throw py::value_error("a matrix that moves a block must be square");
        Table<Real> out({rows_, block_width});
        std::copy_n(x.data(), x.size(), out.mutable_data());
        packed_.move(y.data(), out.mutable_data());
        return out;
    }

   private:
    static void check(const Table<Real>& block, std::size_t rows) {
        if (block.ndim() != 2 || block.shape(0) != static_cast<py::ssize_t>(rows) ||
            block.shape(1) != static_cast<py::ssize_t>(block_width))
            throw py::value_error("a block must have shape (" + std::to_string(rows) + ", " +
                                  std::to_string(block_width) + ")");
    }

    std::size_t rows_ = 0, columns_ = 0;
    PackedMatrix<Real> packed_;
};

template <class Real>
void bind_packed(py::module_& module, const char* name) {
    using Of = Packed<Real>;
    py::class_<Of>(module, name, "A matrix in the order in which the kernels read it.")
        .def(py::init<Table<double>>(), py::arg("matrix"))
        .def("multiply", &Of::multiply, py::arg("block"), "A block, 64 replicas wide.")
        .def("move", &Of::move, py::arg("y"), py::arg("x"), "(y − x) + A y");
}

}  // namespace

void bind_testing_kernels(py::module_& module) {
    module.def("use_kernels", use_kernels, py::arg("instruction_set"), "Takes others into use.");
    bind_group<double>(module, "Group");
    bind_group<float>(module, "SingleGroup");
    bind_packed<double>(module, "PackedMatrix");
    bind_packed<float>(module, "SinglePackedMatrix");
}
