"""A worker's settings: two sources, one winner, and an error for everything that is not known."""

import json
import re
from pathlib import Path

import pytest

from sostenuto.contracts.errors import SetupError
from sostenuto.workers.settings import Settings


@pytest.fixture
def toml(tmp_path: Path) -> Path:
    return tmp_path / "sostenuto.toml"


def test_nothing_given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    settings = Settings.load(environ={})
    assert settings == Settings()
    assert settings.state_dir == Path(".sostenuto")
    assert settings.anthropic_api_key is None


def test_the_environment_wins_over_the_file(toml: Path) -> None:
    toml.write_text('local_model = "from-file"\nlocal_url = "http://127.0.0.1:1"\n')
    settings = Settings.load(environ={"SOSTENUTO_LOCAL_MODEL": "from-env"}, toml_path=toml)
    assert settings.local_model == Path("from-env")
    assert settings.local_url == "http://127.0.0.1:1"


def test_the_home_directory_may_be_written_as_a_tilde() -> None:
    settings = Settings.load(environ={"SOSTENUTO_STATE_DIR": "~/kept"})
    assert settings.state_dir == Path.home() / "kept"


def test_a_file_in_the_working_directory_is_read(monkeypatch: pytest.MonkeyPatch, toml: Path) -> None:
    toml.write_text('local_model = "here"\n')
    monkeypatch.chdir(toml.parent)
    assert Settings.load(environ={}).local_model == Path("here")
    other = toml.with_name("other.toml")
    other.write_text('local_model = "there"\n')
    assert Settings.load(environ={"SOSTENUTO_CONFIG": str(other)}).local_model == Path("there")


def test_keys_are_secret() -> None:
    settings = Settings.load(environ={"ANTHROPIC_API_KEY": "sk-1", "OPENAI_API_KEY": "sk-2"})
    assert settings.anthropic_api_key
    assert settings.anthropic_api_key.get_secret_value() == "sk-1"
    assert "sk-" not in repr(settings)
    assert "sk-" not in settings.model_dump_json()


def test_compatible_providers_from_both_sources(toml: Path) -> None:
    toml.write_text('[providers.groq]\nbase_url = "https://groq.example/v1"\napi_key_env = "GROQ_API_KEY"\n')
    environ = {
        "GROQ_API_KEY": "gsk",
        "SOSTENUTO_PROVIDER_MY_VLLM_URL": "http://127.0.0.1:8000/v1",
        "SOSTENUTO_PROVIDER_OTHER_URL": "http://127.0.0.1:9/v1",
        "SOSTENUTO_PROVIDER_OTHER_KEY": "ok",
    }
    providers = Settings.load(environ=environ, toml_path=toml).providers
    assert set(providers) == {"groq", "my_vllm", "other"}
    groq, vllm, other = providers["groq"], providers["my_vllm"], providers["other"]
    assert groq.api_key
    assert (groq.base_url, groq.api_key.get_secret_value()) == ("https://groq.example/v1", "gsk")
    assert (vllm.api_key, vllm.api_key_env) == (None, "")
    assert other.api_key
    assert (other.api_key.get_secret_value(), other.api_key_env) == ("ok", "SOSTENUTO_PROVIDER_OTHER_KEY")


def test_the_environment_gives_a_provider_of_the_file_another_address(toml: Path) -> None:
    toml.write_text('[providers.groq]\nbase_url = "https://groq.example/v1"\napi_key_env = "GROQ_API_KEY"\n')
    environ = {"SOSTENUTO_PROVIDER_GROQ_URL": "http://127.0.0.1:1/v1"}
    provider = Settings.load(environ=environ, toml_path=toml).providers["groq"]
    assert (provider.base_url, provider.api_key_env) == ("http://127.0.0.1:1/v1", "GROQ_API_KEY")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('stat_dir = "x"', "stat_dir: no such setting; there are"),
        ('anthropic_api_key = "sk"', "is set by the environment variable ANTHROPIC_API_KEY"),
        ("local_model = 3", "local_model"),
        ("local_model = ", "cannot be read"),
        ('state_dir = "x"', "is set by the environment variable SOSTENUTO_STATE_DIR"),
        ('providers = "x"', r"write each as a table \[providers.NAME\]"),
        ('[providers.groq]\nbase_url = "https://x"\nkey = "y"', r"providers\.groq\.key"),
        ('[providers.groq]\nbase_url = "https://x"\napi_key = "y"', r"providers\.groq\.api_key: name its environment"),
        ('[providers.groq]\napi_key_env = "X"', "provider 'groq' has no address: set SOSTENUTO_PROVIDER_GROQ_URL"),
        ('[providers.groq]\nbase_url = "groq.example"', "begins with http"),
        ('[providers.openai]\nbase_url = "https://x"', "'openai' is built in"),
        ('[providers."My Groq"]\nbase_url = "https://x"', "is not a provider name"),
    ],
)
def test_what_is_wrong_in_the_file_is_named_with_its_place(toml: Path, text: str, words: str) -> None:
    toml.write_text(text)
    with pytest.raises(SetupError, match=words) as caught:
        Settings.load(environ={}, toml_path=toml)
    assert str(toml) in str(caught.value)


def test_a_file_that_is_asked_for_must_be_there(toml: Path) -> None:
    with pytest.raises(SetupError, match="no such settings file"):
        Settings.load(environ={}, toml_path=toml)


def test_a_key_without_an_address_is_an_error() -> None:
    with pytest.raises(SetupError, match="provider 'groq' has no address"):
        Settings.load(environ={"SOSTENUTO_PROVIDER_GROQ_KEY": "x"})


@pytest.mark.parametrize(
    "key", ["sk-a\nSECRETS", "sk-a SECRETS", "sk-\N{LATIN SMALL LETTER E WITH ACUTE}SECRETS", "sk\0SECRETS"]
)
def test_a_key_that_cannot_be_sent_is_refused_by_its_variable_and_not_told(toml: Path, key: str) -> None:
    toml.write_text('[providers.groq]\nbase_url = "https://groq.example/v1"\napi_key_env = "GROQ_API_KEY"\n')
    for variable in ("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "GROQ_API_KEY"):
        with pytest.raises(SetupError) as caught:
            Settings.load(environ={variable: key}, toml_path=toml)
        assert str(caught.value).startswith(f"{variable}: its character ")
        assert "SECRETS" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["127.0.0.1:9/v1", "http://", "http://[::1", "http://a:b", "http://a b/", "ftp://x", "http://a\x01b/"]
)
def test_an_address_that_is_none_is_refused_by_where_it_was_said(toml: Path, url: str) -> None:
    for variable in ("ANTHROPIC_BASE_URL", "OPENAI_BASE_URL", "SOSTENUTO_LOCAL_URL", "SOSTENUTO_PROVIDER_MINE_URL"):
        with pytest.raises(SetupError, match=f"^{variable}: .* is not an address: it begins with http://"):
            Settings.load(environ={variable: url})
    toml.write_text(f"[providers.mine]\nbase_url = {json.dumps(url)}\n")
    with pytest.raises(SetupError, match=r"sostenuto.toml: providers.mine.base_url: .* is not an address"):
        Settings.load(environ={}, toml_path=toml)


def test_an_address_may_be_written_in_capitals() -> None:
    assert Settings.load(environ={"OPENAI_BASE_URL": "HTTPS://Example.com/v1"}).openai_base_url


def test_a_script_that_is_not_there_is_refused() -> None:
    with pytest.raises(SetupError, match=r"^SOSTENUTO_SCRIPT: there is no file '/nowhere'"):
        Settings.load(environ={"SOSTENUTO_SCRIPT": "/nowhere"})


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("baseurl", "no such setting: did you mean 'base_url'?"),
        ("colour", "no such setting: there are api_key_env, base_url"),
    ],
)
def test_a_misspelled_setting_of_a_provider_is_named(toml: Path, field: str, words: str) -> None:
    toml.write_text(f'[providers.mine]\n{field} = "x"\n')
    with pytest.raises(SetupError, match=rf"providers.mine.{field}: {re.escape(words)}"):
        Settings.load(environ={}, toml_path=toml)


def test_what_may_be_brought_in_is_named_by_hosts_and_buckets() -> None:
    allowed = Settings.load(
        environ={"SOSTENUTO_INGEST_HOSTS": "docs.example.com, s3://handbook,s3://notes/"}
    ).ingest_hosts
    assert allowed == ("docs.example.com", "s3://handbook", "s3://notes/")
    for wrong, words in (("s3://handbook/docs", "write s3://handbook, without"), ("s3://", "write s3://BUCKET, with")):
        with pytest.raises(SetupError, match=words):
            Settings.load(environ={"SOSTENUTO_INGEST_HOSTS": wrong})
