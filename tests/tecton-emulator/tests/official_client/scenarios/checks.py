"""Assertions that show what they found."""

from pprint import pformat


def equal(found, expected):
    assert found == expected, f"found\n{pformat(found)}\nexpected\n{pformat(expected)}"


def raises(error_class, message, call):
    """The exception that `call` must raise: of exactly this class, and with this message if any."""
    try:
        answer = call()
    except error_class as error:
        equal(type(error), error_class)
        if message is not None:
            equal(str(error), message)
        return error
    raise AssertionError(f"no {error_class.__name__} but {pformat(answer)}")
