"""A metric of three questions, one after the other, to the critic LLM of the settings."""

from pytest_ragas import MetricSpec, Score
from pytest_ragas.values.model import Message

SCHEMA = {"title": "Said", "type": "object", "properties": {"value": {"type": "number"}}, "required": ["value"]}


class Asked:
    name = "asked"

    def __init__(self, critic):
        self.critic = critic

    async def score(self, sample):
        values = []
        for step in range(3):
            text = f"{sample.user_input}, step {step}"
            values.append((await self.critic.ask([Message(role="user", content=text)], SCHEMA)).value["value"])
        return Score(metric="asked", value=min(values))


def pytest_ragas_register_metrics(register):
    register(
        MetricSpec(
            name="asked", backend="free", needs=frozenset({"response"}), uses=frozenset({"llm"}),
            factory=lambda context: Asked(context.critic), version="1", summary="what the critic says",
        )
    )  # fmt: skip


def rows(name, count):
    return [{"id": f"{name}{n}", "user_input": f"question {n} of {name}", "response": "yes"} for n in range(count)]
