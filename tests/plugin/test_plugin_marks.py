"""The marks of a test are walked over once, and those that are added later are seen all the same."""

from __future__ import annotations

import threading

import pytest

from pytest_ragas.plugin.current import current_item, running
from pytest_ragas.plugin.marks import marks_named, marks_of


@pytest.fixture
def items(pytester: pytest.Pytester) -> list[pytest.Item]:
    return pytester.getitems(
        """
        import pytest

        pytestmark = pytest.mark.filterwarnings("default")

        @pytest.mark.xfail
        @pytest.mark.filterwarnings("ignore")
        def test_marked():
            pass

        def test_other():
            pass
        """
    )


@pytest.fixture
def item(items: list[pytest.Item]) -> pytest.Item:
    return items[0]


def test_they_come_as_pytest_gives_them(item: pytest.Item) -> None:
    assert marks_of(item) == tuple(item.iter_markers())
    assert [mark.args for mark in marks_named(item, "filterwarnings")] == [("ignore",), ("default",)]
    assert marks_of(item) is marks_of(item)


@pytest.mark.parametrize("append", [True, False])
def test_one_that_is_added_to_the_test_or_its_module_is_seen(item: pytest.Item, append: bool) -> None:
    marks_of(item)
    item.add_marker(pytest.mark.skip, append=append)
    assert marks_named(item, "skip")
    assert item.parent is not None
    item.parent.add_marker(pytest.mark.skipif(False, reason="later"), append=append)
    assert marks_named(item, "skipif")
    item.own_markers = []
    assert marks_of(item) == tuple(item.iter_markers())


def test_a_thread_that_runs_a_test_finds_its_own(items: list[pytest.Item]) -> None:
    """There are plugins that run tests in threads."""
    item, other = items
    found: list[pytest.Item] = []

    def in_a_thread() -> None:
        found.append(current_item("asking"))  # of a thread that a test has started
        with running(other):
            begun.set()
            assert both.wait(30)
            found.append(current_item("asking"))

    begun, both = threading.Event(), threading.Event()
    with running(item):
        thread = threading.Thread(target=in_a_thread)
        thread.start()
        assert begun.wait(30)
        assert current_item("asking") is item
        both.set()
        thread.join(30)
    assert found == [item, other]
