#include "host/plan/aggregate_table.hpp"

#include <algorithm>

#include "host/model/hyperloglog.hpp"
#include "host/plan/key_forms.hpp"

namespace windrow {
namespace {

using namespace key_forms;

constexpr KeySpec top_keys[] = {
    {.name = "n",
     .type = integer,
     .fallback = required_key,
     .windrow = W,
     .meaning = "how many",
     .least = 1},
    {"by", text, required_key, W, "which field of the value"},
    choice_of("order", "desc", W, "desc asc", "desc: the largest first"),
};
constexpr KeySpec variance_keys[] = {
    {"population", boolean, "false", W, "divide by n, not by n - 1"},
};
constexpr KeySpec distinct_keys[] = {
    {.name = "precision",
     .type = integer,
     .fallback = "12",
     .windrow = W,
     .meaning =
         "4 to 18: the standard error is 1.04 / sqrt(2^precision) of the result (1.6 % of 12); "
         "a result takes 2^precision bytes, less while it is small",
     .least = distinct_precision_min,
     .most = distinct_precision_max},
};
constexpr KeySpec quantile_keys[] = {
    {.name = "q",
     .type = shares,
     .fallback = required_key,
     .windrow = W,
     .meaning = "0 the smallest, 0.5 the median, 1 the largest; a list of at most 16 gives a list"},
    {"accuracy", number, "0.01", W, "0.0001 to 0.5: how far off a result may be, as a share of it"},
};

constexpr std::array<AggregateSpec, 16> table{{
    {"count", CombineKind::count, Takes::anything, beam, "rows, nulls too"},
    {"sum", CombineKind::sum, Takes::numbers, beam, "of what is not null"},
    {"min", CombineKind::min, Takes::scalars, beam, "of what is not null"},
    {"max", CombineKind::max, Takes::scalars, beam, "of what is not null"},
    {"mean", CombineKind::mean, Takes::numbers, beam, "of what is not null"},
    {"any", CombineKind::any, Takes::booleans, beam, "is one of them true"},
    {"all", CombineKind::all, Takes::booleans, beam, "are all of them true"},
    {"group", CombineKind::group, Takes::anything, beam, "a list of all values"},
    {"concat", CombineKind::concat, Takes::lists, beam, "one list of the elements of lists"},
    {"variance", CombineKind::variance, Takes::numbers, W, "null below two values", variance_keys},
    {"stddev", CombineKind::stddev, Takes::numbers, W, "the root of variance", variance_keys},
    {"first", CombineKind::first, Takes::anything, W, "by event time; of equals the smaller"},
    {"last", CombineKind::last, Takes::anything, W, "by event time; of equals the larger"},
    {"top", CombineKind::top, Takes::structures, W, "a list of the best rows, with their rank",
     top_keys},
    {"approx_distinct", CombineKind::approx_distinct, Takes::scalars, W,
     "about how many different values, null not counted (HyperLogLog)", distinct_keys},
    {"approx_quantile", CombineKind::approx_quantile, Takes::numbers, W,
     "about the value at `q` of all in order, NaN last; null of no value (DDSketch)",
     quantile_keys},
}};

}  // namespace

std::span<AggregateSpec const> aggregate_table() { return table; }

AggregateSpec const* find_aggregate(std::string_view name) {
  auto const* const found = std::find_if(table.begin(), table.end(),
                                         [&](AggregateSpec const& a) { return a.name == name; });
  return found == table.end() ? nullptr : found;
}

}  // namespace windrow
