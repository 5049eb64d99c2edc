//! `epms sandbox --life`: lets things happen to the people of local PMSs, and tells each as a line.

use std::time::Duration;

use fastrand::Rng;
use serde::Serialize;

use crate::sandbox::Sandbox;

use super::{Failure, Screen};

/// One thing that happened. Everybody in it is made up.
#[derive(Serialize)]
struct Event {
    kind: String,
    id: String,
    name: String,
    what: &'static str,
}

/// Goes on, `rate` events a minute dealt out to the PMSs by chance, until it cannot be told.
pub(super) async fn go_on(
    sandboxes: &[Sandbox],
    rate: f64,
    seed: u64,
    json: bool,
    screen: &mut Screen<'_>,
) -> Result<(), Failure> {
    let mut rng = Rng::with_seed(seed);
    let mut clock = tokio::time::interval(Duration::from_secs_f64(60.0 / rate));
    // The first tick comes at once.
    clock.tick().await;
    loop {
        clock.tick().await;
        let Some(event) = rng.choice(sandboxes).and_then(|pms| happen(pms, &mut rng)) else {
            continue;
        };
        if json {
            screen.line(&event)?;
        } else {
            let Event {
                kind,
                id,
                name,
                what,
            } = event;
            screen.tell(&format!("{kind:8} {name} ({id}) {what}\n"))?;
            screen.out.flush()?;
        }
    }
}

fn happen(pms: &Sandbox, rng: &mut Rng) -> Option<Event> {
    let (happening, name) = {
        let mut world = pms.world();
        let happening = world.live(rng)?;
        let name = world.person(happening.person)?.1.name();
        (happening, name)
    };
    Some(Event {
        kind: pms.kind().to_string(),
        id: pms.person_id(happening.person)?,
        name,
        what: happening.what,
    })
}
