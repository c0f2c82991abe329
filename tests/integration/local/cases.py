"""Cases that the local model is measured on: tools, a question, and what should be done about it."""

from dataclasses import dataclass, field
from typing import Any, Literal

from sostenuto import tool


@tool(effect="read")
async def find_pages(query: str) -> list[dict[str, str]]:
    """Find the pages of the documentation that are about a subject."""
    raise NotImplementedError


@tool(effect="read")
async def read_page(path: str) -> str:
    """Read one page of the documentation."""
    raise NotImplementedError


@tool(effect="read")
async def order_status(order_id: str) -> dict[str, str]:
    """Where an order is now."""
    raise NotImplementedError


@tool
async def refund(order_id: str, amount: float) -> str:
    """Pay an order's money back to the customer."""
    raise NotImplementedError


@tool(effect="read")
async def get_weather(city: str, unit: Literal["celsius", "fahrenheit"] = "celsius") -> str:
    """Current weather in a city."""
    raise NotImplementedError


@tool
async def send_email(to: str, body: str) -> str:
    """Send an email to somebody."""
    raise NotImplementedError


@tool(effect="read")
async def list_files(directory: str) -> list[str]:
    """List the files in a directory."""
    raise NotImplementedError


@tool
async def delete_file(path: str) -> str:
    """Delete a file."""
    raise NotImplementedError


@tool(effect="read")
async def convert_currency(amount: float, source: str, target: str) -> str:
    """Convert an amount of money from one currency to another."""
    raise NotImplementedError


@tool(effect="read")
async def search_products(query: str) -> list[dict[str, str]]:
    """Search the shop's catalogue for products."""
    raise NotImplementedError


@tool
async def create_ticket(subject: str, priority: Literal["low", "normal", "urgent"]) -> str:
    """Open a support ticket."""
    raise NotImplementedError


@tool(effect="read")
async def find_person(name: str) -> list[dict[str, str]]:
    """Look up a person in the company's directory."""
    raise NotImplementedError


DOCS = (find_pages, read_page)
SHOP = (order_status, refund, search_products, create_ticket)
OFFICE = (get_weather, send_email, list_files, delete_file, convert_currency, find_person)

PAGES = (
    '[{"path": "docs/history.md", "title": "How the history stays small"}, '
    '{"path": "docs/tools.md", "title": "Writing tools"}, {"path": "docs/install.md", "title": "Installation"}]'
)

Call = tuple[str, dict[str, Any]]


@dataclass(frozen=True)
class Case:
    """A question, what was done about it, and what should be done next; no call means that it is time to answer."""

    about: Literal["choice", "arguments", "stop"]
    tools: tuple[Any, ...]
    question: str
    wanted: tuple[Call, ...] = ()
    """Names and arguments. An argument given as a tuple may have any of its values."""
    done: tuple[tuple[Call, str], ...] = field(default=())
    """Earlier calls with their results; a result that begins with `!` is an error."""


def _found(question: str) -> tuple[tuple[Call, str], ...]:
    return ((("find_pages", {"query": question}), PAGES),)


_HISTORY = "How does Sostenuto keep the history small?"
_READ = ((("read_page", {"path": "docs/history.md"}), "Every message enters the history once."),)

CASES = (
    Case("choice", DOCS, _HISTORY, (("find_pages", {}),)),
    Case("choice", DOCS, "What happens when a worker is killed?", (("find_pages", {}),)),
    Case("choice", DOCS, "Which pages are about tools?", (("find_pages", {}),)),
    Case("choice", DOCS, "Read docs/tools.md and tell me what a tool is.", (("read_page", {"path": "docs/tools.md"}),)),
    Case("choice", SHOP, "Where is order 7?", (("order_status", {}),)),
    Case("choice", SHOP, "Has my parcel 4711 arrived yet?", (("order_status", {}),)),
    Case("choice", SHOP, "Do you have a red bicycle?", (("search_products", {}),)),
    Case("choice", SHOP, "Refund 15 dollars of order 7, it arrived broken.", (("refund", {}),)),
    Case("choice", OFFICE, "Is it raining in Rome?", (("get_weather", {}),)),
    Case("choice", OFFICE, "Which files are in /tmp?", (("list_files", {}),)),
    Case("choice", OFFICE, "How much is 20 euros in dollars?", (("convert_currency", {}),)),
    Case("choice", OFFICE, "What is the phone number of Maria Lopez?", (("find_person", {}),)),
    Case("choice", OFFICE, "Remove the file old/notes.txt", (("delete_file", {}),)),
    Case(
        "arguments",
        DOCS,
        "Which model is used when I have no API key?",
        (
            (
                "find_pages",
                {"query": ("API key", "model is used when I have no API key", "used when I have no API key")},
            ),
        ),
    ),
    Case("arguments", SHOP, "Where is order 7?", (("order_status", {"order_id": "7"}),)),
    Case(
        "arguments",
        SHOP,
        "Compare order 7 and order 9.",
        (("order_status", {"order_id": "7"}), ("order_status", {"order_id": "9"})),
    ),
    Case("arguments", SHOP, "Refund 15 dollars of order 7.", (("refund", {"order_id": "7", "amount": 15}),)),
    Case(
        "arguments",
        SHOP,
        "Open an urgent ticket about a broken lamp.",
        (
            (
                "create_ticket",
                {
                    "subject": ("broken lamp", "urgent ticket about a broken lamp", "ticket about a broken lamp"),
                    "priority": "urgent",
                },
            ),
        ),
    ),
    Case("arguments", SHOP, "Do you have a red bicycle?", (("search_products", {"query": "red bicycle"}),)),
    Case("arguments", OFFICE, "Is it raining in New York today?", (("get_weather", {"city": "New York"}),)),
    Case(
        "arguments",
        OFFICE,
        "What is the weather in Paris in fahrenheit?",
        (("get_weather", {"city": "Paris", "unit": "fahrenheit"}),),
    ),
    Case(
        "arguments",
        OFFICE,
        "How much is 20 euros in dollars?",
        (("convert_currency", {"amount": 20, "source": "euros", "target": "dollars"}),),
    ),
    Case("arguments", OFFICE, "Which files are in /tmp?", (("list_files", {"directory": "/tmp"}),)),
    Case("arguments", OFFICE, "What is the phone number of Maria Lopez?", (("find_person", {"name": "Maria Lopez"}),)),
    Case(
        "arguments",
        OFFICE,
        "Write to ann@example.com that I am late.",
        (("send_email", {"to": "ann@example.com", "body": ("I am late", "late")}),),
    ),
    Case("arguments", DOCS, _HISTORY, (("read_page", {"path": "docs/history.md"}),), _found(_HISTORY)),
    Case(
        "arguments", DOCS, "How do I write a tool?", (("read_page", {"path": "docs/tools.md"}),), _found("write a tool")
    ),
    Case(
        "arguments",
        OFFICE,
        "What is the weather in Paris, and which files are in /tmp?",
        (("get_weather", {"city": "Paris"}), ("list_files", {"directory": "/tmp"})),
    ),
    Case("stop", DOCS, "Hello!"),
    Case("stop", DOCS, "Thanks, that is all."),
    Case("stop", OFFICE, "What is the capital of France?"),
    Case("stop", DOCS, _HISTORY, (), _found(_HISTORY) + _READ),
    Case(
        "stop",
        SHOP,
        "Where is order 7?",
        (),
        ((("order_status", {"order_id": "7"}), '{"order_id": "7", "status": "shipped", "amount": 30}'),),
    ),
    Case(
        "stop",
        SHOP,
        "Do you have a red bicycle?",
        (),
        ((("search_products", {"query": "red bicycle"}), '[{"sku": "B-12", "name": "Red bicycle", "price": "300"}]'),),
    ),
    Case(
        "stop", OFFICE, "Is it raining in Rome?", (), ((("get_weather", {"city": "Rome"}), "14 degrees, light rain"),)
    ),
    Case(
        "stop", OFFICE, "Which files are in /tmp?", (), ((("list_files", {"directory": "/tmp"}), '["a.txt", "b.txt"]'),)
    ),
    Case("stop", SHOP, "Where is order 99?", (), ((("order_status", {"order_id": "99"}), "!there is no order 99"),)),
    Case(
        "stop",
        SHOP,
        "Compare order 7 and order 9.",
        (),
        (
            (("order_status", {"order_id": "7"}), '{"status": "shipped"}'),
            (("order_status", {"order_id": "9"}), '{"status": "lost"}'),
        ),
    ),
)
