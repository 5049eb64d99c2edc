//! Tables and paragraphs as text. On a terminal they fit its width; elsewhere nothing is cut or wrapped.
//! It knows nothing of what it shows.

use comfy_table::{
    Attribute, CellAlignment, Color, ColumnConstraint, ContentArrangement, LineStyle, TableStyle,
    Width, presets,
};

use crate::model::shown;

use super::view::View;

/// How a column gives way when the terminal is narrow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    /// Not at all.
    Whole,
    /// Not at all, and to the right.
    Number,
    /// Ends in `…`.
    Cut,
    /// Goes on in the next line.
    Wrap,
}

/// How a cell is told apart by colour. Its text must say the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Plain,
    Good,
    Attention,
    Bad,
    Faint,
}

/// A text with its tone.
#[derive(Debug, Clone)]
pub(super) struct Cell {
    text: String,
    tone: Tone,
    /// So many of its first characters stand in one line, however narrow the terminal is.
    whole: usize,
}

impl Cell {
    pub(super) fn new(text: impl ToString, tone: Tone) -> Cell {
        Cell {
            text: clean(&text.to_string()),
            tone,
            whole: 0,
        }
    }

    /// An id: never cut nor broken, in whatever column it stands, so that it can be copied.
    pub(super) fn id(id: impl ToString) -> Cell {
        Cell::of_id(id, "")
    }

    /// An id, and what is said of it, which may be cut.
    pub(super) fn of_id(id: impl ToString, rest: &str) -> Cell {
        let id = clean(&id.to_string());
        let whole = id.chars().count();
        let rest = clean(rest);
        let (text, more) = if rest.is_empty() {
            (id, 0)
        } else {
            // With a sign that something is cut.
            (format!("{id} {rest}"), 1)
        };
        Cell {
            text,
            tone: Tone::Plain,
            whole: whole + more,
        }
    }

    /// Ids, and what is said of them, in a column that goes on in the next line.
    pub(super) fn of_ids(ids: &[&str], rest: &str) -> Cell {
        let ids: Vec<String> = ids.iter().map(|id| clean(id)).collect();
        let longest = ids.iter().map(|id| id.chars().count()).max();
        let text = format!("{} {}", ids.join(", "), clean(rest));
        Cell {
            text,
            tone: Tone::Plain,
            // With the comma behind it.
            whole: longest.map_or(0, |longest| longest + 1),
        }
    }
}

impl<T: ToString> From<T> for Cell {
    fn from(text: T) -> Cell {
        Cell::new(text, Tone::Plain)
    }
}

/// A text in one line. What a PMS or a file says must not move the cursor, recolour the terminal or turn letters around.
pub(super) fn clean(text: &str) -> String {
    shown(&text.replace(['\n', '\r', '\t'], " ")).into_owned()
}

/// A table that is filled row by row.
#[derive(Debug)]
pub(super) struct Table {
    header: Option<Vec<&'static str>>,
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
    indent: u16,
}

/// The space between two columns.
const GAP: u16 = 2;
/// The least that a column that gives way keeps.
const LEAST: u16 = 6;

impl Table {
    /// A table with a header.
    pub(super) fn new<const N: usize>(columns: [(&'static str, Column); N]) -> Table {
        Table {
            header: Some(columns.iter().map(|(name, _)| *name).collect()),
            columns: columns.iter().map(|(_, column)| *column).collect(),
            rows: Vec::new(),
            indent: 0,
        }
    }

    /// A table of names and values, without a header.
    pub(super) fn of_pairs(indent: u16) -> Table {
        Table {
            header: None,
            columns: vec![Column::Whole, Column::Wrap],
            rows: Vec::new(),
            indent,
        }
    }

    /// A table of a mark, a field's name, and its value on each of `sides` sides.
    pub(super) fn of_sides(sides: usize) -> Table {
        let mut columns = vec![Column::Whole, Column::Whole];
        columns.extend(std::iter::repeat_n(Column::Wrap, sides));
        Table {
            header: None,
            columns,
            rows: Vec::new(),
            indent: 0,
        }
    }

    /// Adds a row: one cell for each column.
    pub(super) fn row<const N: usize>(&mut self, cells: [Cell; N]) {
        self.rows.push(cells.into());
    }

    /// Adds a row of a number of cells that only the caller knows.
    pub(super) fn row_of(&mut self, cells: Vec<Cell>) {
        self.rows.push(cells);
    }

    /// Adds a name and its value.
    pub(super) fn pair(&mut self, name: &str, value: impl ToString) {
        self.row([name.into(), value.into()]);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table as text, each line with its end.
    pub(super) fn render(&self, view: &View) -> String {
        let widths = view.width.map(|width| self.widths(width));
        let mut table = self.drawn(view, widths.as_deref());
        let last = self.columns.len().saturating_sub(1);
        for (index, column) in table.column_iter_mut().enumerate() {
            let left = if index == 0 { self.indent } else { 0 };
            let right = if index == last { 0 } else { GAP };
            column.set_padding((left, right));
            if let Some(width) = widths.as_ref().and_then(|widths| widths.get(index)) {
                let width = Width::Fixed(width + left + right);
                column.set_constraint(ColumnConstraint::Absolute(width));
            }
            if self.columns.get(index) == Some(&Column::Number) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        let mut text = table.trim_fmt();
        text.push('\n');
        text
    }

    fn drawn(&self, view: &View, widths: Option<&[u16]>) -> comfy_table::Table {
        let mut table = comfy_table::Table::new();
        // Whether this is a terminal is the view's to say, not the library's.
        table.force_no_tty();
        if view.color {
            table.enforce_styling();
        }
        table.load_style(match widths {
            Some(_) => TableStyle::new().header_separator(LineStyle::none().fill('─')),
            None => presets::NOTHING,
        });
        table.set_content_arrangement(match widths {
            Some(_) => ContentArrangement::Dynamic,
            None => ContentArrangement::Disabled,
        });
        if let Some(header) = &self.header {
            table.set_header(
                header
                    .iter()
                    .map(|name| comfy_table::Cell::new(name).add_attribute(Attribute::Bold)),
            );
        }
        for row in &self.rows {
            table.add_row(row.iter().enumerate().map(|(index, cell)| {
                let cut = self.columns.get(index) == Some(&Column::Cut);
                let width = widths.and_then(|widths| widths.get(index)).filter(|_| cut);
                drawn(cell, width.copied())
            }));
        }
        table
    }

    /// The least that each column keeps: no id in it is cut.
    fn least(&self, columns: usize) -> Vec<u16> {
        let mut least = vec![LEAST; columns];
        for row in &self.rows {
            for (cell, least) in row.iter().zip(&mut least) {
                if cell.whole > 0 {
                    let head: String = cell.text.chars().take(cell.whole).collect();
                    let width = u16::try_from(columns_of(&head)).unwrap_or(u16::MAX);
                    *least = width.max(*least);
                }
            }
        }
        least
    }

    /// The widths of all columns, so that they fit into `width` if they can.
    fn widths(&self, width: u16) -> Vec<u16> {
        let plain = View {
            width: None,
            color: false,
            now: jiff::Timestamp::UNIX_EPOCH,
            zone: jiff::tz::TimeZone::UTC,
        };
        let mut widths = self.drawn(&plain, None).column_max_content_widths();
        let gaps = GAP.saturating_mul(u16::try_from(widths.len().saturating_sub(1)).unwrap_or(0));
        let room = width.saturating_sub(gaps).saturating_sub(self.indent);
        let least = self.least(widths.len());
        while widths.iter().copied().map(u32::from).sum::<u32>() > u32::from(room) {
            // The widest column that can give way does so, one step at a time.
            let widest = widths
                .iter_mut()
                .zip(&self.columns)
                .zip(&least)
                .filter(|((width, column), least)| {
                    **width > **least && matches!(column, Column::Cut | Column::Wrap)
                })
                .max_by_key(|((width, _), _)| **width);
            match widest {
                Some(((width, _), _)) => *width -= 1,
                None => break,
            }
        }
        widths
    }
}

/// The columns of a terminal that a text takes.
fn columns_of(text: &str) -> usize {
    let mut probe = comfy_table::Table::new();
    probe.force_no_tty().add_row([text]);
    let widest = probe.column_max_content_widths().into_iter().max();
    usize::from(widest.unwrap_or(0))
}

fn drawn(cell: &Cell, width: Option<u16>) -> comfy_table::Cell {
    let drawn = comfy_table::Cell::new(match width {
        Some(width) => cut(&cell.text, usize::from(width)),
        None => cell.text.clone(),
    });
    match cell.tone {
        Tone::Plain => drawn,
        Tone::Good => drawn.fg(Color::Green),
        Tone::Attention => drawn.fg(Color::Yellow),
        Tone::Bad => drawn.fg(Color::Red),
        Tone::Faint => drawn.add_attribute(Attribute::Dim),
    }
}

fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let mut kept: String = text.chars().take(width.saturating_sub(1)).collect();
    kept.truncate(kept.trim_end().len());
    kept.push('…');
    kept
}

/// A text of words, wrapped on a terminal, each line indented.
pub(super) fn paragraph(indent: u16, text: &str, view: &View) -> String {
    let mut table = Table {
        header: None,
        columns: vec![Column::Wrap],
        rows: Vec::new(),
        indent,
    };
    table.row([text.into()]);
    table.render(view)
}

/// A table none of whose rows takes two lines, with what is said of each row below it.
pub(super) fn below_each(table: &str, told: impl IntoIterator<Item = String>) -> String {
    let mut told = told.into_iter();
    let mut text = String::new();
    // The header and its rule come first.
    for (index, line) in table.lines().enumerate() {
        text += line;
        text.push('\n');
        if index >= 2 {
            text += &told.next().unwrap_or_default();
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::{plain, view};
    use super::*;
    use crate::testing::searching;

    fn people() -> Table {
        let mut table = Table::new([
            ("ID", Column::Number),
            ("NAME", Column::Cut),
            ("WHY", Column::Wrap),
        ]);
        table.row(["1".into(), "Ada".into(), "short".into()]);
        table.row([
            "20".into(),
            "A name that goes on for longer than anybody would want to read it in a table".into(),
            "a reason that needs more room than there is in one line and so goes on below".into(),
        ]);
        table
    }

    #[test]
    fn on_a_terminal_a_table_fits_its_width() {
        insta::assert_snapshot!(people().render(&view()), @r"
        ID  NAME                                   WHY
        ────────────────────────────────────────────────────────────────────────────────
         1  Ada                                    short
        20  A name that goes on for longer than…   a reason that needs more room than
                                                   there is in one line and so goes on
                                                   below
        ");
    }

    #[test]
    fn elsewhere_nothing_is_cut() {
        insta::assert_snapshot!(people().render(&plain()), @r"
        ID  NAME                                                                          WHY
         1  Ada                                                                           short
        20  A name that goes on for longer than anybody would want to read it in a table  a reason that needs more room than there is in one line and so goes on below
        ");
    }

    fn kinds() -> impl Strategy<Value = Vec<Column>> {
        let kinds = vec![Column::Whole, Column::Number, Column::Cut, Column::Wrap];
        proptest::collection::vec(proptest::sample::select(kinds), 4)
    }

    fn rows() -> impl Strategy<Value = Vec<(String, String, String, String)>> {
        let id = "[a-z0-9][a-z0-9.:_-]{0,40}";
        proptest::collection::vec((id, id, "[A-Za-zéß ]{0,60}", "[a-z ]{0,80}"), 1..8)
    }

    proptest! {
        #![proptest_config(searching(96))]

        /// D6: eighty columns cut names and break sentences, and no id.
        #[test]
        fn an_id_stands_whole_in_one_line_however_narrow_the_terminal_is(
            kinds in kinds(),
            rows in rows(),
            width in 20_u16..120,
        ) {
            let mut table = Table::new([
                ("A", kinds[0]),
                ("B", kinds[1]),
                ("C", kinds[2]),
                ("D", kinds[3]),
            ]);
            for (one, led, name, text) in &rows {
                let cells = [Cell::id(one), Cell::of_id(led, name)];
                let [id, led] = cells;
                table.row([id, text.as_str().into(), led, text.as_str().into()]);
            }
            let mut narrow = view();
            narrow.width = Some(width);
            let drawn = table.render(&narrow);
            for (one, led, ..) in &rows {
                for id in [one, led] {
                    let mut words = drawn.split([' ', '…', '\n']);
                    prop_assert!(words.any(|word| word == id), "{id}\n{drawn}");
                }
            }
        }
    }

    #[test]
    fn what_a_pms_says_cannot_steer_the_terminal() {
        assert_eq!(
            clean("a\u{1b}[31mb\nc\u{202e}d"),
            "a\\u{1b}[31mb c\\u{202e}d"
        );
    }

    #[test]
    fn colours_come_only_when_wanted() {
        let mut table = Table::new([("STATE", Column::Whole)]);
        table.row([Cell::new("broken", Tone::Bad)]);
        assert!(!table.render(&view()).contains('\u{1b}'));
        let mut colourful = view();
        colourful.color = true;
        assert!(table.render(&colourful).contains('\u{1b}'));
    }
}
