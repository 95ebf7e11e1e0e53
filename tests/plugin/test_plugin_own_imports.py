"""Our own modules do not go through pytest's assertion rewriting."""

from __future__ import annotations

import sys

import pytest
from _pytest.assertion.rewrite import AssertionRewritingHook

from pytest_ragas.plugin.own_imports import _Finder, import_as_usual

LOADERS = """
import sys

def pytest_sessionfinish():
    for name in ("pytest_ragas.session", "pytest_ragas.metrics.registry", "conftest"):
        print(name, type(sys.modules[name].__loader__).__name__)
"""


def test_only_ours_are_imported_as_usual(pytester: pytest.Pytester) -> None:
    """In a process of its own: here the modules are imported already."""
    pytester.makeconftest(LOADERS)
    pytester.makefile(".ini", pytest="[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.ragas(metrics=["exact_match"])
        def test_it(ragas_sample):
            ragas_sample.record(user_input="Where?", response="There.", reference="There.")
        """
    )
    result = pytester.runpytest_subprocess("-s", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        [
            "*pytest_ragas.session SourceFileLoader",
            "pytest_ragas.metrics.registry SourceFileLoader",
            "conftest AssertionRewritingHook",
        ]
    )


def test_asking_twice_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    hook = AssertionRewritingHook.__name__
    others = [finder for finder in sys.meta_path if finder is not _Finder]
    assert any(type(finder).__name__ == hook for finder in others)
    monkeypatch.setattr(sys, "meta_path", others)
    import_as_usual()
    import_as_usual()
    assert sys.meta_path[0] is _Finder
    assert sys.meta_path.count(_Finder) == 1


def test_other_packages_are_not_found_by_it() -> None:
    assert _Finder.find_spec("pytest_ragas_extra") is None
    assert _Finder.find_spec("json") is None
