#!/usr/bin/env bash
# zeep 4.3.3 (PyPI), Python 3, a SOAP client: `24:00:00`, which XML Schema allows for the end of a day both in
# xsd:dateTime and in xsd:time, comes out as None. No exception reaches the caller, only a line of the log tells, and
# None is also what an optional element that is absent gives.
# A lease that ends on `2026-11-30T24:00:00` becomes one without an end, a gate that shuts at `24:00:00` one that never
# shuts.
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check zeep==4.3.3 isodate==0.7.2
"$dir/venv/bin/python" - <<'PY'
import logging
import sys
from lxml import etree
from zeep.xsd import Schema

logging.disable()
schema = Schema(etree.fromstring("""
<xsd:schema xmlns:xsd="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:lease" elementFormDefault="qualified">
  <xsd:element name="Lease"><xsd:complexType><xsd:sequence>
    <xsd:element name="Ends" type="xsd:dateTime" minOccurs="0"/>
    <xsd:element name="Shuts" type="xsd:time" minOccurs="0"/>
  </xsd:sequence></xsd:complexType></xsd:element>
</xsd:schema>"""))
seen = []
for ends, shuts in [("2026-11-30T23:59:59", "23:59:59"), ("2026-11-30T24:00:00", "24:00:00")]:
    answer = etree.fromstring(f"<Lease xmlns='urn:lease'><Ends>{ends}</Ends><Shuts>{shuts}</Shuts></Lease>")
    lease = schema.get_element("{urn:lease}Lease").parse(answer, schema)
    seen.append((str(lease.Ends), str(lease.Shuts)))
    print(f"ends {ends}: {lease.Ends}; shuts {shuts}: {lease.Shuts}")
if seen != [("2026-11-30 23:59:59", "23:59:59"), ("None", "None")]:
    sys.exit("this has changed")
print("as described")
PY
