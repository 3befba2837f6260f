#!/usr/bin/python3
"""The rules of the tree that a reader could otherwise only hope for: walls, homes, bans, sizes.

Without arguments it first shows that each rule catches its bad example (tests/tidy_examples.py), then
checks every file and names each offender as `path:line: [rule] what, and what to do instead`.
"""
import os
import re
import sys

import tidy_examples

SOURCE = (".cpp", ".hpp", ".cu", ".cuh")
TEXT = SOURCE + (".py", ".sh", ".cmake", ".txt", ".md", ".json", ".yaml", ".yml")
WIDE = SOURCE + (".sh", ".cmake", ".txt")  # of these, lines are measured

# ---- walls (house.md 3).  A room may include its own files and those that match.
ENGINE_FOR_BACKENDS = r"host/engine/(aggregation|batch|value|snapshot|workers)\.hpp"
ENGINE_FOR_CONNECTORS = (r"host/engine/(source|sink|batch|value|snapshot|workers|metrics|clock|durable_file|crash_point)"
                         r"\.hpp")
ROOMS = {
    "host/model": [],
    "host/net": [],
    "host/plan": [r"host/model/"],
    "host/engine": [r"host/model/", r"host/plan/"],
    "host/cpu": [r"host/model/", ENGINE_FOR_BACKENDS],
    "kernels": [r"host/model/", r"host/engine/(aggregation|batch|value|snapshot)\.hpp"],
    "ingest/pageviews": [],  # the truth of the demo: it shares nothing with what it judges
    "ingest": [r"host/model/", r"host/net/", r"ingest/pageviews/", ENGINE_FOR_CONNECTORS],
    "sinks": [r"host/model/", r"host/net/", ENGINE_FOR_CONNECTORS],
    "host/cli": [r""],
    "bench": [r""],
    "tests": [r""],
}
DEVICE_CHECK = "kernels/model_check.cu"
PRODUCT = r"(?!host/cli/|bench/|tests/)"  # libraries: they print nothing, end nothing

# ---- libraries and where they live.  The first match counts.
LIBRARIES = [
    (r"simdjson\.h", r"ingest/json_|tests/|bench/", "ingest/json_*"),
    (r"librdkafka/", r"(host/net|ingest|sinks)/kafka_|tests/", "host/net/kafka_*, ingest/kafka_*, sinks/kafka_*"),
    (r"libpq-fe\.h", r"sinks/postgres_|tests/|bench/", "sinks/postgres_*"),
    (r"sqlite3\.h", r"sinks/sqlite_|host/cli/demo_|tests/|bench/", "sinks/sqlite_*"),
    (r"yaml-cpp/", r"host/plan/|host/cli/transcript/|tests/", "host/plan"),
    (r"rapidjson/", r".*\.cpp$", "the .cpp files where JSON leaves"),
    (r"CLI/", r"host/cli/", "host/cli"),
    (r"spdlog/", r"host/cli/", "host/cli"),
    (r"fmt/", r".*\.cpp$|tests/", ".cpp files"),
    (r"xxh", r"host/engine/.*\.cpp$|sinks/|host/cli/|bench/|tests/", "host/engine, sinks"),
    (r"zlib\.h", r"ingest/|sinks/|host/cli/transcript/|tests/", "ingest, sinks"),
    (r"cuda|cub/|thrust/|nv/", r"(kernels|tests/gpu|bench/gpu_first)/.*\.cuh?$", "the .cu and .cuh files of kernels"),
    (r"benchmark/", r"bench/", "bench"),
    (r"(gtest|gmock|rapidcheck)[/.]", r"tests/", "tests"),
]
SYSTEM = (r"(sys|netinet|arpa|linux|gnu)/[\w-]+\.h|(dirent|dlfcn|errno|fcntl|glob|netdb|poll|pthread|pty|sched|"
          r"signal|spawn|stdlib|termios|time|unistd|malloc)\.h|\w+")  # a bare word is the standard library

# ---- bans in code (comments and the text of strings do not count): pattern, where, instead.
BANS = {
    "prints": (r"\b(f|v|vf)?printf\s*\(|\bf?puts\s*\(|\bputchar\s*\(|\bperror\s*\(",
               PRODUCT + r"(?!host/model/portable\.hpp)",  # WINDROW_ASSERT
               "return it, or throw EnvironmentError: libraries print nothing"),
    "cout": (r"\bstd::(cout|cerr|clog)\b", r"(?!host/cli/|tests/|bench/)",
             "return it; results leave through host/cli"),
    "new": (r"(?<!operator )(?<!<)\bnew\b(?!\s*\()", r"", "std::make_unique or a container"),
    "delete": (r"(?<!=)(?<!= )(?<!operator )\bdelete\b\s*(\[\])?\s*[\w(*]", r"", "an owner: std::unique_ptr, a container"),
    "shared_ptr": (r"\bshared_ptr\b|\bmake_shared\b", r"", "std::unique_ptr, or a reference handed down"),
    "exit": (r"\b(std::)?(_|quick_)?exit\s*\(", PRODUCT, "throw EnvironmentError with the exit code"),
    "abort": (r"\b(abort|terminate)\s*\(", PRODUCT + r"(?!host/model/portable\.hpp)", "WINDROW_ASSERT"),
    "assert": (r"\bassert\s*\(|<cassert>", r"", "WINDROW_ASSERT, which is always on"),
    "time arithmetic": (r"\.us\b\s*[/%]|[/%]=?\s*[\w.()\[\]>-]*\.us\b",
                        PRODUCT + r"(?!host/model/time\.hpp)", "floor_div or floor_mod (host/model/time.hpp)"),
    "clock": (r"\b\w*_clock::now\b|\bgettimeofday\b|\btime\s*\(\s*(nullptr|0)\s*\)",
              r"host/(model|plan|engine|cpu)/|kernels/", "the time that came with the batch (host/engine/clock.hpp)"),
    "chance": (r"\brandom_device\b|\brand\s*\(|\bmt19937",
               r"kernels/|host/(model|plan|engine|cpu)/(?!state_directory\.)",  # the name of a writer in LOCK
               "a seed from the plan: replay must give the same"),
    "device synchronise": (r"\bcuda(Device|Thread)Synchronize\b", r"",
                           "wait for the stream or an event: other streams go on"),
    "using namespace": (r"\busing\s+namespace\s+std\s*;", r"", "qualified names"),
    "mutable global": (r"^\s*(static|thread_local|inline)\s(?!.*\b(const|constexpr|constinit|using|namespace|"
                       r"class|struct|enum)\b)[^()]*(=[^=].*|\{.*\})?;", r"^(?!host/engine/crash_point\.)",
                       "a member of an object that host/cli builds"),
    "vague name": (r"\b(class|struct|namespace|enum)\s+(class\s+)?\w*(util|helper|common|manager)", r"",
                   "the field's own word for it"),
}

# ---- bans in whole files, comments and documents too.
MACHINE = (r"/work/|/root/|/home/\w|/tmp/bash|shared/design|pypi\.org|repo1?\.maven|registry\.npmjs|"
           r"index\.crates|deb\.debian|proxy\.golang")
UNFINISHED = r"\b(TODO|FIXME|XXX|HACK)\b"


def code_only(text):
    """The text with comments and the content of strings blanked, every line in its place."""
    pattern = re.compile(
        r'//[^\n]*|/\*.*?\*/|R"(\w*)\((?:.*?)\)\1"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])+\'',
        re.DOTALL)
    return pattern.sub(lambda m: "\n" * m.group(0).count("\n") or '""', text)


def room_of(path):
    return next((room for room in sorted(ROOMS, key=len, reverse=True) if path.startswith(room + "/")), None)


def includes(text):
    return [(number, match.group(1), match.group(2))
            for number, line in enumerate(text.split("\n"), 1)
            if (match := re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line))]


def check_includes(path, text, tree):
    room = room_of(path)
    if room is None:
        yield 1, "room", "no such room; the rooms are " + ", ".join(ROOMS)
        return
    found = includes(text)
    own = re.sub(r"\.(cpp|cu)$", ".hpp", path)
    if own != path and own in tree and (not found or found[0][2] != own):
        yield 1, "own header", f'include "{own}" first, so that it is seen to stand alone'
    for number, mark, name in found:
        if mark == '"':
            if name not in tree:
                yield number, "include", f'no file "{name}"; paths start at the root of the tree'
            elif room_of(name) != room and not any(re.match(r, name) for r in ROOMS[room]):
                yield number, "wall", f"{room} may not include {name}"
            continue
        library = next((entry for entry in LIBRARIES if re.match(entry[0], name)), None)
        if library is not None and not re.match(library[1], path):
            yield number, "library", f"<{name}> is at home in {library[2]}"
        elif library is not None and re.match(r"host/(model|engine)/.*\.hpp$", path):
            yield number, "library", f"<{name}>: headers of host/model and host/engine show no library"
        elif library is None and not re.fullmatch(SYSTEM, name):
            yield number, "library", f"<{name}> has no home; give it one in tests/tidy_test.py"


def check_source(path, text, tree):
    """One C++ file."""
    yield from check_includes(path, text, tree)
    if path.endswith((".hpp", ".cuh")) and not re.search(r"^#pragma once$", text, re.MULTILINE):
        yield 1, "pragma once", "a header starts with #pragma once, after its sentence"
    if path.endswith((".hpp", ".cuh")) and not any(f'#include "{path}"' in other for other in tree.values()):
        yield 1, "dead file", "nothing includes it"
    for number, line in enumerate(code_only(text).split("\n"), 1):
        for rule, (pattern, where, instead) in BANS.items():
            ignore_case = re.IGNORECASE if rule == "vague name" else 0
            if re.match(where, path) and re.search(pattern, line, ignore_case):
                yield number, rule, "instead: " + instead


def check_shared(path, text, tree):
    """A header of host/model: what it shares with device code is compiled as such, whoever uses it."""
    users = "".join(other for name, other in tree.items() if name.startswith(("host/model/", "kernels/")))
    for match in re.finditer(r"WINDROW_HOST_DEVICE\s[^;{()]*?\b(\w+)\(", code_only(text)):
        name = match.group(1)
        uses = len(re.findall(rf"\b{name}(?:<[^;()]*>)?\(", code_only(users)))
        if uses < 2 * len(re.findall(rf"WINDROW_HOST_DEVICE\s[^;{{()]*?\b{name}\(", code_only(users))):
            yield text[:match.start()].count("\n") + 1, "device model", f"call {name} in {DEVICE_CHECK}"


def check_text(path, text, tree):
    """Any file of ours.  A source's sentence may stand in its own header: no comment twice."""
    lines = text.split("\n")
    name = os.path.basename(path)
    if re.search(r"util|helper|common|manager", name):
        yield 1, "vague name", "a file is named by its one idea"
    if path.endswith(SOURCE) and re.sub(r"\.(cpp|cu)$", ".hpp", path) not in tree.keys() - {path}:
        opening = re.match(r"// \S+ \S+", lines[0])
    elif path.endswith((".py", ".sh")):
        opening = re.match(r'(#!.*\n)?(# |""")\S+ \S+', text)
    else:
        opening = True
    if not opening:
        yield 1, "opening comment", "a file starts with one sentence on its purpose"
    if path.endswith(SOURCE + (".py", ".sh")) and len(lines) > 501:
        yield 501, "file length", f"{len(lines) - 1} lines; one idea a file, 500 at most"
    for number, line in enumerate(lines, 1):
        if path.endswith(WIDE) and len(line) > 100:
            yield number, "line length", f"{len(line)} columns; 100 at most"
        if re.search(MACHINE, line):
            yield number, "machine path", "a path of one machine, or a registry's host"
        if re.search(UNFINISHED, line):
            yield number, "unfinished", "finish it or file it"


def check_kernels(text, tree):
    """README's table of kernels is complete: in kernels/, what is called for an i or a block."""
    for match in re.finditer(r"struct (\w+) \{(?:(?!\nstruct ).)*?void operator\(\)\(", text, re.DOTALL):
        if f"`{match.group(1)}`" not in tree.get("README.md", ""):
            yield text[:match.start()].count("\n") + 1, "kernel table", f"name {match.group(1)} in README.md"


def check(tree):
    """All offences of a tree {path: text} as (path, line, rule, message)."""
    for path, text in sorted(tree.items()):
        found = list(check_text(path, text, tree))
        if path.endswith(SOURCE):
            found += check_source(path, text, tree)
        if path.startswith("host/model/") and path.endswith(".hpp"):
            found += check_shared(path, text, tree)
        if path.startswith("kernels/") and path.endswith(".hpp"):
            found += check_kernels(text, tree)
        for line, rule, message in sorted(found):
            yield path, line, rule, message


def self_test():
    """Each example breaks the rule that it names, and only that; the good ones break none."""
    failures, shown = [], set()
    for number, (rule, tree) in enumerate(tidy_examples.EXAMPLES):
        found = {r for _, _, r, _ in check({**tidy_examples.SURROUNDINGS, **tree})}
        shown |= found
        if found != ({rule} if rule else set()):
            failures.append(f"example {number}: should break {rule or 'nothing'}, breaks {sorted(found)}: {tree}")
    rules = set(BANS) | {"device model", "kernel table", "room", "own header", "include", "wall", "library", "pragma once", "dead file",
                         "opening comment", "file length", "line length", "machine path", "unfinished"}
    failures += [f"no example breaks rule '{rule}'" for rule in sorted(rules - shown)]
    return failures, len(rules)


def read_tree(root):
    """All text files that are ours.  Not ours: what is built, and Beam's golden transcripts.  The rules
    about whole files would find their own words in this file and its examples."""
    tree = {}
    for directory, names, files in os.walk(root):
        inside = os.path.relpath(directory, root)
        names[:] = [n for n in names if not n.startswith((".git", "build", "__pycache__", "demo-data"))]
        names[:] = [n for n in names if os.path.join(inside, n) != os.path.join("tests", "golden")]
        for name in files:
            path = os.path.normpath(os.path.join(inside, name))
            if name.startswith("tidy_") or not (name.endswith(TEXT) or path in ("run", ".ci/run")):
                continue
            with open(os.path.join(root, path), encoding="utf-8") as file:
                tree[path] = file.read()
    return tree


def main():
    failures, rules = self_test()
    for failure in failures:
        print(failure)
    tree = read_tree(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
    offences = list(check(tree))
    for path, line, rule, message in offences:
        print(f"{path}:{line}: [{rule}] {message}")
    print(f"tidy_test: {rules} rules, {len(tidy_examples.EXAMPLES)} examples, {len(failures)} of them wrong; "
          f"{len(tree)} files, {len(offences)} offences")
    if len(tree) < 50:
        print("that is not the whole tree")
    return 1 if failures or offences or len(tree) < 50 else 0


if __name__ == "__main__":
    sys.exit(main())
