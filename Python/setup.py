"""Builds the extension against an installed libpoise: POISE_PREFIX, or pkg-config's.

One binary for all CPythons from 3.9 on (abi3). `scripts/wheel` does it all, and puts libpoise into the wheel.
"""
import os
import re
import subprocess
from pathlib import Path

import numpy
from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel


def flags(option: str) -> list:
    return subprocess.run(["pkg-config", option, "poise"], check=True, stdout=subprocess.PIPE, text=True).stdout.split()


prefix = os.environ.get("POISE_PREFIX")
if prefix:
    include, library = [f"{prefix}/include"], [f"{prefix}/lib"]
else:
    include = [flag[2:] for flag in flags("--cflags-only-I")]
    library = [flag[2:] for flag in flags("--libs-only-L")]
header = next(Path(folder, "poise.h") for folder in [*include, "/usr/include"] if Path(folder, "poise.h").exists())
version = re.search(r'POISE_VERSION "(.+)"', header.read_text())


class Wheel(bdist_wheel):
    def finalize_options(self) -> None:
        self.py_limited_api = "cp39"
        super().finalize_options()


setup(
    version=version.group(1),
    cmdclass={"bdist_wheel": Wheel},
    ext_modules=[
        Extension(
            "poise._native",
            sorted(str(path) for path in Path("src/native").glob("*.c")),
            depends=[str(path) for path in Path("src/native").glob("*.h")],
            include_dirs=[numpy.get_include(), *include],
            library_dirs=library,
            runtime_library_dirs=library,
            libraries=["poise"],
            extra_compile_args=["-std=gnu11", "-O2", "-fvisibility=hidden", "-Wall"],
            py_limited_api=True,
        )
    ],
)
