"""Training the default reader from an encoder: `python -m trainer base`.

The way through: `rows` (questions of people) and `made_questions` (questions made from documentation by rules) become
`groups` (a question with the passages to read), with the wrong passages of `neighbours` and the impossible questions
of `swapped`; `batches` are groups as numbers, `network` reads them and says how wrong it was, `training` repeats.
"""
