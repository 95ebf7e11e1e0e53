"""The models of a generation: while tests are collected there are no fixtures yet, and yet users override ours."""

from __future__ import annotations

import inspect
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ragas.errors import ConfigurationError
from pytest_ragas.session.session import CONFIGURED

if TYPE_CHECKING:
    from pytest_ragas.plugin.suite import Suite

_MADE = pytest.StashKey[dict[Any, object]]()
"""Function of an overriding fixture -> what it gave: it is called once."""


def writer(suite: Suite, metafunc: pytest.Metafunc) -> object:
    """The generator LLM: an overriding fixture's value, `CONFIGURED` for the one of the settings.

    As with our own fixture, the critic LLM writes where no generator LLM is configured.

    Raises:
        ConfigurationError: The fixture cannot be used while tests are collected.
    """
    own = overridden(metafunc, "ragas_generator_llm", None)
    if own is None and suite.settings.generator_llm is None:
        return overridden(metafunc, "ragas_critic_llm", CONFIGURED)
    return CONFIGURED if own is None else own


def writer_name(suite: Suite, metafunc: pytest.Metafunc) -> str:
    """The generator LLM in words; nothing is built for it."""
    names = ["ragas_generator_llm", *(["ragas_critic_llm"] if suite.settings.generator_llm is None else [])]
    for name in names:
        if (function := _function(metafunc, name)) is not None:
            return f"the fixture {name} of {Path(function.__code__.co_filename).name}"
    model = suite.settings.generator_llm or suite.settings.critic_llm
    name = model.model_name or model.model_name_or_path
    return "no generator LLM: name one in [tool.pytest-ragas.generator_llm]" if name == "embedded" else name


def overridden(metafunc: pytest.Metafunc, name: str, otherwise: object) -> object:
    """What the user's fixture gives in place of ours; `otherwise` where ours is not overridden.

    Raises:
        ConfigurationError: It needs other fixtures, of which there are none while tests are collected.
    """
    function = _function(metafunc, name)
    if function is None:
        return otherwise
    made = metafunc.config.stash.setdefault(_MADE, {})
    if function not in made:
        made[function] = _call(function, name, metafunc.config)
    return made[function]


def _call(function: Any, name: str, config: pytest.Config) -> object:
    if inspect.signature(function).parameters:
        file = Path(function.__code__.co_filename).name
        raise ConfigurationError(
            f"The fixture {name} of {file} takes other fixtures, and while tests are "
            "collected there are none: the testset cannot be generated with it. Name the model in "
            f"[tool.pytest-ragas.{name.removeprefix('ragas_')}], or put the testset file there yourself: run "
            "pytest-ragas generate, and commit what it writes."
        )
    value: object = function()
    if isinstance(value, Generator):  # a fixture with a yield: what follows it belongs to the end of the run
        config.add_cleanup(lambda: next(value, None))
        return next(value)
    return value


def _function(metafunc: pytest.Metafunc, name: str) -> Any:
    """The function of the user's own fixture of that name, as the test sees it; None where ours is the one."""
    manager: Any = getattr(metafunc.definition.session, "_fixturemanager", None)
    found = manager.getfixturedefs(name, metafunc.definition) if manager is not None else None
    function = found[-1].func if found else None
    return None if function is None or function.__module__ == "pytest_ragas.plugin.fixtures" else function
