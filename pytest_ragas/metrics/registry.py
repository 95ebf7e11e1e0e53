"""`Registry`: every metric that exists in this process, found by name and built for a critic."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pytest_ragas.errors import ConfigurationError, UnknownNameError
from pytest_ragas.metrics.names import snake, split_backend, standard_name
from pytest_ragas.metrics.requirements import check_critic, require_embeddings
from pytest_ragas.protocols import Backend, Critic, Embeddings, LikelihoodCritic, Metric, MetricContext, MetricSpec
from pytest_ragas.values.model import EmbeddedCritic

Resolver = Callable[[str], "MetricSpec | None"]
"""Standard name without prefix -> the spec, or None where the backend has no such metric."""

_JUDGES: tuple[Backend, ...] = ("native", "embedded", "likelihood")
"""Backends that judge the same metrics in ways of their own, in the order in which an LLM looks for them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BuiltMetric:
    """A metric that is ready to score, with what is known of it."""

    spec: MetricSpec
    metric: Metric
    name: str
    """The name that its scores carry: as the user asked for it, in standard spelling."""


class Registry:
    """Every metric of this process.

    A name may say its backend (`ragas:faithfulness`); otherwise the critic decides: an LLM judges the `native`
    metric, or the `ragas` one where `metric_backend = "ragas"`; the embedded critic measures the `embedded` one, a
    likelihood critic the `likelihood` one. `free` metrics need neither.
    """

    def __init__(self) -> None:
        self._specs: dict[tuple[Backend, str], MetricSpec] = {}
        self._resolvers: dict[Backend, Resolver] = {"ragas": _any_class_of_ragas}

    def register(self, spec: MetricSpec) -> None:
        """Add a metric.

        Raises:
            ConfigurationError: Its name and backend are taken, or its name cannot be one.
        """
        self._check_name(spec)
        if (spec.backend, spec.name) in self._specs:
            raise ConfigurationError(
                f"The metric {spec.name!r} of backend {spec.backend!r} is registered twice. "
                "Give the second one another name."
            )
        self._specs[spec.backend, spec.name] = spec

    def register_resolver(self, backend: Backend, resolve: Resolver) -> None:
        """Let a backend find metrics that nobody registered, e.g. any class of a library.

        Args:
            backend: Whose metrics are looked up.
            resolve: Called only with names that are not registered; may import what it needs.
        """
        self._resolvers[backend] = resolve

    def names(self) -> tuple[str, ...]:
        """Every registered name, sorted: plain ones first, then those of ragas with their prefix."""
        plain = {name for backend, name in self._specs if backend != "ragas"}
        ragas = {f"ragas:{name}" for backend, name in self._specs if backend == "ragas"}
        return (*sorted(plain), *sorted(ragas))

    def specs(self) -> tuple[MetricSpec, ...]:
        """Every registered spec, in order of registration."""
        return tuple(self._specs.values())

    def canonical(self, name: str, *, where: str = "") -> str:
        """The standard spelling of a name, its backend prefix kept.

        Args:
            name: As the user wrote it: "AnswerRelevancy", "ragas:ResponseRelevancy".
            where: Where the user wrote it, for the message.

        Raises:
            UnknownNameError: No backend (or not the one it names) has such a metric; knows the neighbours.
        """
        backend, plain = split_backend(name, where=where)
        if backend is not None:
            if self._find(backend, plain) is None:
                raise self._unknown_of(backend, name, where)
            return f"{backend}:{plain}"
        if not any(self._find(kind, plain) for kind in ("free", *_JUDGES)) and not self._known_to_ragas(plain):
            raise UnknownNameError("metric", name, self._spellings(), where=where)
        return plain

    def resolve(
        self,
        name: str,
        *,
        critic: Critic,
        backend: Literal["native", "ragas"] = "native",
        where: str = "",
    ) -> MetricSpec:
        """The metric that a name means for this critic.

        Args:
            name: As the user wrote it, with or without a backend prefix.
            critic: Who judges.
            backend: `metric_backend`: whose metrics an LLM judges where the name does not say.
            where: Where the user wrote it, for the message.

        Raises:
            UnknownNameError: There is no such metric.
            ConfigurationError: There is, but not for this critic.
        """
        wanted, plain = split_backend(name, where=where)
        if wanted is not None:
            spec = self._find(wanted, plain)
            if spec is None:
                raise self._unknown_of(wanted, name, where)
            check_critic(spec, name, critic, instead=self._instead(spec, critic))
            return spec
        order: tuple[Backend, ...]
        if backend == "ragas":
            # also under the embedded critic, which then is an error: who asks for ragas must not get a heuristic
            order = ("free", "ragas", *_JUDGES)
        elif isinstance(critic, EmbeddedCritic):
            order = ("free", "embedded", "native", "likelihood")
        elif isinstance(critic, LikelihoodCritic):
            # not the embedded one in its place: who asks for a model must not get a measure of the wording
            order = ("free", "likelihood", "native", "embedded")
        else:
            order = ("free", *_JUDGES)
        for kind in order:
            spec = self._find(kind, plain)
            if spec is not None:
                instead = self._instead(spec, critic)
                if spec.backend == "ragas":
                    instead = f'or remove metric_backend = "ragas"; {instead}'.removesuffix("; ")
                check_critic(spec, plain, critic, instead=instead)
                return spec
        if self._known_to_ragas(plain):
            raise ConfigurationError(
                f"The metric {name!r} exists only in ragas{f' (in {where})' if where else ''}. "
                f"Write 'ragas:{plain}' (pip install 'pytest-ragas[ragas]'; it needs a critic LLM)."
            )
        raise UnknownNameError("metric", name, self._spellings(), where=where)

    def build(
        self,
        name: str,
        *,
        critic: Critic,
        embeddings: Embeddings | None = None,
        backend: Literal["native", "ragas"] = "native",
        options: Mapping[str, Any] | None = None,
        where: str = "",
        make: Callable[[MetricSpec, MetricContext], Metric] | None = None,
    ) -> BuiltMetric:
        """Build the metric that a name means for this critic.

        Args:
            name: As the user wrote it, with or without a backend prefix.
            critic: Who judges.
            embeddings: The configured embeddings, if any; a metric that needs none does not touch them.
            backend: `metric_backend`: whose metrics an LLM judges where the name does not say.
            options: `[tool.pytest-ragas.metric_options.<metric>]`.
            where: Where the user wrote the name, for messages.
            make: Makes the metric instead of the spec's factory, e.g. one that first looks for a stored score.

        Raises:
            UnknownNameError: There is no such metric, or it has no such option.
            ConfigurationError: It cannot be built for this critic, these embeddings or these options.
        """
        spec = self.resolve(name, critic=critic, backend=backend, where=where)
        given = dict(options or {})
        for option in given:
            if option not in spec.options:
                raise UnknownNameError(f"option of the metric {spec.name}", option, spec.options, where=where)
        context = MetricContext(
            critic=critic, embeddings=embeddings, options=given, name=self.canonical(name, where=where)
        )
        uses = spec.uses_with(given) if spec.uses_with else spec.uses
        if "embeddings" in uses:
            require_embeddings(context)
        metric = make(spec, context) if make else spec.factory(context)
        return BuiltMetric(spec=spec, metric=metric, name=context.name)

    def _find(self, backend: Backend, plain: str) -> MetricSpec | None:
        spec = self._specs.get((backend, plain))
        if spec is None and backend in self._resolvers:
            spec = self._resolvers[backend](plain)
            if spec is not None:
                self._specs[backend, plain] = spec
        return spec

    def _known_to_ragas(self, plain: str) -> bool:
        # the registered ones only: a typo must not import a library
        return ("ragas", plain) in self._specs

    def _instead(self, spec: MetricSpec, critic: Critic) -> str:
        """What a critic without prompts measures, for the error that it cannot be asked for this metric."""
        kind = "likelihood" if isinstance(critic, LikelihoodCritic) else "embedded"
        measured = sorted(plain for backend, plain in self._specs if backend == kind)
        instead = f"without one there are {', '.join(measured)}" if measured else ""
        if kind == "likelihood" and ("embedded", spec.name) in self._specs:
            instead = f"{instead}, and 'embedded:{spec.name}', which measures the wording".removeprefix(", and ")
        return instead

    def _spellings(self) -> tuple[str, ...]:
        return tuple(name for name in self.names() if not name.startswith("ragas:"))

    def _unknown_of(self, backend: Backend, name: str, where: str) -> UnknownNameError:
        known = [f"{backend}:{plain}" for kind, plain in self._specs if kind == backend]
        return UnknownNameError("metric", f"{backend}:{snake(name.partition(':')[2])}", known, where=where)

    def _check_name(self, spec: MetricSpec) -> None:
        name, standard = spec.name, standard_name(spec.name)
        if ":" in name or name != snake(name) or not name:
            raise ConfigurationError(f"A metric cannot be named {name!r}. Names are snake_case: {snake(name)!r}.")
        if name != standard:
            raise ConfigurationError(
                f"{name!r} is another spelling of the metric {standard!r}. Register it under that name."
            )
        # a name without prefix means one thing: these are several judges of one metric, a free metric has none
        others = _JUDGES if spec.backend == "free" else ("free",)
        if spec.backend != "ragas" and any((other, name) in self._specs for other in others):
            raise ConfigurationError(
                f"The metric {name!r} is registered twice, once as free and once as judged. "
                "Give the second one another name."
            )


def _any_class_of_ragas(plain: str) -> MetricSpec | None:
    # not at the top: only a name that nobody registered needs it
    from pytest_ragas.metrics.ragas.specs import resolve

    return resolve(plain)
