"""The client's two forms, sync and async, driven the same way: a scenario is written once."""

import asyncio

import httpx
import tecton_client


class Form:
    """What differs between the forms; `emulators` are the URLs by name."""

    def __init__(self, emulators):
        self.emulators = emulators
        # A client takes a while to make: it reads the certificates that it never needs here.
        self._connections = {}

    def connect(self, emulator="plain", **arguments):
        """A client of an emulator; key and workspace are filled in where they are not given."""
        if arguments:
            return self._make(emulator, **arguments)
        if emulator not in self._connections:
            self._connections[emulator] = self._make(emulator)
        return self._connections[emulator]

    def _make(self, emulator, **arguments):
        arguments.setdefault("url", self.emulators[emulator])
        arguments.setdefault("api_key", "demo-key")
        arguments.setdefault("default_workspace_name", "prod")
        return Connection(self, self.client_class(**arguments))

    def recording(self, sent):
        """An HTTP client that appends each request to `sent` before it goes out."""
        return self.http(event_hooks={"request": [self.hook(sent.append)]})


class Sync(Form):
    client_class = tecton_client.TectonClient

    def http(self, **arguments):
        return httpx.Client(**arguments)

    def run(self, answer):
        return answer

    def hook(self, function):
        return function


class Async(Form):
    client_class = tecton_client.AsyncTectonClient
    loop = asyncio.new_event_loop()

    def http(self, **arguments):
        return httpx.AsyncClient(**arguments)

    def run(self, coroutine):
        return self.loop.run_until_complete(coroutine)

    def hook(self, function):
        async def hook(event):
            function(event)

        return hook


class Connection:
    """A client whose calls return answers in either form."""

    def __init__(self, form, client):
        self.client = client
        self._form = form

    def get_features(self, feature_service_name, **arguments):
        call = self.client.get_features(feature_service_name=feature_service_name, **arguments)
        return self._form.run(call)

    def metadata(self, feature_service_name, **arguments):
        call = self.client.get_feature_service_metadata(
            feature_service_name=feature_service_name, **arguments
        )
        return self._form.run(call)
