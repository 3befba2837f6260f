"""Minimises a failing transcript: drops actions, rows and keys while it still fails; the oracle writes the expectations anew each time."""

import copy
import json
import os
import subprocess
import tempfile

from script import Script, batch_of
from transcript import build, documents


def script_of(document):
    """The actions of a document without its expectations."""
    return [action for action in document["transcript"] if not next(iter(action)).startswith("expect")]


def with_expectations(document, actions):
    """The document with these actions and what the oracle says of each."""
    from fuzz import Writer
    result = {**document, "transcript": []}
    writer = Writer.__new__(Writer)
    writer.document, writer.transcript = result, result["transcript"]
    writer.oracle = build(document)
    writer.script = Script(document["unit"], [None], document.get("fields", {}))
    writer.counters, writer.output = None, {}
    for action in actions:
        rows, plan = writer.script.batch(batch_of(action))
        writer.act(action, rows, plan)
    return result


def fails(document, command):
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", delete=False) as file:
        json.dump(document, file)
        file.write("\n")
    try:
        return subprocess.run(command.replace("{}", file.name), shell=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode != 0
    finally:
        os.unlink(file.name)


def without_runs(items):
    """Every way to leave out a run of items, long runs first."""
    size = len(items)
    while size:
        for start in range(0, len(items), size):
            yield items[:start] + items[start + size:]
        size //= 2


def rows_of(action):
    (name, body), = action.items()
    return body.get("input") if name == "batch" else body if name == "input" else None


def smaller(actions):
    """Scripts with something less, in the order to try."""
    yield from without_runs(actions)
    keys = {row["key"] for action in actions for row in rows_of(action) or [] if isinstance(row, dict)}
    for key in sorted(keys) if len(keys) > 1 else []:
        yield [with_rows(action, [row for row in rows if row["key"] != key]) if (rows := rows_of(action)) else action for action in actions]
    for i, action in enumerate(actions):
        for rows in without_runs(rows_of(action) or []):
            yield actions[:i] + [with_rows(action, rows)] + actions[i + 1:]
        if "batch" in action:
            for part in action["batch"]:
                rest = {name: value for name, value in action["batch"].items() if name != part}
                if rest:
                    yield actions[:i] + [{"batch": rest}] + actions[i + 1:]


def with_rows(action, rows):
    changed = copy.deepcopy(action)
    if "batch" in changed:
        changed["batch"]["input"] = rows
    else:
        changed["input"] = rows
    return changed


def shrink(document, still_fails):
    """`still_fails(document)` is the predicate."""
    actions = script_of(document)
    progress = True
    while progress:
        progress = False
        for candidate in smaller(actions):
            if still_fails(with_expectations(document, candidate)):
                actions, progress = candidate, True
                break
    return with_expectations(document, actions)


def shrink_file(path, name, command):
    document = next(each for each in documents(path) if name in (None, each["name"]))
    if not fails(document, command):
        raise SystemExit(f"{document['name']} does not fail")
    return shrink(document, lambda candidate: fails(candidate, command))
