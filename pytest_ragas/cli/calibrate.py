"""`pytest-ragas calibrate`: is the configured critic worth its word? Its scores against labels of people."""

from __future__ import annotations

import argparse
import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ragas.cli.live_line import LiveLine
from pytest_ragas.cli.open_session import open_session

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_ragas.session.session import Session
    from pytest_ragas.testset.labelled import LabelledSet
    from pytest_ragas.values.calibration import AgreementGate
    from pytest_ragas.values.run import ModelUse

SUMMARY = "measure the critic against labels of people, and recommend thresholds"
DESCRIPTION = (
    "Score answers that people have judged with the critic of the settings, and say how far the two agree, metric by "
    "metric: AUROC, balanced accuracy and Cohen's kappa with 95 % intervals, the threshold that tells good from bad "
    "best, and the worst disagreements. Labels are 1 or 0 (also true, yes, good, pass ...), or grades between. Scores "
    "are stored: a second run asks nothing. Exit status 1 if a gate does not hold."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of this command."""
    parser.add_argument("files", nargs="+", metavar="LABELLED", help="a .jsonl, .json, .yaml or .csv file of answers")
    parser.add_argument(
        "--label",
        action="append",
        default=[],
        type=_label,
        metavar="METRIC=COLUMN",
        help="which column holds the labels of a metric (default: one of its name, human_NAME, NAME_label, "
        "or faithful, relevant, correct)",
    )
    parser.add_argument(
        "--metric", action="append", default=[], metavar="NAME", help="only this metric; may be given several times"
    )
    parser.add_argument(
        "--good-from",
        type=_share,
        default=0.5,
        metavar="LABEL",
        help="graded labels from here on are good (default: 0.5)",
    )
    parser.add_argument(
        "--fail-under",
        action="append",
        default=[],
        metavar="GATE",
        help="e.g. 'faithfulness: auroc >= 0.8', 'kappa >= 0.4' (every metric), 'faithfulness: auroc.low >= 0.7'",
    )
    parser.add_argument("--worst", type=_number, default=5, metavar="N", help="disagreements to show (default: 5)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the bootstrap (default: 0)")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="what is written (default: text)")
    parser.add_argument("--config", metavar="FILE", help="settings beside pyproject.toml, as pytest's --ragas-config")


def run(arguments: argparse.Namespace) -> int:
    """Do it, and say what the critic is worth; 0, or 1 if a gate does not hold."""
    from pytest_ragas.settings.load import load_settings
    from pytest_ragas.settings.rootdir import rootdir

    file = Path(arguments.config).absolute() if arguments.config else None
    settings = load_settings(rootdir=rootdir(), config_file=file, environ=os.environ)
    with open_session(settings) as session:
        return _calibrate(arguments, session)


def _calibrate(arguments: argparse.Namespace, session: Session) -> int:
    from pytest_ragas.gates.agreement import decide_agreement
    from pytest_ragas.reports.calibration import calibration_json, calibration_lines
    from pytest_ragas.session.calibration import agreements, score_labelled
    from pytest_ragas.testset.labelled import load_labelled

    gates = _gates(arguments.fail_under, session)
    canonical = session.registry.canonical
    labelled = load_labelled(
        arguments.files,
        canonical=canonical,
        columns={canonical(metric, where="--label"): column for metric, column in arguments.label},
        metrics=[canonical(metric, where="--metric") for metric in arguments.metric],
    )
    with LiveLine("scoring") as line:
        scored = score_labelled(session, labelled.rows, progress=line)
    found = agreements(
        labelled.rows,
        scored.results,
        thresholds={canonical(held.metric): held.bound for held in session.settings.thresholds},
        good_from=arguments.good_from,
        worst=arguments.worst,
        seed=arguments.seed,
    )
    coverage = session.settings.min_coverage
    verdicts = [verdict for gate in gates for verdict in decide_agreement(gate, found, min_coverage=coverage)]
    if arguments.format == "json":
        data = calibration_json(found, verdicts, scored.models, files=arguments.files, good_from=arguments.good_from)
        print(json.dumps(data, ensure_ascii=False, indent=2, allow_nan=False))
    else:
        width = shutil.get_terminal_size().columns
        head = _head(arguments.files, labelled, scored.models)
        lines = calibration_lines(found, verdicts, width=width, good_from=arguments.good_from)
        print("\n".join([*head, "", *(line.text for line in lines)]))
    return 0 if all(verdict.outcome == "passed" for verdict in verdicts) else 1


def _head(files: Sequence[str], labelled: LabelledSet, models: Sequence[ModelUse]) -> list[str]:
    """What was read, whose labels were found where, and who judged at what cost."""
    rows = len(labelled.rows) + labelled.unlabelled
    left_out = f", {labelled.unlabelled:,} without a label left out" if labelled.unlabelled else ""
    lines = [f"{', '.join(files)}: {rows:,} row{'' if rows == 1 else 's'}{left_out}"]
    lines += [f"  labels of {metric}: column {column!r}" for metric, column in labelled.columns.items()]
    for use in models:
        calls = f", {use.usage.calls:,} calls" if use.usage.calls else ""
        lines.append(f"  {use.role} {use.identity}{calls}")
    return lines


def _gates(texts: Sequence[str], session: Session) -> list[AgreementGate]:
    from dataclasses import replace

    from pytest_ragas.gates.agreement import parse_agreement_gate

    gates = [parse_agreement_gate(text) for text in texts]
    canonical = session.registry.canonical
    return [
        replace(gate, metric=canonical(gate.metric, where=f"the gate {gate.text!r}")) if gate.metric else gate
        for gate in gates
    ]


def _label(text: str) -> tuple[str, str]:
    metric, equals, column = (part.strip() for part in text.partition("="))
    if not (metric and equals and column):
        raise argparse.ArgumentTypeError(f"found {text!r}; write for example faithfulness=faithful")
    return metric, column


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value <= 1:
        raise argparse.ArgumentTypeError(f"found {text!r}; write a number above 0, up to 1")
    return value


def _number(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"found {text!r}; write a whole number, 0 for none")
    return int(text)
