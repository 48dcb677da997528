"""Software bill of materials (Stückliste der Software): every part of another hand, as CycloneDX JSON.

    python tools/sbom.py [FILE]      writes var/sbom.cdx.json

Made of the lock files alone - names, versions, digests - and of the licences that the installed parts state of
themselves; nothing is asked of the network, and the same lock files give the same bytes. The result is checked against
the schema of CycloneDX before it is written.
"""

import base64
import hashlib
import json
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any
from uuid import UUID

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from license_expression import ExpressionError, get_spdx_licensing
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
VERSION = SchemaVersion.V1_6
_ENTRY = re.compile(r"^(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>[^ ;\\]+)")
_DIGEST = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_SPDX = get_spdx_licensing()
# What the classifiers of parts that state no expression mean.
_CLASSIFIERS = {
    "MIT License": "MIT",
    "MIT No Attribution License (MIT-0)": "MIT-0",
    "BSD License": "BSD-3-Clause",
    "Apache Software License": "Apache-2.0",
    "ISC License (ISCL)": "ISC",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
    "GNU Lesser General Public License v2 or later (LGPLv2+)": "LGPL-2.0-or-later",
    "GNU Library or Lesser General Public License (LGPL)": "LGPL-2.1-or-later",
    "Python Software Foundation License": "PSF-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
    "zlib/libpng License": "Zlib",
}
_NAMES = {
    "mit": "MIT",
    "mit license": "MIT",
    "bsd": "BSD-3-Clause",
    "apache 2.0": "Apache-2.0",
}
# What parts state in their sources but not in a form that can be read, or that are not installed on every system.
_KNOWN = {
    "colorama": "BSD-3-Clause",
    "pypdfium2": "BSD-3-Clause AND Apache-2.0",
    "saxonche": "MPL-2.0",
}


def python_parts(lock: Path) -> Iterator[dict[str, Any]]:
    """The parts of a lock file of Python, with the digests of all their files."""
    for entry in re.split(r"\n(?=[A-Za-z0-9])", lock.read_text(encoding="utf-8")):
        match = _ENTRY.match(entry)
        if match is None:
            continue
        name, version = canonicalize_name(match["name"]), match["version"]
        purl = f"pkg:pypi/{name}@{version}"
        part: dict[str, Any] = {
            "type": "library",
            "bom-ref": purl,
            "name": name,
            "version": version,
            "purl": purl,
            "properties": [
                {"name": "verbund:sha256", "value": digest} for digest in sorted(set(_DIGEST.findall(entry)))
            ],
        }
        licences = licences_of(name)
        if licences:
            part["licenses"] = licences
        yield part


def licences_of(name: str) -> list[dict[str, Any]]:
    """The licence an installed part states: an expression of SPDX if it can be read as one, else its words."""
    if name in _KNOWN:
        return [{"expression": _KNOWN[name]}]
    try:
        stated: Any = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return []
    classifiers = [c.rpartition(" :: ")[2] for c in stated.get_all("Classifier") or [] if c.startswith("License ::")]
    candidates = [
        stated.get("License-Expression") or "",
        *(_NAMES.get((stated.get("License") or "").strip().lower(), stated.get("License") or ""),),
        " OR ".join(sorted({_CLASSIFIERS[c] for c in classifiers if c in _CLASSIFIERS})),
    ]
    for candidate in candidates:
        expression = _expression(candidate)
        if expression:
            return [{"expression": expression}]
    words = next((c.strip().partition("\n")[0] for c in (*candidates[1:2], *classifiers) if c.strip()), "")
    return [{"license": {"name": words[:200]}}] if words else []


def _expression(text: str) -> str:
    if not text.strip() or len(text) > 200:
        return ""
    try:
        return str(_SPDX.parse(text, validate=True))
    except ExpressionError:
        return ""


def npm_parts(lock: Path) -> Iterator[dict[str, Any]]:
    """The parts of the browser's side, with what they are locked to; those of the tests alone are marked."""
    for path, entry in json.loads(lock.read_text(encoding="utf-8"))["packages"].items():
        if not path:
            continue
        name = path.rpartition("node_modules/")[2]
        purl = f"pkg:npm/{name.replace('@', '%40')}@{entry['version']}"
        algorithm, _dash, digest = entry["integrity"].partition("-")
        part: dict[str, Any] = {
            "type": "library",
            "bom-ref": purl,
            "name": name,
            "version": entry["version"],
            "purl": purl,
            "scope": "excluded" if entry.get("dev") else "required",
            "hashes": [{"alg": algorithm.upper().replace("SHA", "SHA-"), "content": base64.b64decode(digest).hex()}],
        }
        expression = _expression(str(entry.get("license", "")))
        if expression:
            part["licenses"] = [{"expression": expression}]
        yield part


def needed_by(name: str, present: dict[str, str]) -> list[str]:
    """The parts an installed part needs itself, as they stand in the lock file."""
    try:
        wanted = metadata.requires(name) or []
    except metadata.PackageNotFoundError:
        return []
    needed = {canonicalize_name(Requirement(text).name) for text in wanted if "extra ==" not in text}
    return sorted(present[n] for n in needed if n in present)


def bill() -> dict[str, Any]:
    """The whole bill: what runs, and, marked as excluded, what is needed to build and test alone."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    running = [*python_parts(ROOT / "requirements.lock"), *python_parts(ROOT / "tools" / "rules.lock")]
    refs = {part["bom-ref"] for part in running}
    testing = [p for p in python_parts(ROOT / "requirements-dev.lock") if p["bom-ref"] not in refs]
    for part in running:
        part["scope"] = "required"
    for part in testing:
        part["scope"] = "excluded"
    parts = sorted([*running, *testing, *npm_parts(ROOT / "package-lock.json")], key=lambda part: str(part["bom-ref"]))
    present = {part["name"]: str(part["bom-ref"]) for part in parts if part["purl"].startswith("pkg:pypi/")}
    own = f"pkg:generic/{project['name']}@{project['version']}"
    direct = {canonicalize_name(Requirement(text).name) for text in project["dependencies"]}
    shown = [p["bom-ref"] for p in parts if p["purl"].startswith("pkg:npm/") and p["scope"] == "required"]
    depends = [{"ref": own, "dependsOn": sorted([*(present[n] for n in direct), *shown])}]
    depends += [{"ref": present[n], "dependsOn": needed_by(n, present)} for n in sorted(present)]
    content: dict[str, Any] = {
        "bomFormat": "CycloneDX",
        "specVersion": VERSION.to_version(),
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": own,
                "name": project["name"],
                "version": project["version"],
                "description": project["description"],
                "licenses": [{"expression": project["license"]}],
            }
        },
        "components": parts,
        "dependencies": depends,
    }
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).digest()
    content["serialNumber"] = f"urn:uuid:{UUID(bytes=digest[:16], version=4)}"
    return content


def main() -> int:
    """Write the bill; 1 if it does not fit the schema or a running part states no licence."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "var" / "sbom.cdx.json"
    content = bill()
    text = json.dumps(content, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    problem = JsonStrictValidator(VERSION).validate_str(text)
    if problem is not None:
        print(f"sbom: does not fit CycloneDX: {problem}")
        return 1
    silent = [p["bom-ref"] for p in content["components"] if p["scope"] == "required" and "licenses" not in p]
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")
    required = sum(p["scope"] == "required" for p in content["components"])
    print(f"sbom: {target}: {required} parts that run, {len(content['components']) - required} to build and test")
    for ref in silent:
        print(f"sbom: no licence stated: {ref}")
    return 1 if silent else 0


if __name__ == "__main__":
    sys.exit(main())
