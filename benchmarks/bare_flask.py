"""The least a Flask application can do: the yardstick of `serving.py`."""

from flask import Flask

app = Flask(__name__)


@app.get("/")
def ok() -> str:
    """Answer."""
    return "ok"
