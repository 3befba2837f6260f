// All verbs, in the order in which the help lists them.
#pragma once
#include <memory>
#include <vector>

#include "host/cli/invocation.hpp"

namespace windrow::cli {

std::unique_ptr<Verb> run_verb();
std::unique_ptr<Verb> check_verb();
std::unique_ptr<Verb> test_verb();
std::unique_ptr<Verb> explain_verb();
std::unique_ptr<Verb> plan_verb();
std::unique_ptr<Verb> state_verb();
std::unique_ptr<Verb> gen_verb();
std::unique_ptr<Verb> demo_verb();
std::unique_ptr<Verb> bench_verb();
std::unique_ptr<Verb> doctor_verb();
std::unique_ptr<Verb> schema_verb();
std::unique_ptr<Verb> version_verb();
std::unique_ptr<Verb> mock_broker_verb();  // hidden: the broker of `demo` in a process of its own

}  // namespace windrow::cli
