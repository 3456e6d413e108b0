"""Our way of splitting as a LlamaIndex node parser: parsed documents in, nodes that are verbatim ranges out."""

from collections.abc import Sequence
from typing import Any, Final

from llama_index.core.bridge.pydantic import PrivateAttr
from llama_index.core.node_parser import NodeParser
from llama_index.core.schema import BaseNode, Document, NodeRelationship, TextNode
from tokenizers import Tokenizer

from ingest.parsers.document import ParsedDocument
from ingest.splitting import Chunk, split

BLOCKS: Final = "blocks"
_LONG: Final = 4_000


class StructureNodeParser(NodeParser):
    """Cuts along headings, paragraphs, list items, code and table rows.

    LlamaIndex's own splitters either count without structure (SentenceSplitter, which also trims what it cuts and
    needs NLTK data) or follow structure without counting (MarkdownNodeParser); we need both, and exact ranges.
    """

    max_chunks: int = 5_000
    _tokenizer: Tokenizer = PrivateAttr()

    def __init__(self, tokenizer: Tokenizer, *, max_chunks: int) -> None:
        super().__init__(max_chunks=max_chunks, include_prev_next_rel=False)
        self._tokenizer = tokenizer

    def count(self, texts: Sequence[str]) -> list[int]:
        """Word pieces of each text, as the embedder counts them. A very long text is counted in parts, so that its
        tokens are never all in memory."""
        sizes = [0] * len(texts)
        parts = [(at, text[s : s + _LONG]) for at, text in enumerate(texts) for s in range(0, len(text), _LONG)]
        for start in range(0, len(parts), 256):
            batch = parts[start : start + 256]
            encoded = self._tokenizer.encode_batch_fast([text for _, text in batch], add_special_tokens=False)
            for (at, _), encoding in zip(batch, encoded, strict=True):
                sizes[at] += len(encoding)
        return sizes

    def chunks(self, document: ParsedDocument) -> list[Chunk]:
        """The document's chunks, by way of LlamaIndex's node interface."""
        carrier = Document(text=document.text, metadata={"title": document.title, BLOCKS: document.blocks})
        return [_chunk_of(node) for node in self._parse_nodes([carrier])]

    def _parse_nodes(self, nodes: Sequence[BaseNode], show_progress: bool = False, **_: Any) -> list[BaseNode]:
        found: list[BaseNode] = []
        for node in nodes:
            parsed = ParsedDocument(node.metadata.get("title", ""), node.get_content(), node.metadata[BLOCKS])
            source = {NodeRelationship.SOURCE: node.as_related_node_info()}
            for chunk in split(parsed, self.count, max_chunks=self.max_chunks):
                about = {"title": parsed.title, "heading": chunk.heading, "page": chunk.page}
                found.append(
                    TextNode(
                        text=chunk.text,
                        start_char_idx=chunk.start,
                        end_char_idx=chunk.end,
                        metadata=about,
                        relationships=source,
                    )
                )
        return found


def _chunk_of(node: BaseNode) -> Chunk:
    assert isinstance(node, TextNode)
    assert node.start_char_idx is not None
    assert node.end_char_idx is not None
    return Chunk(
        node.start_char_idx, node.end_char_idx, node.text, node.metadata["heading"], int(node.metadata["page"])
    )
