"""The Grayscale Standard Display Function: luminance of a JND index, and back (PS3.14 section 7).

A JND index counts steps that an average observer can just tell apart, from 1 at 0.05 cd/m2 to 1023 at about
4000 cd/m2. The Standard gives luminance as a rational polynomial of the natural logarithm of the index, and the index
as a polynomial of the decimal logarithm of luminance. The second only approximates the inverse of the first: going
there and back misses by up to a tenth of an index. So here it is the first guess, and Newton steps do the rest.

P-values are spread evenly over the indices between the darkest and the brightest luminance of a display, ambient light
included: that is what makes equal steps of P look equally large (7.1 to 7.3).
"""

from __future__ import annotations

import math

from agent.errors import DisplayError
from agent.typed import Final

MIN_INDEX: Final = 1.0
MAX_INDEX: Final = 1023.0
MIN_LUMINANCE: Final = 0.05  # cd/m2
MAX_LUMINANCE: Final = 3993.404  # cd/m2, of index 1023 in the table of Annex B

# Coefficients by rising power of ln(index): a c e g m over 1 b d f h k.
_NUMERATOR: Final = (-1.3011877, 8.0242636e-2, 1.3646699e-1, -2.5468404e-2, 1.3635334e-3)
_DENOMINATOR: Final = (1.0, -2.5840191e-2, -1.0320229e-1, 2.8745620e-2, -3.1978977e-3, 1.2992634e-4)
# Coefficients A to I by rising power of log10(luminance).
_INVERSE: Final = (
    71.498068,
    94.593053,
    41.912053,
    9.8247004,
    0.28175407,
    -1.1878455,
    -0.18014349,
    0.14710899,
    -0.017046845,
)
_NEWTON_STEPS: Final = 4  # the guess is within 0.1 and each step squares what is left
# The formula and the printed table differ there in the fourth digit.
_END_TOLERANCE: Final = 1e-3


def luminance(index: float) -> float:
    """Luminance in cd/m2 of a JND index in 1..1023, fractions allowed; DisplayError outside."""
    if not MIN_INDEX <= index <= MAX_INDEX:
        raise DisplayError(f"JND index {index:g} is outside 1 to 1023")
    return math.pow(10.0, _log_luminance(index))


def jnd_index(luminance_cd_m2: float) -> float:
    """JND index of a luminance in cd/m2, the inverse of ``luminance``; DisplayError outside 0.05..3993."""
    low, high = MIN_LUMINANCE * (1 - _END_TOLERANCE), MAX_LUMINANCE * (1 + _END_TOLERANCE)
    if not low <= luminance_cd_m2 <= high:
        raise DisplayError(
            f"{luminance_cd_m2:g} cd/m2 is outside the function, which goes from 0.05 to 3993 cd/m2",
            hint="Only a room without light is that dark: measure what the screen reflects, and say --ambient CD_M2.",
        )
    wanted = math.log10(luminance_cd_m2)
    index = _clamped(_polynomial(_INVERSE, wanted))
    for _ in range(_NEWTON_STEPS):
        index = _clamped(index - (_log_luminance(index) - wanted) / _slope(index))
    return index


def _clamped(index: float) -> float:
    return min(MAX_INDEX, max(MIN_INDEX, index))


def _log_luminance(index: float) -> float:
    x = math.log(index)
    return _polynomial(_NUMERATOR, x) / _polynomial(_DENOMINATOR, x)


def _slope(index: float) -> float:
    """Derivative of log10(luminance) by the index."""
    x = math.log(index)
    over, under = _polynomial(_NUMERATOR, x), _polynomial(_DENOMINATOR, x)
    by_x = (_derivative(_NUMERATOR, x) * under - over * _derivative(_DENOMINATOR, x)) / (under * under)
    return by_x / index


def _polynomial(coefficients: tuple[float, ...], x: float) -> float:
    total = 0.0
    for coefficient in reversed(coefficients):
        total = total * x + coefficient
    return total


def _derivative(coefficients: tuple[float, ...], x: float) -> float:
    return _polynomial(tuple(power * value for power, value in enumerate(coefficients) if power), x)
