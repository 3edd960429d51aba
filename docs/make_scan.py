"""Make the sample of the guide to scans: an invented card as a scanner gives it, and a picture.

    python docs/make_scan.py

The card is an image without text; it lies a little askew on the glass, and the paper has grain. The
picture shows an answer on it. Both are checked in; this needs reportlab, which the test extra
brings, and Tesseract.
"""

from __future__ import annotations

import io
import random
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter, ImageFont
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

import docqa
from docqa.highlighting.page_image import Mark, draw_page

DOCS = Path(__file__).parent
CARD = DOCS / "samples" / "keepers-card.pdf"
QUESTION = "How heavy is the fog bell?"

WIDTH, HEIGHT, DPI = 1120, 660, 200
SKEW = 0.8  # degrees
LINES = """\
ORMSKERRY LIGHT - KEEPER'S CARD

Lamp: three wicks, whale oil until 1862, paraffin since.
Lit every evening at sunset; the clockwork is wound
every four hours. The fog bell was cast in Hartness in
1858 and weighs 312 kilograms.

Relief boat: every second Thursday, weather permitting.
In the winter of 1881 no boat came for 47 days.
"""


def scan() -> Image.Image:
    """Return the card as a grey image."""
    image = Image.new("L", (WIDTH, HEIGHT), 245)
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(34)
    draw.multiline_text((90, 80), LINES, fill=30, font=font, spacing=18)
    image = image.rotate(SKEW, Image.Resampling.BICUBIC, fillcolor=245)
    grain = random.Random(1858).randbytes(WIDTH * HEIGHT)
    paper = Image.frombytes("L", image.size, grain)
    return Image.blend(image, paper, 0.06).filter(ImageFilter.GaussianBlur(0.8))


def write_card() -> None:
    """Write the card as a PDF of one image."""
    jpeg = io.BytesIO()
    scan().save(jpeg, "JPEG", quality=35)
    size = WIDTH * 72 / DPI, HEIGHT * 72 / DPI
    canvas = Canvas(str(CARD), pagesize=size, invariant=True)
    canvas.setTitle("Keeper's card")
    canvas.setAuthor("Ormskerry Light Museum")
    canvas.drawImage(ImageReader(jpeg), 0, 0, *size)
    canvas.save()


def write_picture() -> None:
    """Write the page with the answer's rectangle, in 32 colours: half of the bytes."""
    [answer] = docqa.ask(CARD, QUESTION, ocr=True)
    marks = [Mark(box) for place in answer.locations for box in place.boxes]
    png = draw_page(CARD.read_bytes(), 1, scale=1.7, marks=marks)
    picture = Image.open(io.BytesIO(png)).convert("RGB").quantize(32)
    picture.save(DOCS / "pictures" / "scan.png", optimize=True)


if __name__ == "__main__":
    write_card()
    write_picture()
