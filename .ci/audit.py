"""Ask a database of known vulnerabilities about every package that is installed here: `python3 .ci/audit.py`.

Ends with 1 where there are any, and with a clear word where the database cannot be reached.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

# Vulnerabilities that do not concern this project, with the reason: {"PYSEC-...": "..."}
ACCEPTED: dict[str, str] = {}


def main() -> int:
    """Print what is known, and return the exit status."""
    command = [sys.executable, "-m", "pip_audit", "--format", "json", "--progress-spinner", "off", "--local"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        reason = (done.stderr.strip().splitlines() or ["no answer"])[-1][:300]
        print(f"SKIPPED: known vulnerabilities were not looked up: {reason}")
        return 0
    asked = [package for package in packages if "skip_reason" not in package]
    if not asked:
        print("SKIPPED: the database knows none of the packages; it cannot be reached, or is an incomplete copy")
        return 0
    found = list(find_known(asked))
    print("\n".join(found) or f"no known vulnerability in {len(asked)} of {len(packages)} packages")
    return 1 if found else 0


def find_known(packages: list[dict[str, Any]]) -> Iterator[str]:
    """Yield a line for each vulnerability of pip-audit's report that is not accepted."""
    for package in packages:
        for each in package.get("vulns", []):
            if each["id"] not in ACCEPTED:
                mended = ", ".join(each["fix_versions"]) or "no version yet"
                yield f"{package['name']} {package['version']}: {each['id']}, mended in {mended}"


if __name__ == "__main__":
    sys.exit(main())
