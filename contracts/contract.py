"""The two base models of everything that crosses a boundary. Must not import anything of ours."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any, ClassVar

from pydantic import (
    BaseModel,
    ConfigDict,
    SerializerFunctionWrapHandler,
    ValidationError,
    ValidationInfo,
    model_serializer,
    model_validator,
)
from pydantic_core import PydanticUndefined

from .errors import SpecError

# Discriminators are written even where they equal their default: a reader cannot do without them.
_ALWAYS_WRITTEN = frozenset({"kind", "type", "role"})


class Contract(BaseModel):
    """A frozen value, tolerant of unknown fields, that writes only what differs from its defaults.

    Histories are read by older and newer workers alike, so unknown fields are ignored and every new field
    needs a default. Defaults are left out of the JSON because every byte stays in the history for ever.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    _defaults: ClassVar[dict[str, Any]] = {}

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        cls._defaults = {
            name: field.default
            for name, field in cls.model_fields.items()
            if field.default is not PydanticUndefined and name not in _ALWAYS_WRITTEN
        }

    @model_serializer(mode="wrap")
    def _compact(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        written: dict[str, Any] = handler(self)
        for name, default in self._defaults.items():
            if name in written and getattr(self, name) == default:
                del written[name]
        return written


class Spec(Contract):
    """A contract that people write in Python: an unknown field is an error that says what was meant.

    Read from JSON (a history, a request of another version) it stays as tolerant as any contract.
    """

    def _construct(self, data: dict[str, Any]) -> None:
        """Validate the arguments of a constructor into this instance.

        Raises:
            SpecError: A field is wrong; names each by its path, and says what was expected there.
        """
        try:
            self.__pydantic_validator__.validate_python(data, self_instance=self)
        except ValidationError as error:
            label = f"{type(self).__name__} {data['name']!r}"
            raise SpecError("; ".join(f"{label}: {_problem(e['loc'], e['msg'])}" for e in error.errors())) from None

    @model_validator(mode="before")
    @classmethod
    def _reject_unknown_fields(cls, data: Any, info: ValidationInfo) -> Any:
        if info.mode != "python" or not isinstance(data, dict):
            return data
        for name in data:
            if name not in cls.model_fields:
                raise ValueError(_unknown_field(cls.__name__, str(name), list(cls.model_fields)))
        return data


def _problem(path: tuple[int | str, ...], message: str) -> str:
    place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")
    message = message.removeprefix("Value error, ")
    return f"{place}: {message}" if place else message


def _unknown_field(owner: str, name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"it takes {', '.join(n for n in known if n != 'kind')}"
    return f"{owner} has no field {name!r}: {hint}"
