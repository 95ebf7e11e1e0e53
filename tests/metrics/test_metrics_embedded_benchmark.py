from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "benchmarks" / "embedded_accuracy.py"
MARKS = ("<!-- accuracy: begin -->", "<!-- accuracy: end -->")

PLACES = ["harbour", "windmill", "orchard", "quarry", "chapel", "granary", "tannery", "ferry", "bakery", "smithy"]
FOUNDERS = ["Ada Norton", "Ben Okoro", "Cleo Varga", "Dan Ito", "Eva Lund", "Finn Sousa", "Gus Moreau", "Ida Kern"]


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, SCRIPT.parent / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


accuracy = load("accuracy_statistics")


def judged(good: list[float], bad: list[float]) -> object:
    return accuracy.Judged(values=(*good, *bad), good=(True,) * len(good) + (False,) * len(bad))


@pytest.mark.parametrize(
    ("good", "bad", "expected"),
    [
        ([0.9, 0.8], [0.1, 0.2], 1.0),
        ([0.1, 0.2], [0.9, 0.8], 0.0),
        ([0.5, 0.5], [0.5, 0.5], 0.5),
        ([0.9, 0.4], [0.6, 0.1, 0.4], (3 + 1 + 0.5) / 6),
    ],
)
def test_auroc_by_hand(good: list[float], bad: list[float], expected: float) -> None:
    interval = judged(good, bad).auroc(repeats=50, seed=0)
    assert interval.value == pytest.approx(expected)
    assert 0.0 <= interval.low <= interval.high <= 1.0


def test_balanced_accuracy_by_hand() -> None:
    cases = judged([0.9, 0.8, 0.3], [0.2, 0.6])
    assert cases.balanced_accuracy(0.5, repeats=50, seed=0).value == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert cases.best_threshold() == 0.8
    assert cases.mean(True) == pytest.approx(2 / 3)


def test_intervals_are_seeded_and_hold_the_value() -> None:
    cases = judged([0.9, 0.8, 0.3, 0.7], [0.2, 0.6, 0.4, 0.1])
    first = cases.auroc(repeats=200, seed=1)
    assert first == cases.auroc(repeats=200, seed=1)
    assert first.low <= first.value <= first.high


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two labelled files of our own: plain rows, and rows with a twin; and one file without labels."""
    folder = tmp_path / "data"
    folder.mkdir()
    plain, twins = [], []
    for number, place in enumerate(PLACES * 3):
        founder, year = FOUNDERS[number % len(FOUNDERS)], 1800 + 7 * number
        row = {
            "id": f"r{number}",
            "user_input": f"Who founded the {place} number {number}?",
            "retrieved_contexts": [
                f"The {place} number {number} was founded by {founder} in {year}. It is open daily."
            ],
        }
        right, wrong = f"It was founded by {founder} in {year}.", f"It was founded by Zoe Quist in {year + 300}."
        good = number % 2
        plain.append({**row, "response": right if good else wrong, "faithful": good})
        twins.append({**plain[-1], "other_response": wrong if good else right})
    write(folder / "plain.jsonl", plain)
    write(folder / "twins.jsonl", twins)
    write(folder / "unlabelled.jsonl", [{"user_input": "What?", "response": "That."}])
    return folder


def write(path: Path, rows: list[dict[str, object]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)


def test_the_script_writes_its_tables_between_the_marks(data: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{MARKS[0]}\nstale numbers\n{MARKS[1]}\nafter\n", encoding="utf-8")
    done = run(data, "--repeats", 20, "--write", page)
    assert done.returncode == 0, done.stderr
    text = page.read_text(encoding="utf-8")
    assert text.startswith(f"before\n{MARKS[0]}\n| set | n |")
    assert text.endswith(f"|\n{MARKS[1]}\nafter\n")
    assert "stale" not in text
    assert done.stdout.strip() in text
    assert "| plain | 30 | 0 | 1.000 [1.00, 1.00] |" in text
    assert "| twins, lengths matched | 60 | 0 | 1.000 [1.00, 1.00] |" in text
    assert "edits: a negation put in" in text
    assert "unlabelled" not in text
    assert str(tmp_path) not in text
    run(data, "--repeats", 20, "--write", page)
    assert page.read_text(encoding="utf-8").count("not scored as 0.5") == 1


def test_the_script_says_what_it_needs(data: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("no marks", encoding="utf-8")
    refused = run(data, "--repeats", 20, "--write", page)
    assert refused.returncode == 1
    assert MARKS[0] in refused.stderr
    assert page.read_text(encoding="utf-8") == "no marks"
    empty = tmp_path / "empty"
    empty.mkdir()
    nothing = run(empty)
    assert nothing.returncode == 1
    assert "faithful (0 or 1)" in nothing.stderr


def test_the_page_of_the_docs_has_the_marks() -> None:
    page = (ROOT / "docs" / "embedded.md").read_text(encoding="utf-8")
    assert [page.count(mark) for mark in MARKS] == [1, 1]
    assert "| begin_wow_dev |" in page
