"""The sequential reads as bars, one group a shape of the link, written as SVG by hand: no library draws fewer lines."""

from collections.abc import Iterator

import medians
from races import RACES, Race
from results import Results

WIDTH, LABEL, BAR, GAP, HEAD = 720, 130, 18, 6, 34
COLOUR, PEER_COLOUR = "#0a6ebd", "#b8c4ce"
STYLE = "text{font:13px sans-serif;fill:#333}.head{font-weight:bold}@media(prefers-color-scheme:dark){text{fill:#ddd}}"


def bars(results: Results) -> str:
    """Draw every sequential race that has results."""
    parts: list[str] = []
    top = 0
    for race in (race for race in RACES if race.key.startswith("sequential") and race.key in results):
        speeds = _speeds(race, results)
        parts.extend(_group(f"{race.shape.words} (MB/s, longer is better)", speeds, top))
        top += HEAD + len(speeds) * (BAR + GAP) + GAP
    size = f'width="{WIDTH}" height="{top}" viewBox="0 0 {WIDTH} {top}"'
    title = "<title>Cold sequential reads</title>"
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">', title, f"<style>{STYLE}</style>", *parts]
    return "\n".join([*lines, "</svg>", ""])


def _speeds(race: Race, results: Results) -> dict[str, float]:
    found = {name: medians.of(samples, race.headline) for name, samples in race.shown(results[race.key]).items()}
    return {name: value for name, value in found.items() if value is not None}


def _group(title: str, speeds: dict[str, float], top: int) -> Iterator[str]:
    yield f'<text class="head" x="0" y="{top + 20}">{title}</text>'
    longest = max(speeds.values(), default=1.0)
    for row, (name, speed) in enumerate(speeds.items()):
        y = top + HEAD + row * (BAR + GAP)
        length = round(speed / longest * (WIDTH - LABEL - 70))
        colour = COLOUR if name == "casfs" else PEER_COLOUR
        yield f'<text x="{LABEL - 8}" y="{y + 14}" text-anchor="end">{name}</text>'
        yield f'<rect x="{LABEL}" y="{y}" width="{length}" height="{BAR}" rx="2" fill="{colour}"/>'
        yield f'<text x="{LABEL + length + 6}" y="{y + 14}">{speed:,.0f}</text>'
