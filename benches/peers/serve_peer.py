"""A FastAPI service over LightGBM that answers what `POST /api/v1/outlooks` answers: seven quantiles of each project's
worldwide gross. The strongest honest version: models are fitted beforehand, one row is predicted by seven boosters on one
thread each (LightGBM is slower with more on a row), `orjson` reads and writes, `uvloop` and `httptools` serve.

    pip install fastapi "uvicorn[standard]" lightgbm orjson pandas
    python benches/peers/serve_peer.py data/films.csv --port 9001 [--workers 2]
"""

import argparse
import math
import os
import sys

import lightgbm
import numpy
import orjson
import pandas
from fastapi import FastAPI, Request, Response

LEVELS = [0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95]
GENRES = ["Action", "Adventure", "Black Comedy", "Comedy", "Drama", "Horror", "Musical", "Romantic Comedy", "Thriller/Suspense", "Western"]
NAMES = [f"q{round(level * 100):02d}" for level in LEVELS]


def row(budget, year, month, genre, theatrical_rating):
    return [math.log(budget), year, month, *[float(genre == g) for g in GENRES], theatrical_rating]


def fit(path):
    films = pandas.read_csv(path)
    day = pandas.to_datetime(films["release_date"], format="%b %d %Y", errors="coerce")
    films = films.assign(day=day)
    films = films[(films.production_budget > 1e4) & (films.worldwide_gross > 0) & films.day.notna() & (films.day.dt.year <= 2011)]
    ratings = {name: i for i, name in enumerate(["G", "PG", "PG-13", "R", "NC-17"])}
    rows = [
        row(f.production_budget, f.day.year, f.day.month, f.major_genre, ratings.get(f.mpaa_rating, 5))
        for f in films.itertuples()
    ]
    x, y = numpy.array(rows), numpy.log(films.worldwide_gross.to_numpy(dtype=float))
    settings = dict(objective="quantile", num_leaves=15, learning_rate=0.05, min_child_samples=20, verbosity=-1, num_threads=1)
    return [lightgbm.train(settings | {"alpha": level}, lightgbm.Dataset(x, y), 300) for level in LEVELS]


app = FastAPI()
MODELS = fit(os.environ["FILMS"]) if "FILMS" in os.environ else []
RATINGS = {name: i for i, name in enumerate(["G", "PG", "PG-13", "R", "NC-17"])}


def dollars(text):
    if isinstance(text, str):
        return float(text[:-1]) * {"K": 1e3, "M": 1e6, "B": 1e9}[text[-1]]
    return float(text)


@app.post("/outlooks")
async def outlooks(request: Request):
    asked = orjson.loads(await request.body())
    rows = []
    for project in asked["projects"]:
        year, month, _ = map(int, project["release_date"].split("-"))
        genres = project.get("genres") or [""]
        rows.append(row(dollars(project["budget"]), year, month, genres[0], RATINGS.get(project.get("age_rating"), 5)))
    x = numpy.array(rows)
    predicted = numpy.sort([model.predict(x, num_threads=1) for model in MODELS], axis=0)
    found = [
        {"name": project["name"], "quantiles": dict(zip(NAMES, numpy.exp(predicted[:, i]).tolist()))}
        for i, project in enumerate(asked["projects"])
    ]
    return Response(orjson.dumps(found), media_type="application/json")


if __name__ == "__main__":
    import uvicorn

    flags = argparse.ArgumentParser()
    flags.add_argument("films")
    flags.add_argument("--port", type=int, default=9001)
    flags.add_argument("--workers", type=int, default=2)
    given = flags.parse_args()
    os.environ["FILMS"] = os.path.abspath(given.films)
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    uvicorn.run("serve_peer:app", port=given.port, workers=given.workers, log_level="warning", access_log=False)
