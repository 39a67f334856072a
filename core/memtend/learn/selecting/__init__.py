"""Selecting a strategy for a context, learned where the cost of every strategy is known."""

from __future__ import annotations

from memtend.learn.selecting.fitting import FittedSelector, fit_selector
from memtend.learn.selecting.report import Candidate, SelectionReport
from memtend.learn.selecting.selector import ContrastSelector

__all__ = ["Candidate", "ContrastSelector", "FittedSelector", "SelectionReport", "fit_selector"]
