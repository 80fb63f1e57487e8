"""People outside the demo company: those at its firms, craftsmen, and senders of no concern."""

from dataclasses import dataclass

from app.demo.firms import BY_NAME, Firm, Language


@dataclass(frozen=True, slots=True)
class Outsider:
    """A person who writes to the team; `vocative` is how a Polish mail speaks to him.

    `known_addresses` are those of his contact record, which may be stale: `former` is the firm
    that he left.
    """

    name: str
    address: str
    vocative: str
    title: str = ""
    phone: str = ""
    firm: str = ""
    former: str = ""
    language: Language = "pl"
    known_addresses: tuple[str, ...] = ()
    writes: str = ""
    """Of an automatic sender or a stranger: the texts he has."""

    since: int = 0
    until: int = 9999
    """The years that he works there: who changes firm and keeps his address is there twice."""

    @property
    def signs_in_full(self) -> bool:
        """Whether nothing but his signature tells for whom he writes."""
        return self.employer is not None and self.address.rpartition("@")[2] != self.employer.domain

    @property
    def employer(self) -> Firm | None:
        return BY_NAME.get(self.firm)


CONTACTS = (
    Outsider("Marek Wiśniewski", "m.wisniewski@spostex.example", "Panie Marku",
             "Specjalista ds. sprzedaży", "+48 48 555 20 31", "Spostex S.A."),
    Outsider("Katarzyna Lewandowska", "k.lewandowska@spostal.example", "Pani Katarzyno",
             "Kierownik regionu", "+48 41 555 77 02", "Spostal S.A.", "Spostex S.A.",
             known_addresses=("k.lewandowska@spostex.example",)),
    Outsider("Piotr Adamski", "biuro@adamski-drewno.example", "Panie Piotrze",
             "właściciel", "+48 602 555 318", "Adamski"),
    Outsider("Tomasz Zieliński", "t.zielinski@betonbud.example", "Panie Tomaszu",
             "Dyspozytor", "+48 22 555 64 10", "Beton-Bud Sp. z o.o."),
    Outsider("Agnieszka Kamińska", "a.kaminska@gmina-lomianki.example", "Pani Agnieszko",
             "Inspektor, Wydział Inwestycji", "+48 22 555 89 30", "Gmina Łomianki"),
    Outsider("Paweł Dąbrowski", "p.dabrowski@meyer-baukrane.example", "Panie Pawle",
             "Sales Poland", "+49 351 555 0107", "Meyer Baukrane GmbH", "Dźwig-Pol Sp. z o.o.",
             known_addresses=("p.dabrowski@dzwigpol.example",)),
    Outsider("Oliver Grant", "oliver.grant@harrowplay.example", "Oliver",
             "Export Manager", "+44 113 555 0142", "Harrow Playgrounds Ltd", language="en"),
    Outsider("Mette Sørensen", "mette@nordlek.example", "Mette",
             "Key Account Manager", "+45 86 55 01 77", "Nordlek A/S", language="en"),
    Outsider("Emily Cole", "emily@whitfieldcole.example", "Emily",
             "Partner", "+44 161 555 0190", "Whitfield & Cole Architects LLP", language="en"),
    Outsider("Zenon Pietrzak", "zenon.pietrzak.tynki@poczta.example", "Panie Zenonie",
             "tynki i gładzie", "+48 603 555 404",
             known_addresses=("zenon.pietrzak.tynki@poczta.example",)),
    Outsider("Bogdan Mazurek", "mazurek-glazura@skrzynka.example", "Panie Bogdanie",
             "glazurnik", "+48 604 555 118",
             known_addresses=("mazurek-glazura@skrzynka.example",)),
    Outsider("Irena Sowa", "irena.sowa@poczta.example", "Pani Ireno",
             "architekt krajobrazu", "+48 605 555 020",
             known_addresses=("irena.sowa@poczta.example",)),
    Outsider("Ryszard Kot", "geodeta.kot@skrzynka.example", "Panie Ryszardzie",
             "geodeta uprawniony", "+48 606 555 733",
             known_addresses=("geodeta.kot@skrzynka.example",)),
    Outsider("Basia", "porzadki.basia@poczta.example", "Pani Basiu",
             "sprzątanie po budowie", "+48 608 555 612",
             known_addresses=("porzadki.basia@poczta.example",)),
    Outsider("Halina Brzoza", "halina.brzoza@mymail.example", "Pani Halino",
             "kosztorysant", "+48 607 555 391"),
)  # fmt: skip

_OTHERS = (
    Outsider("Grażyna Pawlak", "faktury@spostex.example", "Pani Grażyno",
             "Dział rozliczeń", "+48 48 555 20 35", "Spostex S.A."),
    Outsider("Sebastian Kurek", "s.kurek@spostex-serwis.example", "Panie Sebastianie",
             "Serwis", "+48 48 555 21 00", "Spostex Sp. z o.o."),
    Outsider("Justyna Bąk", "j.bak@spostal.example", "Pani Justyno",
             "Obsługa klienta", "+48 41 555 77 10", "Spostal S.A."),
    Outsider("Łukasz Szymczak", "l.szymczak@betonex.example", "Panie Łukaszu",
             "Przedstawiciel handlowy", "+48 22 555 31 08", "Betonex S.A."),
    Outsider("Beata Król", "b.krol@betonbud.example", "Pani Beato",
             "Księgowość", "+48 22 555 64 12", "Beton-Bud Sp. z o.o."),
    Outsider("dr inż. Wojciech Mróz", "w.mroz@geotest.example", "Panie Wojciechu",
             "geolog", "+48 22 555 40 77", "Geo-Test Pracownia Geotechniczna s.c."),
    Outsider("Iwona Gajda", "zamowienia@wolt.example", "Pani Iwono",
             "Sprzedaż", "+48 22 555 90 15", "Wolt Hurtownia Elektryczna Sp. z o.o."),
    Outsider("Rafał Duda", "r.duda@instalterm.example", "Panie Rafale",
             "wspólnik", "+48 22 555 71 44", "Instal-Term Sp. j."),
    Outsider("Monika Sobczak", "m.sobczak@dzwigpol.example", "Pani Moniko",
             "Spedycja", "+48 24 555 16 60", "Dźwig-Pol Sp. z o.o."),
    Outsider("Aleksandra Wrona", "a.wrona@oknamazowsze.example", "Pani Aleksandro",
             "Doradca techniczny", "+48 25 555 33 21", "Okna Mazowsze S.A."),
    Outsider("Jerzy Malinowski", "j.malinowski@sm-zorza.example", "Panie Jerzy",
             "Kierownik administracji", "+48 22 555 12 80", "Spółdzielnia Mieszkaniowa Zorza"),
    Outsider("Robert Nowak", "robert@transbud-nowak.example", "Panie Robercie",
             "Prezes", "+48 22 555 75 90", "Transbud Nowak Sp. z o.o."),
    Outsider("Grzegorz Nowak", "g.nowak@nowak-dachy.example", "Panie Grzegorzu",
             "mistrz dekarski", "+48 22 555 46 21", "Nowak Sp. z o.o."),
    Outsider("Zbigniew Duda", "sprzetduda@poczta.example", "Panie Zbigniewie",
             "wspólnik", "+48 609 555 808", "Sprzęt Duda s.c."),
    Outsider("Karolina Duda", "karolina.duda@skrzynka.example", "Pani Karolino",
             "wypożyczalnia", "+48 609 555 809", "Sprzęt Duda s.c."),
    Outsider("Hubert Stec", "hubert.stec@poczta.example", "Panie Hubercie",
             "przedstawiciel", "+48 600 555 377", "Farby Kolor Sp. z o.o.", until=2024),
    Outsider("Hubert Stec", "hubert.stec@poczta.example", "Panie Hubercie",
             "przedstawiciel", "+48 600 555 377", "Nowak Sp. z o.o.", since=2025),
    Outsider("Simon Cole", "simon@cole-hoists.example", "Simon",
             "Managing Director", "+44 1482 555 010", "Cole Ltd", language="en"),
    Outsider("Damian Kępa", "d.kepa@asfalttrans.example", "Panie Damianie",
             "Kierownik robót drogowych", "+48 22 555 81 13", "Asfalt-Trans Sp. z o.o."),
    Outsider("Sylwia Maj", "s.maj@farbykolor.example", "Pani Sylwio",
             "Obsługa zamówień", "+48 22 555 58 05", "Farby Kolor Sp. z o.o."),
    Outsider("mec. Joanna Zielińska", "j.zielinska@zielinska-kancelaria.example", "Pani Mecenas",
             "radca prawny", "+48 22 555 62 00", "Zielińska i Wspólnicy Sp. k."),
    Outsider("Artur Głowacki", "a.glowacki@brukpol.example", "Panie Arturze",
             "Handlowiec", "+48 41 555 30 90", "Brukpol Sp. z o.o."),
    Outsider("Jürgen Meyer", "j.meyer@meyer-baukrane.example", "Herr Meyer",
             "Managing Director", "+49 351 555 0100", "Meyer Baukrane GmbH", language="en"),
    Outsider("Fiona Reid", "fiona.reid@terrascan.example", "Fiona",
             "Project Surveyor", "+44 131 555 0166", "TerraScan Surveys Ltd", language="en"),
)  # fmt: skip
STAFF = tuple(person for person in (*CONTACTS, *_OTHERS) if person.firm)
CRAFTSMEN = tuple(person for person in CONTACTS if not person.firm)
MOVED = tuple(person for person in CONTACTS if person.former)
FRIENDS = (
    Outsider("Basia", "basia.k@mymail.example", "Basiu"),
    Outsider("Basia Kowalczyk", "basia.k@poczta.example", "Basiu"),
    Outsider("Tomek Lis", "tomeklis77@skrzynka.example", "Tomku"),
    Outsider("Sophie Bennett", "sophie.bennett@mymail.example", "Sophie", language="en"),
    Outsider("Wspólnota Brzozowa 4", "wspolnota.brzozowa4@poczta.example", "Szanowni Państwo"),
)
SENDERS = (
    Outsider("Portal Budowlany", "newsletter@portal-budowlany.example", "Szanowni Państwo",
             writes="market"),
    Outsider("Przetargi24", "alert@przetargi24.example", "Szanowni Państwo", writes="tenders"),
    Outsider("Kurier Express", "powiadomienia@kurier-express.example", "Szanowni Państwo",
             writes="courier"),
    Outsider("Izba Budowlana", "szkolenia@izba-budowlana.example", "Szanowni Państwo",
             writes="training"),
    Outsider("Site Safety Weekly", "weekly@sitesafety.example", "Dear reader", language="en",
             writes="safety"),
    Outsider("CloudBackup", "no-reply@cloudbackup.example", "Hello", language="en",
             writes="backup"),
)  # fmt: skip
STRANGERS = (
    Outsider("Dariusz Wrona", "d.wrona@szalunki-polska.example", "Szanowni Państwo",
             "Doradca klienta", "+48 32 555 70 12", writes="cold_offer"),
    Outsider("Natalia Pająk", "oferty@chemia-budowlana.example", "Szanowni Państwo",
             "Dział sprzedaży", "+48 61 555 90 44", writes="cold_offer"),
    Outsider("Kamil Czarnecki", "kamil.czarnecki@poczta.example", "Szanowni Państwo",
             phone="+48 690 555 211", writes="application"),
    Outsider("Weronika Lis", "weronika.lis@skrzynka.example", "Szanowni Państwo",
             phone="+48 690 555 874", writes="application"),
    Outsider("Ben Carter", "ben@siteleads.example", "Hello", "Account Executive", language="en",
             writes="cold_offer"),
)  # fmt: skip
SPAMMERS = (
    Outsider("Biuro Kredytowe 24", "oferta@kredyt-bez-bik.example", "Witam"),
    Outsider("TONERY OUTLET", "promo@tonery-outlet.example", "Drogi Kliencie"),
    Outsider("Award Desk", "claim@award-desk.example", "Winner", language="en"),
    Outsider("Watch Outlet", "best@watchsale.example", "Customer", language="en"),
)
