"""Unpacks from a wheel only what the addon needs: shared libraries, the headers of TensorFlow's C API, and CUDA's assembler."""

import os
import re
import sys
import zipfile

HEADERS = re.compile(r"tensorflow/include/(tensorflow/c|tensorflow/core/platform|tsl/platform|xla/tsl/c)/.*\.h$")
LIBRARIES = re.compile(r"(tensorflow/libtensorflow_(cc|framework)\.so\.\d+|nvidia/.*/lib/[^/]*\.so[.\d]*)$")
# TensorFlow looks for these beside its libraries when it has to compile a kernel for a GPU that it brings none for.
ASSEMBLER = re.compile(r"nvidia/cuda_nvcc/(bin/(ptxas|nvlink|fatbinary)|nvvm/libdevice/[^/]+)$")

wheel, target = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    names = [name for name in archive.namelist() if HEADERS.match(name) or LIBRARIES.match(name) or ASSEMBLER.match(name)]
    archive.extractall(target, names)
for name in names:
    if "/bin/" in name:
        os.chmod(os.path.join(target, name), 0o755)
