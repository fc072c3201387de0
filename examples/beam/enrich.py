"""Enriches flights with the features of their planes, and prints what was counted."""

import argparse
import csv
import json
import typing

import apache_beam as beam
from apache_beam.metrics import MetricsFilter
from apache_beam.options.pipeline_options import PipelineOptions
from beamlet.beam import Enrich


class Flight(typing.NamedTuple):
    year: int
    month: int
    day: int
    carrier: str
    flight: int
    tailnum: typing.Optional[str]
    origin: str
    dest: str


def flights(path: str) -> typing.Iterator[Flight]:
    with open(path, newline="") as file:
        for row in csv.DictReader(file):
            yield Flight(
                int(row["year"]),
                int(row["month"]),
                int(row["day"]),
                row["carrier"],
                int(row["flight"]),
                # The file has NA where a flight has no tail number.
                None if row["tailnum"] == "NA" else row["tailnum"],
                row["origin"],
                row["dest"],
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", required=True)
    parser.add_argument("--input", required=True)
    parser.add_argument("--output", required=True)
    own, others = parser.parse_known_args()

    pipeline = beam.Pipeline(options=PipelineOptions(others))
    (
        pipeline
        | beam.Create([own.input])
        | beam.FlatMap(flights).with_output_types(Flight)
        | Enrich(own.config)
        | beam.Map(lambda flight: json.dumps(flight.as_dict()))
        | beam.io.WriteToText(own.output, ".ndjson", num_shards=1)
    )
    result = pipeline.run()
    result.wait_until_finish()
    counted = result.metrics().query(MetricsFilter().with_namespace("beamlet"))["counters"]
    for counter in sorted(counted, key=lambda it: it.key.metric.name):
        print(f"{counter.key.metric.name:30} {counter.committed:8}")


if __name__ == "__main__":
    main()
