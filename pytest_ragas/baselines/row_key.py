"""The test of a result, without the id of its row: "…::test_rag[row-7-small]" is "…::test_rag[small]"."""

from __future__ import annotations


def test_of(nodeid: str, sample_id: str) -> str:
    """The test's nodeid, without the row's id where pytest has put it into the brackets.

    Args:
        nodeid: As pytest has it, with pytest-xdist's "@group" perhaps.
        sample_id: The id of the row that was scored.
    """
    file, colons, name = _without_group(nodeid).partition("::")
    function, bracket, inside = name.partition("[")
    test = f"{file}{colons}{function}"
    if not inside.endswith("]"):
        return f"{test}{bracket}{inside}"
    # pytest writes what is not ASCII as escapes, unless it is told not to
    for written in (sample_id.encode("unicode_escape").decode("ascii"), sample_id):
        rest = _without(inside[:-1], written)
        if rest is not None:
            return f"{test}[{rest}]" if rest else test
    return f"{test}[{inside}"


def _without(inside: str, written: str) -> str | None:
    """What else stands between the brackets, where "-" joins the parameters; None where the id does not stand there."""
    if inside == written:
        return ""
    if inside.startswith(f"{written}-"):
        return inside[len(written) + 1 :]
    if inside.endswith(f"-{written}"):
        return inside[: -len(written) - 1]
    before, between, after = inside.partition(f"-{written}-")
    return f"{before}-{after}" if between else None


def _without_group(nodeid: str) -> str:
    # `--dist loadgroup` appends it; inside the brackets an "@" is the user's
    file, colons, name = nodeid.partition("::")
    head, at, group = name.rpartition("@")
    appended = at and "]" not in group and (head.endswith("]") or "[" not in head)
    return f"{file}{colons}{head}" if appended else nodeid
