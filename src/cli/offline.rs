//! `--offline`: the store of a home that no daemon has open, read by the verbs that only look.

use crate::config::{Environment, Home};
use crate::daemon::Offline;

use super::alerts::AlertsVerb;
use super::arguments::Verb;
use super::deliveries::DeliveriesVerb;
use super::people::PeopleVerb;
use super::people::enrol::EnrolVerb;
use super::people::hand::HandVerb;
use super::{Exit, Failure, Screen, care};

/// Whether the verb can be answered from the store alone.
pub(super) fn only_looks(verb: &Verb) -> Result<(), Failure> {
    let looks = match verb {
        Verb::Status(verb) => !verb.watch,
        Verb::Changes(verb) => !verb.follow,
        Verb::Run(verb) => verb.run.is_some(),
        Verb::Runs(_) | Verb::Explain(_) | Verb::Targets(_) | Verb::Credentials(_) => true,
        Verb::Deliveries(verb) => matches!(
            verb.verb,
            None | Some(
                DeliveriesVerb::List(_)
                    | DeliveriesVerb::Show { .. }
                    | DeliveriesVerb::Preview { .. }
            )
        ),
        Verb::People { verb } => matches!(
            verb,
            None | Some(
                PeopleVerb::List(_)
                    | PeopleVerb::Show { .. }
                    | PeopleVerb::Hand(HandVerb::History { .. })
                    | PeopleVerb::Enrol(EnrolVerb::Export { .. })
            )
        ),
        Verb::Alerts { verb } => matches!(
            verb,
            None | Some(AlertsVerb::List(_) | AlertsVerb::Show { .. })
        ),
        _ => false,
    };
    if looks {
        return Ok(());
    }
    let told = "--offline reads the store and does nothing else: it goes with status, credentials, runs, run r3, people \
        (list, show, history, export), targets, deliveries (list, show, preview), alerts (list, show), changes and \
        explain";
    Err(Failure::other(Exit::Invalid, told))
}

/// Opens the store of a home.
pub(super) async fn open(
    home: &Home,
    environment: &Environment,
    screen: &mut Screen<'_>,
) -> Result<Offline, Failure> {
    let folder = care::folder(home, environment)?;
    let store = Offline::open(home, care::with_store(&folder)?).await?;
    care::tell(store.notes(), screen)?;
    Ok(store)
}
