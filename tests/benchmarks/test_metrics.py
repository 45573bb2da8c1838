"""The metrics on small arrays whose errors are known."""

from __future__ import annotations

import metrics
import numpy as np
import pytest
from numpy.typing import NDArray

EVERYWHERE = np.ones((40, 40), bool)


def block(value: int = 255) -> NDArray[np.uint8]:
    """An opaque square, and away from it a small one of `value`."""
    alpha = np.zeros((40, 40), np.uint8)
    alpha[2:22, 2:22] = 255
    alpha[30:33, 30:33] = value
    return alpha


def test_the_truth_has_no_error() -> None:
    random = np.random.default_rng(1).integers(0, 256, (600, 40), np.uint8)
    errors = metrics.alpha_errors(random, random, np.ones_like(random, bool))
    assert list(errors.values()) == pytest.approx([0, 0, 0, 0])


def test_the_band_is_what_either_alpha_does_not_know_and_two_pixels_around() -> None:
    truth, delivered = np.zeros((2, 20, 20), np.uint8)
    truth[5, 5], truth[15, 15], delivered[15, 5] = 1, 255, 254
    band = metrics.band_of(truth, delivered)
    assert band.sum() == 2 * 25
    assert band[3:8, 3:8].all()
    assert band[13:18, 3:8].all()


def test_sad_is_a_sum_and_mse_a_mean_over_the_band() -> None:
    truth, alpha = np.full((40, 40), 100, np.uint8), np.full((40, 40), 151, np.uint8)
    band = np.zeros((40, 40), bool)
    band[3:5, :] = True
    assert metrics.sad(alpha, truth, band) == pytest.approx(80 * 0.2 / 1e3)
    assert metrics.mse(alpha, truth, band) == pytest.approx(0.04 * 1e3)


def test_the_gradient_error_is_that_of_a_plain_two_dimensional_filter() -> None:
    truth, alpha = np.random.default_rng(2).integers(0, 256, (2, 300, 12), np.uint8)
    y, x = np.mgrid[-4:5, -4:5]
    kernel = x * np.exp(-(x * x + y * y) / (2 * 1.4**2))
    kernel /= np.sqrt((kernel**2).sum())

    def magnitude(plane: NDArray[np.uint8]) -> NDArray[np.float64]:
        windows = np.lib.stride_tricks.sliding_window_view(np.pad(plane / 255, 4, mode="edge"), (9, 9))
        return np.hypot((windows * kernel).sum(axis=(2, 3)), (windows * kernel.T).sum(axis=(2, 3)))

    expected = ((magnitude(truth) - magnitude(alpha)) ** 2).sum() / 1e3
    assert metrics.gradient(alpha, truth, np.ones_like(truth, bool)) == pytest.approx(expected, rel=1e-4)


def test_an_island_that_is_lost_counts_whole() -> None:
    assert metrics.connectivity(block(0), block(), EVERYWHERE) == pytest.approx(9 / 1e3)


def test_what_is_connected_less_counts_from_015_on() -> None:
    slightly, much = block(), block()
    slightly[2:4, 2:4] = 230
    much[2:4, 2:4] = 128
    assert metrics.connectivity(slightly, block(), EVERYWHERE) == 0
    assert metrics.connectivity(much, block(), EVERYWHERE) == pytest.approx(4 * (1 - 0.5) / 1e3, rel=0.01)


def test_connectivity_is_told_where_nothing_is_opaque() -> None:
    nothing = np.zeros((40, 40), np.uint8)
    assert metrics.connectivity(nothing, block(), EVERYWHERE) == pytest.approx(409 / 1e3)


def test_a_colour_counts_as_far_as_it_is_seen() -> None:
    truth = np.full((40, 40), 51, np.uint8)
    colours, foreground = np.full((40, 40, 3), 30, np.uint8), np.full((40, 40, 3), 80, np.uint8)
    white = np.full((1, 1, 3), 255, np.uint8)
    errors = metrics.colour_errors(truth, colours, truth, foreground, {"white": white}, EVERYWHERE)
    assert errors == pytest.approx({metrics.TRUE_ALPHA: 50 * 0.2, "white": 50 * 0.2})


def test_a_wrong_alpha_shows_as_far_as_the_new_background_differs() -> None:
    truth, alpha = np.full((40, 40), 255, np.uint8), np.full((40, 40), 204, np.uint8)
    colours = np.full((40, 40, 3), 200, np.uint8)
    backgrounds = {"same": np.full((1, 1, 3), 200, np.uint8), "other": np.full((40, 40, 3), 100, np.uint8)}
    errors = metrics.colour_errors(alpha, colours, truth, colours, backgrounds, EVERYWHERE)
    assert errors == pytest.approx({metrics.TRUE_ALPHA: 0, "same": 0, "other": 20}, abs=1e-4)
