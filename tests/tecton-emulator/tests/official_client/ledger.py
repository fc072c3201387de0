"""Which of the client's public parameters and exception classes the scenarios have used.

The client is introspected for what it offers, and watched with a profiling hook while scenarios
run: it stays unmodified, and what it calls itself (its answers, its exceptions) is seen too.
"""

import inspect
import sys

import tecton_client
from tecton_client import MetadataOptions, exceptions

# It sets every option, also one that no scenario knows: only what a scenario sets itself counts.
SHORTHAND = MetadataOptions.all.__func__.__code__


class Ledger:
    def __init__(self):
        # What is offered, each with the scenarios that used it.
        self.used_by = {}
        # Code -> name and parameters of a public callable; None for an exception's constructor.
        self._callables = {}
        for module in (tecton_client, exceptions):
            for name, item in vars(module).items():
                is_own = getattr(item, "__module__", "").startswith("tecton_client")
                if is_own and not name.startswith("_"):
                    self._offer(name, item)

    def watch(self, scenario, name):
        """Calls `scenario` and notes what it uses."""
        # A coroutine's frame is entered again after each wait, its parameters perhaps changed.
        entered = set()

        def on_event(frame, event, _):
            if event == "call" and frame.f_code in self._callables and frame not in entered:
                entered.add(frame)
                if frame.f_back is None or frame.f_back.f_code is not SHORTHAND:
                    self._note(frame, name)

        sys.setprofile(on_event)
        try:
            scenario()
        finally:
            sys.setprofile(None)

    def table(self):
        """A line for each parameter and class: its name and how many scenarios used it, and one."""
        width = max(map(len, self.used_by))
        return [
            f"{name:{width}}  {len(users):2}  {min(users, default='')}"
            for name, users in self.used_by.items()
        ]

    def unused(self):
        return {name for name, users in self.used_by.items() if not users}

    def _offer(self, name, item):
        if inspect.isclass(item) and issubclass(item, BaseException):
            self._callables[item.__init__.__code__] = None
            self.used_by[name] = set()
        elif inspect.isclass(item):
            self._offer_callable(name, item.__init__)
            for method in vars(item):
                if not method.startswith("_") and callable(getattr(item, method)):
                    self._offer_callable(f"{name}.{method}", getattr(item, method))
        elif callable(item):
            self._offer_callable(name, item)

    def _offer_callable(self, name, function):
        parameters = [
            parameter
            for parameter in inspect.signature(function).parameters.values()
            if parameter.name != "self"
        ]
        code = getattr(function, "__func__", function).__code__
        self._callables[code] = (name, parameters)
        for entry in [f"{name}({parameter.name})" for parameter in parameters] or [f"{name}()"]:
            self.used_by[entry] = set()

    def _note(self, frame, scenario):
        values = frame.f_locals
        match self._callables[frame.f_code]:
            case None:
                self.used_by[type(values["self"]).__name__].add(scenario)
            case name, []:
                self.used_by[f"{name}()"].add(scenario)
            case name, parameters:
                for parameter in parameters:
                    # Left out, or in an answer something that did not come.
                    if values[parameter.name] not in (None, parameter.default):
                        self.used_by[f"{name}({parameter.name})"].add(scenario)
