"""What the features of a store are called in a Beam schema.

A feature's name, such as ``planes.year``, is no Python identifier, and Beam's schemas in Python are
NamedTuples. One rule holds in every place where Beamlet runs inside Beam.
"""

from __future__ import annotations

import keyword
import re
from typing import Iterable, Mapping, Union

#: ``"flat"``, ``"nested"``, or a mapping from features to the names that they get.
FeatureNames = Union[str, Mapping[str, str]]

#: A feature's place in an element: one name, or the name of a row in it and a name in that.
Path = tuple[str, ...]


def paths(features: Iterable[str], names: FeatureNames = "flat") -> list[Path]:
    """The place of each feature.

    ``flat``: ``view.feature`` becomes ``view__feature``, as Feast has it; any other character that an
    identifier cannot have becomes ``_``. ``nested``: ``view.feature`` becomes the field ``feature`` of a
    row ``view``. A mapping names features one by one; what it does not name is flat.

    Raises:
      ValueError: A name cannot be one in a schema, two features get one name, or the mapping names a
        feature that there is not.
    """
    features = list(features)
    if isinstance(names, str):
        if names not in ("flat", "nested"):
            raise ValueError(f'names is "flat", "nested" or a mapping, not {names!r}')
        mapping: Mapping[str, str] = {}
    else:
        mapping = names
        unknown = [name for name in mapping if name not in features]
        if unknown:
            raise ValueError(
                f"names: there is no feature {unknown[0]!r}; there are {', '.join(features)}"
            )
    found: dict[Path, str] = {}
    for feature in features:
        if feature in mapping:
            path: Path = (mapping[feature],)
        elif names == "nested":
            path = tuple(_identifier(part) for part in feature.split(".", 1))
        else:
            path = (_identifier(feature.replace(".", "__")),)
        for part in path:
            _check(feature, part)
        if path in found:
            raise ValueError(
                f"the features {found[path]!r} and {feature!r} are both {'.'.join(path)!r} in a schema; "
                "name them in `names`, as in names={"
                f"{feature!r}: 'another_name'}}"
            )
        found[path] = feature
    rows = {path[0] for path in found if len(path) > 1}
    for path, feature in found.items():
        if len(path) == 1 and path[0] in rows:
            raise ValueError(
                f"the feature {feature!r} has the name of the row of a view; take names=\"flat\", or "
                "name it in `names`"
            )
    return list(found)


def _identifier(name: str) -> str:
    name = re.sub(r"\W", "_", name)
    return f"f_{name}" if name[:1].isdigit() or not name else name


def _check(feature: str, name: str) -> None:
    # A NamedTuple takes neither a keyword nor an underscore in front.
    if not name.isidentifier() or keyword.iskeyword(name) or name.startswith("_"):
        raise ValueError(
            f"the feature {feature!r} would be the field {name!r}, which no schema in Python can have; "
            f"name it in `names`, as in names={{{feature!r}: 'another_name'}}"
        )
