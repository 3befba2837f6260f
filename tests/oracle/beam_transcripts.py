#!/usr/bin/python3
"""Fetches Beam's trigger transcripts out of the apache-beam wheel into a directory and prints the path of the file; it is not ours to commit."""

import glob
import os
import subprocess
import sys
import zipfile

MEMBER = "apache_beam/testing/data/trigger_transcripts.yaml"


def main(directory):
    path = os.path.join(directory, os.path.basename(MEMBER))
    if not os.path.exists(path):
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", directory, "apache-beam"], check=True, stdout=sys.stderr)
        wheel = sorted(glob.glob(os.path.join(directory, "apache_beam-*.whl")))[-1]
        with zipfile.ZipFile(wheel) as archive, open(path, "wb") as out:
            out.write(archive.read(MEMBER))
    print(path)


if __name__ == "__main__":
    main(sys.argv[1])
