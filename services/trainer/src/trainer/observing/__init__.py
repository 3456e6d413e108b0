"""Observing answers, never in their way: traces in MLflow, votes beside them, and a judge's scores of a sample.

`observer` reads on through what rag keeps; `sampling`, `pseudonyms`, `traces`, `assessments` and `local_judge` decide.
"""
