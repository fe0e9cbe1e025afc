import numpy as np
import pytest

from {{cookiecutter.project_slug}} import arithmetic


@pytest.mark.parametrize("inputs", [2, 5, 30, 130])
@pytest.mark.parametrize("outputs", [1, 3, 8, 64])
def test_a_row_gets_the_same_bits_in_any_company(inputs, outputs):
    rng = np.random.default_rng(inputs + outputs)
    left = rng.normal(size=(70, inputs)) * 10.0 ** rng.integers(-6, 6, size=(70, 1))
    right = rng.normal(size=(inputs, outputs))
    whole = arithmetic.product(left, right)
    np.testing.assert_allclose(whole, left @ right, rtol=1e-9, atol=1e-5)
    for start, end in [(0, 1), (3, 20), (16, 32), (69, 70), (5, 5)]:
        np.testing.assert_array_equal(arithmetic.product(left[start:end], right), whole[start:end])
    for row, expected in zip(left.tolist(), whole.tolist(), strict=True):
        assert arithmetic.product_row(row, right) == expected
