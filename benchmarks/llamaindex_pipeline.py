"""LlamaIndex's default pipeline on documents and questions that come as JSON. Knows nothing of this project.

Run by `benchmarks.retrieval_llamaindex` in an environment of its own:

    python llamaindex_pipeline.py ASKED.json ANSWERED.json

`ASKED` has `model`, `tokenizer`, `documents` (text and path by address), `questions`, `texts`, and `chunking`, the
arguments of its splitter. `ANSWERED` has the nodes found for each question, best first, with address and offsets; the
vectors of `texts`; and times.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import tokenizers
from llama_index.core import Document, Settings, VectorStoreIndex  # type: ignore[import-not-found]
from llama_index.core.base.embeddings.base import BaseEmbedding  # type: ignore[import-not-found]
from llama_index.core.node_parser import SentenceSplitter  # type: ignore[import-not-found]
from pydantic import PrivateAttr

_MOST_TOKENS = 256
_DEEPEST = 20


class OnnxMiniLm(BaseEmbedding):  # type: ignore[misc]
    """all-MiniLM-L6-v2 on onnxruntime, with the mean of its tokens."""

    _session: Any = PrivateAttr()
    _tokenizer: Any = PrivateAttr()

    def __init__(self, model: str, tokenizer: str) -> None:
        super().__init__(model_name="all-MiniLM-L6-v2", embed_batch_size=8)
        options = onnxruntime.SessionOptions()
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self._tokenizer = tokenizers.Tokenizer.from_file(tokenizer)
        self._tokenizer.enable_truncation(_MOST_TOKENS)
        self._tokenizer.enable_padding()

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        encoded = self._tokenizer.encode_batch(texts)
        ids = np.array([text.ids for text in encoded], dtype=np.int64)
        mask = np.array([text.attention_mask for text in encoded], dtype=np.int64)
        inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        (tokens,) = self._session.run(["last_hidden_state"], inputs)
        sums = (tokens * mask[:, :, None]).sum(axis=1)
        found: list[list[float]] = (sums / np.linalg.norm(sums, axis=1, keepdims=True)).tolist()
        return found

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_text_embeddings([text])[0]

    def _get_query_embedding(self, query: str) -> list[float]:
        return self._get_text_embedding(query)

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_text_embedding(query)


def main(asked: Path, answered: Path) -> None:
    """Answer what is asked."""
    given = json.loads(asked.read_text())
    Settings.llm = None
    Settings.embed_model = OnnxMiniLm(given["model"], given["tokenizer"])
    # Its reader of folders gives each document its path, which is embedded with every piece.
    documents = [
        Document(text=text, metadata={"file_path": one["path"]} if one["path"] else {}, id_=uri)
        for uri, one in given["documents"].items()
        for text in (one["text"],)
    ]
    began = time.perf_counter()
    splitter = SentenceSplitter(**given["chunking"])
    index = VectorStoreIndex.from_documents(documents, transformations=[splitter])
    took = time.perf_counter() - began
    retriever = index.as_retriever(similarity_top_k=_DEEPEST)
    rankings, seconds = [], []
    for question in given["questions"]:
        began = time.perf_counter()
        found = retriever.retrieve(question)
        seconds.append(time.perf_counter() - began)
        rankings.append([[one.node.ref_doc_id, one.node.start_char_idx, one.node.end_char_idx] for one in found])
    chunks = len(index.index_struct.nodes_dict)
    vectors = [Settings.embed_model.get_text_embedding(text) for text in given["texts"]]
    said = {"chunks": chunks, "rankings": rankings, "seconds": seconds, "indexing": took, "vectors": vectors}
    answered.write_text(json.dumps(said))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
