//! Health: whether the daemon can work, its files and store, what may still be asked with each credential, and versions.

use minijinja::context;

use crate::control::server::{Answer, Backend};

use super::super::asked::Asked;
use super::super::look::{Page, value};
use super::super::times;

pub(super) async fn show<B: Backend>(asked: Asked<B>) -> Answer<Page> {
    let ready = asked.backend().ready().await;
    let (ready, not_well) = match ready {
        Ok(not_well) => (None, not_well),
        Err(problem) => (Some(problem.detail), Vec::new()),
    };
    let status = asked.backend().status().await?;
    let keeping = asked.backend().keeping().await?;
    let of_files: Vec<_> = status
        .integrations
        .iter()
        .filter(|one| !one.problems.is_empty())
        .map(|one| context! { id => one.id.as_str(), problems => value(&one.problems), runs => one.generation.is_some() })
        .collect();
    let up = i64::try_from(status.up).unwrap_or(i64::MAX);
    Ok(Page {
        title: "Health".to_owned(),
        part: "health",
        template: "health.html",
        values: context! {
            not_ready => value(&ready),
            not_well => value(&not_well),
            version => status.version,
            started => status.started.to_string(),
            up => times::length(up),
            store => value(&status.store),
            people => status.people,
            problems => value(&status.problems),
            loading_since => value(&status.loading_since),
            of_files => of_files,
            credentials => value(&status.credentials),
            web => value(&status.web),
            keeping => value(&keeping),
            bytes => bytes(keeping.bytes),
            growth => value(&keeping.growth.map(|growth| bytes(growth.per_day))),
        },
    })
}

/// A size in the unit that suits it.
fn bytes(of: u64) -> String {
    let units = ["KiB", "MiB", "GiB", "TiB"];
    let mut whole = of;
    let mut rest = 0;
    let mut unit = "bytes";
    for next in units {
        if whole < 1024 {
            break;
        }
        rest = whole % 1024 * 10 / 1024;
        whole /= 1024;
        unit = next;
    }
    if unit == "bytes" || whole >= 100 {
        format!("{whole} {unit}")
    } else {
        format!("{whole}.{rest} {unit}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_told_in_the_unit_that_suits_it() {
        for (of, told) in [
            (0, "0 bytes"),
            (1023, "1023 bytes"),
            (1024, "1.0 KiB"),
            (1_600_000, "1.5 MiB"),
            (300 << 20, "300 MiB"),
            (3 << 40, "3.0 TiB"),
        ] {
            assert_eq!(bytes(of), told);
        }
    }
}
