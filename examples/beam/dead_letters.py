"""Sets flights aside that cannot be enriched, with the reason."""

import argparse
import json

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from beamlet.beam import Enrich

FLIGHTS = [
    {"flight": 1545, "tailnum": "N14228"},
    {"flight": 1714},  # no tail number: the handler needs the field of each
    {"flight": 725, "tailnum": "N804JB"},
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", required=True)
    parser.add_argument("--output", required=True)
    own, others = parser.parse_known_args()

    with beam.Pipeline(options=PipelineOptions(others)) as pipeline:
        good, dead = (
            pipeline | beam.Create(FLIGHTS) | Enrich(own.config).with_exception_handling()
        )
        good | "good" >> beam.Map(json.dumps) | "write good" >> beam.io.WriteToText(
            own.output, ".ndjson", num_shards=1
        )
        (
            dead
            | "dead" >> beam.Map(lambda letter: json.dumps(letter.as_dict()))
            | "write dead" >> beam.io.WriteToText(own.output + "-dead", ".ndjson", num_shards=1)
        )


if __name__ == "__main__":
    main()
