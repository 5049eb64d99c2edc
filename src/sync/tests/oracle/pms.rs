//! The PMS of the oracle's histories: leases at two of its properties, and what happens to them.

use super::rules::Row;
use super::*;

#[derive(Debug, Default)]
pub(super) struct Pms(Vec<Row>);

/// How many kinds of events there are.
pub(super) const KINDS: u8 = 28;

impl Pms {
    /// A house that stays as it is: what happens to a few of many is nothing for the guard.
    pub(super) fn beside(count: usize) -> Pms {
        let rows = neighbours(count).into_iter().map(|resident| Row {
            resident,
            left_out: false,
            listed: true,
        });
        Pms(rows.collect())
    }

    fn lease(&mut self, resident: &Resident, id: &str) -> &mut Resident {
        let number = self.0.len();
        let at = i8::try_from(number % 27).unwrap() + 1;
        self.0.push(Row {
            resident: Resident {
                lease_id: Some(format!("lease-{number:03}")),
                lease_start: Some(date(2026, 1, at)),
                ..with_id(with_status(resident.clone(), LeaseStatus::Current), id)
            },
            left_out: false,
            listed: true,
        });
        let resident = &mut self.0[number].resident;
        resident.lease_id = Some(format!("lease-{number:03}"));
        resident
    }

    /// Something happens to somebody; `from` is where those begin to whom something may.
    pub(super) fn happens(&mut self, from: usize, (kind, who, value): (u8, usize, usize)) {
        let all = self.0.len();
        let count = all - from;
        let new_id = format!("{}/{all}", ["north", "south"][who % 2]);
        let new_email = format!("e{value}@x.com");
        if kind < 3 || count == 0 {
            let first = ["Ana", "Bob", "Eve"][value % 3];
            let last = ["Ortiz", "Marsh"][who % 2];
            let newcomer = resident("", first, last, &format!("e{count}@x.com"));
            let lease = self.lease(&newcomer, &new_id);
            lease.unit = unit(&format!("{}", 100 + count));
            if value == 0 {
                *lease = with_status(lease.clone(), LeaseStatus::Pending);
            }
            return;
        }
        let (at, other) = (from + who % count, from + (who + 1) % count);
        let tenant = self.0[at].resident.clone();
        let stranger = Resident {
            first_name: format!("Zed{value}"),
            last_name: format!("Quill{value}"),
            email: (value % 2 == 0).then(|| format!("z{value}@x.com")),
            ..tenant.clone()
        };
        let mut over = || self.0[at].resident = past(self.0[at].resident.clone());
        match kind {
            3 | 4 => over(),
            // A transfer, under the same id and under a new one.
            5 | 6 => {
                over();
                let id = if kind == 5 { &tenant.id } else { &new_id };
                self.lease(&tenant, id).unit = unit("900");
            }
            7 => self.0[at].resident.first_name = ["Ana", "ANA", "Bob"][value % 3].into(),
            8 => self.0[at].resident.last_name = ["Ortiz", "Marsh-Ortiz"][value % 2].into(),
            9 => self.0[at].resident.email = Some(new_email),
            10 => self.0[at].resident.email = self.0[other].resident.email.clone(),
            11 => {
                self.0[at].resident.email = self.0[other].resident.email.clone();
                self.0[other].resident.email = tenant.email;
            }
            12 | 13 => self.0[at].listed = !self.0[at].listed,
            14 => self.0[at].left_out = !self.0[at].left_out,
            // A return under the same id, a return under a new one, a second home.
            15 => self.0[at].resident = with_status(tenant, LeaseStatus::Current),
            16 => _ = self.lease(&tenant, &new_id),
            17 => self.lease(&tenant, &tenant.id).unit = unit("901"),
            18 => {
                let month = i8::try_from(value).unwrap() + 2;
                self.0[at].resident.lease_end = day(month, 20);
            }
            19 => self.0[at].resident.email = None,
            // The other PMS property lists them too.
            20 => {
                let id = format!("other/{}", tenant.id);
                if !self.0.iter().any(|row| row.resident.id == id) {
                    *self.lease(&tenant, &id) = with_id(tenant.clone(), &id);
                }
            }
            // The word for past is put on the exclude list, and they leave.
            21 => {
                over();
                self.0[at].left_out = true;
            }
            // The PMS gives them another id.
            22 => self.0[at].resident.id = new_id,
            // The row is overwritten with somebody else.
            23 => self.0[at].resident = stranger,
            // Somebody else's lease under the same id.
            24 => self.lease(&stranger, &tenant.id).unit = unit("902"),
            // A renewal beside the old row, with a married name or with a new email.
            25 => {
                let renewal = self.lease(&tenant, &tenant.id);
                match value % 3 {
                    0 => renewal.email = Some(new_email),
                    1 => renewal.last_name = "Marsh-Hall".into(),
                    _ => {}
                }
            }
            // Two swap their ids, or what stands in the row.
            26 => {
                let id = self.0[other].resident.id.clone();
                self.0[other].resident.id = tenant.id;
                self.0[at].resident.id = id;
            }
            _ => {
                let name = self.0[other].resident.clone();
                let swap = |to: &mut Resident, from: &Resident| {
                    to.first_name.clone_from(&from.first_name);
                    to.last_name.clone_from(&from.last_name);
                };
                swap(&mut self.0[other].resident, &tenant);
                swap(&mut self.0[at].resident, &name);
            }
        }
    }

    pub(super) fn feed(&self) -> Vec<Row> {
        self.0.iter().filter(|row| row.listed).cloned().collect()
    }
}
