#include "physics/network.hpp"

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <pybind11/typing.h>

#include <array>
#include <string>
#include <utility>

#include "arrays.hpp"
#include "controls.hpp"
#include "ground/dense.hpp"
#include "ground/streams.hpp"
#include "physics/energy.hpp"
#include "physics/ledger.hpp"
#include "physics/motion.hpp"

namespace py = pybind11;
using namespace ktc;
using namespace ktc::bindings;

namespace {

using Values = py::typing::Dict<py::str, py::object>;

Network of_units(const Array& friction, const Array& inertia) {
    use_one_library_thread();
    return Network(to_matrix(friction), to_vector(inertia));
}

Network of_elements(const Array& interconnection, const Array& directions, const Array& conductance,
                    const std::vector<std::size_t>& account, const Array& source_directions,
                    const Array& noise_directions, const Array& noise_density,
                    const Array& noise_rate, const Array& flow, const Array& readings,
                    const Array& reading_conductance, const Array& reading_noise) {
    use_one_library_thread();
    return Network(Elements{to_matrix(interconnection), SparseMatrix::of(to_matrix(directions)),
                            to_vector(conductance), account, to_matrix(source_directions),
                            to_matrix(noise_directions), to_vector(noise_density),
                            to_vector(noise_rate),
                            Active{to_matrix(flow), to_matrix(readings),
                                   to_matrix(reading_conductance), to_matrix(reading_noise)}});
}

Network of_circuit(const py::object& storage, const py::object& interconnection,
                   const py::object& directions, const Array& conductance, const Indices& account,
                   const py::object& source_directions, const py::object& noise_directions,
                   const Array& noise_density, std::size_t first_flux, const Indices& order,
                   std::pair<double, double> rates, std::size_t fill) {
    return Network(
        SparseCircuit{to_sparse(storage, "storage"), to_sparse(interconnection, "interconnection"),
                      to_sparse(directions, "directions"), to_vector(conductance),
                      to_indices(account), to_sparse(source_directions, "source_directions"),
                      to_sparse(noise_directions, "noise_directions"), to_vector(noise_density),
                      first_flux, to_indices(order), rates.first, rates.second, fill});
}

Network with_potentials(const Network& network, const std::vector<std::string>& kinds,
                        const std::vector<std::pair<Array, Array>>& tables) {
    std::vector<PotentialKind> kind_of_unit;
    kind_of_unit.reserve(kinds.size());
    for (const std::string& name : kinds) kind_of_unit.push_back(potential_named(name));
    std::vector<SplineTable> splines;
    splines.reserve(tables.size());
    for (const auto& [knots, cells] : tables)
        splines.push_back({to_vector(knots), to_vector(cells)});
    return network.with_potentials(Potentials(std::move(kind_of_unit), std::move(splines)));
}

using Names = py::typing::Tuple<py::str, py::ellipsis>;

template <class Keep>
Names account_names(Keep&& keep) {
    py::list names;
    for (std::size_t account = 0; account < Accounts::names.size(); ++account)
        if (keep(account)) names.append(Accounts::names[account]);
    return py::tuple(names);
}

void bind_elements(py::module_& module) {
    const auto array = [](auto member) {
        return [member](const Elements& elements) { return to_array(elements.*member); };
    };
    py::class_<Elements>(module, "Elements",
                         "The elements of a network as arrays, one row or entry per element.")
        .def_property_readonly("interconnection", array(&Elements::interconnection),
                               "J, (n, n); (0, 0) where there is none.")
        .def_property_readonly(
            "directions",
            [](const Elements& elements) { return to_array(elements.directions.dense()); },
            "d_r, (resistors, n).")
        .def_property_readonly("conductance", array(&Elements::conductance), "g_r.")
        .def_property_readonly(
            "account",
            [](const Elements& elements) {
                py::array_t<std::int64_t> result(static_cast<py::ssize_t>(elements.resistors()));
                std::copy(elements.account.begin(), elements.account.end(), result.mutable_data());
                return result;
            },
            "Number of the heat account of each resistor.")
        .def_property_readonly(
            "source_directions",
            [](const Elements& elements) {
                return to_rows(elements.source_directions, elements.dimension());
            },
            "a_s, (sources, n).")
        .def_property_readonly(
            "noise_directions",
            [](const Elements& elements) {
                return to_rows(elements.noise_directions, elements.dimension());
            },
            "a_i, (noises, n).")
        .def_property_readonly("noise_density", array(&Elements::noise_density), "S_i, two-sided.")
        .def_property_readonly("noise_rate", array(&Elements::noise_rate),
                               "2π times the bandwidth of the filter; 0 for white noise.")
        .def_property_readonly("accounts", &Elements::accounts, "Number of heat accounts.")
        .def_property_readonly("noises", &Elements::noises, "Number of noise generators.")
        .def_property_readonly("filters", &Elements::filters, "Number of noises behind a filter.");
}

}  // namespace

void bind_network(py::module_& module) {
    py::list names;
    for (const NamedControl& control : named_controls) names.append(control.name);
    module.attr("CONTROLS") = py::tuple(names);
    module.attr("ACCOUNTS") = account_names([](std::size_t) { return true; });
    module.attr("LARGEST_ENERGY") = largest_energy;
    module.attr("MOST_DENSE_UNITS") = most_dense_units;
    module.attr("MOST_REPLICAS") = max_replicas;
    module.def(
        "accounts_of",
        [](const std::string& motion) {
            return account_names([kind = motion_named(motion)](std::size_t account) {
                return has_account(kind, account);
            });
        },
        py::arg("motion"), "Names of the energy accounts that this motion can keep.");
    bind_elements(module);
    const auto of_controls = [](auto member) {
        return [member](const Network& network, const Values& given) {
            return to_array((network.*member)(to_controls(given)));
        };
    };
    py::class_<Network>(module, "Network", "What cannot be programmed: the circuit itself.")
        .def_static("of_units", of_units, py::arg("friction"), py::arg("inertia"),
                    "Units with a friction matrix and, where `inertia` is not empty, momenta.")
        .def_static(
            "of_sparse_units", [](const Array& friction) { return Network(to_vector(friction)); },
            py::arg("friction"), "Overdamped units, one resistor each, of a sparse stiffness.")
        .def_static("of_elements", of_elements, py::kw_only(), py::arg("interconnection"),
                    py::arg("directions"), py::arg("conductance"), py::arg("account"),
                    py::arg("source_directions"), py::arg("noise_directions"),
                    py::arg("noise_density"), py::arg("noise_rate"), py::arg("flow"),
                    py::arg("readings"), py::arg("reading_conductance"), py::arg("reading_noise"),
                    "A circuit of resistors along given directions; see physics/elements.hpp.")
        .def_static("of_circuit", of_circuit, py::kw_only(), py::arg("storage"),
                    py::arg("interconnection"), py::arg("directions"), py::arg("conductance"),
                    py::arg("account"), py::arg("source_directions"), py::arg("noise_directions"),
                    py::arg("noise_density"), py::arg("first_flux"), py::arg("order"),
                    py::arg("rates"), py::arg("fill"),
                    "A large circuit; see physics/sparse_circuit.hpp.")
        .def("with_potentials", with_potentials, py::arg("kinds"), py::arg("tables"),
             "This network with on-site potentials: a kind per unit, and knots and cells of each "
             "table; see physics/potential.hpp.")
        .def(
            "check",
            [](const Network& network, const Values& given, const std::string& motion) {
                const Controls controls = to_controls(given);
                network.check(controls);
                check_motion(network, controls, motion_named(motion));
            },
            py::arg("controls"), py::arg("motion"),
            "Refuses controls that do not fit, or at which this motion is none.")
        .def(
            "check_sources",
            [](const Network& network, const Values& given) {
                network.check_sources(to_controls(given));
            },
            py::arg("controls"), "Refuses EMFs and currents that do not fit.")
        .def(
            "motion",
            [](const Network& network, const Values& given, bool resolve_heat) {
                return std::string(name_of(motion_of(network, to_controls(given), resolve_heat)));
            },
            py::arg("controls"), py::arg("resolve_heat"),
            "How an engine moves it: exact, driven, midpoint, split or pooled.")
        .def(
            "is_driven",
            [](const Network& network, const Values& given) {
                return network.is_driven(to_controls(given));
            },
            py::arg("controls"), "Whether sources, generators or temperatures drive it.")
        .def(
            "moves_together",
            [](const Network& network, const Values& given) {
                return network.moves_together(to_controls(given));
            },
            py::arg("controls"), "Whether midpoint steps move all units together.")
        .def("drift", of_controls(&Network::drift), py::arg("controls"),
             "F = (J − G) ∇²H of the quadratic part of H, (dimension, dimension).")
        .def("diffusion", of_controls(&Network::diffusion), py::arg("controls"),
             "D, the covariance rate of white noise, (dimension, dimension).")
        .def_property_readonly(
            "fastest",
            [](const Network& network) {
                return network.circuit() ? network.circuit()->fastest : 0.0;
            },
            "A bound of the fastest rate of a large circuit; 0 of other networks.")
        .def_property_readonly(
            "size_of_step",
            [](const Network& network) {
                if (!network.circuit()) return std::pair<std::size_t, std::size_t>(0, 0);
                return std::pair(network.circuit()->coordinates(), network.circuit()->fill);
            },
            "Coordinates of a large circuit, and entries of the factor of its steps.")
        .def_property_readonly("elements", &Network::elements)
        .def_property_readonly("flow",
                               [](const Network& network) { return to_array(network.flow()); })
        .def_property_readonly("units", &Network::units)
        .def_property_readonly("dimension", &Network::dimension)
        .def_property_readonly("friction",
                               [](const Network& network) { return to_array(network.friction()); })
        .def_property_readonly(
            "mobility",
            [](const Network& network) { return to_array(network.elements().mobility()); })
        .def_property_readonly(
            "interconnection",
            [](const Network& network) { return to_array(network.elements().interconnection); })
        .def_property_readonly(
            "resistors", [](const Network& network) { return network.elements().resistors(); })
        .def_property_readonly(
            "is_active", [](const Network& network) { return network.elements().is_active(); },
            "Whether there are active elements, without a bath.")
        .def_property_readonly(
            "accounts", [](const Network& network) { return network.elements().accounts(); });
}
