"""YAML text to values: the one door to PyYAML.

Plain scalars are read as the YAML 1.2 core schema would: only `true`/`false` are booleans, dates and `12:30` stay
text. PyYAML's YAML 1.1 makes a boolean of a plain `no` and 750 of a plain `12:30`, which no testset means. Whatever
is read as a number or boolean here is one for PyYAML too, so that its dumper quotes what needs quotes.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import IO, Any

from pytest_ragas.files.found import MAX_DEPTH
from pytest_ragas.files.text import FileProblem

_DROPPED = {f"tag:yaml.org,2002:{name}" for name in ("bool", "int", "float", "timestamp", "value")}
_MOST_VALUES = 20_000_000
"""Values of a file of some 100 MB; aliases of aliases can make more out of one kilobyte."""

_MERGE = "tag:yaml.org,2002:merge"


@dataclass(frozen=True, kw_only=True, slots=True)
class YamlDocument:
    """One YAML document."""

    value: Any
    """None for an empty one."""
    item_lines: tuple[int, ...] = ()
    """Line on which each item of the outermost list begins; empty if it is no list."""


def parse_yaml(text: str) -> YamlDocument:
    """The one document of a YAML text.

    Raises:
        FileProblem: No YAML (line and column; never the text itself, which may hold a key), a key twice in one
            mapping, a tag that stands for a Python object, more than one document, nested too deeply, or aliases
            that expand without end.
    """
    import yaml

    loader = _loader_class()(text)
    try:
        _check_depth(text)
        node = loader.get_single_node()
        if node is None:
            return YamlDocument(value=None)
        _Weigher().weigh(node)
        lines = tuple(item.start_mark.line + 1 for item in node.value) if isinstance(node, yaml.SequenceNode) else ()
        return YamlDocument(value=loader.construct_document(node), item_lines=lines)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise FileProblem(f"no valid YAML{place}: {_safe(error.problem or error.context or '')}.") from None
    except yaml.YAMLError as error:
        reason = getattr(error, "reason", "")
        raise FileProblem(f"no valid YAML: {reason or type(error).__name__}.") from None
    except RecursionError:
        raise FileProblem("its YAML is nested too deeply.") from None
    except (ValueError, LookupError, TypeError, AttributeError):
        # PyYAML's constructors trust the tags: `!!int x`, `!!bool x`, `!!timestamp x`. The words of these errors
        # quote the value
        raise FileProblem("no valid YAML: a value does not fit its tag, or has too many digits.") from None
    finally:
        loader.dispose()


def dump_yaml(value: Any, stream: IO[str]) -> None:
    """Write JSON values so that `parse_yaml` reads them back: block style, keys in their order, Unicode as it is."""
    import yaml

    yaml.dump(value, stream, Dumper=_dumper_class(), allow_unicode=True, sort_keys=False, width=120)


@functools.cache
def _dumper_class() -> Any:
    import yaml

    class Dumper(yaml.SafeDumper):
        pass

    def represent(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
        # PyYAML writes these as they are into quotes that fold them to spaces; in double quotes it escapes them
        style = '"' if re.search("[\x85\u2028\u2029]", text) else "|" if "\n" in text else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)

    Dumper.add_representer(str, represent)
    return Dumper


def _safe(problem: str) -> str:
    # PyYAML quotes tags and aliases, and a careless unquoted key may begin like one
    return re.sub(r"'[^']{4,}'", "'…'", problem)


@functools.cache
def _loader_class() -> Any:
    import yaml

    base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    class Loader(base):  # type: ignore[misc]
        yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's own name and shape
            first: [(tag, pattern) for tag, pattern in resolvers if tag not in _DROPPED]
            for first, resolvers in base.yaml_implicit_resolvers.items()
        }

    def plain(name: str, pattern: str, first: str) -> None:
        Loader.add_implicit_resolver(f"tag:yaml.org,2002:{name}", re.compile(pattern), list(first))

    plain("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF")
    plain("int", r"^[-+]?(?:0|[1-9][0-9]*)$", "-+0123456789")
    plain(
        "float",
        r"^(?:[-+]?[0-9]+\.[0-9]*(?:[eE][-+][0-9]+)?|\.[0-9]+(?:[eE][-+][0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$",
        "-+0123456789.",
    )
    return Loader


def _check_depth(text: str) -> None:
    """Stop before libyaml's recursion overruns the C stack, which no exception would tell."""
    import yaml

    opening, closing = (yaml.SequenceStartEvent, yaml.MappingStartEvent), (yaml.SequenceEndEvent, yaml.MappingEndEvent)
    depth = 0
    for event in yaml.parse(text, Loader=_loader_class()):
        if isinstance(event, opening):
            depth += 1
            if depth > MAX_DEPTH:
                raise FileProblem(f"its YAML has more than {MAX_DEPTH} levels of lists and mappings.")
        elif isinstance(event, closing):
            depth -= 1


class _Weigher:
    """Walks the nodes once: no key twice, no alias inside what it names, no bomb of aliases of aliases."""

    def __init__(self) -> None:
        self._weights: dict[int, int] = {}
        """id of a node -> values that it expands to; 0 while it is being walked."""

    def weigh(self, node: Any) -> int:
        import yaml

        if isinstance(node, yaml.ScalarNode):
            return 1
        known = self._weights.get(id(node))
        if known == 0:
            raise FileProblem(f"line {node.start_mark.line + 1} has an alias inside what it names.")
        if known is None:
            self._weights[id(node)] = 0
            children = [value for _, value in node.value] if isinstance(node, yaml.MappingNode) else node.value
            if isinstance(node, yaml.MappingNode):
                self._check_keys(node)
            known = 1 + sum(self.weigh(child) for child in children)
            if known > _MOST_VALUES:
                raise FileProblem(f"its aliases expand it to more than {_MOST_VALUES:,} values.")
            self._weights[id(node)] = known
        return known

    @staticmethod
    def _check_keys(node: Any) -> None:
        """PyYAML lets the last of two equal keys win; say so instead."""
        import yaml

        keys = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != _MERGE:
                if (key.tag, key.value) in keys:
                    raise FileProblem(
                        f"the key {key.value!r} stands twice in one mapping, again at line "
                        f"{key.start_mark.line + 1}. Keep one of them."
                    )
                keys.add((key.tag, key.value))
