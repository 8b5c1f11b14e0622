// The same behind nanobind.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

extern "C" {
#include "target.h"
}
namespace nb = nanobind;
using Column = nb::ndarray<const double, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Types = nb::ndarray<const uint8_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Out = nb::ndarray<double, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

NB_MODULE(target_nanobind, m) {
    m.def(
        "greeks",
        [](Types type, Column spot, Column strike, Column years, Column vol, Column rate, Column dividend,
           nb::tuple out) {
            target_columns in{type.data(), spot.data(), strike.data(),  years.data(),
                              vol.data(),  rate.data(), dividend.data()};
            double *columns[9];
            for (int i = 0; i < 9; i++) columns[i] = nb::cast<Out>(out[i]).data();
            nb::gil_scoped_release release;
            return target_greeks(&in, type.shape(0), columns);
        },
        nb::arg("type"), nb::arg("spot"), nb::arg("strike"), nb::arg("years"), nb::arg("vol"), nb::arg("rate"),
        nb::arg("dividend"), nb::arg("out"));
}
