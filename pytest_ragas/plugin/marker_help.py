"""What `pytest --markers` prints of ours. Apart from `marker.py`, because every pytest start reads it."""

from __future__ import annotations

HELP = """ragas(testset=None, thresholds=None, metrics=None, target=None, scoring=None, repeats=None, docs=None, ...): \
score the answer that this test returns or records, and hold it to thresholds.

    @pytest.mark.ragas(testset="testset.json", thresholds={"faithfulness": 0.8})
    def test_rag(ragas_sample, rag):                # one test per row of the testset
        return rag.ask(ragas_sample.user_input)     # or: ragas_sample.record(response=..., retrieved_contexts=[...])

    testset     a file (.json .jsonl .yaml .csv) beside the test file or under the rootdir, a Testset, or a list of
                rows; without it the test brings the user_input itself: ragas_sample.record(user_input=..., ...)
    thresholds  metric -> bound in [0, 1], beside and over the configured ones; None takes a configured one away
    metrics     what to score, in place of the configured metrics
    target      name of the fixture that gives your RAG as a callable: called ahead for all rows, concurrently; the
                body may read ragas_sample.response, or be empty
    repeats     how often the answer is judged by metrics that ask an LLM, in place of the configured number
    docs        files, folders or globs from which the testset is generated, once, if its file is missing; beside it
                test_size=10, distribution={"simple": 0.5, "multi_context": 0.4, "reasoning": 0.1}, language="",
                seed=0, chunk_size=800, attempts=5, generator="native" or "ragas"
    scoring     "blocking": this test waits for its scores; otherwise the suite goes on meanwhile
    Markers of a class or module are defaults: for each argument the closest marker wins."""

BARRIER_HELP = """ragas_barrier: \
this test patches something of the whole process (sockets, clocks, HTTP clients): nothing is scored while it runs."""

BARRIER_INI = "ragas_barrier_fixtures"
BARRIER_INI_HELP = "Fixtures that patch the whole process, beside the known ones: nothing is scored while they are used"
