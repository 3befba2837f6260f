// Which steps a device can run.
#include "kernels/backend.hpp"

#include "host/model/record.hpp"

namespace windrow {

std::string why_not_on_device(AggregationSpec const& spec) {
  for (CombineFn const& fn : spec.combines) {
    AccumulatorKind const kind = accumulator_kind_unboxed(fn);
    if (kind == AccumulatorKind::boxed) {
      return "an aggregate whose state has no fixed size (group, concat, top, quantiles, or of "
             "texts)";
    }
    if (spec.withdrawals && !subtracts(kind)) {
      return "an aggregate that cannot take rows back, under input_panes: replace";
    }
  }
  return "";
}

}  // namespace windrow
