#!/usr/bin/python3
"""Runs the transcripts against every wrong engine of 18.4; each must be killed. Prints the table: python3 tests/oracle/mutants.py [M1 ..]"""

import glob
import importlib.util
import os
import signal
import sys

from mutant_table import MUTANTS

HERE = os.path.dirname(os.path.abspath(__file__))
OURS = {name[:-3] for name in os.listdir(HERE) if name.endswith(".py")}
SECONDS = 20  # of its own processor time, so that a busy machine kills no mutant


class Mutated:
    """Imports the oracle's modules with the text of a mutant."""

    def __init__(self, replacements):
        self.replacements = replacements

    def find_spec(self, name, path=None, target=None):
        return importlib.util.spec_from_loader(name, self) if name in OURS else None

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        with open(os.path.join(HERE, module.__name__ + ".py")) as file:
            text = file.read()
        for name, right, wrong in self.replacements:
            if name == module.__name__:
                if text.count(right) != 1:
                    raise LookupError(f"{right!r} stands {text.count(right)} times in {name}.py")
                text = text.replace(right, wrong)
        exec(compile(text, module.__name__, "exec"), module.__dict__)


def killer(replacements, documents):
    """The first document that the mutant fails; None if it survives. Runs in a child process."""
    for name in OURS & set(sys.modules):
        del sys.modules[name]
    sys.meta_path.insert(0, Mutated(replacements))
    import transcript
    for document in documents:
        try:
            if transcript.verdict(document) is not None:
                return document["name"]
        except LookupError:
            raise
        except Exception as crash:
            return f"{document['name']} ({type(crash).__name__})"
    return None


def run(replacements, documents):
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        os.write(writing, (killer(replacements, documents) or "").encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        name = answer.read()
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        return "(ran too long)"
    if status != 0:
        raise SystemExit("a mutant could not be built")
    return name


def main(chosen):
    import transcript
    files = sorted(glob.glob(os.path.join(HERE, "..", "transcripts", "*.yaml")))
    documents = [document for file in files for document in transcript.documents(file)]
    survivors = []
    for number, (defect, example, replacements) in MUTANTS.items():
        if chosen and number not in chosen:
            continue
        # The example that 18.4 names goes first: it is to kill its mutant alone.
        ordered = sorted(documents, key=lambda document: not document["name"].startswith(example + "_"))
        name = run(replacements, ordered)
        if not name:
            survivors.append(number)
        print(f"{number:5} {defect:52} {'killed by ' + name if name else 'SURVIVES'}{'' if name.startswith(example + '_') else ', not by ' + example}")
    print(f"{len(survivors)} survive {' '.join(survivors)}")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
