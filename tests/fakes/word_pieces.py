"""A tokenizer as small as one can be, of the kind that embedders have: a token for each letter or known word."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

KNOWN = ("the", "quick", "brown", "fox", "jumps", "over", "lazy", "dog", "words", "and", "中", "文")


def tokenizer_file(directory: Path, *, byte_level: bool = False) -> Path:
    """Write the tokenizer's `tokenizer.json`, with bounds of its own as MiniLM's has, and return its path."""
    path = directory / "tokenizer.json"
    path.write_text(json.dumps(_byte_level() if byte_level else _word_pieces()), encoding="utf-8")
    return path


def _word_pieces() -> dict[str, Any]:
    letters = [chr(code) for code in range(33, 127)]
    pieces = ["[UNK]", "[PAD]", *letters, *(f"##{letter}" for letter in letters), *KNOWN]
    return {
        "version": "1.0",
        "truncation": {"max_length": 20, "strategy": "LongestFirst", "stride": 0, "direction": "Right"},
        "padding": {
            "strategy": {"Fixed": 20},
            "direction": "Right",
            "pad_to_multiple_of": None,
            "pad_id": 1,
            "pad_type_id": 0,
            "pad_token": "[PAD]",
        },
        "added_tokens": [],
        "normalizer": {
            "type": "BertNormalizer",
            "clean_text": True,
            "handle_chinese_chars": True,
            "strip_accents": None,
            "lowercase": True,
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": None,
        "decoder": None,
        "model": {
            "type": "WordPiece",
            "unk_token": "[UNK]",
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
            "vocab": {piece: number for number, piece in enumerate(pieces)},
        },
    }


def _byte_level() -> dict[str, Any]:
    from tokenizers.pre_tokenizers import ByteLevel  # noqa: PLC0415

    return _word_pieces() | {
        "normalizer": None,
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": False, "use_regex": True},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "vocab": {byte: number for number, byte in enumerate(sorted(ByteLevel.alphabet()))},
            "merges": [],
        },
    }
