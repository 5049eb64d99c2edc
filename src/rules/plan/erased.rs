//! Residents who were erased: nothing is written of them, and whoever lives there again is told, without a word of who it is.

use std::collections::BTreeMap;

use crate::model::{AlertKind, People, Side};

use super::Planner;

/// The rule, and the reason, by which somebody who was erased is left out.
pub(crate) const ERASED: &str = "erased";

impl<P: People> Planner<'_, P> {
    /// Leaves a resident out who was erased.
    pub(super) fn erased(&mut self, resident: &str, returned: bool) {
        self.left_out(resident, ERASED, ERASED, None);
        if !returned {
            return;
        }
        let side = Side {
            resident: Some(resident.to_owned()),
            person: None,
            values: BTreeMap::new(),
            mapped: None,
            beside: None,
        };
        self.causes.raise(
            AlertKind::ErasedReturned,
            resident,
            vec![side],
            "somebody who was erased is current in the PMS again",
        );
    }
}
