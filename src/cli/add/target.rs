//! `epms add target`: the set-up steps of a place that access is delivered to: connector, credential, whose people, what waits,
//! what everybody gets, switch on. Which unit has which place is for `epms discover`.

use clap::Args;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::config::{DeliveryMode, Files, Home, nearest};
use crate::model::Problems;
use crate::setup::draft::PATIENCE;
use crate::setup::{NewTarget, answer, text};
use crate::source::{Operation, Reader, Source};

use super::super::Failure;
use super::super::next::Step;
use super::super::there::{Place, There};
use super::account::{Account, Of, account, new_stem};
use super::ask::{Dialog, Question};
use super::look::Listing;
use super::steps::seen_or_kept;
use super::{AccountArguments, NewFile, Plan};

/// The answers that are given beforehand.
#[derive(Debug, Default, Args)]
#[command(after_help = "\
asks on a terminal for what no flag says; elsewhere a missing answer ends with
2, but for the credential's name, which is NAME then. nothing that is there is
overwritten, and nothing is sent. a secret is never an answer: only the place
where it is kept is. which unit has which place is filled in afterwards, with
what `epms discover NAME --yaml` gives

examples
  epms add target
  epms add target acme-door --connector opendoor --credential acme-door \\
    --secret client_secret=file:secrets/acme-door --from elm-court --yes")]
pub struct TargetArguments {
    /// the target's id, and the name of its file [default: the credential's name]
    #[arg(value_name = "NAME")]
    pub id: Option<String>,
    /// The credential.
    #[command(flatten)]
    pub account: AccountArguments,
    /// an integration whose people it gets; as often as there are some [default: all]
    #[arg(long, value_name = "INTEGRATION")]
    pub from: Vec<String>,
    /// what waits for somebody's approval: approve (what opens or changes), approve_all, automatic (nothing) [default: approve]
    #[arg(long, value_name = "MODE")]
    pub mode: Option<String>,
    /// the target's id of something that everybody gets; as often as there are some
    #[arg(long, value_name = "PLACE")]
    pub common: Vec<String>,
    /// leave it switched off
    #[arg(long)]
    pub disabled: bool,
    /// take defaults, and do not ask whether to write
    #[arg(long)]
    pub yes: bool,
}

/// Asks for all that the flags leave open.
pub(super) async fn plan(
    arguments: &TargetArguments,
    home: &Home,
    dialog: &mut Dialog<'_, '_>,
) -> Result<Plan, Failure> {
    let files = Files::read(home);
    let mut whose = arguments.account.clone();
    // Where nobody can be asked, a target and its account have one name.
    if !dialog.is_open() {
        whose.credential = whose.credential.or_else(|| arguments.id.clone());
    }
    let account = account(&whose, Of::Target, home, &files, dialog)?;
    for note in &account.file.value.notes {
        dialog.say(&format!("  note: {note}"))?;
    }
    let source = Source::compile(account.file);
    let source = source.map_err(|problems| Failure::Config(Problems(problems)))?;
    let is_told = source.can(Operation::Send);
    let id = dialog.answer(
        arguments.id.as_deref(),
        Question {
            flag: "NAME",
            text: "id of the target",
            default: Some(&account.name)
                .filter(|name| !files.targets.contains_key(*name))
                .map(String::as_str),
        },
        |id| new_stem(home, "targets", id),
    )?;
    let from = from(arguments, &files, dialog)?;
    let mode = if is_told {
        DeliveryMode::default()
    } else {
        mode(arguments, dialog)?
    };
    let common = if is_told {
        Vec::new()
    } else {
        common(arguments, home, &account, &files, &source, dialog).await?
    };
    let enabled = dialog.answer(
        arguments.disabled.then_some("n"),
        Question {
            flag: "--disabled",
            text: "switch it on",
            default: Some("y"),
        },
        answer::yes,
    )?;
    let new = NewTarget {
        id,
        credential: account.name,
        from,
        mode,
        common,
        is_told,
        enabled,
    };
    let file = NewFile {
        id: new.id.clone(),
        name: format!("config/targets/{}.yaml", new.id).into(),
        text: text::target(&new),
    };
    Ok(Plan {
        files: vec![file],
        next: next(&new, source.can(Operation::Places)),
        notes: account.file.value.notes.clone(),
        credential: account.text.map(|text| (new.credential, text)),
        secrets: account.pasted,
        is_one: true,
    })
}

/// The integrations whose people it gets; none for all.
fn from(
    arguments: &TargetArguments,
    files: &Files,
    dialog: &mut Dialog<'_, '_>,
) -> Result<Vec<String>, Failure> {
    let known: Vec<&str> = files.integrations.keys().map(String::as_str).collect();
    let check = |text: &str| {
        let parts = answer::parts(text);
        let strange = parts.iter().find(|part| !known.contains(&part.as_str()));
        match strange {
            None => Ok(parts),
            Some(part) => {
                let near = match nearest(part, &known) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None if known.is_empty() => "there are none yet".to_owned(),
                    None => format!("there are: {}", known.join(", ")),
                };
                Err(format!("there is no integration `{part}`; {near}"))
            }
        }
    };
    let given = (!arguments.from.is_empty()).then(|| arguments.from.join(","));
    let text = format!(
        "integrations whose people it gets, with commas between them (there are: {}; empty: all)",
        known.join(", ")
    );
    // Where there are none yet it is for all that come.
    let given = given.or_else(|| known.is_empty().then(String::new));
    let question = Question {
        flag: "--from",
        text: &text,
        default: Some(""),
    };
    dialog.answer(given.as_deref(), question, check)
}

fn mode(arguments: &TargetArguments, dialog: &mut Dialog<'_, '_>) -> Result<DeliveryMode, Failure> {
    let all = [
        DeliveryMode::Approve,
        DeliveryMode::ApproveAll,
        DeliveryMode::Automatic,
    ];
    let question = Question {
        flag: "--mode",
        text: "what waits for approval: approve (what opens or changes), approve_all (everything), automatic (nothing)",
        default: Some(DeliveryMode::default().as_str()),
    };
    dialog.answer(arguments.mode.as_deref(), question, |text| {
        let found = all.into_iter().find(|mode| mode.as_str() == text.trim());
        found.ok_or_else(|| {
            format!(
                "`{}` is none of them; write {}",
                text.trim(),
                all.map(|mode| format!("`{}`", mode.as_str())).join(", ")
            )
        })
    })
}

/// What everybody gets. Somebody who answers is shown what there is.
async fn common(
    arguments: &TargetArguments,
    home: &Home,
    account: &Account<'_>,
    files: &Files,
    source: &Source,
    dialog: &mut Dialog<'_, '_>,
) -> Result<Vec<String>, Failure> {
    let given = answer::unique(arguments.common.iter().map(String::as_str));
    if !given.is_empty() {
        return Ok(given);
    }
    let mut listing = Listing::default();
    if dialog.is_open() && source.can(Operation::Places) {
        dialog.say("asking the target what can be granted there …")?;
        listing = match dialog.answers.seen.of(&account.credential, &[]) {
            Some(listing) => listing,
            None => seen(home, account, files).await,
        };
        let seen = &mut dialog.answers.seen;
        seen.keep(&account.credential, &[], &listing);
        dialog.say(&listing.told)?;
    }
    let known = listing.known();
    let question = Question {
        flag: "--common",
        text: "ids of what everybody gets, with commas between them (empty: nothing)",
        default: Some(""),
    };
    let parts = |text: &str| Ok(answer::parts(text));
    let mut common = seen_or_kept(dialog, "target", question, &known, parts)?;
    // As the target itself writes them: to it another case may be another id.
    for one in &mut common {
        let same = |place: &&(&str, &str)| place.0.eq_ignore_ascii_case(one);
        if let Some((id, _)) = known.iter().find(same) {
            *one = (*id).to_owned();
        }
    }
    Ok(common)
}

/// What can be granted, or why it cannot be seen.
async fn seen(home: &Home, account: &Account<'_>, files: &Files) -> Listing {
    match places(home, account, files).await {
        Ok(places) => Listing::new(
            places.into_iter().map(|one| (one.id, one.name)).collect(),
            |(id, name)| format!("  {id}  {name}"),
            "the target lists no places",
        ),
        Err(told) => Listing::unseen(&told),
    }
}

/// What can be granted, by an account that may have no file yet.
async fn places(home: &Home, account: &Account<'_>, files: &Files) -> Result<Vec<Place>, String> {
    let source = Source::compile(account.file);
    let source = source.map_err(|problems| Problems(problems).to_string())?;
    let settings = files.settings.as_ref().ok();
    let proxy = settings.and_then(|file| file.value.proxy.as_ref());
    let source = source.through(proxy);
    let there = There {
        name: &account.name,
        credential: &account.credential,
        source: &source,
        home: home.root(),
        fields: std::collections::BTreeMap::new(),
        zone: TimeZone::UTC,
        now: Timestamp::now(),
    };
    let reader = Reader::new().map_err(|error| error.to_string())?;
    let looked = async {
        let of_account = there.account(&reader).map_err(|error| error.to_string())?;
        let places = there.places(&reader, &of_account).await;
        places.map_err(|error| error.to_string())
    };
    let seen = tokio::time::timeout(PATIENCE, looked)
        .await
        .unwrap_or_else(|_| Err(format!("no answer in {} s", PATIENCE.as_secs())));
    // `epms doctor` says whether it works.
    let _ = there.leave(&reader).await;
    seen
}

fn next(new: &NewTarget, lists_places: bool) -> Vec<Step> {
    let id = &new.id;
    let file = format!("config/targets/{id}.yaml");
    let mut next = vec![Step::new(
        format!("epms doctor {id}"),
        "see whether the target lets us in; nothing is done there",
    )];
    if lists_places {
        next.push(Step::new(
            format!("epms discover {id} --yaml"),
            format!("its places, as a block to fill in and put into {file}"),
        ));
    } else if !new.is_told {
        let step = format!("write into `places` of {file} which unit has what");
        next.push(Step::new(step, ""));
    }
    if !new.enabled {
        let step = format!("write `enabled: true` in {file} to switch it on");
        next.push(Step::new(step, ""));
    }
    next.push(Step::new("epms check", "whether all files are right"));
    next.push(Step::new(
        "epms reload",
        "the daemon takes it in; a file that is saved later it sees by itself",
    ));
    if new.is_told {
        next.push(Step::new(
            format!("epms targets {id}"),
            "how far it has been told",
        ));
        return next;
    }
    next.push(Step::new(
        format!("epms deliveries preview {id}"),
        "what would be sent there, for whom, and why",
    ));
    if new.mode != DeliveryMode::Automatic {
        next.push(Step::new(
            format!("epms deliveries approve {id}"),
            "let it through",
        ));
    }
    next
}
