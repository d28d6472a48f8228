"""The pages people read: one module per page, all under one blueprint."""

from flask import Blueprint, Flask

from abtest.web.pages import (
    api_docs,
    archive,
    assets,
    audit,
    costs,
    customers,
    files,
    health,
    help_page,
    install,
    keys,
    life,
    login,
    navigation,
    overview,
    preferences,
    privacy,
    results,
    segments,
    set_up,
    share,
    system,
    traffic,
    users,
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
    for module in (overview, results, segments, files, share, login):
        module.add_to(pages)
    for module in (preferences, help_page):
        module.add_to(pages)
    for module in (keys, users, privacy, system, audit, api_docs):
        module.add_to(pages)
    for module in (set_up, life, install):
        module.add_to(pages)
    for module in (archive, costs, customers, health, traffic):
        module.add_to(pages)
    app.register_blueprint(pages)
