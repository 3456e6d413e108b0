"""The network that is trained, and how wrong it is about a batch.

All passages of a question compete with one another and with "none of them answers": the scores of every place in every
passage, each above its passage's no-answer score, go into one softmax in which "none" has the score 0. This is the
shared normalisation of Clark & Gardner 2018 (https://arxiv.org/abs/1710.10723), with the no-answer score of SQuAD 2.0.
"""

import torch
from torch import Tensor, nn

NEVER = -1e4


class Reader(nn.Module):
    """An encoder with a start and an end score for each token; wraps `transformers.BertForQuestionAnswering`."""

    def __init__(self, bert: nn.Module) -> None:
        super().__init__()
        self.bert = bert

    def forward(
        self,
        tokens: Tensor,
        types: Tensor,
        mask: Tensor,
        group: Tensor,
        answer_row: Tensor,
        first: Tensor,
        last: Tensor,
    ) -> Tensor:
        """The loss summed over the groups of a batch; see `Batch` for the shapes."""
        read = self.bert(input_ids=tokens, token_type_ids=types, attention_mask=mask)
        # The passage's own tokens can be answers: not the question, nor the separator at its end.
        follows = torch.nn.functional.pad(types[:, 1:], (0, 1))
        outside = (types == 0) | (follows == 0)
        starts = _joint_loss(read.start_logits.float(), outside, group, answer_row, first)
        ends = _joint_loss(read.end_logits.float(), outside, group, answer_row, last)
        return starts + ends


def _joint_loss(logits: Tensor, outside: Tensor, group: Tensor, answer_row: Tensor, place: Tensor) -> Tensor:
    above = (logits - logits[:, :1]).masked_fill(outside, NEVER)
    rows = torch.logsumexp(above, dim=1)
    numbers = torch.arange(len(rows), device=rows.device)
    member = group[None, :] == numbers[:, None]
    competing = rows[None, :].masked_fill(~member, NEVER)
    none = torch.zeros_like(rows)[:, None]
    total = torch.logsumexp(torch.cat([none, competing], dim=1), dim=1)
    right = above[answer_row.clamp(min=0), place.clamp(min=0)]
    return (total - torch.where(answer_row >= 0, right, 0.0)).sum()
