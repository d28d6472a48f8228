"""The pages people read: one module per page, all under one blueprint."""

from flask import Blueprint, Flask

from abtest.web.pages import (
    assets,
    help_page,
    login,
    navigation,
    overview,
    preferences,
    results,
)
from abtest.web.pages.guard import guard


def register_pages(app: Flask) -> None:
    """Add all pages to the app."""
    pages = Blueprint(
        "pages",
        __name__,
        static_folder="../static",
        static_url_path="/assets",
    )
    pages.before_request(guard)
    pages.after_request(assets.cache_assets)
    pages.add_app_template_global(assets.asset_url, "asset_url")
    pages.add_app_template_global(navigation.main_ways, "main_ways")
    pages.add_app_template_global(navigation.experiment_ways, "experiment_ways")
    pages.add_app_template_global(navigation.settings_ways, "settings_ways")
    for module in (overview, results, login, preferences, help_page):
        module.add_to(pages)
    app.register_blueprint(pages)
