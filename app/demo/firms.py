"""The firms that the demo company deals with, as its mails speak of them."""

from dataclasses import dataclass
from typing import Literal

Language = Literal["pl", "en"]
Goods = tuple[tuple[str, str, str], ...]
"""What a firm sells: nominative (or plain English), genitive, unit."""


@dataclass(frozen=True, slots=True)
class Firm:
    """A company. `genitive` and `instrumental` are of its short name: "Spostexu", "Spostexem"."""

    name: str
    short: str
    genitive: str
    instrumental: str
    domain: str
    street: str
    town: str
    goods: Goods
    language: Language = "pl"
    aliases: tuple[str, ...] = ()
    is_supplier: bool = True
    is_confidential: bool = False
    addresses: tuple[str, ...] = ()
    """Of a firm that writes by free mail and has no `domain`."""


_STEEL: Goods = (
    ("pręty żebrowane fi 12", "prętów żebrowanych fi 12", "t"),
    ("siatka zbrojeniowa fi 8", "siatki zbrojeniowej fi 8", "szt."),
    ("dwuteowniki HEB 200", "dwuteowników HEB 200", "szt."),
    ("strzemiona na wymiar", "strzemion na wymiar", "szt."),
)
_CONCRETE: Goods = (
    ("beton C25/30", "betonu C25/30", "m3"),
    ("beton C30/37 W8", "betonu C30/37 W8", "m3"),
    ("chudy beton C8/10", "chudego betonu C8/10", "m3"),
    ("posadzka cementowa", "posadzki cementowej", "m2"),
)
_TIMBER: Goods = (
    ("więźba dachowa", "więźby dachowej", "m3"),
    ("belki konstrukcyjne KVH", "belek konstrukcyjnych KVH", "szt."),
    ("deski szalunkowe", "desek szalunkowych", "m3"),
)

COMPANIES = (
    Firm("Spostex S.A.", "Spostex", "Spostexu", "Spostexem", "spostex.example",
         "ul. Hutnicza 14", "Radom", _STEEL),
    Firm("Spostex Sp. z o.o.", "Spostex Serwis", "Spostexu Serwis", "Spostexem Serwis",
         "spostex-serwis.example", "ul. Hutnicza 16", "Radom",
         (("naprawa giętarki", "naprawy giętarki", "szt."),
          ("przegląd nożyc do stali", "przeglądu nożyc do stali", "szt."))),
    Firm("Spostal S.A.", "Spostal", "Spostalu", "Spostalem", "spostal.example",
         "ul. Kolejowa 3", "Ostrowiec", _STEEL),
    Firm("Adamski", "Adamski", "Adamskiego", "Adamskim", "adamski-drewno.example",
         "ul. Leśna 7", "Wyszków", _TIMBER),
    Firm("Beton-Bud Sp. z o.o.", "Beton-Bud", "Beton-Budu", "Beton-Budem", "betonbud.example",
         "ul. Żwirowa 2", "Łomianki", _CONCRETE),
    Firm("Betonex S.A.", "Betonex", "Betoneksu", "Betoneksem", "betonex.example",
         "ul. Modlińska 310", "Warszawa", _CONCRETE),
    Firm("Geo-Test Pracownia Geotechniczna s.c.", "Geo-Test", "Geo-Testu", "Geo-Testem",
         "geotest.example", "ul. Polna 21", "Piaseczno",
         (("badania gruntu", "badań gruntu", "otworów"),
          ("opinia geotechniczna", "opinii geotechnicznej", "egz.")), aliases=("Geo-Test",)),
    Firm("Wolt Hurtownia Elektryczna Sp. z o.o.", "Wolt", "Wolta", "Woltem", "wolt.example",
         "ul. Prądzyńskiego 9", "Warszawa",
         (("przewód YDY 3x2,5", "przewodu YDY 3x2,5", "m"),
          ("rozdzielnica budowlana", "rozdzielnicy budowlanej", "szt."),
          ("oprawy LED", "opraw LED", "szt.")), aliases=("Hurtownia Wolt",)),
    Firm("Instal-Term Sp. j.", "Instal-Term", "Instal-Termu", "Instal-Termem",
         "instalterm.example", "ul. Ciepłownicza 5", "Legionowo",
         (("instalacja c.o.", "instalacji c.o.", "kpl."),
          ("rury PEX fi 20", "rur PEX fi 20", "m"),
          ("grzejniki płytowe", "grzejników płytowych", "szt."))),
    Firm("Dźwig-Pol Sp. z o.o.", "Dźwig-Pol", "Dźwig-Polu", "Dźwig-Polem", "dzwigpol.example",
         "ul. Portowa 40", "Płock",
         (("wynajem żurawia 40 t", "wynajmu żurawia 40 t", "h"),
          ("podnośnik koszowy 18 m", "podnośnika koszowego 18 m", "dni"))),
    Firm("Okna Mazowsze S.A.", "Okna Mazowsze", "Okien Mazowsze", "Oknami Mazowsze",
         "oknamazowsze.example", "ul. Szklana 11", "Mińsk Mazowiecki",
         (("okna PVC trzyszybowe", "okien PVC trzyszybowych", "szt."),
          ("drzwi aluminiowe", "drzwi aluminiowych", "szt."))),
    Firm("Gmina Łomianki", "Gmina Łomianki", "Gminy Łomianki", "Gminą Łomianki",
         "gmina-lomianki.example", "ul. Warszawska 115", "Łomianki",
         (("uzgodnienie dokumentacji", "uzgodnienia dokumentacji", "egz."),), is_supplier=False),
    Firm("Spółdzielnia Mieszkaniowa Zorza", "Spółdzielnia Zorza", "Spółdzielni Zorza",
         "Spółdzielnią Zorza", "sm-zorza.example", "ul. Jutrzenki 8", "Warszawa",
         (("przegląd elewacji", "przeglądu elewacji", "szt."),), is_supplier=False,
         aliases=("Spółdzielnia Zorza",)),
    Firm("Transbud Nowak Sp. z o.o.", "Transbud Nowak", "Transbudu Nowak", "Transbudem Nowak",
         "transbud-nowak.example", "ul. Przemysłowa 33", "Nowy Dwór Mazowiecki",
         (("transport kruszywa", "transportu kruszywa", "kursów"),
          ("wywóz ziemi", "wywozu ziemi", "kursów"),
          ("żwir 8/16", "żwiru 8/16", "t"))),
    Firm("Nowak Sp. z o.o.", "firma Nowak", "firmy Nowak", "firmą Nowak",
         "nowak-dachy.example", "ul. Blacharska 3", "Ząbki",
         (("rynny tytanowe", "rynien tytanowych", "m"),
          ("krycie dachu", "krycia dachu", "m2"))),
    Firm("Sprzęt Duda s.c.", "Sprzęt Duda", "Sprzętu Duda", "Sprzętem Duda", "",
         "ul. Warsztatowa 2", "Zielonka",
         (("wynajem minikoparki", "wynajmu minikoparki", "dni"),
          ("wynajem zagęszczarki", "wynajmu zagęszczarki", "dni")),
         addresses=("sprzetduda@poczta.example",)),
    Firm("Asfalt-Trans Sp. z o.o.", "Asfalt-Trans", "Asfalt-Transu", "Asfalt-Transem",
         "asfalttrans.example", "ul. Drogowców 1", "Marki",
         (("masa mineralno-asfaltowa", "masy mineralno-asfaltowej", "t"),
          ("frezowanie nawierzchni", "frezowania nawierzchni", "m2"))),
    Firm("Farby Kolor Sp. z o.o.", "Farby Kolor", "Farb Kolor", "Farbami Kolor",
         "farbykolor.example", "ul. Tęczowa 6", "Pruszków",
         (("farba elewacyjna silikonowa", "farby elewacyjnej silikonowej", "wiader"),
          ("tynk mineralny 1,5 mm", "tynku mineralnego 1,5 mm", "worków"))),
    Firm("Zielińska i Wspólnicy Sp. k.", "Kancelaria Zielińska", "Kancelarii Zielińska",
         "Kancelarią Zielińska", "zielinska-kancelaria.example", "ul. Mokotowska 51", "Warszawa",
         (("opinia prawna", "opinii prawnej", "egz."),
          ("aneks do umowy", "aneksu do umowy", "egz.")),
         is_confidential=True, aliases=("Kancelaria Zielińska",)),
    Firm("Brukpol Sp. z o.o.", "Brukpol", "Brukpolu", "Brukpolem", "brukpol.example",
         "ul. Kamienna 19", "Kielce",
         (("kostka brukowa 8 cm", "kostki brukowej 8 cm", "m2"),
          ("krawężniki drogowe", "krawężników drogowych", "m"))),
    Firm("Harrow Playgrounds Ltd", "Harrow", "Harrow", "Harrow", "harrowplay.example",
         "12 Mill Lane", "Leeds",
         (("rope climbing nets", "rope climbing nets", "pcs"),
          ("rubber safety tiles", "rubber safety tiles", "m2"),
          ("double swing sets", "double swing sets", "pcs")), "en"),
    Firm("Nordlek A/S", "Nordlek", "Nordlek", "Nordlek", "nordlek.example",
         "Havnegade 4", "Aarhus",
         (("larch climbing towers", "larch climbing towers", "pcs"),
          ("spring riders", "spring riders", "pcs")), "en"),
    Firm("Meyer Baukrane GmbH", "Meyer", "Meyer", "Meyer", "meyer-baukrane.example",
         "Industriestrasse 88", "Dresden",
         (("tower crane hire", "tower crane hire", "months"),
          ("crane foundation anchors", "crane foundation anchors", "sets")), "en"),
    Firm("Whitfield & Cole Architects LLP", "Whitfield & Cole", "Whitfield & Cole",
         "Whitfield & Cole", "whitfieldcole.example", "7 Canal Street", "Manchester",
         (("facade detail drawings", "facade detail drawings", "sheets"),
          ("stair core sections", "stair core sections", "sheets")), "en"),
    Firm("Cole Ltd", "Cole Ltd", "Cole Ltd", "Cole Ltd", "cole-hoists.example",
         "2 Dock Road", "Hull",
         (("hoist hire", "hoist hire", "months"),
          ("mast climber hire", "mast climber hire", "months")), "en"),
    Firm("TerraScan Surveys Ltd", "TerraScan", "TerraScan", "TerraScan", "terrascan.example",
         "Unit 5, Kelso Park", "Edinburgh",
         (("drone survey", "drone survey", "days"),
          ("point cloud scan", "point cloud scan", "ha")), "en"),
)  # fmt: skip
BY_NAME = {firm.name: firm for firm in COMPANIES}
