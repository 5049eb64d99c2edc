#!/usr/bin/env bash
# bimifc 0.2.0 (PyPI), Python 3, models of buildings (IFC): a quantity of a space comes as a name, a value and a unit ("a
# quantity value with type and unit"). The value is the number of the file, in the units that the file declares; the unit
# is m², m or m³ whatever those are. In a model in feet a unit of 490 square feet, 45.5 m², has 490 m²; a ceiling of
# 9 feet is 9 m high, and in a model in millimetres 2700 m. An area with a unit of its own (its third
# attribute) has that one left out as well. `unit_scale` of the model is right, and is not used for this; a trial model
# in metres is right.
# Beside it: the boolean false is the text `F`, which is true wherever it is asked "is it so?", and unknown is `U`.
# Whoever takes the areas of flats out of a model, for a rent by the square metre, has them ten times too large, and
# offers those that are not for rent.
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check bimifc==0.2.0
cat >"$dir/read.py" <<'PY'
import bimifc

METRES = "IFCSIUNIT(*,.LENGTHUNIT.,$,.METRE.)"
SQUARE_METRES = "IFCSIUNIT(*,.AREAUNIT.,$,.SQUARE_METRE.)"
SQUARE_FEET = "IFCCONVERSIONBASEDUNIT(#32,.AREAUNIT.,'SQUARE FOOT',#33)"
FEET = "IFCCONVERSIONBASEDUNIT(#30,.LENGTHUNIT.,'FOOT',#31)"
MODEL = """ISO-10303-21;
HEADER;
FILE_DESCRIPTION(('ViewDefinition [CoordinationView]'),'2;1');
FILE_NAME('oak.ifc','2026-12-01T08:00:00',(''),(''),'','','');
FILE_SCHEMA(('IFC4'));
ENDSEC;
DATA;
#1=IFCPROJECT('0YvctVUKr0kugbFTf53O9L',$,'Oak',$,$,$,$,(#15),#7);
#2=IFCBUILDING('1Ge2VW8Ff0Vx2Rt1lG2Q1B',$,'House 1',$,$,#18,$,$,.ELEMENT.,$,$,$);
#3=IFCBUILDINGSTOREY('2Ge2VW8Ff0Vx2Rt1lG2Q1C',$,'Level 1',$,$,#18,$,$,.ELEMENT.,0.);
#4=IFCSPACE('0Ge2VW8Ff0Vx2Rt1lG2Q1D',$,'101',$,$,#18,$,'Unit 101',.ELEMENT.,.SPACE.,$);
#5=IFCRELAGGREGATES('0Ge2VW8Ff0Vx2Rt1lG2Q1F',$,$,$,#1,(#2));
#6=IFCRELAGGREGATES('0Ge2VW8Ff0Vx2Rt1lG2Q1G',$,$,$,#2,(#3));
#7=IFCUNITASSIGNMENT((#8,#9));
#8={length};
#9={area};
#10=IFCRELAGGREGATES('0Ge2VW8Ff0Vx2Rt1lG2Q1I',$,$,$,#3,(#4));
#15=IFCGEOMETRICREPRESENTATIONCONTEXT($,'Model',3,1.E-05,#17,$);
#16=IFCCARTESIANPOINT((0.,0.,0.));
#17=IFCAXIS2PLACEMENT3D(#16,$,$);
#18=IFCLOCALPLACEMENT($,#17);
#20=IFCELEMENTQUANTITY('0Ge2VW8Ff0Vx2Rt1lG2Q1J',$,'Qto_SpaceBaseQuantities',$,$,(#21,#22));
#21=IFCQUANTITYAREA('NetFloorArea',$,{own},{size},$);
#22=IFCQUANTITYLENGTH('Height',$,$,{height},$);
#23=IFCRELDEFINESBYPROPERTIES('0Ge2VW8Ff0Vx2Rt1lG2Q1K',$,$,$,(#4),#20);
#24=IFCPROPERTYSET('0Ge2VW8Ff0Vx2Rt1lG2Q1L',$,'Oak',$,(#25,#26,#27));
#25=IFCPROPERTYSINGLEVALUE('ForRent',$,IFCBOOLEAN(.F.),$);
#26=IFCPROPERTYSINGLEVALUE('Occupied',$,IFCLOGICAL(.U.),$);
#27=IFCPROPERTYSINGLEVALUE('Furnished',$,IFCBOOLEAN(.T.),$);
#28=IFCRELDEFINESBYPROPERTIES('0Ge2VW8Ff0Vx2Rt1lG2Q1M',$,$,$,(#4),#24);
#30=IFCDIMENSIONALEXPONENTS(1,0,0,0,0,0,0);
#31=IFCMEASUREWITHUNIT(IFCLENGTHMEASURE(0.3048),#34);
#32=IFCDIMENSIONALEXPONENTS(2,0,0,0,0,0,0);
#33=IFCMEASUREWITHUNIT(IFCAREAMEASURE(0.09290304),#35);
#34=IFCSIUNIT(*,.LENGTHUNIT.,$,.METRE.);
#35=IFCSIUNIT(*,.AREAUNIT.,$,.SQUARE_METRE.);
#36=IFCCONVERSIONBASEDUNIT(#32,.AREAUNIT.,'SQUARE FOOT',#33);
ENDSEC;
END-ISO-10303-21;
"""
for name, length, area, own, size, height in (
    ("metres", METRES, SQUARE_METRES, "$", "45.5", "2.7"),
    ("millimetres", "IFCSIUNIT(*,.LENGTHUNIT.,.MILLI.,.METRE.)", SQUARE_METRES, "$", "45.5", "2700."),
    ("feet", FEET, SQUARE_FEET, "$", "490.", "9."),
    ("metres, an area in feet", METRES, SQUARE_METRES, "#36", "490.", "2.7"),
):
    model = bimifc.parse(MODEL.format(length=length, area=area, own=own, size=size, height=height))
    quantities = ", ".join(f"{one.name} {one.value} {one.unit}" for one in model.quantities(4))
    print(f"{name}: {quantities}; scale {model.unit_scale}")
for one in model.property_sets(4)[0].properties:
    print(f"{one.name}: {one.value!r}, asked {bool(one.value)}")
PY
"$dir/venv/bin/python" "$dir/read.py" | tee "$dir/seen"
cat >"$dir/expected" <<'TXT'
metres: NetFloorArea 45.5 m², Height 2.7 m; scale 1.0
millimetres: NetFloorArea 45.5 m², Height 2700.0 m; scale 0.001
feet: NetFloorArea 490.0 m², Height 9.0 m; scale 0.3048
metres, an area in feet: NetFloorArea 490.0 m², Height 2.7 m; scale 1.0
ForRent: 'F', asked True
Occupied: 'U', asked True
Furnished: 'T', asked True
TXT
diff "$dir/expected" "$dir/seen" >/dev/null || { echo "this has changed" >&2; exit 1; }
echo "as described"
