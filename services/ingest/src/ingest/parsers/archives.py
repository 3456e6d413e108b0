"""Guards for formats that are zip files: a small upload must not unpack to a large one."""

import io
import zipfile

from ingest.parsers.document import Unreadable

MAX_PARTS = 5_000
MAX_XML_BYTES = 24 * 1024 * 1024
MAX_UNPACKED_BYTES = 256 * 1024 * 1024
_CHUNK = 1024 * 1024
_OLE_MAGIC = b"\xd0\xcf\x11\xe0"


def check_archive(data: bytes, *, format: str) -> None:
    """Refuse what is no zip file, and what would unpack beyond the limits, going by the real size and not by what
    the file says of itself. Pictures are never unpacked, so only their stated size counts."""
    if data.startswith(_OLE_MAGIC):
        raise Unreadable(f"The {format} file is encrypted or of the old binary format; save it as {format} again.")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
            if len(parts) > MAX_PARTS:
                raise Unreadable(f"The {format} file has {len(parts):,} parts; at most {MAX_PARTS:,} are read.")
            if sum(part.file_size for part in parts) > MAX_UNPACKED_BYTES:
                raise Unreadable(f"The {format} file unpacks to more than {MAX_UNPACKED_BYTES >> 20} MiB (zip bomb?).")
            if any(part.flag_bits & 1 for part in parts):
                raise Unreadable(f"The {format} file is encrypted; remove its password and upload it again.")
            _check_xml(archive, [part for part in parts if part.filename.endswith((".xml", ".rels"))], format)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, ValueError, OSError) as exc:
        raise Unreadable(f"This is not a readable {format} file: {exc}") from exc


def _check_xml(archive: zipfile.ZipFile, parts: list[zipfile.ZipInfo], format: str) -> None:
    unpacked = 0
    for part in parts:
        with archive.open(part) as stream:
            while piece := stream.read(_CHUNK):
                unpacked += len(piece)
                if unpacked > MAX_XML_BYTES:
                    raise Unreadable(f"The {format} file holds over {MAX_XML_BYTES >> 20} MiB of XML (zip bomb?).")
                if b"<!ENTITY" in piece or b"<!DOCTYPE" in piece:
                    raise Unreadable(f"The {format} file declares XML entities, which no {format} needs.")
