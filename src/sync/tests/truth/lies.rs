//! What a feed may wrongly say for a while, of those whom the store knows. What is true, is in `building`.

use super::building::Building;
use super::*;

/// How many kinds of lies there are.
pub(super) const KINDS: u8 = 13;

/// A feed that is wrong in one way.
#[derive(Debug)]
pub(super) struct Lie {
    kind: u8,
    /// Of how many records.
    many: usize,
    /// Others, who live elsewhere.
    strangers: Vec<usize>,
}

pub(super) fn resident_of(item: &Item) -> &Resident {
    match item {
        Item::Here(resident) | Item::LeftOut(resident, _) => resident,
        one => panic!("{} is nobody", one.id()),
    }
}

impl Lie {
    pub(super) fn begin(kind: u8, many: usize, building: &mut Building) -> Lie {
        let strangers = (0..building.rows.len()).map(|_| building.stranger());
        Lie {
            kind,
            many,
            strangers: strangers.collect(),
        }
    }

    /// The feed, with the lie in it. Only of residents who are linked it says what is not so: what it says of newcomers
    /// first, nobody could doubt.
    pub(super) fn tell(
        &self,
        feed: Vec<Item>,
        is_known: impl Fn(&str) -> bool,
        building: &mut Building,
    ) -> Vec<Item> {
        let (mut known, mut told): (Vec<Item>, Vec<Item>) =
            feed.into_iter().partition(|item| is_known(item.id()));
        let all = known.len();
        let how_many = [1, 2, 4, 7, all / 2, all, all];
        let rest = known.split_off(all.min(how_many[self.many % how_many.len()]));
        told.extend(rest);
        told.extend(self.of(known, building));
        told
    }

    fn of(&self, true_ones: Vec<Item>, building: &mut Building) -> Vec<Item> {
        let count = true_ones.len();
        let mut told = Vec::new();
        for (place, item) in true_ones.iter().enumerate() {
            let next = resident_of(&true_ones[(place + 1) % count]).clone();
            let one = resident_of(item).clone();
            let stranger = self.strangers[place % self.strangers.len()];
            let stranger = Resident {
                household: None,
                unit: one.unit.clone(),
                ..with_status(building.written(stranger, &one.id), one.status)
            };
            let lie = match self.kind {
                // Ids that go round.
                0 => with_id(one, &next.id),
                // Rows overwritten with somebody else, who may have left, or have no email.
                1 => stranger,
                2 => past(stranger),
                3 => without_email(stranger),
                // Another database, which has the same ids, and others.
                4 => {
                    let id = format!("{}-b", one.id);
                    told.push(Item::Here(Resident {
                        unit: unit(&format!("b{place}")),
                        ..with_id(stranger.clone(), &id)
                    }));
                    stranger
                }
                // Columns that moved by a row.
                5 => Resident {
                    first_name: next.first_name,
                    last_name: next.last_name,
                    ..one
                },
                6 => Resident {
                    first_name: next.first_name,
                    last_name: next.last_name,
                    email: next.email,
                    ..one
                },
                7 => Resident {
                    email: next.email,
                    ..one
                },
                8 => Resident {
                    unit: next.unit,
                    ..one
                },
                9 => past(one),
                // A filter.
                10 => continue,
                // A script that leaves out more.
                11 => {
                    told.push(Item::LeftOut(one, "a new rule"));
                    continue;
                }
                // A row of somebody else under the same id, beside the true one.
                _ => {
                    told.push(item.clone());
                    stranger
                }
            };
            told.push(if is_left_out(item) {
                Item::LeftOut(lie, "its status")
            } else {
                Item::Here(lie)
            });
        }
        told
    }
}

fn is_left_out(item: &Item) -> bool {
    matches!(item, Item::LeftOut(..))
}
