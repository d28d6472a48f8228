"""A draft for the privacy policy of the site that is tested, in both languages.

Both are shown to every reader: the site needs the language of its visitors, not that
of whoever looks at the page. What stands in [brackets] is for the site to fill in.
"""

_GERMAN = """\
Vergleich von Seitenvarianten (A/B-Tests)

Wir prüfen, welche Fassung unserer Seiten besser ankommt. Dazu zeigen wir \
Besucherinnen und Besuchern verschiedene Varianten derselben Seite und zählen, \
was danach geschieht, zum Beispiel eine Anmeldung oder ein Kauf. Wir verwenden \
dafür die Software abtest, die auf Servern [von uns / unseres Dienstleisters \
NAME, ORT] läuft. Die Daten werden nicht an Werbenetzwerke weitergegeben.

Welche Daten: eine zufällig erzeugte Kennung, die im Cookie „abtest_visitor“ für \
höchstens 395 Tage in Ihrem Browser gespeichert wird; die gezeigte Variante und \
der Zeitpunkt; erreichte Schritte (etwa Anmeldung, Kauf, Erstattung) mit \
Zeitpunkt und, bei Käufen, Betrag, Währung und Bestellnummer; [Ihre \
Kundennummer, damit spätere Käufe derselben Variante zugeordnet werden]; \
[weitere Merkmale, etwa die Art des Geräts]. Noch nicht übertragene Ereignisse \
bleiben bis zu 7 Tage im lokalen Speicher Ihres Browsers. IP-Adressen werden für \
den Vergleich nicht gespeichert.

Zweck und Rechtsgrundlage: Verbesserung unseres Angebots. [Das Speichern und \
Auslesen der Kennung geschieht mit Ihrer Einwilligung nach § 25 Abs. 1 TDDDG, \
die weitere Verarbeitung nach Art. 6 Abs. 1 Buchst. a DSGVO. Sie können die \
Einwilligung jederzeit mit Wirkung für die Zukunft widerrufen: LINK ZU DEN \
EINSTELLUNGEN.]

Dauer: {keeping}

Ihre Rechte: Sie können Auskunft, Berichtigung, Löschung, Einschränkung der \
Verarbeitung und Datenübertragbarkeit verlangen, der Verarbeitung widersprechen \
und sich bei einer Aufsichtsbehörde beschweren. Damit wir Ihre Daten finden, \
nennen Sie uns bitte die Kennung aus dem Cookie „abtest_visitor“ [oder Ihre \
Kundennummer]."""

_GERMAN_DAYS = """\
Einzelne Ereignisse werden nach {days} Tagen gelöscht, sobald die Tests, zu \
denen sie gehören, abgeschlossen sind. Danach bleiben nur zusammengefasste \
Zahlen."""

_GERMAN_OPEN = """\
Einzelne Ereignisse werden nach [DAUER] gelöscht. Danach bleiben nur \
zusammengefasste Zahlen."""

_ENGLISH = """\
Comparison of page variants (A/B tests)

We examine which version of our pages serves visitors better. For this we show \
different variants of the same page and count what happens afterwards, for \
example a registration or a purchase. We use the software abtest, which runs on \
servers [of our own / of our provider NAME, PLACE]. The data are not passed on \
to advertising networks.

Which data: a random identifier, which is stored in the cookie “abtest_visitor” \
in your browser for at most 395 days; the variant shown and the time; steps \
reached (such as registration, purchase, refund) with their time and, for \
purchases, amount, currency and order number; [your customer number, so that \
later purchases are credited to the same variant]; [further attributes, such as \
the type of device]. Events not yet transmitted remain in the local storage of \
your browser for up to 7 days. IP addresses are not stored for the comparison.

Purpose and legal basis: improving what we offer. [Storing and reading the \
identifier is based on your consent (in Germany Section 25(1) TDDDG), further \
processing on Article 6(1)(a) GDPR. You may withdraw your consent at any time \
with effect for the future: LINK TO THE SETTINGS.]

Duration: {keeping}

Your rights: you may request access, rectification, erasure, restriction of \
processing and data portability, object to the processing, and lodge a complaint \
with a supervisory authority. So that we can find your data, please tell us the \
identifier from the cookie “abtest_visitor” [or your customer number]."""

_ENGLISH_DAYS = """\
Individual events are deleted after {days} days once the tests they belong to \
are over. After that only summed-up figures remain."""

_ENGLISH_OPEN = """\
Individual events are deleted after [PERIOD]. After that only summed-up figures \
remain."""


def policy_texts(keep_days: int) -> tuple[tuple[str, str, str], ...]:
    """Return language, its own name and the draft, German first.

    Args:
        keep_days: how long events are kept; 0 leaves the period for the site to say.
    """
    drafts = (
        ("de", "Deutsch", _GERMAN, _GERMAN_DAYS if keep_days else _GERMAN_OPEN),
        ("en", "English", _ENGLISH, _ENGLISH_DAYS if keep_days else _ENGLISH_OPEN),
    )
    return tuple(
        (tag, name, text.format(keeping=keeping.format(days=keep_days)))
        for tag, name, text, keeping in drafts
    )
