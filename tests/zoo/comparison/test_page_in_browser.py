"""The page in a real browser, at the width of a phone and of a desk."""

import json
import re
import shutil
import subprocess

import matplotlib.image
import numpy as np
import pytest

from zoo.comparison import plots

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))),
    None,
)
WIDTHS = {"phone": 390, "desk": 1280}

pytestmark = pytest.mark.skipif(
    BROWSER is None, reason="needs Chromium: apt-get install chromium"
)

# In a frame, because the window of the browser is at least 500 pixels wide.
_PROBE = """<!DOCTYPE html><title></title>
<iframe style="width: {width}px; height: 2000px; border: 0" srcdoc="{page}"></iframe>
<script>
document.querySelector("iframe").onload = ({target}) => {
  const page = target.contentDocument;
  const box = one => one.getBoundingClientRect();
  const all = selector => [...page.querySelectorAll(selector)];
  document.title = JSON.stringify({
    window: target.contentWindow.innerWidth,
    content: page.documentElement.scrollWidth,
    figures: all("figure").map(box).map(
      one => [one.left, one.right, one.top, one.bottom]),
    plots: all("figure > svg").map(box).map(one => [one.width, one.height]),
    cut_off: all("figure > svg text").filter(text => {
      const [inner, outer] = [box(text), box(text.closest("svg"))];
      return inner.left < outer.left - 1 || inner.right > outer.right + 1
        || inner.top < outer.top - 1 || inner.bottom > outer.bottom + 1;
    }).map(text => text.textContent),
  });
};
</script>"""


def probe_of(html, width):
    """A page that puts what it measures of another one into its title."""
    escaped = html.replace("&", "&amp;").replace('"', "&quot;")
    return _PROBE.replace("{width}", str(width)).replace("{page}", escaped)


def browse(*arguments, profile):
    command = [
        *(BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
        *("--disable-dev-shm-usage", f"--user-data-dir={profile}", *arguments),
    ]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=True
    ).stdout


@pytest.fixture
def page(made_up_files):
    return made_up_files / "comparison.html"


@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
def test_nothing_is_cut_off_or_upon_each_other(width, page, tmp_path):
    probe = tmp_path / "probe.html"
    probe.write_text(probe_of(page.read_text(), width))
    dom = browse("--dump-dom", probe.as_uri(), profile=tmp_path / "profile")
    found = json.loads(re.findall(r"<title>(.*?)</title>", dom)[0])
    assert found["window"] == width
    assert found["content"] <= width  # no scrolling sideways but within the table
    assert len(found["figures"]) == len(found["plots"]) == 10
    assert all(0 <= left < right <= width for left, right, *_ in found["figures"])
    assert all(wide > 250 and high > 80 for wide, high in found["plots"])
    assert found["cut_off"] == []
    for i, (left, right, top, bottom) in enumerate(found["figures"]):
        for other_left, other_right, other_top, other_bottom in found["figures"][:i]:
            is_beside = right <= other_left or other_right <= left
            assert is_beside or bottom <= other_top or other_bottom <= top


def test_the_picture_of_a_phone(page, tmp_path):
    picture = tmp_path / "page.png"
    browse(
        f"--screenshot={picture}",
        f"--window-size={WIDTHS['phone']},2000",
        page.as_uri(),
        profile=tmp_path / "profile",
    )
    pixels = matplotlib.image.imread(picture)[..., :3]
    assert pixels.shape[:2] == (2000, WIDTHS["phone"])
    assert (pixels < 0.9).any(axis=(1, 2)).mean() > 0.5  # rows that are not blank
    for colour in plots._COLOURS:
        wanted = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        distance = np.abs(pixels - wanted).max(axis=-1)
        assert (distance < 0.05).sum() > 20, colour
