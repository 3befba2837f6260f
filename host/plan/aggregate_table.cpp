#include "host/plan/aggregate_table.hpp"

#include <algorithm>

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

constexpr std::array<AggregateSpec, 14> table{{
    {"count", CombineKind::count, Takes::anything, beam, "rows, nulls too"},
    {"sum", CombineKind::sum, Takes::numbers, beam, "of what is not null"},
    {"min", CombineKind::min, Takes::ordered, beam, "of what is not null"},
    {"max", CombineKind::max, Takes::ordered, beam, "of what is not null"},
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
}};
constexpr std::array<std::string_view, 2> coming_names{"approx_distinct", "approx_quantile"};

}  // namespace

std::span<AggregateSpec const> aggregate_table() { return table; }
std::span<std::string_view const> coming_aggregates() { return coming_names; }

AggregateSpec const* find_aggregate(std::string_view name) {
  auto const* const found = std::find_if(table.begin(), table.end(),
                                         [&](AggregateSpec const& a) { return a.name == name; });
  return found == table.end() ? nullptr : found;
}

}  // namespace windrow
