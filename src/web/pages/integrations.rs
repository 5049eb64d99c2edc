//! Integrations: how each stands, as cards, and one with all that is known of it.

use minijinja::context;
use serde::Serialize;

use crate::control::protocol::{
    IntegrationState, IntegrationStatus, ProblemDocument, ProgressEvent,
};
use crate::control::server::{Answer, Backend, GroupQuery};
use crate::model::{IntegrationId, PeopleQuery, PeopleSort, Person, Progress, Run, RunQuery};

use super::super::asked::Asked;
use super::super::chart::{self, Standing};
use super::super::lists;
use super::super::look::{Page, value};
use super::super::strip::{self, Strip, strip};

/// So many cards a page has.
const CARDS: usize = 60;

/// An integration, as a card shows it.
#[derive(Serialize)]
struct Card {
    #[serde(flatten)]
    status: IntegrationStatus,
    /// Whether it can be asked to sync.
    can_sync: bool,
    strip: Option<Strip>,
    progress: Option<Progress>,
}

pub(super) async fn list<B: Backend>(asked: Asked<B>) -> Answer<Page> {
    let status = asked.backend().status().await?;
    let text = asked.query.get("q").unwrap_or_default().to_lowercase();
    let health = asked.query.get("health").unwrap_or_default();
    let fits = |one: &&IntegrationStatus| {
        let named = [one.id.as_str(), &one.property, &one.connector];
        let is_named = named.iter().any(|name| name.to_lowercase().contains(&text));
        is_named && (health.is_empty() || one.health.as_str() == health)
    };
    let after = asked.query.get("cursor").unwrap_or_default();
    let all: Vec<&IntegrationStatus> = status.integrations.iter().filter(fits).collect();
    let mut rest = all.iter().filter(|one| one.id.as_str() > after);
    let shown: Vec<&IntegrationStatus> = rest.by_ref().take(CARDS).copied().collect();
    let more = rest.next().is_some();
    let next = shown.last().filter(|_| more).map(|last| last.id.as_str());
    let pages = lists::pager(&asked.query, next);
    let mut cards = Vec::new();
    for one in shown {
        cards.push(card(&asked, one.clone()).await?);
    }
    let mut healths: Vec<&str> = status
        .integrations
        .iter()
        .map(|one| one.health.as_str())
        .collect();
    healths.sort_unstable();
    healths.dedup();
    Ok(Page {
        title: "Integrations".to_owned(),
        part: "integrations",
        template: "integrations.html",
        values: context! {
            cards => value(&cards),
            fitting => all.len(),
            total => status.integrations.len(),
            people => status.people,
            open_alerts => status.open_alerts,
            problems => value(&status.problems),
            offline => status.offline,
            loading_since => value(&status.loading_since),
            healths => value(&healths),
            q => asked.query.get("q").unwrap_or_default(),
            health => health,
            pages => value(&pages),
        },
    })
}

async fn card<B: Backend>(asked: &Asked<B>, status: IntegrationStatus) -> Answer<Card> {
    let runs = runs(asked, &status.id, strip::RUNS).await?;
    let mut progress = None;
    if let Some(run) = status.running {
        let followed = asked.backend().follow(run).await.ok();
        progress = followed.and_then(|run| match &*run.events.borrow() {
            ProgressEvent::Progress(progress) => Some(*progress),
            ProgressEvent::Queued | ProgressEvent::Ended(_) => None,
        });
    }
    Ok(Card {
        can_sync: can_sync(&status),
        strip: strip(&runs),
        progress,
        status,
    })
}

async fn runs<B: Backend>(
    asked: &Asked<B>,
    integration: &IntegrationId,
    limit: usize,
) -> Answer<Vec<Run>> {
    let query = RunQuery {
        integration: Some(integration.clone()),
        limit: Some(limit),
        ..RunQuery::default()
    };
    let runs = asked.backend().runs(query).await?;
    Ok(runs
        .items
        .into_iter()
        .filter_map(|run| run.report)
        .collect())
}

fn can_sync(status: &IntegrationStatus) -> bool {
    !matches!(
        status.state,
        IntegrationState::Removed | IntegrationState::Broken | IntegrationState::Disabled
    )
}

/// So many people are looked at for the chart of statuses.
const PEOPLE: usize = 5_000;

/// The chart of people by status, and of how many people it is where there are more.
async fn standing<B: Backend>(
    asked: &Asked<B>,
    id: &IntegrationId,
) -> Answer<(Option<Standing>, Option<usize>)> {
    let mut people: Vec<Person> = Vec::new();
    let mut cursor = None;
    loop {
        let query = PeopleQuery {
            integration: Some(id.clone()),
            sort: Some(PeopleSort::Id),
            limit: Some(1_000),
            cursor,
            ..PeopleQuery::default()
        };
        let found = asked.backend().people(query).await?;
        people.extend(found.items);
        cursor = found.next;
        if cursor.is_none() || people.len() >= PEOPLE || found.stopped.is_some() {
            let limit = cursor.map(|_| people.len());
            return Ok((chart::standing(&people, id), limit));
        }
    }
}

pub(super) async fn one<B: Backend>(asked: Asked<B>) -> Answer<Page> {
    let id = IntegrationId::new(asked.name("id"));
    let status = asked.backend().status().await?;
    let found = status.integrations.into_iter().find(|one| one.id == id);
    let found = found.ok_or_else(|| ProblemDocument::no_integration(&id))?;
    let credentials = status.credentials;
    let reads = asked.backend().reads(&id).await?;
    let credential = reads.as_ref().and_then(|reads| {
        let mut all = credentials.into_iter();
        all.find(|credential| credential.name == reads.credential)
    });
    let latest = runs(&asked, &id, 10).await?;
    // What a run leaves out is known of the last that read everything.
    let excluded = latest.iter().find(|run| run.outcome.is_success());
    let excluded = excluded.map(|run| (run.id, run.excluded_by.clone()));
    let query = GroupQuery {
        integration: Some(id.clone()),
        kind: None,
    };
    let groups = asked.backend().alert_groups(query).await?.groups;
    let settings = asked.backend().settings(&id);
    let (of_week, week_limit) = super::runs::week(&asked, Some(id.clone())).await?;
    let (of_people, people_limit) = standing(&asked, &id).await?;
    let card = card(&asked, found).await?;
    let property = card.status.property.clone();
    Ok(Page {
        title: if property.is_empty() {
            id.to_string()
        } else {
            property
        },
        part: "integrations",
        template: "integration.html",
        values: context! {
            one => value(&card),
            runs => value(&latest),
            groups => value(&groups),
            of_week => value(&of_week),
            week_limit => value(&week_limit),
            of_people => value(&of_people),
            people_limit => value(&people_limit),
            settings => value(&settings),
            reads => value(&reads),
            credential => value(&credential),
            excluded_run => value(&excluded.as_ref().map(|(run, _)| run)),
            excluded_by => value(&excluded.map(|(_, by)| by)),
        },
    })
}
