//! The number of records that a PMS declares, and whether so many different ones came (R42). Pure.

use std::collections::HashSet;

use crate::model::Print;

/// So often a PMS property is read whose number of records moves meanwhile.
pub(super) const READINGS: u32 = 3;

/// No answer with records says how many there are.
pub(super) const NO_TOTAL: &str = "no answer has the number of records at `total` of the connector: correct `total` of the request, or remove it";

/// What was declared and what came in one reading of a PMS property.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Whether the connector says where the number stands.
    expected: bool,
    declared: Option<u64>,
    /// It was another one on a page before.
    moved: bool,
    /// … and a larger one: somebody may be counted who was read and is gone.
    fell: bool,
    /// A page without records declared another one: the records moved, or the page is behind the last.
    unsure: bool,
    /// … a larger one: somebody may have come.
    grew: bool,
    records: u64,
    /// Pages with records, and those of them that declared just their own number of records.
    pages: u64,
    own: u64,
    /// The records by their texts, and by their ids where these are known.
    different: HashSet<Print>,
    ids: HashSet<Print>,
}

/// What a reading came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sum {
    /// All that there is.
    Complete,
    /// It has to be read again.
    Again,
    /// It is not what the PMS declares, and another reading would not be either.
    Wrong(String),
}

impl Tally {
    /// A tally of nothing yet; `expected` where the connector says where the number stands.
    pub(super) fn new(expected: bool) -> Tally {
        Tally {
            expected,
            ..Tally::default()
        }
    }

    /// One in which so many records came already.
    #[cfg(test)]
    pub(super) fn of(records: u64) -> Tally {
        Tally {
            records,
            ..Tally::default()
        }
    }

    /// Takes a page in. What a page without records declares is not believed at once: some PMSs say 0 there.
    pub(super) fn take(&mut self, declared: Option<u64>, prints: &[Print], ids: &[Print]) {
        let count = prints.len() as u64;
        self.records += count;
        if !self.expected {
            return;
        }
        self.different.extend(prints);
        self.ids.extend(ids);
        self.pages += u64::from(count > 0);
        self.own += u64::from(count > 0 && declared == Some(count));
        let Some(declared) = declared else { return };
        match self.declared {
            Some(before) if count > 0 && before != declared => {
                self.moved = true;
                self.fell |= declared < before;
                self.declared = Some(declared);
            }
            Some(before) => {
                self.unsure |= before != declared;
                self.grew |= before < declared;
            }
            None => self.declared = Some(declared),
        }
    }

    /// Whether the declared number moved so far.
    pub(super) fn moved(&self) -> bool {
        self.moved && !self.counts_pages()
    }

    /// Whether a page says another number than those before it.
    pub(super) fn is_another(&self, declared: Option<u64>) -> bool {
        declared.is_some() && self.declared.is_some() && self.declared != declared
    }

    /// Whether a number was declared.
    pub(super) fn is_declared(&self) -> bool {
        self.declared.is_some()
    }

    /// Whether as many different records came as were declared.
    pub(super) fn is_met(&self) -> bool {
        self.declared == Some(self.different.len() as u64)
    }

    /// Whether more came than were declared.
    pub(super) fn is_exceeded(&self) -> bool {
        self.declared
            .is_some_and(|declared| (self.different.len() as u64) > declared)
    }

    pub(super) fn records(&self) -> u64 {
        self.records
    }

    /// Each of several pages declares the number of its own records: that is not the number in all.
    fn counts_pages(&self) -> bool {
        let each_is_new = self.different.len() as u64 == self.records;
        self.pages > 1 && self.own == self.pages && each_is_new
    }

    /// What the `reading`th reading came to, now that no further page is asked for.
    pub(super) fn sum(&self, reading: u32) -> Sum {
        let records = self.records;
        let Some(declared) = self.declared else {
            return if self.expected && records > 0 {
                Sum::Wrong(NO_TOTAL.into())
            } else {
                Sum::Complete
            };
        };
        let different = self.different.len() as u64;
        let is_unsettled = self.moved || self.grew && reading < READINGS;
        if !is_unsettled && different == declared {
            return Sum::Complete;
        }
        if self.counts_pages() {
            return Sum::Wrong(
                "`total` of the connector leads to the number of records of each page, not of all: correct `total` of the request, or remove it"
                    .into(),
            );
        }
        if (self.moved || self.unsure) && reading < READINGS {
            return Sum::Again;
        }
        // Who was let in and nobody let out: as many as there are now are all that there are.
        // The first reading knows no ids: that none is known is no word about a number of 0.
        let knows_ids = !self.ids.is_empty();
        if knows_ids && !self.fell && self.ids.len() as u64 == declared {
            return Sum::Complete;
        }
        let twice = different < records;
        if reading < READINGS && (twice || records > declared) {
            return Sum::Again;
        }
        Sum::Wrong(if self.moved || self.unsure {
            format!(
                "the number of records moved each of the {reading} times that they were read: the PMS declares {declared} records and sent {different} different ones"
            )
        } else if twice && records == declared {
            format!(
                "the PMS declares {declared} records and sent {different} different ones: some came on two pages, and others on none"
            )
        } else {
            format!("the PMS declares {declared} records and sent {records}")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prints(ids: std::ops::Range<u128>) -> Vec<Print> {
        ids.map(Print).collect()
    }

    fn tally(pages: &[(Option<u64>, std::ops::Range<u128>)]) -> Tally {
        let mut tally = Tally::new(true);
        for (declared, ids) in pages {
            let prints = prints(ids.clone());
            tally.take(*declared, &prints, &prints);
        }
        tally
    }

    #[test]
    fn a_number_that_stays_and_is_met_is_complete_and_one_that_is_not_met_is_wrong_at_once() {
        let pages = [(Some(5), 0..3), (Some(5), 3..5)];
        assert_eq!(tally(&pages).sum(1), Sum::Complete);
        let wrong = tally(&[(Some(6), 0..3), (Some(6), 3..5)]).sum(1);
        let told = "the PMS declares 6 records and sent 5";
        assert_eq!(wrong, Sum::Wrong(told.into()));
        // A page without records declares what it likes.
        let behind = [(Some(5), 0..3), (None, 3..5), (Some(0), 5..5)];
        assert_eq!(tally(&behind).sum(1), Sum::Complete);
        assert_eq!(tally(&[(Some(0), 0..0)]).sum(1), Sum::Complete);
        assert!(matches!(tally(&[(Some(4), 0..0)]).sum(1), Sum::Wrong(_)));
    }

    #[test]
    fn a_number_of_zero_is_met_by_nobody_alone() {
        for pages in [vec![(0, 3)], vec![(0, 5), (5, 8), (8, 8)]] {
            // As in a first reading, which knows no ids.
            let mut zero = Tally::new(true);
            for (from, to) in pages {
                zero.take(Some(0), &prints(from..to), &[]);
            }
            assert_eq!(zero.sum(1), Sum::Again);
            let told = zero.sum(READINGS);
            assert!(matches!(told, Sum::Wrong(told) if told.starts_with("the PMS declares 0 ")));
        }
        let mut nobody = Tally::new(true);
        nobody.take(Some(0), &[], &[]);
        assert_eq!(nobody.sum(1), Sum::Complete);
    }

    #[test]
    fn a_number_that_moves_is_read_again_and_at_last_believed_where_it_only_grew() {
        let grown = tally(&[(Some(5), 0..3), (Some(6), 3..6)]);
        assert!(grown.moved());
        let sums = [1, 2, 3].map(|reading| grown.sum(reading));
        assert_eq!(sums, [Sum::Again, Sum::Again, Sum::Complete]);
        let out_of_sight = [(Some(3), 0..2), (Some(2), 2..2)];
        assert_eq!(tally(&out_of_sight).sum(1), Sum::Again);
        let skipped = tally(&[(Some(7), 0..3), (Some(6), 4..7)]);
        assert_eq!(skipped.sum(2), Sum::Again);
        assert!(
            matches!(skipped.sum(3), Sum::Wrong(told) if told.contains("moved each of the 3 times"))
        );
    }

    #[test]
    fn the_number_of_each_page_is_not_that_of_all() {
        let wrong = tally(&[(Some(3), 0..3), (Some(2), 3..5)]);
        assert!(!wrong.moved());
        assert!(matches!(wrong.sum(1), Sum::Wrong(told) if told.contains("of each page")));
    }

    #[test]
    fn where_a_record_comes_twice_the_different_ones_count() {
        // It was shifted from one page to the next, and another one out of sight.
        let shifted = tally(&[(Some(6), 0..3), (Some(6), 2..5)]);
        assert!(!shifted.is_met());
        assert_eq!(shifted.sum(2), Sum::Again);
        assert!(matches!(shifted.sum(3), Sum::Wrong(told) if told.contains("on two pages")));
        let all = tally(&[(Some(6), 0..3), (Some(6), 2..5), (Some(6), 5..6)]);
        assert_eq!(all.sum(1), Sum::Complete);
        // Several leases of one id, and a number that counts ids.
        let mut leases = Tally::new(true);
        leases.take(Some(2), &prints(0..3), &[Print(1), Print(1), Print(2)]);
        assert_eq!(leases.sum(2), Sum::Complete);
    }

    #[test]
    fn a_number_that_no_answer_with_records_has_is_told() {
        assert!(
            matches!(tally(&[(None, 0..3)]).sum(1), Sum::Wrong(told) if told.contains("`total`"))
        );
        assert_eq!(tally(&[(None, 0..0)]).sum(1), Sum::Complete);
        let mut none = Tally::new(false);
        none.take(None, &prints(0..3), &[]);
        assert_eq!(none.sum(1), Sum::Complete);
    }
}
