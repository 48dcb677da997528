"""The shape of the house: floors, doors, and what every door asks for."""

import ast
import inspect
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import grimp
import pytest
from django.apps import apps
from django.db import models

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "verbund"
FLOORS = {"citizenservices": 3, "costsharing": 3, "records": 2, "budget": 2, "membership": 1}
# Rows that go with what they hang on, and why that is right.
GO_TOGETHER = {
    "citizenservices.DraftAttachment.draft": "a draft that was never sent is deleted whole",
}
# Files above 500 lines, and why that is (still) so.
LONG: dict[str, str] = {}
DOORS = {"services", "queries", "events"}
ROOMS = "verbund.modules"


@pytest.fixture(scope="module")
def imports() -> grimp.ImportGraph:
    return grimp.build_graph("verbund", cache_dir=None)


def test_every_room_has_its_floor() -> None:
    rooms = {path.name for path in (SOURCE / "modules").iterdir() if (path / "__init__.py").exists()}
    assert rooms == set(FLOORS)


def test_the_import_contracts_of_the_house_are_kept() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]


def test_rooms_are_entered_by_their_doors(imports: grimp.ImportGraph) -> None:
    trespassers = [
        f"{importer} -> {imported}"
        for importer in sorted(imports.modules)
        for imported in sorted(imports.find_modules_directly_imported_by(importer))
        if (room := _room(imported)) and _room(importer) not in {None, room} and not _is_door(imported)
    ]
    assert trespassers == []


def test_commands_and_wiring_enter_rooms_by_doors_and_interfaces(imports: grimp.ImportGraph) -> None:
    wired = {"web", "rest", "subscribers", "tasks", "policies"}  # policies: what the navigation shows to whom
    trespassers = [
        f"{importer} -> {imported}"
        for importer in sorted(imports.modules)
        if importer.startswith(("verbund.config", "verbund.commands"))
        for imported in sorted(imports.find_modules_directly_imported_by(importer))
        if _room(imported)
        and not _is_door(imported)
        and not (importer.startswith("verbund.config") and imported.split(".")[3:4] and imported.split(".")[3] in wired)
    ]
    assert trespassers == []


def _room(module: str) -> str | None:
    parts = module.split(".")
    return parts[2] if module.startswith(ROOMS + ".") and "tests" not in parts else None


def _is_door(module: str) -> bool:
    parts = module.split(".")
    return len(parts) == 4 and parts[3] in DOORS


def test_foreign_keys_point_down_and_leave_no_back_door() -> None:
    wrong = []
    for model in apps.get_models():
        floor = FLOORS.get(model._meta.app_label)
        for field in model._meta.get_fields(include_hidden=True):
            if not isinstance(field, models.ForeignKey | models.ManyToManyField):
                continue
            target: Any = field.related_model
            name, label = f"{model._meta.label}.{field.name}", target._meta.app_label
            if label == model._meta.app_label:
                continue
            if label in FLOORS and (floor is None or FLOORS[label] >= floor):
                wrong.append(f"{name} points up or sideways to {label}")
            if floor is not None and not cast(Any, field.remote_field).hidden:
                wrong.append(f'{name} leaves a back door in {label}: related_name="+" is missing')
    assert wrong == []


def test_what_a_row_stands_on_is_protected() -> None:
    allowed = {models.PROTECT, models.DO_NOTHING, models.RESTRICT}
    wrong = [
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models()
        if model._meta.app_label in FLOORS
        for field in model._meta.get_fields()
        if isinstance(field, models.ForeignKey) and field.remote_field.on_delete not in allowed
    ]
    assert set(wrong) - set(GO_TOGETHER) == set()


def _door_functions() -> Iterator[tuple[str, Any]]:
    for room in FLOORS:
        for door in ("services", "queries"):
            module = import_module(f"{ROOMS}.{room}.{door}")
            for name in getattr(module, "__all__", None) or vars(module):
                function = getattr(module, name)
                if (
                    not name.startswith("_")
                    and inspect.isfunction(function)
                    and function.__module__.startswith(module.__name__)
                ):
                    yield f"{room}.{door}.{name}", function


def test_every_door_asks_who_is_there() -> None:
    functions = dict(_door_functions())
    assert len(functions) > 60
    wrong = []
    for name, function in functions.items():
        parameters = list(inspect.signature(function).parameters.values())
        if [p.name for p in parameters[:1]] != ["actor"]:
            wrong.append(f"{name}: the first argument is not `actor`")
        if ".services." in name and any(p.kind is not p.KEYWORD_ONLY for p in parameters[1:]):
            wrong.append(f"{name}: arguments after `actor` are not keyword-only")
    assert wrong == []


def test_services_take_the_clock_as_an_argument() -> None:
    """No service, query, policy or model reads a clock of its own."""
    clocks = {
        ("datetime", "now"),
        ("datetime", "utcnow"),
        ("datetime", "today"),
        ("date", "today"),
        ("timezone", "now"),
        ("time", "time"),
    }
    wrong = []
    for path in _files("services", "queries", "policies", "models"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            function = node.func if isinstance(node, ast.Call) else None
            if (
                isinstance(function, ast.Attribute)
                and isinstance(function.value, ast.Name)
                and (function.value.id, function.attr) in clocks
            ):
                wrong.append(f"{path.relative_to(ROOT)}:{function.lineno}")
    assert wrong == []


def _files(*kinds: str) -> Iterator[Path]:
    for room in FLOORS:
        for kind in kinds:
            yield from sorted((SOURCE / "modules" / room).glob(f"{kind}.py"))
            yield from sorted((SOURCE / "modules" / room).glob(f"{kind}/**/*.py"))


def test_events_are_frozen_and_carry_values_only() -> None:
    plain = {"int", "str", "bool", "float", "UUID", "date", "datetime", "Decimal", "None", "tuple", "frozenset"}
    wrong = []
    for path in _files("events"):
        body = ast.parse(path.read_text(encoding="utf-8")).body
        own = {node.name for node in body if isinstance(node, ast.ClassDef)}  # each of them is looked at as well
        for node in body:
            if not isinstance(node, ast.ClassDef):
                continue
            if not any("frozen=True" in ast.unparse(d) for d in node.decorator_list):
                wrong.append(f"{path.relative_to(ROOT)}: {node.name} is not a frozen dataclass")
            for part in node.body:
                if isinstance(part, ast.AnnAssign):
                    names = {n.id for n in ast.walk(part.annotation) if isinstance(n, ast.Name)}
                    if not names <= plain | own:
                        wrong.append(
                            f"{path.relative_to(ROOT)}: {node.name}.{ast.unparse(part.target)}: {names - plain}"
                        )
    assert wrong == []


def test_files_stay_short_enough_to_be_read() -> None:
    long = [
        f"{path.relative_to(ROOT)}: {lines} lines"
        for path in sorted(SOURCE.rglob("*.py"))
        if not {"migrations", "tests"}.intersection(path.parts)
        and str(path.relative_to(SOURCE)) not in LONG
        and (lines := len(path.read_text(encoding="utf-8").splitlines())) > 500
    ]
    assert long == []
