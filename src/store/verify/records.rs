//! What is recorded: alerts, changes, runs and their decisions, acts, how each integration stands, and what is delivered.

use std::collections::{BTreeMap, BTreeSet};

use minicbor::Decode;
use redb::ReadableTable;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::model::{
    Act, Alert, AlertState, Attachment, Change, Decision, Erasing, GuardState, Person, PersonId,
    Ruling, Run, RunId,
};
use crate::store::alerts::{NEXT_ALERT, concerned};
use crate::store::decisions::whole;
use crate::store::identity::gaps;
use crate::store::retention::CHANGES_FROM;
use crate::store::value::{Read, from_bytes, read_json, read_packed};
use crate::store::write::NEXT_CHANGE;
use crate::store::{History, Lookup, Standing, tables};

use super::{Checking, Done, Found};

/// Whom a decision is about; the rest of it is not looked at.
#[derive(Deserialize, Decode)]
#[cbor(map)]
struct About {
    #[n(0)]
    subject: String,
}

impl Read for Vec<About> {
    fn read(form: u8, bytes: &[u8], table: &'static str) -> Done<Self> {
        read_packed(form, bytes, table)
    }
}

/// A value of which only whoever keeps it knows what stands in it.
struct Anything;

impl Read for Anything {
    fn read(form: u8, bytes: &[u8], table: &'static str) -> Done<Self> {
        read_json::<IgnoredAny>(form, bytes, table).map(|_| Anything)
    }
}

impl Checking<'_> {
    pub(super) fn alerts(&mut self) -> Done<()> {
        let index = self.transaction.open_table(tables::ALERTS_BY_CAUSE)?;
        let open = self.transaction.open_table(tables::OPEN_ALERTS)?;
        let closed = self.transaction.open_table(tables::CLOSED_ALERTS)?;
        let person = self.holder(tables::PEOPLE)?;
        let act = self.holder(tables::ACTS)?;
        let next = self.number(NEXT_ALERT)?;
        self.values(tables::ALERTS, "alerts-1", |found, id, alert: Alert| {
            let which = alert.id;
            found.unless(which.0 == id, || format!("a{id} calls itself {which}"));
            found.unless(id < next, || {
                format!("{which} has a number that is given again")
            });
            let (at, kind) = (alert.integration.as_str(), alert.kind.as_str());
            let mine = index.get((at, kind, alert.subject.as_str()))?;
            let mine = mine.is_some_and(|mine| mine.value() == id);
            found.unless(mine, || {
                format!("{which} is not found by its cause, or has a twin")
            });
            let place = if alert.state == AlertState::Open {
                open.get((kind, at, id))?.is_some()
            } else {
                closed.get(id)?.is_some()
            };
            found.unless(place, || {
                format!("{which} is not found among the {} alerts", alert.state)
            });
            for who in alert.sides.iter().filter_map(|side| side.person) {
                found.unless(person(who.0)?, || {
                    format!("{which} is about {who}, who is not there")
                });
            }
            for done in &alert.acts {
                found.unless(act(done.0)?, || {
                    format!("{which} names {done}, which is not there")
                });
            }
            Ok(())
        })?;
        let alert = self.getter::<Alert>(tables::ALERTS)?;
        self.index(
            tables::ALERTS_BY_CAUSE,
            "alerts-by-cause-1",
            |found, key, id| {
                let (at, kind, subject) = key;
                let mine = alert(id)?.is_some_and(|alert| {
                    (
                        alert.integration.as_str(),
                        alert.kind.as_str(),
                        alert.subject.as_str(),
                    ) == (at, kind, subject)
                });
                found.unless(mine, || {
                    format!("a cause at {at} leads to a{id}, which has another")
                });
                Ok(())
            },
        )?;
        self.open_alerts()?;
        self.alerts_by_person()?;
        self.closed_alerts()
    }

    fn alerts_by_person(&mut self) -> Done<()> {
        let index = self.transaction.open_table(tables::OPEN_ALERTS_BY_PERSON)?;
        let mut about = 0;
        self.values(tables::ALERTS, "alerts-1", |found, id, alert: Alert| {
            for who in concerned(&alert) {
                about += 1;
                found.unless(index.get((who, id))?.is_some(), || {
                    format!("a{id} is open and not found by p{who}, whom it is about")
                });
            }
            Ok(())
        })?;
        let name = "open-alerts-by-person-1";
        let kept = self.entries(tables::OPEN_ALERTS_BY_PERSON);
        let mut found = Found(&mut self.found.flaws, name);
        found.unless(kept <= about, || {
            format!("{kept} places of open alerts by person, and there are {about}")
        });
        Ok(())
    }

    fn open_alerts(&mut self) -> Done<()> {
        let alert = self.getter::<Alert>(tables::ALERTS)?;
        let mut open: BTreeMap<(String, String), u64> = BTreeMap::new();
        self.index(tables::OPEN_ALERTS, "open-alerts-1", |found, key, ()| {
            let (kind, at, id) = key;
            let mine = alert(id)?.is_some_and(|alert| {
                let place = (alert.kind.as_str(), alert.integration.as_str());
                place == (kind, at) && alert.state == AlertState::Open
            });
            found.unless(mine, || {
                format!("a{id} is not open at {at}, and said to be")
            });
            *open.entry((at.to_owned(), kind.to_owned())).or_default() += 1;
            Ok(())
        })?;
        self.index(
            tables::OPEN_ALERT_COUNTS,
            "open-alert-counts-1",
            |found, key, counted| {
                let (at, kind) = key;
                let are = open.remove(&(at.to_owned(), kind.to_owned()));
                let are = are.unwrap_or_default();
                found.unless(are == counted, || {
                    format!("{are} alerts of {kind} are open at {at}, and are said to be {counted}")
                });
                Ok(())
            },
        )?;
        let mut found = Found(&mut self.found.flaws, "open-alert-counts-1");
        for ((at, kind), are) in open {
            found.flaw(format!(
                "{are} alerts of {kind} are open at {at}, which nobody counted"
            ));
        }
        Ok(())
    }

    fn closed_alerts(&mut self) -> Done<()> {
        let alert = self.getter::<Alert>(tables::ALERTS)?;
        let by_hour = self.transaction.open_table(tables::CLOSED_ALERTS_BY_HOUR)?;
        self.index(
            tables::CLOSED_ALERTS,
            "closed-alerts-1",
            |found, id, hour| {
                let closed = alert(id)?.is_some_and(|alert| alert.state != AlertState::Open);
                found.unless(closed, || format!("a{id} is not closed, and said to be"));
                let entry = by_hour.get((hour, id))?;
                found.unless(entry.is_some(), || {
                    format!("a{id} is not found by its hour")
                });
                Ok(())
            },
        )?;
        let closed = self.transaction.open_table(tables::CLOSED_ALERTS)?;
        self.index(
            tables::CLOSED_ALERTS_BY_HOUR,
            "closed-alerts-by-hour-1",
            |found, (hour, id), ()| {
                let mine = closed.get(id)?.is_some_and(|of| of.value() == hour);
                found.unless(mine, || {
                    format!("an hour leads to a{id}, which has another")
                });
                Ok(())
            },
        )
    }

    pub(super) fn changes(&mut self) -> Done<()> {
        let index = self.transaction.open_table(tables::CHANGES_BY_PERSON)?;
        let person = self.holder(tables::PEOPLE)?;
        let (flaws, changes) = (self.found.flaws.len(), self.entries(tables::CHANGES));
        let next = self.number(NEXT_CHANGE)?;
        let from = self.number(CHANGES_FROM)?;
        let gaps = gaps(&self.transaction.open_table(tables::META)?)?;
        let behind_a_gap = |number: u64| {
            let gap = gaps.iter().find(|(first, _)| *first == number);
            gap.map_or(number, |(_, end)| *end)
        };
        let mut expected = behind_a_gap(from);
        self.values(
            tables::CHANGES,
            "changes-1",
            |found, seq, change: Change| {
                found.unless(change.seq == seq, || {
                    format!("change {seq} calls itself {}", change.seq)
                });
                if seq >= from {
                    found.unless(seq == expected, || {
                        format!("there is a gap before change {seq}")
                    });
                    expected = behind_a_gap(seq + 1);
                }
                let who = change.person;
                let entry = index.get((who.0, seq))?;
                found.unless(entry.is_some(), || {
                    format!("change {seq} is not found by {who}")
                });
                found.unless(person(who.0)?, || {
                    format!("change {seq} is about {who}, who is not there")
                });
                Ok(())
            },
        )?;
        if expected != next {
            Found(&mut self.found.flaws, "changes-1")
                .flaw(format!("change {expected} is not there"));
        }
        if self.is_exact(tables::CHANGES_BY_PERSON, flaws, changes) {
            return Ok(());
        }
        let change = self.getter::<Change>(tables::CHANGES)?;
        self.index(
            tables::CHANGES_BY_PERSON,
            "changes-by-person-1",
            |found, (id, seq), ()| {
                let mine = change(seq)?.is_some_and(|change| change.person.0 == id);
                found.unless(mine, || {
                    format!(
                        "{} leads to change {seq}, which is not theirs",
                        PersonId(id)
                    )
                });
                Ok(())
            },
        )
    }

    pub(super) fn runs(&mut self) -> Done<()> {
        let index = self.transaction.open_table(tables::RUNS_BY_INTEGRATION)?;
        self.values(tables::RUNS, "runs-1", |found, id, run: Run| {
            let which = run.id;
            found.unless(which.0 == id, || format!("r{id} calls itself {which}"));
            let entry = index.get((run.integration.as_str(), id))?;
            found.unless(entry.is_some(), || {
                format!("{which} is not found by {}", run.integration)
            });
            let done = run.outcome.is_success() || run.outcome.digest().is_some();
            found.unless(!done || run.counts.add_up(), || {
                format!("the counts of {which} do not add up")
            });
            Ok(())
        })
    }

    /// What runs decided, and that every run that is named is there.
    pub(super) fn decisions(&mut self) -> Done<()> {
        let run = self.getter::<Run>(tables::RUNS)?;
        self.index(
            tables::RUNS_BY_INTEGRATION,
            "runs-by-integration-1",
            |found, (at, id), ()| {
                let mine = run(id)?.is_some_and(|run| run.integration.as_str() == at);
                found.unless(mine, || {
                    format!("{at} leads to r{id}, which is not its run")
                });
                Ok(())
            },
        )?;
        let person = self.holder(tables::PEOPLE)?;
        let table = self.transaction.open_table(tables::DECISIONS)?;
        let more = self.transaction.open_table(tables::MORE_DECISIONS)?;
        let standing = self.transaction.open_table(tables::STANDING)?;
        let (bases, mut indexed) = (self.bases()?, 0);
        // The runs of an integration follow each other there, and mostly stand on the same one.
        let mut read: Option<(u64, Vec<About>)> = None;
        self.index(
            tables::DECISIONS_BY_INTEGRATION,
            "decisions-1",
            |found, (_, id), ()| {
                let which = RunId(id);
                let decisions: Vec<Decision> = match whole(&table, &more, id) {
                    Ok(Some(decisions)) => decisions,
                    Ok(None) => {
                        found.flaw(format!("there are no decisions of {which}"));
                        return Ok(());
                    }
                    Err(error) => {
                        indexed += 1;
                        found.flaw(error.to_string());
                        return Ok(());
                    }
                };
                indexed += 1;
                let counts = run(id)?.map(|run| run.counts.seen);
                found.unless(counts.is_some() || bases.contains(&id), || {
                    format!("there are decisions of {which}, which is not there")
                });
                let standing = standing.get(id)?;
                let standing: Option<Standing> =
                    standing.and_then(|value| from_bytes("", value.value()).ok());
                let stand = match &standing {
                    Some(standing) => {
                        let base = standing.base.0;
                        if read.as_ref().is_none_or(|(run, _)| *run != base) {
                            let of = whole(&table, &more, base).ok().flatten();
                            read = of.map(|decisions| (base, decisions));
                        }
                        found.unless(read.is_some(), || {
                            format!(
                                "{which} decides as {}, whose decisions are not there",
                                standing.base
                            )
                        });
                        let base = read.iter().flat_map(|(_, decisions)| decisions);
                        base.filter(|one| !standing.gone.contains(&one.subject))
                            .count()
                    }
                    None => 0,
                };
                let seen = counts.unwrap_or_default();
                let decided = decisions.len() + stand;
                found.unless(counts.is_none() || seen == decided as u64, || {
                    format!("{which} saw {seen} and decided {decided}")
                });
                for who in decisions.iter().filter_map(|decision| decision.person) {
                    found.unless(person(who.0)?, || {
                        format!("{which} decided on {who}, who is not there")
                    });
                }
                Ok(())
            },
        )?;
        if indexed != self.entries(tables::DECISIONS) {
            self.decisions_nobody_finds()?;
        }
        self.index(
            tables::MORE_DECISIONS,
            "more-decisions-1",
            |found, (id, part), _| {
                found.unless(table.get(id)?.is_some(), || {
                    format!("part {part} of the decisions of {} is alone", RunId(id))
                });
                Ok(())
            },
        )
    }

    fn decisions_nobody_finds(&mut self) -> Done<()> {
        let mut indexed = BTreeSet::new();
        let index = self
            .transaction
            .open_table(tables::DECISIONS_BY_INTEGRATION)?;
        for entry in index.iter()? {
            indexed.insert(entry?.0.value().1);
        }
        self.index(tables::DECISIONS, "decisions-1", |found, id, _| {
            found.unless(indexed.contains(&id), || {
                let which = RunId(id);
                format!("the decisions of {which} are not found by its integration")
            });
            Ok(())
        })
    }

    /// The runs whose decisions stand for later ones.
    fn bases(&self) -> Done<BTreeSet<u64>> {
        let mut all = BTreeSet::new();
        for bases in self.transaction.open_table(tables::BASES)?.iter()? {
            let bases: BTreeSet<u64> = from_bytes("bases-1", bases?.1.value())?;
            all.extend(bases);
        }
        Ok(all)
    }

    pub(super) fn acts(&mut self) -> Done<()> {
        let person = self.holder(tables::PEOPLE)?;
        let (next, next_alert) = (self.number("next-act")?, self.number(NEXT_ALERT)?);
        self.values(tables::ACTS, "acts-1", |found, id, act: Act| {
            let which = act.id;
            found.unless(which.0 == id, || format!("x{id} calls itself {which}"));
            found.unless(id < next, || {
                format!("{which} has a number that is given again")
            });
            // Alerts are forgotten, and what was done to them is not.
            for (of, _) in act.alert.iter().chain(&act.with) {
                found.unless(of.0 < next_alert, || {
                    format!("{which} was done to {of}, which is not there yet")
                });
            }
            for one in act.people.iter().filter_map(|swap| swap.after.as_ref()) {
                let there = person(one.id.0)?;
                found.unless(there, || {
                    format!("{which} was done to {}, who is not there", one.id)
                });
            }
            Ok(())
        })?;
        self.values(
            tables::RULINGS,
            "rulings-1",
            |found, (at, resident), ruling: Ruling| {
                for who in &ruling.apart {
                    let there = person(who.0)?;
                    found.unless(there, || {
                        format!("{resident} at {at} is not {who}, who is not there")
                    });
                }
                Ok(())
            },
        )
    }

    /// The runs that integrations name.
    pub(super) fn last_runs(&mut self) -> Done<()> {
        let run = self.getter::<Run>(tables::RUNS)?;
        self.values(
            tables::HISTORIES,
            "histories-1",
            |found, at, history: History| {
                if let Some(last) = history.last_run {
                    let mine = run(last.0)?.is_some_and(|run| run.integration.as_str() == at);
                    found.unless(mine, || {
                        format!("the last run of {at} is {last}, which is not its run")
                    });
                }
                Ok(())
            },
        )?;
        self.values(
            tables::GUARDS,
            "guards-1",
            |found, at, guard: GuardState| {
                let gaps = guard.understanding.waits.map(|plan| plan.run);
                for held in guard.held.map(|plan| plan.run).into_iter().chain(gaps) {
                    let there = run(held.0)?.is_some();
                    found.unless(there, || {
                        format!("{at} holds the plan of {held}, which is not there")
                    });
                }
                Ok(())
            },
        )
    }

    /// What is remembered of integrations.
    pub(super) fn attachments(&mut self) -> Done<()> {
        let act = self.holder(tables::ACTS)?;
        self.values(
            tables::ATTACHMENTS,
            "attachments-1",
            |found, at, attachment: Attachment| {
                for done in &attachment.acts {
                    found.unless(act(done.0)?, || {
                        format!("{at} names {done}, which is not there")
                    });
                }
                Ok(())
            },
        )
    }

    pub(super) fn lookups(&mut self) -> Done<()> {
        self.values(tables::LOOKUPS, "lookups-1", |_, _, _: Lookup| Ok(()))
    }

    /// Who is to be erased once targets have heard.
    pub(super) fn erasures(&mut self) -> Done<()> {
        let person = self.getter::<Person>(tables::PEOPLE)?;
        let act = self.holder(tables::ACTS)?;
        self.values(
            tables::ERASURES,
            "erasures-1",
            |found, id, erasing: Erasing| {
                let who = PersonId(id);
                let there = person(id)?.is_some_and(|one| !one.erased);
                found.unless(there, || format!("{who} is to be erased, and is not there"));
                found.unless(act(erasing.act.0)?, || {
                    format!("{who} is erased by {}, which is not there", erasing.act)
                });
                Ok(())
            },
        )
    }

    /// What is known of people at targets.
    pub(super) fn lanes(&mut self) -> Done<()> {
        let person = self.holder(tables::PEOPLE)?;
        self.values(tables::LANES, "lanes-1", |found, (at, id), _: Anything| {
            // What is at a target and nobody's is kept under 0.
            found.unless(id == 0 || person(id)?, || {
                format!(
                    "there is a lane of {} at {at}, who is not there",
                    PersonId(id)
                )
            });
            Ok(())
        })?;
        self.values(tables::TARGETS, "targets-1", |_, _, _: Anything| Ok(()))
    }

    /// What was told of what.
    pub(super) fn notices(&mut self) -> Done<()> {
        self.values(tables::NOTICES, "notices-1", |_, _, _: Anything| Ok(()))
    }
}
