"""A testset is a lockfile: what is stale is said and replaced, everything else stays as it is."""

from __future__ import annotations

import json

import pytest
from generate_made import SEED_DISTRIBUTION, Project

from pytest_ragas.errors import DocumentsError, TestsetError
from pytest_ragas.testset.lock import FORMAT_VERSION, read_lock
from pytest_ragas.testset.save import save_testset
from pytest_ragas.values.testset import Testset

RECIPE = {"test_size": 10, "distribution": SEED_DISTRIBUTION}


@pytest.fixture
def made(project: Project) -> Project:
    project.generate(**RECIPE)
    project.server.requests.clear()
    return project


def stale(project):
    return [row.row.id for row in project.condition().of("stale")]


def about(project, document, text):
    """Ids of the rows that were written from a passage with this text in it."""
    return [
        row.id
        for row in project.testset()
        if any(source["path"] == f"docs/{document}" for source in row.metadata["sources"])
        and any(text in context for context in row.reference_contexts)
    ]


def rewrite(project, change):
    rows = [change(json.loads(json.dumps(row))) for row in json.loads(project.path.read_text(encoding="utf-8"))]
    project.path.write_text(json.dumps([row for row in rows if row]), encoding="utf-8")


def test_the_lock_says_what_it_was_made_from(made):
    lock = read_lock(made.path, shown_as="generated.json")
    assert (lock.recipe.test_size, lock.docs) == (10, ("docs",))
    assert set(lock.documents) == {"docs/opening.md", "docs/travel.md", "docs/vacation.md"}
    assert {role: model["name"] for role, model in lock.models.items()} == {
        "generator LLM": "author", "critic LLM": "critic", "embeddings": "vectors",
    }  # fmt: skip
    text = (made.folder / "generated.json.lock").read_text(encoding="utf-8")
    assert "127.0.0.1" not in text
    assert "api_key" not in text


def test_nothing_has_changed(made):
    assert made.condition().up_to_date
    before = made.path.read_bytes()
    found, replaced = made.update()
    assert replaced is None
    assert found.up_to_date
    assert made.path.read_bytes() == before
    assert not made.server.requests


def test_a_row_is_stale_if_its_own_passage_has_changed(made):
    here = about(made, "opening.md", "08:30")
    assert here
    made.edit("opening.md", "opens at 08:30", "opens at 09:15")
    found = made.condition()
    assert [row.row.id for row in found.of("stale")] == here
    assert found.changed == ("docs/opening.md",)
    assert "docs/opening.md has changed under 'Opening hours'" in found.of("stale")[0].why
    assert not made.server.requests


def test_a_passage_that_has_moved_is_not_stale_and_is_found_again(made):
    before = "# Before\n\nThis is the handbook of the company and of all its parts, which are many and large."
    made.edit("vacation.md", "# Handbook\n", f"{before}\n\n# Handbook\n")
    assert not [row.why for row in made.condition().rows if row.why]
    made.update()
    text = (made.folder / "docs" / "vacation.md").read_text(encoding="utf-8")
    spans = [
        text[source["start"] : source["end"]] == context
        for row in made.testset()
        for source, context in zip(row.metadata["sources"], row.reference_contexts, strict=True)
        if source["path"] == "docs/vacation.md"
    ]
    assert spans
    assert all(spans)
    assert not made.server.requests


def test_update_replaces_stale_rows_in_their_place_and_keeps_all_others(made):
    before = [row.id for row in made.testset()]
    kinds = [row.tags for row in made.testset()]
    made.edit("opening.md", "opens at 08:30", "opens at 09:15")
    gone = stale(made)
    found, replaced = made.update()
    assert len(replaced.rows) == len(gone) == len(found.of("stale"))
    after = made.testset()
    assert [row.tags for row in after] == kinds
    assert [row.id for row in after if row.id in before] == [row for row in before if row not in gone]
    assert not any("08:30" in str(row.to_json()) for row in after)
    assert made.condition().up_to_date


def test_a_document_that_is_gone_makes_its_rows_stale(made):
    (made.folder / "docs" / "travel.md").unlink()
    found = made.condition()
    assert found.gone == ("docs/travel.md",)
    assert all("docs/travel.md is not there any more" in row.why for row in found.of("stale"))
    made.update()
    assert not about(made, "travel.md", "")
    assert len(made.testset()) == 10


def test_a_new_document_is_said_and_makes_nothing_stale(made):
    (made.folder / "docs" / "new.md").write_text(
        "# New\n\nThe new canteen serves soup on every Monday.", encoding="utf-8"
    )
    assert made.condition().new == ("docs/new.md",)
    assert made.condition().up_to_date


def test_an_edited_row_is_kept_and_marked_even_if_its_passage_has_changed(made):
    [here, *_] = about(made, "opening.md", "08:30")

    def by_hand(row):
        return {**row, "reference": "At 09:15, since May."} if row["id"] == here else row

    rewrite(made, by_hand)
    [edited] = made.condition().of("edited")
    assert edited.row.id == here
    assert made.condition().up_to_date
    made.edit("opening.md", "opens at 08:30", "opens at 09:15")
    found, _ = made.update()
    assert "has changed" in next(row for row in found.of("edited")).why
    [row] = [row for row in made.testset() if row.id == here]
    assert (row.reference, row.metadata["edited"]) == ("At 09:15, since May.", True)
    assert made.condition().of("edited")[0].row.metadata == row.metadata


def test_rows_by_hand_are_kept_and_not_counted(made):
    rows = json.loads(made.path.read_text(encoding="utf-8"))
    rows.insert(3, {"id": "mine", "user_input": "Who has the keys?", "reference": "Maria Lind."})
    made.path.write_text(json.dumps(rows), encoding="utf-8")
    assert [row.row.id for row in made.condition().of("by hand")] == ["mine"]
    assert made.condition().up_to_date
    made.update()
    assert [row.id for row in made.testset()][3] == "mine"
    assert len(made.testset()) == 11


def test_missing_rows_are_added_at_the_end(made):
    removed = made.testset().samples[0].id
    rewrite(made, lambda row: None if row["id"] == removed else row)
    assert made.condition().missing == {"simple": 1}
    kept = [row.id for row in made.testset()]
    made.update()
    assert [row.id for row in made.testset()][:9] == kept
    assert made.testset().samples[9].tags == ("simple",)


def test_more_rows_and_other_shares_keep_what_is_there(made):
    before = [row.id for row in made.testset()]
    found, replaced = made.update(test_size=14, distribution={"simple": 0.5, "multi_context": 0.3, "unanswerable": 0.2})
    assert found.missing == {"simple": 2, "unanswerable": 3}
    assert [row.id for row in made.testset()][:10] == before
    assert len(made.testset()) == 15  # the reasoning row stays
    assert made.condition().up_to_date
    assert len(replaced.rows) == 5


def test_an_update_asks_no_question_again(made):
    made.update(**{**RECIPE, "test_size": 20})
    questions = [row.user_input for row in made.testset()]
    assert len(set(questions)) == 20


@pytest.mark.parametrize("suffix", [".json", ".jsonl", ".yaml", ".csv"])
def test_every_format_keeps_what_an_update_needs(project, suffix):
    project.path = project.folder / f"generated{suffix}"
    project.generate(test_size=4, distribution={"simple": 0.5, "unanswerable": 0.25, "conversational": 0.25})
    assert project.condition().up_to_date
    assert not project.condition().of("edited")
    save_testset(Testset(samples=project.testset().samples), project.path)
    assert project.condition().up_to_date


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "Cannot read generated.json.lock: "),
        ("[]", "It is no JSON object"),
        ('{"format": 1}', "It is no lock of a testset"),
        (json.dumps({"format": FORMAT_VERSION + 1}), "Upgrade pytest-ragas"),
    ],
)
def test_a_lock_that_cannot_be_read_says_why(made, text, message):
    (made.folder / "generated.json.lock").write_text(text, encoding="utf-8")
    with pytest.raises(TestsetError) as caught:
        made.condition()
    assert message in str(caught.value)


def test_a_testset_without_a_lock_is_nobody_s_to_change(made):
    (made.folder / "generated.json.lock").unlink()
    with pytest.raises(TestsetError, match="has no lock"):
        made.update()


def test_documents_that_are_all_gone_are_an_error_that_changes_nothing(made):
    before = made.path.read_bytes()
    for file in (made.folder / "docs").iterdir():
        file.unlink()
    with pytest.raises(DocumentsError):
        made.update()
    assert made.path.read_bytes() == before
