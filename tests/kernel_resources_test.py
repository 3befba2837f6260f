#!/usr/bin/python3
"""Registers, spills, stack and shared memory of every kernel: kernel_resources_test.py OBJECT...

Reads what ptxas said when each OBJECT was compiled (kernels/keep_resources.sh), prints one line per
kernel, and fails if a kernel of kernels/hot_kernels.txt spills registers to memory on any
architecture, or is not there.  Without an OBJECT, for want of nvcc: exit code 77 (skipped), or 1 in
continuous integration (CI is set), where that must not pass unseen.
"""
import os
import re
import subprocess
import sys
from collections import defaultdict

HOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "kernels", "hot_kernels.txt")

ENTRY = re.compile(
    r"Compiling entry function '(\w+)' for 'sm_(\w+)'.*?"
    r"(\d+) bytes stack frame, \d+ bytes spill stores, \d+ bytes spill loads\s+"
    r"ptxas info +: Used (\d+) registers[^\n]*", re.DOTALL)
SPILLS = re.compile(r"(\d+) bytes spill stores, (\d+) bytes spill loads")
SHARED = re.compile(r"(\d+) bytes smem")

# What ptxas 13.0 says of a kernel that spills.
EXAMPLE = """\
ptxas info    : Compiling entry function '_Z4hotKv' for 'sm_90'
ptxas info    : Function properties for _Z4hotKv
    40 bytes stack frame, 36 bytes spill stores, 28 bytes spill loads
ptxas info    : Used 32 registers, used 1 barriers, 40 bytes cumulative stack size, 1024 bytes smem
ptxas info    : Compile time = 1.000 ms
"""


def parse(text):
    """(mangled name, architecture) -> (registers, bytes spilled, bytes of stack, bytes of shared memory)."""
    found = {}
    for match in ENTRY.finditer(text):
        stores, loads = SPILLS.search(match.group(0)).groups()
        shared = SHARED.search(match.group(0))
        found[match.group(1), int(match.group(2).rstrip("af"))] = (
            int(match.group(4)), int(stores) + int(loads), int(match.group(3)),
            int(shared.group(1)) if shared else 0)
    return found


def demangled(names):
    """As a reader knows them: without the namespaces, parameters and qualifiers that all have."""
    names = list(names)
    plain = subprocess.run(["c++filt", "--no-params"], input="\n".join(names), capture_output=True, text=True,
                           check=True).stdout.split("\n")
    drop = re.compile(r"\(anonymous namespace\)::|windrow::(cuda::)?|^void |(?<=cub::)CUB_\w+::|detail::")
    return {name: drop.sub("", text) for name, text in zip(names, plain)}


def spills(kernels, hot):
    """What is wrong with {name: {architecture: resources}}, as lines."""
    for pattern in hot:
        names = [name for name in kernels if re.search(rf"\b{re.escape(pattern)}\b", name)]
        if not names:
            yield f"kernels/hot_kernels.txt: no kernel is named {pattern}"
        for name in names:
            for architecture, (_, spilled, _, _) in sorted(kernels[name].items()):
                if spilled:
                    yield f"{name}: spills {spilled} bytes on sm_{architecture}; hot kernels must not"


def self_test():
    """A hot kernel that spills is found, one that is not hot may, and one that is gone is missed."""
    kernels = {"hotK": {arch: numbers for (_, arch), numbers in parse(EXAMPLE).items()}}
    assert kernels == {"hotK": {90: (32, 64, 40, 1024)}}, kernels
    assert list(spills(kernels, ["hotK"])) == ["hotK: spills 64 bytes on sm_90; hot kernels must not"]
    assert not list(spills(kernels, []))
    assert len(list(spills(kernels, ["hot"]))) == 1


def main():
    self_test()
    objects = sys.argv[1:]
    if not objects:
        failed = bool(os.environ.get("CI"))
        print("kernel_resources_test:", "FAILED, since CI is set:" if failed else "SKIPPED:",
              "built without nvcc (`./run cuda` fetches it)")
        return 1 if failed else 77
    found = {}
    for path in objects:
        with open(path + ".ptxas", encoding="utf-8") as file:
            found.update(parse(file.read()))
    names, kernels = demangled(sorted({name for name, _ in found})), defaultdict(dict)
    for (name, architecture), numbers in found.items():
        seen = kernels[names[name]].get(architecture, numbers)  # overloads share a line
        kernels[names[name]][architecture] = tuple(map(max, seen, numbers))
    with open(HOT, encoding="utf-8") as file:
        hot = [line.strip() for line in file if line.strip() and not line.startswith("#")]

    architectures = sorted({architecture for _, architecture in found})
    print("per architecture sm_" + "/".join(map(str, architectures)))
    print(f"{'registers':>12} {'spilled B':>12} {'stack B':>12} {'shared B':>12}  kernel (* hot)")
    for name, of in sorted(kernels.items()):
        columns = ("/".join(str(of[a][i]) if a in of else "-" for a in architectures) for i in range(4))
        star = "*" if any(re.search(rf"\b{re.escape(pattern)}\b", name) for pattern in hot) else " "
        print(*(f"{column:>12}" for column in columns), star + (name if len(name) <= 100 else name[:97] + "..."))
    wrong = list(spills(kernels, hot))
    wrong += [f"{name}: not compiled for every architecture" for name, of in kernels.items()
              if len(of) != len(architectures)]
    for line in wrong:
        print(line)
    print(f"kernel_resources_test: {len(kernels)} kernels, {len(hot)} hot, {len(wrong)} wrong")
    return 1 if wrong or not kernels else 0


if __name__ == "__main__":
    sys.exit(main())
