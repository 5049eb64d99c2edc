//! Growth as a drawing: panels of lines on logarithmic axes, as SVG that is read on a light and on a dark background.

use std::fmt::Write;

use super::report::{Measure, Unit};

/// One drawing.
#[derive(Debug, Clone)]
pub(crate) struct Panel {
    pub(crate) title: &'static str,
    /// What grows to the right.
    pub(crate) across: &'static str,
    /// What grows upwards.
    pub(crate) unit: Unit,
    pub(crate) lines: Vec<Line>,
}

/// One line of it.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) label: &'static str,
    pub(crate) points: Vec<(f64, f64)>,
}

/// Tones in the middle: whoever shows a drawing does not always tell it what is behind it.
const STYLE: &str = "
  text { font: 13px system-ui, sans-serif; fill: #6e7781; }
  .title { font-weight: 600; font-size: 15px; }
  .grid { stroke: #6e7781; stroke-opacity: 0.35; stroke-width: 1; }
  .line { fill: none; stroke-width: 2; }
  .s0 { stroke: #2f81f7; } .f0 { fill: #2f81f7; }
  .s1 { stroke: #a371f7; } .f1 { fill: #a371f7; }
  .s2 { stroke: #2da44e; } .f2 { fill: #2da44e; }
  .s3 { stroke: #d4762c; } .f3 { fill: #d4762c; }
";

/// The width of a panel, and of all that is left of its axis.
const WIDTH: f64 = 460.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 20.0;
/// Its height, and of all that is above its axis: the title, and a line of text for each line.
const HEIGHT: f64 = 370.0;
const ABOVE: f64 = 110.0;
const BELOW: f64 = 50.0;

/// Draws the panels that have anything to show, two beside each other.
pub(crate) fn svg(panels: &[Panel]) -> String {
    let shown: Vec<&Panel> = panels
        .iter()
        .filter(|panel| panel.lines.iter().any(|line| line.points.len() > 1))
        .collect();
    let rows = shown.chunks(2).fold(0.0, |rows, _| rows + 1.0);
    let (width, height) = (2.0 * WIDTH, rows * HEIGHT);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" role=\"img\">\n<style>{STYLE}</style>\n"
    );
    let mut top = 0.0;
    for row in shown.chunks(2) {
        let mut left = 0.0;
        for panel in row {
            writeln!(out, "<g transform=\"translate({left} {top})\">").unwrap();
            draw(panel, &mut out);
            writeln!(out, "</g>").unwrap();
            left += WIDTH;
        }
        top += HEIGHT;
    }
    out + "</svg>\n"
}

/// From values to places on a logarithmic axis.
struct Axis {
    from: f64,
    to: f64,
    /// Where they lie in the drawing.
    starts: f64,
    ends: f64,
}

impl Axis {
    /// An axis on which all values lie, between whole powers of ten where `whole` says so.
    fn of(values: impl Iterator<Item = f64> + Clone, whole: bool, starts: f64, ends: f64) -> Axis {
        let least = values.clone().fold(f64::INFINITY, f64::min).log10();
        let most = values.fold(0.0, f64::max).log10();
        let (from, to) = if whole {
            (least.floor(), most.ceil())
        } else {
            (least, most)
        };
        Axis {
            from,
            to,
            starts,
            ends,
        }
    }

    fn place(&self, value: f64) -> f64 {
        let share = (value.log10() - self.from) / (self.to - self.from);
        self.starts + share * (self.ends - self.starts)
    }

    /// The powers of ten on it.
    fn marks(&self) -> impl Iterator<Item = f64> {
        let to = self.to;
        let first = (self.from - 1e-9).ceil();
        std::iter::successors(Some(first), |power| Some(power + 1.0))
            .take_while(move |power| *power <= to + 1e-9)
            .map(|power| 10_f64.powf(power))
    }
}

fn draw(panel: &Panel, out: &mut String) {
    let points = || panel.lines.iter().flat_map(|line| &line.points);
    let across = Axis::of(points().map(|(x, _)| *x), false, LEFT, WIDTH - RIGHT);
    let up = Axis::of(points().map(|(_, y)| *y), true, HEIGHT - BELOW, ABOVE);
    writeln!(
        out,
        "<text class=\"title\" x=\"{LEFT}\" y=\"24\">{}</text>",
        panel.title
    )
    .unwrap();
    for mark in up.marks() {
        let (y, right) = (up.place(mark), WIDTH - RIGHT);
        let told = Measure {
            unit: panel.unit,
            // A power of ten is not always what `powf` gives.
            value: mark * (1.0 + 1e-9),
        };
        let told = told.to_string().replace(".00", "").replace(".0", "");
        writeln!(
            out,
            "<line class=\"grid\" x1=\"{LEFT}\" y1=\"{y:.1}\" x2=\"{right}\" y2=\"{y:.1}\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{told}</text>",
            LEFT - 8.0,
            y + 4.0
        )
        .unwrap();
    }
    let mut sizes: Vec<f64> = points().map(|(x, _)| *x).collect();
    sizes.sort_by(f64::total_cmp);
    sizes.dedup();
    for size in sizes {
        let (x, bottom) = (across.place(size), HEIGHT - BELOW);
        writeln!(
            out,
            "<line class=\"grid\" x1=\"{x:.1}\" y1=\"{ABOVE}\" x2=\"{x:.1}\" y2=\"{bottom}\"/>\
             <text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            bottom + 18.0,
            short(size)
        )
        .unwrap();
    }
    writeln!(
        out,
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
        f64::midpoint(LEFT, WIDTH - RIGHT),
        HEIGHT - 12.0,
        panel.across
    )
    .unwrap();
    let mut y = 44.0;
    for (number, line) in panel.lines.iter().enumerate() {
        let places: Vec<(f64, f64)> = line
            .points
            .iter()
            .map(|(x, y)| (across.place(*x), up.place(*y)))
            .collect();
        let Some((size, last)) = line.points.last() else {
            continue;
        };
        let told: Vec<String> = places
            .iter()
            .map(|(x, y)| format!("{x:.1},{y:.1}"))
            .collect();
        writeln!(
            out,
            "<polyline class=\"line s{number}\" points=\"{}\"/>",
            told.join(" ")
        )
        .unwrap();
        for (x, y) in &places {
            writeln!(
                out,
                "<circle class=\"f{number}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\"/>"
            )
            .unwrap();
        }
        let last = Measure {
            unit: panel.unit,
            value: *last,
        };
        writeln!(
            out,
            "<circle class=\"f{number}\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"5\"/>\
             <text x=\"{:.1}\" y=\"{y}\">{}: {last} for {}</text>",
            LEFT + 5.0,
            y - 4.0,
            LEFT + 18.0,
            line.label,
            short(*size)
        )
        .unwrap();
        y += 17.0;
    }
}

/// 100000 as `100k`.
fn short(size: f64) -> String {
    match size {
        1_000_000.0.. => format!("{}M", size / 1e6),
        1_000.0.. => format!("{}k", size / 1e3),
        _ => size.to_string(),
    }
}
