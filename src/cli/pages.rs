//! Lists that come page by page: as many items as were asked for. What is in a list is the verb's to say.

use std::num::NonZeroUsize;

use clap::Args;

use crate::control::client::{Client, ClientError, Cut};
use crate::control::protocol::Page;
use crate::model::IntegrationId;

use super::{Exit, Failure};

/// How much of a list to show.
#[derive(Debug, PartialEq, Eq, Args)]
pub struct Length {
    /// the most to show
    #[arg(long, value_name = "N", default_value = "50")]
    pub limit: NonZeroUsize,
    /// go on where a list ended: `next` of its JSON
    #[arg(long, value_name = "CURSOR", hide_short_help = true)]
    pub cursor: Option<String>,
}

impl Length {
    /// More than there can be of one thing.
    pub(super) fn ample() -> Length {
        Length {
            limit: NonZeroUsize::MIN.saturating_add(999),
            cursor: None,
        }
    }
}

impl Default for Length {
    fn default() -> Length {
        Length {
            limit: NonZeroUsize::MIN.saturating_add(49),
            cursor: None,
        }
    }
}

/// Reads pages until there are as many items as asked for, or no more.
pub(super) async fn read<T>(
    length: &Length,
    mut page: impl AsyncFnMut(Cut) -> Result<Page<T>, ClientError>,
) -> Result<Page<T>, ClientError> {
    let mut all = Page {
        items: Vec::new(),
        next: length.cursor.clone(),
    };
    let limit = length.limit.get();
    loop {
        let more = page(Cut {
            limit: Some(limit - all.items.len()),
            cursor: all.next.take(),
        })
        .await?;
        all.items.extend(more.items);
        all.next = more.next;
        if all.next.is_none() || all.items.len() >= limit {
            return Ok(all);
        }
    }
}

/// What came of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fits {
    /// Something.
    Some,
    /// Nothing, and nothing in particular was asked for.
    NothingThere,
    /// Nothing of what was asked for.
    NoneOfThem,
}

impl Fits {
    /// Whether something in particular was asked for is `filtered`.
    pub(super) fn of<T>(items: &[T], filtered: bool) -> Fits {
        match (items.is_empty(), filtered) {
            (false, _) => Fits::Some,
            (true, false) => Fits::NothingThere,
            (true, true) => Fits::NoneOfThem,
        }
    }

    /// That nothing fits is not what was asked for.
    pub(super) fn exit(self) -> Exit {
        match self {
            Fits::Some | Fits::NothingThere => Exit::Done,
            Fits::NoneOfThem => Exit::Failed,
        }
    }
}

/// Refuses a list of nothing that an integration was asked for which is not there: it is misspelt.
pub(super) async fn nothing_of(
    integration: Option<&IntegrationId>,
    is_empty: bool,
    client: &Client,
) -> Result<(), Failure> {
    let Some(id) = integration.filter(|_| is_empty) else {
        return Ok(());
    };
    match client.integration(id).await {
        Err(ClientError::Refused(problem)) if problem.status == 404 => {
            let told = format!("there is no integration `{id}`; `epms status` lists them");
            Err(Failure::other(Exit::Failed, told))
        }
        known => Ok(known.map(drop)?),
    }
}

/// What to say below a list that goes on.
pub(super) fn more(shown: usize, next: Option<&str>) -> String {
    if next.is_none() {
        return String::new();
    }
    format!(
        "\nthere are more; `--limit {}` shows more of them\n",
        shown * 10
    )
}
