"""What is left of a turn's time."""

from __future__ import annotations

import pytest

from claudiad.config import TurnSettings
from claudiad.llm.budget import TO_SAY_IT_S, Budget
from claudiad.llm.request_class import RequestClass


@pytest.mark.parametrize(
    ("request_class", "first_token_s"),
    [(RequestClass.GREETING, 0.5), (RequestClass.SIMPLE, 1.0), (RequestClass.COMPLEX, 2.0)],
)
def test_each_class_has_its_budget_from_the_end_of_speech(request_class: RequestClass, first_token_s: float) -> None:
    """500, 1000 and 2000 ms, counted from when the person stopped speaking, whatever has been used since."""
    budget = Budget.of(request_class, TurnSettings(), zero_at=100.0)
    assert budget.first_token_at == pytest.approx(100.0 + first_token_s)
    assert budget.first_token_left_ms(100.3) == pytest.approx(first_token_s * 1000 - 300)
    assert budget.first_token_left_ms(200.0) == 0.0


def test_the_answer_without_a_model_still_fits_into_the_turn() -> None:
    """However patient a class is, giving up leaves time to say something within the turn's budget."""
    for request_class in RequestClass:
        budget = Budget.of(request_class, TurnSettings(complex_budget_ms=30_000), zero_at=0.0)
        assert budget.first_token_at <= budget.give_up_at or request_class is RequestClass.COMPLEX
        assert budget.give_up_at <= budget.end_at - TO_SAY_IT_S
