//! A row of an import, as texts: what an export writes, or less. Checks nothing.

use super::Enrolment;

/// A row of a file of people: the columns of [`EXPORT_COLUMNS`](super::EXPORT_COLUMNS).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "the columns of `EXPORT_COLUMNS`")]
pub struct ImportRow {
    /// What is told of whoever is made by hand.
    pub told: Enrolment,
    pub notice: String,
    pub eviction: String,
    pub excluded: String,
    pub more_units: String,
    pub unit_id: String,
    pub person: String,
    pub locks: String,
}

impl ImportRow {
    /// Takes the value of a column. How somebody came to be is not imported: it is by hand from now on.
    pub fn set(&mut self, column: &str, value: &str) {
        let told = &mut self.told;
        let field = match column {
            "first_name" => &mut told.first_name,
            "last_name" => &mut told.last_name,
            "email" => &mut told.email,
            "phone" => &mut told.phone,
            "lease_start" => &mut told.lease_start,
            "lease_end" => &mut told.lease_end,
            "move_in" => &mut told.move_in,
            "move_out" => &mut told.move_out,
            "unit" => &mut told.unit,
            "integration" => &mut told.integration,
            "status" => &mut told.status,
            "notice" => &mut self.notice,
            "eviction" => &mut self.eviction,
            "excluded" => &mut self.excluded,
            "more_units" => &mut self.more_units,
            "unit_id" => &mut self.unit_id,
            "person" => &mut self.person,
            "locks" => &mut self.locks,
            _ => return,
        };
        value.clone_into(field);
    }
}

/// Between the items of a cell.
const BETWEEN: char = ';';
/// Around an item in which that stands.
const QUOTE: char = '"';

/// Several items in one cell: `2A; 2B`. One with a semicolon, a quote or outer blanks stands in quotes, with its own
/// doubled.
pub fn list_cell<'a>(items: impl IntoIterator<Item = &'a str>) -> String {
    let items = items.into_iter().map(|item| {
        let is_plain = !item.contains([BETWEEN, QUOTE]) && item.trim() == item && !item.is_empty();
        if is_plain {
            item.to_owned()
        } else {
            format!("{QUOTE}{}{QUOTE}", item.replace(QUOTE, "\"\""))
        }
    });
    items.collect::<Vec<_>>().join("; ")
}

/// The items of such a cell.
pub fn of_list_cell(cell: &str) -> Vec<String> {
    let mut items = Vec::new();
    let mut rest = cell.trim();
    while !rest.is_empty() {
        let (item, behind) = if let Some(quoted) = rest.strip_prefix(QUOTE) {
            of_quotes(quoted)
        } else {
            let (item, behind) = rest.split_once(BETWEEN).unwrap_or((rest, ""));
            (item.trim().to_owned(), behind)
        };
        items.push(item);
        rest = behind.trim_start();
    }
    items
}

/// What stands before the closing quote, and what comes behind the next semicolon.
fn of_quotes(text: &str) -> (String, &str) {
    let mut item = String::new();
    let mut rest = text;
    while let Some((part, behind)) = rest.split_once(QUOTE) {
        item += part;
        if let Some(more) = behind.strip_prefix(QUOTE) {
            item.push(QUOTE);
            rest = more;
        } else {
            let (_, behind) = behind.split_once(BETWEEN).unwrap_or(("", ""));
            return (item, behind);
        }
    }
    (item + rest, "")
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_plain_list_reads_as_people_write_it() {
        assert_eq!(list_cell(["2A", "Bldg 2 - B"]), "2A; Bldg 2 - B");
        assert_eq!(of_list_cell("2A;2B ; 3C"), ["2A", "2B", "3C"]);
        assert_eq!(of_list_cell("  "), [""; 0]);
    }

    proptest! {
        #[test]
        fn a_list_reads_back_whatever_its_items_are(items in vec("[ab;\" ]{0,4}", 0..4)) {
            let cell = list_cell(items.iter().map(String::as_str));
            prop_assert_eq!(of_list_cell(&cell), items);
        }
    }
}
