"""Small bad files for tests/tidy_test.py: (the rule each one breaks, {path: text}); None = breaks none."""


def source(code, path="host/engine/pipeline.cpp"):
    return {path: "// One sentence here.\n" + code + "\n"}


def header(code, path="host/engine/pipeline.hpp", once="#pragma once\n"):
    return {path: "// One sentence here.\n" + once + code + "\n"}


# What the examples include; each is included by somebody, so that none is dead.
NAMES = ["host/engine/pipeline", "host/engine/batch", "host/engine/sink", "host/model/time", "host/plan/graph",
         "kernels/cells", "host/net/kafka_settings", "ingest/json_decoder", "ingest/pageviews/truth", "sinks/json_sink", "host/cpu/slab", "host/cli/run"]
SURROUNDINGS = {name + ".hpp": "// One sentence here.\n#pragma once\n" for name in NAMES}
SURROUNDINGS["tests/all_test.cpp"] = "// One sentence here.\n" + "".join(
    f'#include "{name}.hpp"\n' for name in NAMES)

PIPELINE = '#include "host/engine/pipeline.hpp"\n'

EXAMPLES = [
    ("kernel table", header("struct Judge {\n  void operator()(std::size_t i) const;\n};", "kernels/cells.hpp")),
    # walls
    ("wall", source('#include "host/engine/batch.hpp"', "host/model/window.cpp")),
    ("wall", source('#include "host/engine/batch.hpp"', "host/plan/checker.cpp")),
    ("wall", source(PIPELINE + '#include "sinks/json_sink.hpp"')),
    ("wall", source(PIPELINE + '#include "host/cpu/slab.hpp"')),
    ("wall", source('#include "host/engine/pipeline.hpp"', "host/cpu/fold.cpp")),
    ("wall", source('#include "host/plan/graph.hpp"', "host/cpu/fold.cpp")),
    ("wall", source('#include "sinks/json_sink.hpp"', "ingest/file_source.cpp")),
    ("wall", source('#include "ingest/json_decoder.hpp"', "sinks/kafka_sink.cpp")),
    ("wall", source('#include "host/plan/graph.hpp"', "sinks/kafka_sink.cpp")),
    ("wall", source('#include "host/engine/batch.hpp"', "ingest/pageviews/generator.cpp")),
    ("wall", source('#include "host/cli/run.hpp"', "ingest/file_source.cpp")),
    (None, source('#include "host/engine/batch.hpp"\n#include "host/model/time.hpp"', "host/cpu/fold.cpp")),
    ("wall", source('#include "host/cpu/slab.hpp"', "kernels/fold.cu")),
    ("wall", source('#include "kernels/cells.hpp"', "host/cpu/fold.cpp")),
    (None, source('#include "kernels/cells.hpp"\n#include "host/engine/batch.hpp"', "kernels/primitives/sort.cu")),
    (None, source('#include "host/engine/sink.hpp"\n#include "host/net/kafka_settings.hpp"', "sinks/kafka_sink.cpp")),
    ("wall", source('#include "host/engine/batch.hpp"', "host/net/kafka_topic.cpp")),
    (None, source('#include "sinks/json_sink.hpp"\n#include "host/cpu/slab.hpp"', "host/cli/parts.cpp")),
    ("room", source("", "host/attic/old.cpp")),
    ("include", source(PIPELINE + '#include "batch.hpp"')),
    ("own header", source('#include <vector>\n#include "host/engine/pipeline.hpp"')),
    # libraries
    ("library", source("#include <simdjson.h>", "ingest/file_source.cpp")),
    ("library", source("#include <simdjson.h>", "host/plan/checker.cpp")),
    ("library", source("#include <sqlite3.h>", "sinks/table_sink.cpp")),
    ("library", source("#include <librdkafka/rdkafka.h>", "host/cli/demo.cpp")),
    ("library", source("#include <yaml-cpp/yaml.h>", "host/cli/demo.cpp")),
    ("library", source(PIPELINE + "#include <spdlog/spdlog.h>")),
    ("library", header("#include <fmt/format.h>")),
    ("library", header("#include <xxhash.h>")),
    ("library", source("#include <cuda_runtime_api.h>", "host/cpu/fold.cpp")),
    (None, source("#include <cub/device/device_scan.cuh>", "kernels/scan.cu")),
    ("library", source(PIPELINE + "#include <boost/any.hpp>")),
    (None, source("#include <simdjson.h>\n#include <sys/stat.h>\n#include <cstdint>", "ingest/json_row.cpp")),
    # files
    ("pragma once", header("", once="")),
    ("dead file", header("", "host/engine/forgotten.hpp")),
    ("opening comment", {"host/engine/pipeline.hpp": "#pragma once\n"}),
    ("opening comment", {"host/engine/alone.cpp": "#include <vector>\n"}),
    (None, {"host/engine/pipeline.cpp": PIPELINE}),
    ("opening comment", {"tests/answer.py": "import os\n"}),
    ("opening comment", {"tests/answer.sh": "#!/bin/bash\nset -e\n"}),
    ("file length", header("\n" * 500)),
    (None, header("\n" * 497)),
    ("line length", header("// " + "x" * 98)),
    (None, header("// " + "é" * 97)),
    ("line length", {"tests/CMakeLists.txt": "x" * 101}),
    ("machine path", header("// as in /work" + "/main")),
    ("machine path", {"README.md": "see ../shared/de" + "sign/house.md"}),
    ("unfinished", header("// TO" + "DO: the other half")),
    ("vague name", header("struct SinkManager {};")),
    ("vague name", source("", "host/engine/string_utils.cpp")),
    # words
    ("prints", source(PIPELINE + 'void f() { std::printf("x"); }')),
    ("prints", source('void f() { fprintf(stderr, "x"); }', "sinks/kafka_sink.cpp")),
    (None, source('void f() { std::printf("x"); }', "host/cli/demo.cpp")),
    (None, source(PIPELINE + 'auto f() { return "printf(new)"; }  // printf(x), new int')),
    (None, source(PIPELINE + 'auto f() { return R"(std::cout << new int)"; }')),
    ("cout", source(PIPELINE + "void f() { std::cout << 1; }")),
    ("new", source(PIPELINE + "auto* f() { return new int; }")),
    (None, source("#include <new>\nvoid* operator new(std::size_t n);\nvoid operator delete(void* p) noexcept;",
                  "tests/count_test.cpp")),
    ("delete", source(PIPELINE + "void f(int* p) { delete p; }")),
    ("delete", source(PIPELINE + "void f(int* p) { delete[] p; }")),
    (None, header("struct A {\n  A(A const&) = delete;\n};")),
    ("shared_ptr", header("std::shared_ptr<int> f();")),
    ("exit", source(PIPELINE + "void f() { std::exit(1); }")),
    (None, source(PIPELINE + "int f(E const& e) { return e.exit_code(); }")),
    ("abort", source(PIPELINE + "void f() { std::abort(); }")),
    ("assert", source(PIPELINE + "void f(int x) { assert(x > 0); }")),
    (None, source(PIPELINE + "static_assert(sizeof(int) == 4);")),
    ("time arithmetic", source(PIPELINE + "auto f(EventTime t) { return t.us / 1000; }")),
    ("time arithmetic", source(PIPELINE + "auto f(Row r, W w) { return x % r.window.end.us; }")),
    (None, source(PIPELINE + "auto f(EventTime t) { return floor_div(t.us, 1000); }  // t.us / 1000")),
    ("clock", source("auto f() { return std::chrono::steady_clock::now(); }", "host/cpu/fold.cpp")),
    ("chance", source(PIPELINE + "std::random_device device;")),
    ("device synchronise", source("auto f() { return cudaDeviceSynchronize(); }", "kernels/fold.cu")),
    ("device model", header("WINDROW_HOST_DEVICE constexpr int f(int x) { return x; }", "host/model/time.hpp")),
    (None, {**header("WINDROW_HOST_DEVICE constexpr int f(int x) { return x; }", "host/model/time.hpp"),
            **source("__global__ void g(int* x) { *x = f(*x); }", "kernels/model_check.cu")}),
    ("using namespace", source(PIPELINE + "using namespace std;")),
    ("mutable global", source(PIPELINE + "static int counter = 0;")),
    ("mutable global", source(PIPELINE + "thread_local std::string scratch;")),
    (None, source(PIPELINE + "static constexpr int limit = 3;\nstatic int f(int x);\nint const y = 1'000;")),
]
