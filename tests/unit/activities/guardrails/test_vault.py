"""What is hidden comes back whole to whoever has the key, and to nobody else."""

from __future__ import annotations

import base64
import re
from typing import Any

import pytest

from sostenuto import SetupError, SpecError
from sostenuto.activities.guardrails.vault.keys import VaultKeys
from sostenuto.activities.guardrails.vault.placeholders import mentioned
from sostenuto.activities.guardrails.vault.restoring import restored
from sostenuto.activities.guardrails.vault.vault import Vault
from tests.unit.activities.guardrails.lengths import takes_no_longer_than_its_length

SCOPE = "ticket-812"
WRITTEN = base64.b64encode(bytes(range(32))).decode()
KEYS = VaultKeys.parse(f"2026:{WRITTEN}")
OTHER = VaultKeys.made("other")
ANNA = "anna@example.org"
KINDS = ("email", "phone", "iban", "card", "national_id", "ip", "name", "secret", "api_key")


def both(first: VaultKeys, second: VaultKeys) -> VaultKeys:
    return VaultKeys.parse(f"{first.text},{second.text}")


def hidden(*values: str, keys: VaultKeys = KEYS, kind: str = "email") -> dict[str, str]:
    """Tokens by placeholder."""
    found = [Vault(keys, SCOPE).hide(kind, value) for value in values]
    return {one.placeholder: one.sealed or "" for one in found}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("value", [ANNA, "", "é 名前\n\0", "<EMAIL_K7QM2XPD>", "half \ud83d an emoji", "x" * 100_000])
def test_what_is_hidden_comes_back(kind: str, value: str) -> None:
    (placeholder, token), *_ = hidden(value, kind=kind).items()
    assert re.fullmatch(rf"<{kind.upper()}_[A-Z2-7]{{8}}>", placeholder)
    assert re.fullmatch(r"v1\.2026\.[A-Za-z0-9_=-]+", token)
    assert not value or value not in token
    back = restored(f"a {placeholder} b {placeholder}", {placeholder: token}, KEYS)
    assert back.value == f"a {value} b {value}"
    assert back.unopened == ()


def test_what_histories_hold_opens_for_good() -> None:
    """Placeholder and token as they are in histories: a change of either loses what was hidden before it."""
    found = Vault(KEYS, SCOPE).hide("email", ANNA)
    assert found.placeholder == "<EMAIL_ZHX6BGKU>"
    assert found.sealed == "v1.2026.CYvcYUvcBXiGUoLWrCox77KMmVkoAi0hKRsZlQHSA65fjbICZl2pf2o4bbM="
    assert restored(found.placeholder, {found.placeholder: found.sealed}, KEYS).value == ANNA


def test_the_same_is_hidden_alike_wherever_it_is() -> None:
    once, again = Vault(KEYS, SCOPE), Vault(VaultKeys.parse(KEYS.text), SCOPE)
    again.hide("phone", "another one before it")
    assert once.hide("email", ANNA) == again.hide("email", ANNA)


def test_what_differs_has_another_placeholder_and_another_nonce() -> None:
    found = [
        Vault(keys, scope).hide(kind, value)
        for keys in (KEYS, OTHER)
        for scope in (SCOPE, "ticket-813")
        for kind in ("email", "name")
        for value in (ANNA, "bob@example.org")
    ]
    nonces = {base64.urlsafe_b64decode((one.sealed or "").split(".")[2])[:12] for one in found}
    assert len(nonces) == len({one.placeholder for one in found}) == len(found)


def test_where_a_kind_ends_and_a_value_begins_counts() -> None:
    assert Vault(KEYS, "a").hide("b", "cd").sealed != Vault(KEYS, "a").hide("bc", "d").sealed
    assert Vault(KEYS, "ab").hide("c", "d").placeholder != Vault(KEYS, "a").hide("c", "bd").placeholder


def test_without_a_key_it_is_gone_for_good() -> None:
    found = Vault(None, SCOPE).hide("national_id", "219-09-9999")
    assert (found.placeholder, found.sealed) == ("<NATIONAL_ID>", None)


@pytest.mark.parametrize("kind", ["", "Email", "e mail", "1st", "_x", "x" * 33, "e>", "é", "email\n"])
@pytest.mark.parametrize("keys", [KEYS, None])
def test_a_kind_that_could_not_be_found_again_is_refused(kind: str, keys: VaultKeys | None) -> None:
    with pytest.raises(SpecError, match="is no kind of what is hidden"):
        Vault(keys, SCOPE).hide(kind, ANNA)


def test_the_longest_kind_is_found_again() -> None:
    sealed = hidden(ANNA, kind="x" * 32)
    assert restored("".join(sealed), sealed, KEYS).value == ANNA


def test_after_a_change_of_keys_both_open() -> None:
    keys = both(OTHER, KEYS)
    old, new = hidden(ANNA), hidden(ANNA, keys=keys)
    assert next(iter(new.values())).startswith("v1.other."), "the first one seals"
    assert old.keys().isdisjoint(new)
    back = restored(" ".join([*old, *new]), old | new, keys)
    assert (back.value, back.unopened) == (f"{ANNA} {ANNA}", ())
    before = restored(" ".join([*old, *new]), old | new, KEYS)
    assert (before.value, before.unopened) == (f"{ANNA} {''.join(new)}", tuple(new))


@pytest.mark.parametrize(
    "keys",
    [None, OTHER, VaultKeys.parse(OTHER.text.replace("other", "2026"))],
    ids=["no key", "another id", "another key of that id"],
)
def test_what_does_not_open_stays_and_is_told(keys: VaultKeys | None) -> None:
    sealed = hidden(ANNA)
    (placeholder,) = sealed
    back = restored([placeholder, f"again {placeholder}"], sealed, keys)
    assert back.value == [placeholder, f"again {placeholder}"]
    assert back.unopened == (placeholder,)


def test_a_token_with_any_character_changed_does_not_open() -> None:
    ((placeholder, token),) = hidden(ANNA).items()
    for index, char in enumerate(token):
        changed = token[:index] + ("A" if char != "A" else "B") + token[index + 1 :]
        assert restored(placeholder, {placeholder: changed}, KEYS).unopened == (placeholder,), index


@pytest.mark.parametrize(
    "damage",
    [
        lambda token: "",
        lambda token: "v1.2026",
        lambda token: "v1.2026.",
        lambda token: "v1.2026.é",
        lambda token: "v1.2026.AAAAAAAA",
        lambda token: token[:-8],
        lambda token: token.rstrip("="),
        lambda token: f"{token}.{token}",
        lambda token: token.replace(".", ".\n", 1),
        lambda token: f"{token[:-1]}\n{token[-1]}",
    ],
)
def test_what_is_no_token_does_not_open(damage: Any) -> None:
    ((placeholder, token),) = hidden(ANNA).items()
    assert restored(placeholder, {placeholder: damage(token)}, KEYS).unopened == (placeholder,)


def test_a_token_opens_under_its_own_placeholder_alone() -> None:
    anna, bob = hidden(ANNA).items(), hidden("bob@example.org").items()
    ((of_anna, token),), ((of_bob, _),) = anna, bob
    assert restored(of_bob, {of_bob: token}, KEYS).unopened == (of_bob,)
    assert restored(of_anna, {of_anna: token}, KEYS).unopened == ()


def test_what_comes_back_is_not_looked_through_again() -> None:
    inner = hidden(ANNA)
    (placeholder,) = inner
    outer = hidden(f"see {placeholder}", kind="name")
    assert restored("".join(outer), inner | outer, KEYS).value == f"see {placeholder}"


def test_two_parts_make_no_placeholder_together() -> None:
    target = hidden(ANNA)
    (placeholder,) = target
    half = hidden(placeholder[:4], kind="name")
    text = "".join(half) + placeholder[4:]
    assert restored(text, target | half, KEYS).value == placeholder


def test_what_only_looks_like_a_placeholder_stays() -> None:
    sealed = hidden(ANNA)
    (placeholder,) = sealed
    text = f"<EMAIL_AAAAAAAA> <EMAIL> {placeholder.lower()} {placeholder[1:-1]} < {placeholder[1:]}"
    back = restored(text, sealed, KEYS)
    assert (back.value, back.unopened) == (text, ())


def test_json_comes_back_with_all_its_texts() -> None:
    sealed = hidden(ANNA, "bob@example.org")
    anna, bob = sealed
    value = {"to": [anna, {"cc": f"{bob}, {bob}"}], anna: {"n": 1, "ok": True, "none": None, "part": 0.5}, "": []}
    back = restored(value, sealed, KEYS)
    assert back.value == {
        "to": [ANNA, {"cc": "bob@example.org, bob@example.org"}],
        ANNA: {"n": 1, "ok": True, "none": None, "part": 0.5},
        "": [],
    }
    assert list(value) == ["to", anna, ""], "what is given stays as it is"


def test_no_field_is_lost_where_two_names_come_back_as_one() -> None:
    keys = both(OTHER, KEYS)
    sealed = hidden(ANNA) | hidden(ANNA, keys=keys)
    old, new = sealed
    assert restored({old: 1, new: 2}, sealed, keys).value == {ANNA: 1, new: 2}
    assert restored({old: 1, ANNA: 2}, sealed, keys).value == {old: 1, ANNA: 2}


def test_what_is_as_deep_as_a_payload_may_be_comes_back() -> None:
    sealed = hidden(ANNA)
    value: Any = "".join(sealed)
    for _ in range(250):
        value = {"in": [value]}
    found = restored(value, sealed, KEYS).value
    for _ in range(250):
        found = found["in"][0]
    assert found == ANNA


def test_of_what_is_sealed_that_is_taken_which_a_text_mentions() -> None:
    sealed = hidden(ANNA, "bob@example.org", "cid@example.org")
    anna, bob, cid = sealed
    assert mentioned(f"{cid} and {anna}{anna}, <EMAIL_AAAAAAAA>", sealed) == {cid: sealed[cid], anna: sealed[anna]}
    assert mentioned(f"{bob[:-1]}", sealed) == {}


@pytest.mark.parametrize("part", ["<", "<A", "<A_", "<EMAIL_", "<EMAIL_K7QM2XPD", "<EMAIL_K7QM2XPD>", "A_", "AAAAAAAA"])
def test_hostile_texts_take_no_longer_than_their_length(part: str) -> None:
    sealed = hidden(ANNA) | {"<EMAIL_K7QM2XPD>": "v1.2026.AAAA"}
    assert takes_no_longer_than_its_length(lambda text: restored(text, sealed, KEYS), part)
    assert takes_no_longer_than_its_length(lambda text: mentioned(text, sealed), part)


@pytest.mark.parametrize(
    "text",
    [
        f"a:{WRITTEN}",
        f" a:{WRITTEN.rstrip('=')}\n",
        f"a: {WRITTEN}",
        f"a:{base64.urlsafe_b64encode(bytes(range(32))).decode()}",
    ],
)
def test_a_key_is_read_as_people_write_it(text: str) -> None:
    keys = VaultKeys.parse(text)
    assert [(key.id, key.secret) for key in keys.keys] == [("a", bytes(range(32)))]


def test_the_alphabet_of_addresses_is_read_too() -> None:
    secret = bytes([251, 255] * 16)
    assert "-" in base64.urlsafe_b64encode(secret).decode()
    for written in (base64.urlsafe_b64encode(secret), base64.b64encode(secret)):
        assert VaultKeys.parse(f"a:{written.decode()}").first.secret == secret


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "vault key 1 is empty"),
        (f"a:{WRITTEN},", "vault key 2 is empty"),
        (WRITTEN, "vault key 1 has no id"),
        (f"a:{WRITTEN},{WRITTEN}", "vault key 2 has no id"),
        (f"{WRITTEN}:a", "the id of vault key 1 is none"),
        (f":{WRITTEN}", "the id of vault key 1 is none"),
        (f"a b:{WRITTEN}", "the id of vault key 1 is none"),
        (f"a:{WRITTEN},b:{WRITTEN[:-2]}!=", "vault key 2 ('b') is not base64"),
        (f"a:é{WRITTEN[1:]}", "vault key 1 ('a') is not base64"),
        (f"a:{WRITTEN[:24]}", "vault key 1 ('a') has 18 bytes, not 32"),
        ("a:", "vault key 1 ('a') has 0 bytes, not 32"),
        (f"a:{WRITTEN},a:{WRITTEN}", "vault key 2: there is one named 'a' before it"),
    ],
)
def test_a_wrong_key_is_told_by_its_place_and_never_shown(text: str, told: str) -> None:
    with pytest.raises(SetupError, match=re.escape(told)) as caught:
        VaultKeys.parse(text)
    assert not any(text[start : start + 8] in str(caught.value) for start in range(len(text) - 8) if len(text) > 8)
    assert caught.value.__cause__ is None


def test_a_new_key_is_read_as_it_is_written_and_is_no_other() -> None:
    made = VaultKeys.made("k_1-A")
    assert VaultKeys.parse(made.text) == made
    assert made != VaultKeys.made("k_1-A")
    for id in ("", "a b", "a:b", "x" * 33, "é"):
        with pytest.raises(SpecError, match="is no id of a vault key"):
            VaultKeys.made(id)


def test_nothing_shows_a_key() -> None:
    keys = both(KEYS, OTHER)
    for shown in (repr(keys), str(keys), f"{keys.first}", repr(Vault(keys, SCOPE))):
        assert repr(keys.first.secret)[2:12] not in shown
        assert WRITTEN[:8] not in shown
        assert "bytes" not in shown
    assert "2026" in repr(keys), "but for which they are"
