"""What goes onto pages and servers: snippets with this service's address and a key."""

from dataclasses import dataclass

from abtest._resources import client_snippets
from abtest.domain.experiment import Experiment
from abtest.domain.funnel import StepKey
from abtest.web.render.reader import Reader
from abtest.web.render.translate import mark

KEY_PLACE = "YOUR-KEY"
SERVER_KEY_PLACE = "YOUR-SERVER-KEY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Snippet:
    """A piece of text to copy, and where it goes.

    Attributes:
        name: unique on the page.
    """

    name: str
    title: str
    advice: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where the service is and what the snippets are about."""

    service: str
    key: str
    experiment: Experiment

    @property
    def last_step(self) -> StepKey:
        """A step that a server usually knows of."""
        return self.experiment.goal.second.step


def page_snippets(
    reader: Reader, experiment: Experiment, *, service: str, key: str
) -> tuple[Snippet, ...]:
    """Return what goes into a page.

    Args:
        service: origin of this service.
        key: a publishable one; empty when none is known.
    """
    place = _Place(service=service, key=key or KEY_PLACE, experiment=experiment)
    say = reader.gettext
    return (
        Snippet(
            name="page",
            title=say("1. Into the head of the page"),
            advice=say(
                "On every page on which visitors see a variant or convert. It loads"
                " beside the page and never blocks it; when it fails, the page stays as"
                " it is."
            ),
            code=_page(place),
        ),
        Snippet(
            name="show",
            title=say("2. Show the variants"),
            advice=say(
                "The page's html element gets a class for the variant, so a style sheet"
                " is enough for most tests. Without JavaScript visitors see the control"
                " and are not counted."
            ),
            code=_show(place),
        ),
        Snippet(
            name="convert",
            title=say("3. Report the conversions"),
            advice=say(
                "By an attribute where something is clicked or sent, or by a line of"
                " code on the thank-you page. With the order number a purchase counts"
                " once, whoever reports it; the customer number joins later purchases."
            ),
            code=_convert(place),
        ),
    )


def more_snippets(
    reader: Reader, experiment: Experiment, *, service: str, key: str
) -> tuple[Snippet, ...]:
    """Return what is needed now and then: flicker, redirects, servers, policies."""
    place = _Place(service=service, key=key or KEY_PLACE, experiment=experiment)
    return tuple(
        Snippet(
            name=name,
            title=reader.gettext(title),
            advice=reader.gettext(advice),
            code=code,
        )
        for name, title, advice, code in (
            ("flicker", _FLICKER[0], _FLICKER[1], _antiflicker()),
            ("redirect", _REDIRECT[0], _REDIRECT[1], _redirect(place)),
            ("policy", _POLICY[0], _POLICY[1], _policy(place)),
            ("curl", "curl", _SERVER, _curl(place)),
            ("python", "Python", _SERVER, _python(place)),
            ("node", "Node", _SERVER, _node(place)),
            ("php", "PHP", _SERVER, _php(place)),
        )
    )


_FLICKER = (
    mark("Against flicker"),
    mark(
        "Optional, first thing in the head: hides what is marked data-abtest-hide until"
        " the variant is known, for one second at most."
    ),
)
_REDIRECT = (
    mark("Send to another page"),
    mark(
        "Put the address into the variant's data, under the name url. Nobody is lost:"
        " the visitor is counted before the redirect."
    ),
)
_POLICY = (
    mark("Content-Security-Policy"),
    mark("Where the site sends this header, add the service to these two lists."),
)
_SERVER = mark(
    "From a server: ask for the variant before the page is made, and report purchases"
    " when they are paid. Needs a server key, which must never reach a browser."
)


def _page(place: _Place) -> str:
    return (
        f'<script async src="{place.service}/abtest.js" data-key="{place.key}"\n'
        f'  data-experiments="{place.experiment.key}"></script>'
    )


def _show(place: _Place) -> str:
    key = place.experiment.key
    other = place.experiment.variants[-1].key
    return (
        "<style>\n"
        f"  .only-{other}, .abtest-{key}-{other} .only-control {{ display: none }}\n"
        f"  .abtest-{key}-{other} .only-{other} {{ display: block }}\n"
        "</style>\n"
        '<h1 class="only-control">…</h1>\n'
        f'<h1 class="only-{other}">…</h1>'
    )


def _convert(place: _Place) -> str:
    lines = [
        f'<form … data-abtest-convert="{step.key}">' for step in place.experiment.funnel
    ]
    currency = place.experiment.currency or "EUR"
    return "\n".join(
        [
            *lines,
            "",
            "<script>",
            "window.abtestq = window.abtestq || [];",
            f'abtestq.push(["track", "{place.last_step}", {{',
            f'  value: 49.9, currency: "{currency}",',
            '  order: "A-1001", customer: "c-77",',
            "}]);",
            "</script>",
        ]
    )


def _antiflicker() -> str:
    path = client_snippets() / "html" / "antiflicker.html"
    # Its comment is for whoever reads the file; the page says the same.
    return path.read_text(encoding="utf-8").partition("-->")[2].strip()


def _redirect(place: _Place) -> str:
    return (
        "<script>\n"
        "window.abtestq = window.abtestq || [];\n"
        'abtestq.push(["ready", function (abtest) {\n'
        f'  var url = abtest.payload("{place.experiment.key}").url;\n'
        "  if (url && url !== location.href) location.replace(url);\n"
        "}]);\n"
        "</script>"
    )


def _policy(place: _Place) -> str:
    return f"script-src {place.service}; connect-src {place.service}"


def _curl(place: _Place) -> str:
    return (
        f"curl {place.service}/api/v1/assign \\\n"
        f'  -H "Authorization: Bearer {SERVER_KEY_PLACE}" \\\n'
        '  -H "Content-Type: application/json" \\\n'
        '  -d \'{"visitor": "v-123",'
        f' "experiments": ["{place.experiment.key}"]}}\'\n\n'
        f"curl {place.service}/api/v1/events \\\n"
        f'  -H "Authorization: Bearer {SERVER_KEY_PLACE}" \\\n'
        '  -H "Content-Type: application/json" \\\n'
        '  -d \'{"events": [{"id": "order-1001", "type": "conversion",\n'
        f'       "visitor": "v-123", "step": "{place.last_step}", "value": 49.9,\n'
        f'       "currency": "{place.experiment.currency or "EUR"}",'
        ' "order": "1001"}]}\''
    )


def _python(place: _Place) -> str:
    key, control = place.experiment.key, place.experiment.control.key
    return (
        "import json, urllib.request\n\n"
        "def variant(visitor):\n"
        f'    body = {{"visitor": visitor, "experiments": ["{key}"]}}\n'
        "    request = urllib.request.Request(\n"
        f'        "{place.service}/api/v1/assign", json.dumps(body).encode(),\n'
        f'        {{"Authorization": "Bearer {SERVER_KEY_PLACE}",\n'
        '         "Content-Type": "application/json"})\n'
        "    try:\n"
        "        with urllib.request.urlopen(request, timeout=0.3) as answer:\n"
        f'            return json.load(answer)["assignments"]["{key}"]["variant"]\n'
        "    except Exception:\n"
        f'        return "{control}"  # the control, whenever anything fails'
    )


def _node(place: _Place) -> str:
    key, control = place.experiment.key, place.experiment.control.key
    return (
        "async function variant(visitor) {\n"
        "  try {\n"
        f'    const answer = await fetch("{place.service}/api/v1/assign", {{\n'
        '      method: "POST",\n'
        f'      headers: {{ "Authorization": "Bearer {SERVER_KEY_PLACE}",\n'
        '                 "Content-Type": "application/json" },\n'
        f'      body: JSON.stringify({{ visitor, experiments: ["{key}"] }}),\n'
        "      signal: AbortSignal.timeout(300),\n"
        "    });\n"
        f'    return (await answer.json()).assignments["{key}"].variant;\n'
        "  } catch {\n"
        f'    return "{control}"; // the control, whenever anything fails\n'
        "  }\n"
        "}"
    )


def _php(place: _Place) -> str:
    key, control = place.experiment.key, place.experiment.control.key
    return (
        "function variant(string $visitor): string {\n"
        '    $context = stream_context_create(["http" => [\n'
        '        "method" => "POST", "timeout" => 0.3,\n'
        f'        "header" => "Authorization: Bearer {SERVER_KEY_PLACE}\\r\\n"\n'
        '                  . "Content-Type: application/json\\r\\n",\n'
        '        "content" => json_encode(["visitor" => $visitor,\n'
        f'                                  "experiments" => ["{key}"]]),\n'
        "    ]]);\n"
        f'    $url = "{place.service}/api/v1/assign";\n'
        "    $text = @file_get_contents($url, false, $context);\n"
        "    $answer = $text === false ? [] : json_decode($text, true);\n"
        f'    return $answer["assignments"]["{key}"]["variant"] ?? "{control}";\n'
        "}"
    )
