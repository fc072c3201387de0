"""Enriches rows from standard input, NDJSON, to standard output.

    enrich.py [--json] CONFIG.json < rows.ndjson
"""

import json
import os
import sys

from beamlet_handler import ConfigurationError, Handler, HandlerError

# How many rows a bundle holds: what is in memory at once.
BUNDLE = 1000


def bundles(lines):
    rows = []
    for line in lines:
        rows.append(json.loads(line))
        if len(rows) == BUNDLE:
            yield rows
            rows = []
    if rows:
        yield rows


def typed(handler, config, bundles):
    """Through `enrichment-handler`: set up once, then columns."""
    with handler.set_up(config) as configured:
        for rows in bundles:
            with configured.bundle() as bundle:
                answers = bundle.process(rows) + bundle.finish()
            for row, answer in zip(rows, answers, strict=True):
                if answer.failure:
                    raise answer.failure
                yield {**answer.features, **row}, [*row, *answer.features]


def as_json(handler, config, bundles):
    """Through `enrichment-json`: a call for each bundle."""
    for rows in bundles:
        answer = handler.enrich(config, rows)
        for failure in answer["failures"]:
            error = failure["error"]
            raise HandlerError(error["kind"], error["message"])
        for row in answer["rows"]:
            yield row, row


def main():
    arguments = sys.argv[1:]
    enrich = typed
    if arguments[:1] == ["--json"]:
        enrich = as_json
        arguments = arguments[1:]
    if len(arguments) != 1:
        sys.exit(__doc__)
    with open(arguments[0]) as file:
        config = json.load(file)
    # The variables that the configuration refers to; the handler sees no others.
    names = ("TECTON_URL", "TECTON_API_KEY")
    environment = {name: os.environ[name] for name in names if name in os.environ}
    handler = Handler("tecton.wasm", environment=environment)
    try:
        for row, order in enrich(handler, config, bundles(sys.stdin)):
            # The row's own fields first, and the features behind them.
            print(json.dumps({name: row[name] for name in order}))
    except ConfigurationError as error:
        sys.exit(f"the configuration is not valid\n{error}")
    except HandlerError as error:
        sys.exit(f"the rows could not be enriched: {error}")


if __name__ == "__main__":
    main()
