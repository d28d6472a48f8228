"""The experiments of the demo that are over: what was decided, and what was learned."""

from abtest.services.definition import ExperimentDefinition, FirstDefinition
from abtest.services.demo.story import (
    MONEY,
    POINTS,
    SECOND_DAY,
    SHOP,
    ZONE,
    Decision,
    Note,
    Story,
    shop,
    variants,
)

FINISHED = (
    Story(
        definition=ExperimentDefinition(
            key="guarantee-badge",
            name="Guarantee next to the button",
            hypothesis="A guarantee in plain words takes the fear of a first purchase.",
            variants=variants(without="No guarantee", badge="Guarantee"),
            funnel=SHOP,
            first_conversion=FirstDefinition(step="purchase"),
            second_conversion=SECOND_DAY,
            weights=POINTS,
            time_zone=ZONE,
        ),
        journeys={
            "without": shop(0.06, 0.24, basket=0.22),
            "badge": shop(0.072, 0.33, basket=0.22),
        },
        visitors_per_day=550,
        began=260,
        closed=215,
        decision=Decision(
            days_ago=150,
            variant="badge",
            note="Better at both purchases. We keep the guarantee and will try it in"
            " the basket next.",
        ),
        look_at="finished, decided and archived: what was learned stays readable",
    ),
    Story(
        definition=ExperimentDefinition(
            key="film-header",
            name="Film instead of a picture at the top",
            hypothesis="Who sees the product in use buys it, and knows what they get.",
            variants=variants(picture="Picture", film="Film"),
            funnel=SHOP,
            first_conversion=FirstDefinition(step="purchase"),
            second_conversion=SECOND_DAY,
            weights=POINTS,
            time_zone=ZONE,
        ),
        journeys={"picture": shop(0.06, 0.26), "film": shop(0.04, 0.22)},
        visitors_per_day=480,
        began=340,
        closed=305,
        notes=(
            Note(
                days_ago=332,
                text="The film adds two seconds on phones. We let the test run.",
            ),
        ),
        decision=Decision(
            days_ago=240,
            variant="picture",
            note="Fewer baskets from the first day on. The page must be fast before it"
            " may be beautiful; a film below the fold is the next idea.",
        ),
        look_at="finished: a good idea that cost a third of the purchases",
    ),
    Story(
        definition=ExperimentDefinition(
            key="bundle-price",
            name="Three in a bundle beside the single bottle",
            hypothesis="A bundle raises the order value more than it deters buyers.",
            variants=variants(single="Single bottle", bundle="Bundle of three"),
            funnel=SHOP,
            first_conversion=FirstDefinition(step="purchase"),
            second_conversion=SECOND_DAY,
            weights=MONEY,
            order_cap=400,
            # A bundle is expected to deter some; that much was agreed on before.
            first_conversion_margin=0.35,
            time_zone=ZONE,
        ),
        journeys={
            "single": shop(0.05, 0.25, value=36.0),
            "bundle": shop(0.05, 0.25, value=66.0),
        },
        visitors_per_day=560,
        began=300,
        closed=262,
        costs={"search": 1.5, "newsletter": 0.1},
        decision=Decision(
            days_ago=195,
            variant="bundle",
            note="As many buyers, and each brings far more. The bundle stays; the"
            " single bottle moves below it.",
        ),
        look_at="finished, judged in money, and worth its advertising",
    ),
)
