import unittest

import pytest


class TestOfUnittest(unittest.TestCase):
    @pytest.mark.ragas(thresholds={"quality": 0.5})
    def test_marked(self):
        pass

    def test_unmarked(self):
        pass
