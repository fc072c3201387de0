"""Enriches a stream of flights as they come, and sums the seats that leave in each window."""

import argparse
import time

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.transforms.periodicsequence import PeriodicImpulse
from apache_beam.transforms.window import FixedWindows
from beamlet.beam import Enrich

PLANES = ["N14228", "N24211", "N619AA", "N804JB"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", required=True)
    parser.add_argument("--seconds", type=float, default=10)
    own, others = parser.parse_known_args()

    now = time.time()
    with beam.Pipeline(options=PipelineOptions([*others, "--streaming"])) as pipeline:
        (
            pipeline
            | PeriodicImpulse(now, now + own.seconds, 0.25)
            | beam.Map(lambda at: {"tailnum": PLANES[int(at * 4) % len(PLANES)]})
            | Enrich(own.config)
            | beam.Map(lambda flight: flight["planes__seats"] or 0)
            | beam.WindowInto(FixedWindows(2))
            | beam.CombineGlobally(sum).without_defaults()
            | beam.Map(lambda seats: print(f"{seats} seats left", flush=True))
        )


if __name__ == "__main__":
    main()
