#!/usr/bin/env bash
# ndeflib 0.3.3 (PyPI), Python 3, the contents of NFC tags: `UriRecord.uri` is not the link that was put on the tag. It
# percent-encodes an ASCII link too, its `=` and `&` with it and its percent signs once more:
# `https://door.example/enter?unit=12&bed=A` reads as `...?unit%3D12%26bed%3DA`, so that the server gets one parameter
# with that name and no unit; `/Unit%2012` reads as `/Unit%252012`. `UriRecord.iri`, the name one would not look for, has
# the link unchanged. Links without a host (`tel:`) come out whole, and so does a link without a query.
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check ndeflib==0.3.3
"$dir/venv/bin/python" - <<'PY'
import sys
import ndef

expected = {
    "https://door.example/enter": "https://door.example/enter",
    "https://door.example/enter?unit=12&bed=A": "https://door.example/enter?unit%3D12%26bed%3DA",
    "https://door.example/Unit%2012": "https://door.example/Unit%252012",
    "tel:+12125550123": "tel:+12125550123",
}
seen = {}
for link in expected:
    tag = b"".join(ndef.message_encoder([ndef.UriRecord(link)]))
    [record] = ndef.message_decoder(tag)
    seen[link] = record.uri
    print(f"{link}: iri {record.iri}, uri {record.uri}")
    if record.iri != link:
        sys.exit("this has changed: iri")
if seen != expected:
    sys.exit("this has changed: expected " + repr(expected))
print("as described")
PY
