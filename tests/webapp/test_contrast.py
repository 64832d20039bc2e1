"""What is written on a page can be read: contrast of 4.5 to 1, by day and by night."""

import re
from pathlib import Path

import pytest

STATIC = Path(__file__).parents[2] / "webapp" / "static"
OURS = (STATIC / "recount.css").read_text()
PICO = (STATIC / "vendor" / "pico" / "pico.min.css").read_text()
ENOUGH = 4.5

Colour = tuple[float, float, float, float]
"""Red, green and blue from 0 to 255, and how much of it covers what is below."""


def variables(mode: str) -> dict[str, str]:
    """Return the variables of the page's root by day (`light`) or by night (`dark`)."""
    selector = {
        "light": r":root:not\(\[data-theme=dark\]\)[^{}]*\{([^{}]*)\}",
        "dark": r"@media[^{}]*scheme:dark\)\{[^{}]*:root:not\(\[data-theme\]\)"
        r"[^{}]*\{([^{}]*)\}",
    }[mode]
    ours_by_day, _, rest = OURS.partition("@media (prefers-color-scheme: dark)")
    ours = [ours_by_day] if mode == "light" else [ours_by_day, rest.partition("\n}")[0]]
    found: dict[str, str] = {}
    for text in [*re.findall(selector, PICO)[:1], *ours]:
        found |= dict(re.findall(r"(--[\w-]+):\s*([^;}]+)", text))
    return found


def colour(text: str, known: dict[str, str]) -> Colour:
    text = text.strip()
    named = re.fullmatch(r"var\((--[\w-]+)\)", text)
    if named:
        return colour(known[named[1]], known)
    if text.startswith("#"):
        digits = text[1:] if len(text) == 7 else "".join(c * 2 for c in text[1:])
        red, green, blue = (float(int(digits[i : i + 2], 16)) for i in (0, 2, 4))
        return red, green, blue, 1.0
    red, green, blue, *rest = re.findall(r"[\d.]+%?", text)
    covers = rest[0] if rest else "1"
    share = float(covers.rstrip("%")) / (100 if covers.endswith("%") else 1)
    return float(red), float(green), float(blue), share


def over(above: Colour, below: Colour) -> Colour:
    share = above[3]
    red, green, blue = (
        a * share + b * (1 - share) for a, b in zip(above[:3], below[:3], strict=True)
    )
    return red, green, blue, 1.0


def luminance(shown: Colour) -> float:
    """Return how bright a colour is, by WCAG 2."""
    parts = (c / 255 for c in shown[:3])
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: Colour, other: Colour) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_computed_as_the_standard_does() -> None:
    black, white = (0.0, 0.0, 0.0, 1.0), (255.0, 255.0, 255.0, 1.0)

    assert contrast(black, white) == pytest.approx(21)
    assert contrast(white, white) == pytest.approx(1)
    assert contrast(colour("#777", {}), white) == pytest.approx(4.48, abs=0.01)


def foregrounds() -> set[str]:
    """Return every colour of a text that our stylesheet names, and Pico's own."""
    ours = set(re.findall(r"(?<![\w-])color: (var\(--[\w-]+\))", OURS))
    pico = {f"var(--pico-{name})" for name in ("color", "primary", "secondary")}
    return (ours | pico) - {"var(--pico-primary-inverse)"}


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("text", sorted(foregrounds()))
def test_a_text_can_be_read_wherever_it_may_stand(mode: str, text: str) -> None:
    known = variables(mode)
    page = colour("var(--pico-background-color)", known)
    card = over(colour("var(--pico-card-background-color)", known), page)
    soft = colour("var(--recount-soft)", known)

    for below in (page, card, over(soft, page), over(soft, card)):
        assert contrast(over(colour(text, known), below), below) >= ENOUGH


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize(
    ("text", "below"),
    [
        ("--pico-primary-inverse", "--pico-primary-background"),
        ("--pico-secondary-inverse", "--pico-secondary-background"),
        ("--pico-primary-inverse", "--recount-danger"),
        ("--pico-form-element-color", "--pico-form-element-background-color"),
        (
            "--pico-form-element-placeholder-color",
            "--pico-form-element-background-color",
        ),
        ("--pico-code-color", "--pico-code-background-color"),
        ("--pico-mark-color", "--pico-mark-background-color"),
    ],
)
def test_a_button_and_a_field_can_be_read(mode: str, text: str, below: str) -> None:
    known = variables(mode)
    ground = colour(f"var({below})", known)

    assert contrast(colour(f"var({text})", known), ground) >= ENOUGH
