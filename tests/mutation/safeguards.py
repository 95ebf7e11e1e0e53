"""The safeguards of deferred verdicts, one by one: how each is switched off, and the tests that must notice it.

`check_safeguards.py` takes them away in a copy; `test_safeguards_table.py` sees to it that the table fits the source.
"""

from __future__ import annotations

from dataclasses import dataclass

DEFERRED = "tests/plugin_deferred/test_plugin_deferred_"
EDGES, STOPS, XDIST = f"{DEFERRED}edges.py", f"{DEFERRED}stops.py", f"{DEFERRED}xdist.py"
BARRIERS, RECORDED, POLICY = f"{DEFERRED}barriers.py", f"{DEFERRED}recorded.py", f"{DEFERRED}policy.py"
NEIGHBOURS, INTERRUPTS = f"{DEFERRED}neighbours.py", f"{DEFERRED}interrupts.py"
MOMENTS = "tests/plugin_interrupts/test_plugin_interrupts_moments.py"
CALLS, LIMITS, ENGINE = (f"tests/scoring/test_scoring_{name}.py" for name in ("calls", "limits", "engine"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Safeguard:
    """One thing that keeps a deferred run right."""

    name: str
    """What it does, in a few words."""
    cuts: tuple[tuple[str, str, str], ...]
    """File below the package, what is written there once, and what is put in its place to switch it off. Several where
    one net lies below another."""
    tests: tuple[str, ...]
    """What must fail without it, as pytest's arguments name tests."""
    quick: bool = False
    """Whether it is one of the few that are tried where there is little time."""


def _one(name: str, file: str, there: str, instead: str, *tests: str, quick: bool = False) -> Safeguard:
    return Safeguard(name=name, cuts=((file, there, instead),), tests=tests, quick=quick)


_BLOCK, _DEFERRED, _HELD = "plugin/deferral/block.py", "plugin/deferral/deferred.py", "plugin/deferral/held.py"
_AHEAD, _POLICY = "plugin/deferral/recorded_ahead.py", "plugin/deferral/policy.py"
_CONTROLLER, _WORKER = "plugin/xdist/controller.py", "plugin/xdist/worker.py"
_BARRIERS = "plugin/neighbours/barriers.py"

_GIVES_WAY = "if (taken := taken_by_others(self, item, nextitem)) is not None:"

SAFEGUARDS: tuple[Safeguard, ...] = (
    # ---- what is reported, and when ---------------------------------------------------------------
    _one(
        "blocks are logged in the order of the run",
        _DEFERRED,
        "            self.held.log_ready(item.session)\n        return result",
        "            self.held.log_finished()\n        return result",
        f"{EDGES}::test_blocks_are_whole_and_in_the_order_of_the_run",
        quick=True,
    ),
    _one(
        "a report that is made again sees the fixtures of its test",
        _BLOCK,
        "item.funcargs, item._report_sections = self._funcargs, list(self._sections)",
        "item._report_sections = list(self._sections)",
        f"{EDGES}::test_every_report_is_the_same",
    ),
    _one(
        "a report that is made again shows what was captured until then, and no more",
        _BLOCK,
        "item.funcargs, item._report_sections = self._funcargs, list(self._sections)",
        "item.funcargs = self._funcargs",
        f"{EDGES}::test_every_report_is_the_same",
    ),
    _one(
        "what breaks after the body stays the test's failure",
        _BLOCK,
        "remake = error is not None and not self._raised",
        "remake = error is not None",
        f"{EDGES}::test_every_report_is_the_same",
    ),
    _one(
        "a report that is made again has the time of its body",
        _BLOCK,
        "        call.start, call.stop, call.duration = old.start, old.stop, old.duration\n",
        "",
        f"{EDGES}::test_a_report_that_is_made_again_has_the_times_of_its_body",
    ),
    _one(
        "scores of helpers in the body stay with a report that is made again",
        _BLOCK,
        "        attach(report, getattr(old, ATTRIBUTE, ()), first=True)\n",
        "",
        f"{EDGES}::test_a_gate_sees_the_scores_of_helpers_beside_a_late_verdict",
    ),
    _one(
        "properties come in the order of a run that waits",
        _BLOCK,
        "self._teardown.user_properties[self._properties : self._properties] = added",
        "self._teardown.user_properties.extend(added)",
        f"{EDGES}::test_every_report_is_the_same",
    ),
    _one(
        "an attempt forgets what an earlier one has given",
        "plugin/hooks.py",
        "        forget(item)\n        start_anew(item)\n",
        "",
        f"{NEIGHBOURS}::test_reruns_take_a_new_answer",
    ),
    _one(
        "what scoring logs stays out of the test that runs",
        "plugin/scoring_logs.py",
        "            capturing.addFilter(not_from_engine)\n",
        "            pass\n",
        f"{EDGES}::test_what_scoring_logs_is_shown_with_its_own_test",
    ),
    _one(
        "what scoring logs is filed under its own test",
        "plugin/verdicts/verdict.py",
        "    note_logs(pending.item, [record for ticket in pending.tickets for record in ticket.records])\n",
        "",
        f"{EDGES}::test_what_scoring_logs_is_shown_with_its_own_test",
        quick=True,
    ),
    # ---- fixtures ---------------------------------------------------------------------------------
    Safeguard(
        name="a critic of the suite's own outlives its pending scores",
        cuts=(
            (_DEFERRED, "if self._critics.close_with(nextitem):", "if self._critics.close_with(nextitem) and False:"),
            (
                _DEFERRED,
                "        self._critics.set_up(fixturedef, request)\n        return result",
                "        return result",
            ),
            (_DEFERRED, "        closes = self._critics.close_with(nextitem)\n", "        closes = False\n"),
        ),
        tests=(f"{EDGES}::test_every_report_is_the_same",),
        quick=True,
    ),
    _one(
        "the wait for it is outside of the phases of a test, where no clock runs",
        _DEFERRED,
        "if self._critics.close_with(nextitem):",
        "if self._critics.close_with(nextitem) and False:",
        f"{NEIGHBOURS}::test_waiting_for_scores_is_not_the_time_of_a_test",
    ),
    _one(
        "a critic that another one replaces is waited for in the middle of a setup",
        "plugin/deferral/critic_lifetime.py",
        "            self._nodes.remove(node)\n        self._wait()\n",
        "            self._nodes.remove(node)\n",
        f"{EDGES}::test_every_report_is_the_same",
    ),
    _one(
        "pytest-timeout's clock stands still while scores are waited for",
        _DEFERRED,
        "        with self._clock.stopped():\n            self.held.log_all(session, down_to=down_to, also=also)",
        "        self.held.log_all(session, down_to=down_to, also=also)",
        f"{NEIGHBOURS}::test_waiting_for_scores_is_not_the_time_of_a_test",
    ),
    # ---- barriers ---------------------------------------------------------------------------------
    _one(
        "nothing is scored while a test patches the process",
        _BARRIERS,
        "        if not self.is_one(item):\n            yield\n            return\n",
        "        if self._up >= 0:\n            yield\n            return\n",
        f"{BARRIERS}::test_nothing_is_scored_while_a_test_patches_the_process",
        quick=True,
    ),
    _one(
        "nor while a fixture does that a test asks for as it runs, or that lives longer than one",
        _DEFERRED,
        "        self._barriers.set_up(fixturedef)\n",
        "",
        f"{BARRIERS}::test_nothing_is_scored_while_a_test_patches_the_process",
    ),
    _one(
        "nobody waits for scores under patches that keep them from coming",
        _DEFERRED,
        "        if self._barriers.up:\n            return  # whoever waited",
        "        if False:\n            return  # whoever waited",
        f"{BARRIERS}::test_nothing_is_scored_while_a_test_patches_the_process",
    ),
    # ---- -x, --maxfail ----------------------------------------------------------------------------
    _one(
        "the run is ahead of its verdicts by a bounded number of tests",
        _DEFERRED,
        "return concurrency if self._stops_early else max(_MOST, 4 * concurrency)",
        "return 1_000_000",
        f"{STOPS}::test_the_run_is_ahead_of_its_verdicts_by_a_bounded_number_of_tests",
        quick=True,
    ),
    _one(
        "blocks that are held are bounded also without -x",
        _DEFERRED,
        "else max(_MOST, 4 * concurrency)",
        "else 1_000_000",
        f"{STOPS}::test_blocks_that_are_held_are_bounded_in_any_run",
    ),
    _one(
        "tests that were ahead of a stop are not reported",
        _DEFERRED,
        "            dropped = stopping(session)\n",
        "            dropped = False\n",
        f"{STOPS}::test_a_stopped_run_reports_the_same_tests_in_the_same_order",
        quick=True,
    ),
    _one(
        "a stop tears down what the next test would have needed",
        _DEFERRED,
        "block.tear_down(None if stopping(session) else nextitem)",
        "block.tear_down(nextitem)",
        f"{STOPS}::test_what_goes_wrong_when_a_stop_tears_fixtures_down_is_an_error",
    ),
    _one(
        "a verdict is there before a plain test reports",
        _DEFERRED,
        "return self._stops_early and nextitem is not None and not self.policy.defers(nextitem)",
        "return False",
        f"{STOPS}::test_a_stopped_run_reports_the_same_tests_in_the_same_order",
        f"{STOPS}::test_what_goes_wrong_when_a_stop_tears_fixtures_down_is_an_error",
    ),
    _one(
        "an early stop logs nothing between a teardown and the next test",
        _DEFERRED,
        "        if not self._stops_early:\n            self.held.log_ready(item.session)",
        "        if True:\n            self.held.log_ready(item.session)",
        f"{STOPS}::test_what_goes_wrong_when_a_stop_tears_fixtures_down_is_an_error",
    ),
    _one(
        "what breaks in the teardown of a test that was ahead is reported",
        _HELD,
        "            if block.closed_others_badly:\n                block.log_teardown()\n",
        "",
        f"{STOPS}::test_what_goes_wrong_when_a_stop_tears_fixtures_down_is_an_error",
    ),
    # ---- who waits for its own scores -------------------------------------------------------------
    _one(
        "options that need each verdict at once",
        _POLICY,
        "            if self._config.getoption(name, None):\n                return why\n",
        "            pass\n",
        f"{POLICY}::test_options_that_need_each_verdict_at_once",
    ),
    Safeguard(
        name="a test that is run again if it fails",
        cuts=(
            (_POLICY, "if self._reruns(item):", "if False:"),
            (_DEFERRED, _GIVES_WAY, "if (taken := None) is not None:"),
        ),
        tests=(f"{NEIGHBOURS}::test_reruns_take_a_new_answer",),
    ),
    _one(
        "a plugin that runs tests itself goes first",
        _DEFERRED,
        _GIVES_WAY,
        "if (taken := None) is not None:",
        f"{POLICY}::test_another_plugin_that_runs_tests_itself",
    ),
    # ---- Ctrl-C -----------------------------------------------------------------------------------
    _one(
        "finished verdicts are reported after Ctrl-C",
        _DEFERRED,
        "                    self.held.log_finished()\n",
        "                    pass\n",
        MOMENTS,
        f"{INTERRUPTS}::test_ctrl_c_in_the_last_wait",
    ),
    _one(
        "the others are listed",
        _DEFERRED,
        '                self.held.abandon("interrupted")\n',
        "                self.held.abandon()\n",
        MOMENTS,
        f"{INTERRUPTS}::test_ctrl_c_in_the_last_wait",
    ),
    _one(
        "so is the test that was being torn down",
        _DEFERRED,
        '                self.held.drop(block, "interrupted")\n',
        "                pass\n",
        f"{MOMENTS}::test_in_a_test_while_others_are_scored",
    ),
    # ---- pytest-xdist -----------------------------------------------------------------------------
    _one(
        "a late report says which test it belongs to",
        _WORKER,
        "self._now, self._interactor.item_index = self._interactor.item_index, self._index",
        "self._now = self._interactor.item_index",
        f"{EDGES}::test_every_report_is_the_same_under_xdist",
        quick=True,
    ),
    _one(
        "verdicts that a crashed worker owed are errors",
        _CONTROLLER,
        "            self._owed[key] = report\n",
        "            pass\n",
        f"{XDIST}::test_what_a_worker_that_crashed_owed_is_an_error",
        quick=True,
    ),
    _one(
        "a stop of the run ends what workers wait for",
        _CONTROLLER,
        "session.shouldstop) and self._dealing is not None:\n            self._dealing.stop_workers()",
        "session.shouldstop) and self._dealing is not None:\n            pass",
        f"{XDIST}::test_a_stop_does_not_wait_for_scores_that_nobody_needs",
    ),
    _one(
        "the limit of calls is the run's",
        "plugin/suite.py",
        "            join(self.config, session.limiter, self.settings.concurrency, session.budget)\n",
        "            pass\n",
        f"{XDIST}::test_the_limit_of_calls_is_the_runs",
    ),
    _one(
        "JUnit has no empty testcase of a test that was stopped",
        _CONTROLLER,
        "            forget_testcase(self._suite.config, setup)\n",
        "            pass\n",
        f"{XDIST}::test_a_stop_does_not_wait_for_scores_that_nobody_needs",
        f"{MOMENTS}::test_under_xdist",
    ),
    # ---- answers that the testset holds -------------------------------------------------------------
    _one(
        "no answer is scored ahead that the body may replace",
        _AHEAD,
        "            and self._bodies.do_nothing(item)\n",
        "",
        f"{RECORDED}::test_no_answer_is_scored_that_is_not_needed",
    ),
    _one(
        "nor one of a test that may not run",
        _AHEAD,
        "            and self._lookahead.will_run(item)\n",
        "",
        f"{RECORDED}::test_no_answer_is_scored_that_is_not_needed",
    ),
    _one(
        "nor one of a run that may stop early",
        _AHEAD,
        'if not Upcoming(session).is_known or self._suite.config.getoption("maxfail", 0):',
        "if not Upcoming(session).is_known:",
        f"{RECORDED}::test_a_run_that_may_stop_early_is_not_ahead",
    ),
    # ---- scoring ----------------------------------------------------------------------------------
    _one(
        "a free slot goes to the oldest test",
        "scoring/limits.py",
        "heapq.heappush(self._queue, (current_order.get(), next(root._sequence), turn))",
        "heapq.heappush(self._queue, (0, next(root._sequence), turn))",
        LIMITS,
        quick=True,
    ),
    _one(
        "jobs begin with the oldest test",
        "scoring/engine.py",
        "heapq.heappush(self._queue, (order, next(self._sequence), job))",
        "heapq.heappush(self._queue, (0, next(self._sequence), job))",
        ENGINE,
    ),
    _one(
        "equal requests in flight are sent once",
        "scoring/single_flight.py",
        "while (flight := self._flights.get(key)) is not None:",
        "while (flight := None) is not None:",
        f"{CALLS}::test_equal_requests_in_flight_are_sent_once",
    ),
    _one(
        "who waits is not lost with the one who sent the request",
        "scoring/single_flight.py",
        "            flight.lost = True\n",
        "            pass\n",
        f"{CALLS}::test_cancelling_one_who_waits_leaves_the_request_to_the_others",
    ),
)
