//! What people say to each other about alerts: comments, who looks after one, and dismissing many at once. Each is an act of
//! its own.

use crate::model::{
    Act, ActId, ActKind, Alert, AlertId, AlertState, Assigned, Comment, DismissMany, Dismissed,
    Done, Swap,
};
use crate::store::{Store, Write};

use super::{ActError, Hand};

type Answer<T> = Result<T, ActError>;

/// A comment is no longer, in characters.
const LONGEST: usize = 2_000;
/// A name is no longer.
const NAME: usize = 100;
/// An alert has no more comments.
const COMMENTS: usize = 200;

/// Says something about an alert, in whatever state it is.
pub fn comment(store: &Store, id: AlertId, text: &str, hand: &Hand) -> Answer<Done> {
    let text = text.trim();
    if text.is_empty() {
        return Err(ActError::Invalid(
            "the comment is empty; write a text".to_owned(),
        ));
    }
    if text.chars().count() > LONGEST {
        let told = format!("the comment is too long; write {LONGEST} characters at most");
        return Err(ActError::Invalid(told));
    }
    let write = store.write()?;
    let mut alert = alert_in(&write, id)?;
    if alert.comments.len() >= COMMENTS {
        let told = format!("{id} has {COMMENTS} comments already, and takes no more");
        return Err(ActError::Refused(told));
    }
    alert.comments.push(Comment {
        text: text.to_owned(),
        by: hand.by.clone(),
        at: hand.now,
    });
    let said = (Some(text.to_owned()), None);
    done(write, alert, ActKind::Comment, said, hand)
}

/// Says who looks after an alert; none for nobody.
pub fn assign(store: &Store, id: AlertId, to: Option<&str>, hand: &Hand) -> Answer<Done> {
    let to = to.map(str::trim);
    if to.is_some_and(|to| to.is_empty() || to.chars().any(char::is_control)) {
        let told = "the name is empty, or has a line break in it; write it on one line";
        return Err(ActError::Invalid(told.to_owned()));
    }
    if to.is_some_and(|to| to.chars().count() > NAME) {
        let told = format!("the name is too long; write {NAME} characters at most");
        return Err(ActError::Invalid(told));
    }
    let write = store.write()?;
    let mut alert = alert_in(&write, id)?;
    if alert.assigned.as_ref().map(|assigned| assigned.to.as_str()) == to {
        return Err(ActError::Refused(match to {
            Some(to) => format!("{id} is assigned to {to} already"),
            None => format!("{id} is assigned to nobody"),
        }));
    }
    let after = to.map(|to| Assigned {
        to: to.to_owned(),
        by: hand.by.clone(),
        at: hand.now,
    });
    let swap = Swap {
        before: std::mem::replace(&mut alert.assigned, after.clone()),
        after,
    };
    let kind = match to {
        Some(_) => ActKind::Assign,
        None => ActKind::Unassign,
    };
    done(
        write,
        alert,
        kind,
        (to.map(str::to_owned), Some(swap)),
        hand,
    )
}

/// Takes back what somebody said about an alert, or who was to look after it, as that act did it.
pub(super) fn take_back(mut alert: Alert, act: &Act) -> Answer<Alert> {
    let id = alert.id;
    if act.kind == ActKind::Comment {
        let is_it = |comment: &Comment| {
            comment.at == act.at && comment.by == act.by && act.said.as_ref() == Some(&comment.text)
        };
        let Some(at) = alert.comments.iter().position(is_it) else {
            let told = format!("the comment of {} is not at {id} any more", act.id);
            return Err(ActError::Refused(told));
        };
        alert.comments.remove(at);
        return Ok(alert);
    }
    let Some(swap) = &act.assigned else {
        return Err(ActError::Refused(format!(
            "{} was done by an earlier version, which did not keep who looked after {id} before; `epms alerts assign {id} NAME`, or `--none`, says it anew",
            act.id
        )));
    };
    if alert.assigned != swap.after {
        return Err(ActError::Refused(format!(
            "who looks after {id} was said anew since {}; undo is not possible any more. `epms alerts assign {id} NAME`, or `--none`, says it",
            act.id
        )));
    }
    alert.assigned.clone_from(&swap.before);
    Ok(alert)
}

/// Dismisses all open alerts of a kind, at an integration or everywhere: all of them, or none. Those that came, or opened
/// again, after what somebody looked at stay open.
pub fn dismiss_many(store: &Store, asked: &DismissMany, hand: &Hand) -> Answer<Dismissed> {
    if asked.kind.is_of_the_feed() {
        return Err(ActError::Refused(format!(
            "{} closes itself when its cause is gone, and is not dismissed",
            asked.kind
        )));
    }
    let open = store.read()?.open_alerts_of(&[asked.kind].into())?;
    let write = store.write()?;
    let mut settled = Vec::new();
    for alert in open {
        let is_there = asked
            .integration
            .as_ref()
            .is_none_or(|at| *at == alert.integration);
        let is_seen = asked.seen.is_none_or(|seen| alert.first_seen <= seen);
        // It may have closed meanwhile.
        let alert = write
            .alert(alert.id)?
            .filter(|alert| alert.state == AlertState::Open);
        if let Some(mut alert) = alert.filter(|_| is_there && is_seen) {
            let act = act(&write, ActKind::Dismiss, &alert, hand)?;
            write.put_act(&act)?;
            alert.state = AlertState::Dismissed;
            alert.acts.push(act.id);
            settled.push(alert);
        }
    }
    write.put_alerts(&settled)?;
    write.commit()?;
    Ok(Dismissed {
        alerts: settled.into_iter().map(|alert| alert.id).collect(),
    })
}

fn alert_in(write: &Write, id: AlertId) -> Answer<Alert> {
    write.alert(id)?.ok_or_else(|| {
        ActError::NotFound(format!("there is no alert {id}; `epms alerts` lists them"))
    })
}

fn act(write: &Write, kind: ActKind, alert: &Alert, hand: &Hand) -> Answer<Act> {
    let id: ActId = write.new_act_id()?;
    Ok(Act {
        alert: Some((alert.id, alert.state)),
        ..Act::new(id, kind, hand.now, hand.by.clone())
    })
}

fn done(
    write: Write,
    mut alert: Alert,
    kind: ActKind,
    (said, assigned): (Option<String>, Option<Swap<Assigned>>),
    hand: &Hand,
) -> Answer<Done> {
    let act = Act {
        said,
        assigned,
        ..act(&write, kind, &alert, hand)?
    };
    write.put_act(&act)?;
    alert.acts.push(act.id);
    write.put_alert(&alert)?;
    write.commit()?;
    Ok(Done {
        act: act.id,
        kind,
        alert: Some(alert.id),
        changes: Vec::new(),
    })
}
