"""The suites of `suite_throughput.py`: the same rows and the same two metrics, as each library's users write them."""

from __future__ import annotations

import json
from pathlib import Path

from throughput_server import OURS

METRICS = ("faithfulness", "answer_relevancy")


def write_rows(folder: Path, number: int) -> None:
    """A testset of recorded answers: three sentences each, three contexts of some 50 words."""
    rows = []
    for row in range(1, number + 1):
        facts = [f"Part {row}-{part} of the works weighs {row * part} tonnes" for part in (1, 2, 3)]
        rows.append(
            {
                "id": f"row{row}",
                "user_input": f"What do the parts of series {row} weigh?",
                "response": " ".join(f"{fact}." for fact in facts),
                "retrieved_contexts": [f"{fact}, says the yearly report of the works. " * 4 for fact in facts],
            }
        )
    (folder / "testset.json").write_text(json.dumps(rows), encoding="utf-8")


PLAIN = """
import json, pathlib, pytest
ROWS = json.loads(pathlib.Path(__file__).with_name("testset.json").read_text())

@pytest.mark.parametrize("row", ROWS, ids=[row["id"] for row in ROWS])
def test_row(row):
    pass
"""

OUR_CONFIG = """
[tool.pytest-ragas]
concurrency = {concurrency}

[tool.pytest-ragas.critic_llm]
model_name = "{model}"
api_base = "{url}"
api_key = "none"

[tool.pytest-ragas.embeddings]
model_name = "{model}"
api_base = "{url}"
api_key = "none"
"""

OUR_SUITE = """
import pytest

@pytest.mark.ragas(testset="testset.json", thresholds={"faithfulness": 0.5, "answer_relevancy": 0.1})
def test_row(ragas_sample):
    pass
"""

DEEPEVAL_SUITE = """
import json, os, pathlib, pytest
from deepeval import assert_test
from deepeval.metrics import AnswerRelevancyMetric, FaithfulnessMetric
from deepeval.models import OpenAIModel
from deepeval.test_case import LLMTestCase

ROWS = json.loads(pathlib.Path(__file__).with_name("testset.json").read_text())
CRITIC = OpenAIModel(model="gpt-4o-mini", api_key="none", base_url=os.environ["CRITIC_URL"])
REASONS = os.environ["REASONS"] == "yes"

@pytest.mark.parametrize("row", ROWS, ids=[row["id"] for row in ROWS])
def test_row(row):
    case = LLMTestCase(
        input=row["user_input"], actual_output=row["response"], retrieval_context=row["retrieved_contexts"]
    )
    metrics = [
        FaithfulnessMetric(threshold=0.5, model=CRITIC, include_reason=REASONS),
        AnswerRelevancyMetric(threshold=0.1, model=CRITIC, include_reason=REASONS),
    ]
    assert_test(case, metrics)
"""

RAGAS_SCRIPT = """
import json, math, os, pathlib, warnings
warnings.simplefilter("ignore")
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from ragas import EvaluationDataset, evaluate
from ragas.metrics import Faithfulness, ResponseRelevancy
from ragas.run_config import RunConfig

rows = json.loads(pathlib.Path("testset.json").read_text())
known = ("user_input", "response", "retrieved_contexts")
dataset = EvaluationDataset.from_list([{name: row[name] for name in known} for row in rows])
place = {"base_url": os.environ["CRITIC_URL"], "api_key": "none"}
result = evaluate(
    dataset,
    metrics=[Faithfulness(), ResponseRelevancy()],
    llm=ChatOpenAI(model="gpt-4o-mini", **place),
    embeddings=OpenAIEmbeddings(model="judge", check_embedding_ctx_length=False, **place),
    run_config=RunConfig(max_workers=int(os.environ["CONCURRENCY"])),
    show_progress=False,
)
good = sum(not any(math.isnan(value) for value in scores.values()) for scores in result.scores)
print(f"{good} passed")
"""


def write_ours(folder: Path, *, url: str, concurrency: int) -> None:
    """Our suite, with its configuration."""
    config = OUR_CONFIG.format(concurrency=concurrency, model=OURS, url=url)
    (folder / "pyproject.toml").write_text(config, encoding="utf-8")
    (folder / "test_ours.py").write_text(OUR_SUITE, encoding="utf-8")
