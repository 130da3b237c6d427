"""Ask the registry whether every requirement is a wheel, for each system and Python: `python .ci/resolve.py`.

Nothing is installed. Ends with 1 where a wheel is missing; the systems that README says have none are asked last, and
are no fault.
"""

import os
import subprocess
import sys

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
SYSTEMS = {
    "x86_64-unknown-linux-gnu": "Linux",
    "x86_64-pc-windows-msvc": "Windows",
    "aarch64-apple-darwin": "macOS 14, Apple silicon",
}
KNOWN_WITHOUT = {"x86_64-apple-darwin": "macOS 14, Intel", "aarch64-pc-windows-msvc": "Windows on ARM"}


def main() -> int:
    """Print a line for each system and Python, and return the exit status."""
    missing = sum(not report(system, python) for system in SYSTEMS for python in PYTHONS)
    for system in KNOWN_WITHOUT:
        report(system, PYTHONS[-1])
    return 1 if missing else 0


def report(system: str, python: str) -> bool:
    """Print how many packages a system and a Python would get; return whether all of them are wheels."""
    command = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--no-header", "--no-annotate"]
    wanted = ["--only-binary", ":all:", "--python-platform", system, "--python-version", python]
    files = ["requirements-dev.txt", "--constraints", "constraints.txt"]
    # PyTorch's wheels are for macOS 14 and newer; uv asks for an older one unless told.
    environment = {**os.environ, "MACOSX_DEPLOYMENT_TARGET": "14.0"}
    done = subprocess.run([*command, *wanted, *files], env=environment, capture_output=True, text=True, check=False)
    found = done.stdout.split()
    said = f"{sum('==' in word for word in found)} packages, every one a wheel"
    if done.returncode:
        said = done.stderr.strip().replace("\n", " ")
    print(f"{(SYSTEMS | KNOWN_WITHOUT)[system]}, Python {python}: {said}")
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
