"""Runs every scenario with both forms of the client, then looks for what none of them has used.

Called with the emulators' URLs by name, as one JSON object. Prints a line for each scenario and the
table of what was used; ends with 1 where a scenario fails or something is unused.
"""

import faulthandler
import importlib.metadata
import json
import sys
import traceback

from driver import Async, Sync
from ledger import Ledger
from scenarios import answers, errors, known_faults, metadata, options, requests

MODULES = [requests, answers, options, metadata, errors, known_faults]
VERSION = "0.4.0"
PATIENCE_SECONDS = 120

# What the emulator cannot bring about, and why.
UNUSED = {
    "SLOInfo(slo_ineligibility_reasons)": "every answer of the emulator is eligible",
}


def scenarios():
    return [
        item
        for module in MODULES
        for name, item in vars(module).items()
        if getattr(item, "__module__", None) == module.__name__ and not name.startswith("_")
    ]


def main():
    faulthandler.dump_traceback_later(PATIENCE_SECONDS, exit=True)
    version = importlib.metadata.version("tecton-client")
    assert version == VERSION, f"tecton-client is {version}, not {VERSION}: see requirements.txt"
    emulators = json.loads(sys.argv[1])
    ledger = Ledger()
    failed = []
    forms = [Sync(emulators), Async(emulators)]
    for scenario in scenarios():
        for form in forms:
            name = f"{scenario.__name__} ({type(form).__name__.lower()})"
            try:
                ledger.watch(lambda: scenario(form), scenario.__name__)
                print("ok    ", name)
            except Exception:
                failed.append(name)
                print("FAILED", name)
                print(traceback.format_exc())

    print("\nused by scenarios: how many, and one of them")
    print("\n".join(ledger.table()))
    unused = ledger.unused()
    for name in sorted(unused - UNUSED.keys()):
        failed.append(name)
        print("FAILED no scenario uses", name)
    for name in sorted(UNUSED.keys() - unused):
        failed.append(name)
        print("FAILED take out of UNUSED, there is a scenario or no such thing:", name)
    offered = len(ledger.used_by)
    print(f"\n{len(scenarios())} scenarios, {offered} things offered, {len(failed)} failed")
    sys.exit(1 if failed else 0)


main()
