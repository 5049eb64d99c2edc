//! Open alerts by kind and integration with how many there are, and the end of many at once.

use std::io::BufRead;

use crate::control::client::{AlertFilter, Client};
use crate::control::protocol::{AlertGroup, AlertGroups, GroupedAlerts};
use crate::model::{AlertKind, DismissMany, Dismissed, IntegrationId};

use super::super::pages::{self, Length};
use super::super::table::{Column, Table, clean};
use super::super::view::View;
use super::super::{Exit, Failure, Screen, approve};

/// Lists them; as JSON with the alerts themselves.
pub(super) async fn list(
    integration: Option<&IntegrationId>,
    json: bool,
    client: &Client,
    screen: &mut Screen<'_>,
) -> Result<(), Failure> {
    let AlertGroups { groups } = client.alert_groups(None, integration).await?;
    pages::nothing_of(integration, groups.is_empty(), client).await?;
    if json {
        let filter = AlertFilter {
            integration: integration.cloned(),
            ..AlertFilter::default()
        };
        let length = Length::default();
        let page = pages::read(&length, async |cut| client.alerts(&filter, &cut).await);
        let all = GroupedAlerts {
            groups,
            page: page.await?,
        };
        return screen.show(true, &all, |_, _| String::new());
    }
    screen.show(false, &groups, |groups, view| shown(groups, view))
}

fn shown(groups: &[AlertGroup], view: &View) -> String {
    if groups.is_empty() {
        return "no alerts\n".to_owned();
    }
    let mut table = Table::new([
        ("KIND", Column::Whole),
        ("INTEGRATION", Column::Cut),
        ("ALERTS", Column::Number),
        ("FIRST", Column::Whole),
        ("SINCE", Column::Whole),
        ("ASSIGNED", Column::Cut),
    ]);
    for group in groups {
        let assigned: Vec<String> = group.assigned.iter().map(|name| clean(name)).collect();
        table.row([
            group.kind.into(),
            group.integration.to_string().into(),
            group.count.into(),
            group.first.into(),
            view.relative(group.oldest.min(view.now)).into(),
            assigned.join(", ").into(),
        ]);
    }
    let mut text = table.render(view);
    let namesakes: u64 = groups.iter().map(|group| group.namesakes).sum();
    if namesakes > 0 {
        text += &format!("\n{namesakes} of them are probably namesakes\n");
    }
    text += "\n`epms alerts list --all` lists each, `--kind` and `--integration` those of one\n";
    text
}

/// Dismisses all open alerts of a kind. `input` is somebody who can see a question and answer it.
pub(super) async fn dismiss(
    kind: AlertKind,
    integration: Option<&IntegrationId>,
    json: bool,
    client: &Client,
    input: Option<&mut dyn BufRead>,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    let groups = client.alert_groups(Some(kind), integration).await?.groups;
    pages::nothing_of(integration, groups.is_empty(), client).await?;
    let count: u64 = groups.iter().map(|group| group.count).sum();
    if let Some(input) = input.filter(|_| count > 0) {
        let question = format!("dismiss {}", alerts(count));
        let list = shown(&groups, &screen.view);
        if !approve::says_yes(&list, &question, input, screen)? {
            writeln!(screen.out, "not dismissed: they stay open")?;
            return Ok(Exit::Failed);
        }
    }
    // What comes after somebody looked stays open.
    let seen = groups.iter().map(|group| group.newest).max();
    let dismissed = match seen {
        None => Dismissed { alerts: Vec::new() },
        seen => {
            let asked = DismissMany {
                kind,
                integration: integration.cloned(),
                seen,
            };
            client.dismiss_many(&asked).await?
        }
    };
    screen.show(json, &dismissed, |dismissed, _| {
        let count = dismissed.alerts.len() as u64;
        match count {
            0 => format!("no open {kind} there\n"),
            count => format!(
                "dismissed {}; `epms alerts undo ID` brings one back, `epms alerts list --state dismissed` lists them\n",
                alerts(count)
            ),
        }
    })?;
    Ok(Exit::Done)
}

fn alerts(count: u64) -> String {
    match count {
        1 => "1 alert".to_owned(),
        count => format!("{count} alerts"),
    }
}
