"""A Beamlet handler, a WebAssembly component, called from Python through wasmtime.

Copy this file. It needs the package `wasmtime`, whose linker brings WASI 0.2 and `wasi:http`.

    handler = Handler("tecton.wasm", environment={"TECTON_API_KEY": key})
    handler.enrich(config, rows)         # rows and features as JSON, one call

    with handler.set_up(config) as configured:      # rows and features as typed columns
        with configured.bundle() as bundle:
            answers = bundle.process(rows) + bundle.finish()

An instance serves one thread. For several bundles at once, make a handler for each thread:
`Handler` objects of one `Compiled` share its code.
"""

import json

from wasmtime import Config, Engine, Store, WasiConfig
from wasmtime.component import Component, Linker, Record, Variant

CONTRACT = "beamlet:enrichment/{}@0.2.0"


class ConfigurationError(Exception):
    """A configuration has problems: `problems` holds a path (a JSON Pointer) and a message each."""

    def __init__(self, problems):
        self.problems = problems
        lines = [f"{path or '/'}: {message}" for path, message in problems]
        super().__init__("\n".join(lines))


class HandlerError(Exception):
    """A handler refused a whole bundle, or one row: `kind` is a word of the contract."""

    def __init__(self, kind, message, retryable=False, http_status=None):
        self.kind, self.retryable, self.http_status = kind, retryable, http_status
        super().__init__(f"{kind}: {message}")


class Compiled:
    """A component, compiled once: for many handlers, in many threads."""

    def __init__(self, file):
        config = Config()
        config.cache = True  # wasmtime keeps what it compiled in the user's cache directory
        self.engine = Engine(config)
        self.component = Component.from_file(self.engine, file)
        self.linker = Linker(self.engine)
        self.linker.add_wasip2()
        self.linker.add_wasi_http()


class Handler:
    """An instance of a component. It sees the environment that is given to it, and no other."""

    def __init__(self, component, environment=None, memory_bytes=256 << 20):
        compiled = component if isinstance(component, Compiled) else Compiled(component)
        self._store = Store(compiled.engine)
        self._store.set_limits(memory_size=memory_bytes)
        wasi = WasiConfig()
        wasi.env = list((environment or {}).items())
        wasi.inherit_stderr()
        self._store.set_wasi(wasi)
        self._store.set_wasi_http()
        self._instance = compiled.linker.instantiate(self._store, compiled.component)

    def _call(self, interface, function, *arguments):
        index = self._instance.get_export_index(self._store, CONTRACT.format(interface))
        index = index and self._instance.get_export_index(self._store, function, index)
        if index is None:
            raise LookupError(f"the component has no {CONTRACT.format(interface)} {function}")
        called = self._instance.get_func(self._store, index)
        return called(self._store, *arguments)

    def describe(self):
        """Name, version and configuration schema, as a dict."""
        return json.loads(self._call("enrichment-json", "describe"))

    def enrich(self, config, rows):
        """Rows, dicts, with their features: `rows`, `missing`, `null_keys` and `failures`."""
        arguments = (json.dumps(config), json.dumps(rows))
        answer = self._call("enrichment-json", "enrich", *arguments)
        if answer.tag == "ok":
            return json.loads(answer.payload)
        error = json.loads(answer.payload)
        if "problems" in error:
            raise ConfigurationError([(it["path"], it["message"]) for it in error["problems"]])
        error = error["error"]
        names = ("kind", "message", "retryable", "http_status")
        raise HandlerError(**{name: error[name] for name in names if name in error})

    def set_up(self, config):
        """A configured handler."""
        answer = self._call("enrichment-handler", "[static]handler.setup", json.dumps(config))
        if isinstance(answer, list):
            raise ConfigurationError([(it.path, it.message) for it in answer])
        return Configured(self, answer)


class _Resource:
    """Something in the component, which goes when the `with` ends."""

    def __init__(self, handler, resource):
        self._handler, self._resource = handler, resource

    def __enter__(self):
        return self

    def __exit__(self, *_):
        resource, self._resource = self._resource, None
        if resource is not None:
            resource.drop(self._handler._store)

    def _call(self, method, *arguments):
        return self._handler._call("enrichment-handler", method, self._resource, *arguments)


class Configured(_Resource):
    """A configured handler: one bundle at a time."""

    def inputs(self):
        """The fields that it reads, and whether each has to be there."""
        return {it.name: it.required for it in self._call("[method]handler.inputs")}

    def bundle(self):
        """Starts a bundle."""
        bundle = self._call("[method]handler.start-bundle")
        return Bundle(self._handler, bundle, self.inputs())


class Bundle(_Resource):
    """Rows on their way. Answers come in the order of the rows, over all calls."""

    def __init__(self, handler, resource, inputs):
        super().__init__(handler, resource)
        self._inputs = inputs

    def process(self, rows):
        """Takes rows, dicts; gives the answers that are there by now."""
        columns = []
        for name, required in self._inputs.items():
            if required and not all(name in row for row in rows):
                raise HandlerError("invalid-input", f"a row has no field {name!r}")
            columns.append(_column(name, [row.get(name) for row in rows]))
        batch = _record(rows=len(rows), columns=columns)
        return _answers(self._call("[method]bundle.process", batch))

    def finish(self):
        """Ends the bundle; gives the answers that are left."""
        answer = self._call("[static]bundle.finish")
        self._resource = None  # it went into the call
        return _answers(answer)


class Answer:
    """What a row got: `features`, by name, and one of these, or none: `missing`, `null_key`,
    `failure`, which is a `HandlerError`."""

    def __init__(self, features):
        self.features = features
        self.missing = self.null_key = False
        self.failure = None


def _record(**fields):
    record = Record()
    for name, value in fields.items():
        setattr(record, name.replace("_", "-"), value)
    return record


def _texts(texts):
    ends, end = [], 0
    for text in texts:
        end += len(text.encode())
        ends.append(end)
    return _record(text="".join(texts), ends=ends)


def _column(name, values):
    nulls = [at for at, value in enumerate(values) if value is None]
    types = {type(value) for value in values if value is not None}

    def fill(default):
        return [default if value is None else value for value in values]

    if types <= {str}:
        values = Variant("strings", _texts(fill("")))
    elif types == {bool}:
        values = Variant("booleans", fill(False))
    elif types == {int}:
        values = Variant("int64s", fill(0))
    elif types <= {int, float}:
        values = Variant("float64s", [float(value) for value in fill(0.0)])
    else:
        values = Variant("json", _texts([json.dumps(value) for value in values]))
    return _record(name=name, values=values, nulls=nulls)


def _split(texts):
    text, start, found = texts.text.encode(), 0, []
    for end in texts.ends:
        found.append(text[start:end].decode())
        start = end
    return found


def _values(column):
    """A column as Python has it: texts are split, JSON is parsed; times stay numbers, decimals
    text."""
    tag, values = column.values.tag, column.values.payload
    if tag in ("strings", "decimals"):
        values = _split(values)
    elif tag == "json":
        nulls = set(column.nulls)
        texts = enumerate(_split(values))
        values = [None if at in nulls else json.loads(text) for at, text in texts]
    else:
        values = list(values)
    for at in column.nulls:
        values[at] = None
    return values


def _error(error):
    status = getattr(error, "http-status")
    kind = error.kind.payload if error.kind.tag == "other" else error.kind.tag
    return HandlerError(kind, error.message, error.retryable, status)


def _answers(result):
    if isinstance(result, Record):
        raise _error(result)
    answers = []
    for part in result:
        columns = [(column.name, _values(column)) for column in part.fields.columns]
        rows = [
            Answer({name: values[at] for name, values in columns})
            for at in range(part.fields.rows)
        ]
        for at in part.missing:
            rows[at].missing = True
        for at in getattr(part, "null-keys"):
            rows[at].null_key = True
        for failure in part.failures:
            rows[failure.row].failure = _error(failure.error)
        answers += rows
    return answers
