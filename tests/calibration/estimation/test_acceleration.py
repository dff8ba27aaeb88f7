"""Anderson mixing: exact on linear maps, harmless where nothing moves."""

from __future__ import annotations

import numpy as np

from calibration.estimation.acceleration import Anderson


def test_a_linear_map_is_solved_in_as_many_steps_as_it_has_directions() -> None:
    # On x → A x + b with n directions, n + 1 mixed steps are those of GMRES: exact (Walker & Ni, 2011, theorem 2.2).
    rng = np.random.default_rng(1)
    Q, _ = np.linalg.qr(rng.normal(size=(4, 4)))
    A, b = Q @ np.diag([0.95, 0.7, 0.4, 0.1]) @ Q.T, rng.normal(size=4)
    fixed = np.linalg.solve(np.eye(4) - A, b)
    mixer, x, plain = Anderson(), np.zeros(4), np.zeros(4)
    for _ in range(6):
        x, plain = mixer.next(x, A @ x + b), A @ plain + b
    assert np.abs(x - fixed).max() < 1e-5
    assert np.abs(plain - fixed).max() > 0.1


def test_what_does_not_move_stays() -> None:
    mixer, x = Anderson(), np.array([1.0, 2.0])
    for _ in range(3):
        np.testing.assert_array_equal(mixer.next(x, x), x)


def test_after_forgetting_a_step_is_plain() -> None:
    mixer = Anderson()
    mixer.next(np.zeros(2), np.ones(2))
    mixer.forget()
    image = np.array([3.0, 4.0])
    np.testing.assert_array_equal(mixer.next(np.ones(2), image), image)
