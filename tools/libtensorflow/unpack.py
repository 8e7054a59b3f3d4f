"""Unpacks from a wheel only what the addon needs: shared libraries, and the headers of TensorFlow's C API."""

import re
import sys
import zipfile

HEADERS = re.compile(r"tensorflow/include/(tensorflow/c|tensorflow/core/platform|tsl/platform|xla/tsl/c)/.*\.h$")
LIBRARIES = re.compile(r"(tensorflow/libtensorflow_(cc|framework)\.so\.\d+|nvidia/.*\.so[.\d]*)$")

wheel, target = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    names = [name for name in archive.namelist() if HEADERS.match(name) or LIBRARIES.match(name)]
    archive.extractall(target, names)
