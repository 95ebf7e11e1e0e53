"""The task dicts of EvalScope's RAGAS page (version 0.5.5), to the letter, and what stands in for their models here."""

from __future__ import annotations

import copy
from typing import Any

# fmt: off
generate_testset_task_cfg = {
    "eval_backend": "RAGEval",
    "eval_config": {
        "tool": "RAGAS",
        "testset_generation": {
            "docs": ["README.md"],
            "test_size": 5,
            "output_file": "outputs/testset.json",
            "distribution": {"simple": 0.5, "multi_context": 0.4, "reasoning": 0.1},
            "generator_llm": {
                "model_name_or_path": "qwen/Qwen2-7B-Instruct",
                "template_type": "qwen",
            },
            "critic_llm": {
                "model_name_or_path": "QwenCollection/Ragas-critic-llm-Qwen1.5-GPTQ",
                "template_type": "qwen",
            },
            "embeddings": {
                "model_name_or_path": "AI-ModelScope/m3e-base",
            },
        }
    },
}
eval_task_cfg = {
    "eval_backend": "RAGEval",
    "eval_config": {
        "tool": "RAGAS",
        "eval": {
            "testset_file": "outputs/testset.json",
            "critic_llm": {
                "model_name_or_path": "qwen/Qwen2-7B-Instruct",
                "template_type": "qwen",
            },
            "embeddings": {
                "model_name_or_path": "AI-ModelScope/m3e-base",
            },
            "metrics": [
                "faithfulness",
                "answer_relevancy",
                "context_precision",
                "answer_correctness",
            ],
        },
    },
}
# fmt: on


def with_models(task: dict[str, Any], **models: Any) -> dict[str, Any]:
    """A copy of a task in which models that this machine lacks are replaced; nothing else is."""
    replaced = copy.deepcopy(task)
    for part in replaced["eval_config"].values():
        if isinstance(part, dict):
            part.update({role: copy.deepcopy(model) for role, model in models.items() if role in part})
    return replaced


def api(url: str, **more: Any) -> dict[str, Any]:
    """An API model in the keys of the page."""
    return {"model_name": "test", "api_base": url, **more}
