"""Hold the words of the handbook that make_samples.py sets in each format.

The station, its places and its figures do not exist.
"""

from __future__ import annotations

from dataclasses import dataclass

TITLE = "Ormskerry Light Museum: Operating Handbook"


@dataclass(frozen=True)
class Table:
    """Hold a table: the header row first."""

    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Section:
    """Hold a section: paragraphs as strings, lists as tuples, tables, and one footnote."""

    title: str
    blocks: tuple[str | tuple[str, ...] | Table, ...]
    columns: int = 1
    footnote: str = ""


PREFACE = Section(
    "Preface",
    (
        "This handbook tells the wardens of the Ormskerry Light Museum how the station is run. "
        "The seventh edition came into force on 1 March 2024 and replaces the sixth edition of "
        "2017. It is read aloud once a year, on the first Monday of April, before the season "
        "opens.",
        "Changes are proposed in writing to the station engineer and decided by the wardens' "
        "meeting in November. Five wardens must be present for a vote.",
    ),
)

SECTIONS = (
    Section(
        "1 The station",
        (
            "The Ormskerry Light stands on a granite skerry 2.4 kilometres west of the harbour of "
            "Tollaby. The tower is 31 metres high, and 142 steps lead from the boat room to the "
            "lantern. The lamp was first lit on 14 October 1871 and burned colza oil until 1908, "
            "when a paraffin burner took its place. Electric light came in 1953.",
            "The light shows two white flashes every fifteen seconds and is seen at 17 nautical "
            "miles in clear weather. The last keepers left on 30 June 1986, when the light was "
            "made automatic. The museum opened eight years later, on 21 May 1994, with the help "
            "of 63 volunteers.",
            "The lens weighs 1.9 tonnes and floats in a bath of 112 litres of mercury. It is "
            "cleaned with a chamois leather and spirit and with nothing else. The bath is opened "
            "only by the station engineer, who wears a respirator.",
            "The fog signal gives one blast of four seconds every minute. It sounds when "
            "visibility falls below 1,800 metres and is never tested before ten o'clock in the "
            "morning.",
        ),
    ),
    Section(
        "2 The weather watch",
        (
            "The duty warden reads the instruments at 06:00, 12:00 and 18:00 and writes the "
            "readings into the blue logbook in ink. A reading that was missed is left blank; it "
            "is never filled in from memory.",
            "Air pressure is read from the brass barometer in the watch room. Before reading, tap "
            "the glass lightly with one finger and wait ten seconds. If the pressure has fallen by "
            "more than 6 hectopascals in three hours, telephone the harbour office and hoist the "
            "black storm cone.",
            "Wind speed is taken from the cup anemometer on the north mast as the mean of ten "
            "minutes. The gallery is closed to visitors when the mean wind passes 34 knots, and "
            "the boat does not sail above 27 knots.",
            "The rain gauge is emptied once a day, after the reading at 06:00. Its copper funnel "
            "is 127 millimetres wide. In frost the funnel is taken indoors, and snow is melted "
            "before it is measured.",
            "Visibility is judged by five marks on the chart beside the window. The farthest, the "
            "chapel on Far Holm, is 9.3 kilometres away. When the chapel cannot be seen, note "
            "haze; when the harbour mole cannot be seen, start the fog signal.",
            "Each Sunday the duty warden copies the readings of the week into the register and "
            "posts one copy to the county weather office.",
        ),
        columns=2,
    ),
    Section(
        "3 Instruments",
        (
            "The table lists the instruments in daily use. An instrument that differs from its "
            "reference by more than its limit is taken down, labelled in red and sent to the "
            "workshop in Tollaby.",
            Table(
                (
                    ("Instrument", "Place", "Range", "Checked every"),
                    ("Brass barometer", "Watch room", "940 to 1,060 hPa", "12 months"),
                    ("Cup anemometer", "North mast", "0 to 110 knots", "6 months"),
                    ("Rain gauge", "South terrace", "0 to 150 mm", "3 months"),
                    ("Maximum thermometer", "Lawn screen", "-20 to 45 °C", "24 months"),
                    ("Hair hygrometer", "Lawn screen", "15 to 100 %", "4 months"),
                    ("Tide staff", "Boat slip", "0 to 7.5 m", "1 month"),
                )
            ),
            "Spare cups for the anemometer are kept in drawer 9 of the workshop, and the key to "
            "the drawer hangs behind the tide table. The hair of the hygrometer is renewed every "
            "third spring.",
        ),
    ),
    Section(
        "4 Visitors",
        (
            "The museum is open from 3 April to 29 October, Tuesday to Sunday, from 10:30 to "
            "17:00. The last boat back leaves the slip at 17:20. No more than 24 visitors may be "
            "in the tower at one time, and no more than 8 of them on the gallery.",
            "Tickets are sold in the boat room:",
            (
                "Adults pay 9.50 crowns.",
                "Children aged 6 to 15 pay 4 crowns.",
                "Children under 6 enter free.¹",
                "A family ticket for two adults and up to three children costs 22 crowns.",
            ),
            "Dogs stay in the boat room, where water is provided. Photographs may be taken "
            "everywhere except in the lantern, because of the polished glass. Lost property is "
            "kept for 90 days in the chest under the stair.",
        ),
        footnote="¹ The free ticket does not include the boat, for which every passenger over "
        "the age of two pays 6 crowns.",
    ),
    Section(
        "5 Safety",
        (
            "In case of fire ring the ship's bell in the stair three times, leave by the lower "
            "door and gather at the flagstaff. The warden who counts the visitors in also counts "
            "them out.",
            "The defibrillator hangs beside the ticket window. Its battery is replaced every "
            "second January. The lifeboat answers on channel 16 of the radio; the harbour office "
            "has the extension 417.",
            "The emergency generator starts within eight seconds after a power failure and runs "
            "for 36 hours on a full tank of 400 litres. It is tested on the first day of each "
            "month, without load, for a quarter of an hour.",
        ),
    ),
)
