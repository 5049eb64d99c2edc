//! The set-up on the page: answers are kept, the PMS is looked into on the way, and the files that come of it are shown, tried
//! and written, as `epms add integration` writes them. What the texts are is for `setup` to say.

mod answers;
mod plan;
mod shown;

use std::sync::Arc;

use jiff::Timestamp;
use tokio::runtime::Handle;

use crate::catalog::{self, Catalog};
use crate::config::{Credential, CredentialValue, Document, File, Files, Home};
use crate::control::protocol::ProblemDocument;
use crate::control::server::{Answer, Peer};
use crate::control::setup::{Setup, SetupAnswer, SetupNext, SetupOf, SetupStep};
use crate::daemon::drafts::{Draft, Foreseen};
use crate::model::{IntegrationId, Problems};
use crate::setup::asking::{Shown, shown as counted};
use crate::setup::{self, Pasted, Unwritten, difference, listed};
use crate::source::Reader;
use crate::sync;

use super::Daemon;
use plan::Planned;

/// So many integrations are looked at of those that come at once.
const FORESEEN: usize = 5;

/// The set-up ended, or never was.
fn ended() -> ProblemDocument {
    ProblemDocument::gone(
        "this set-up has ended: it was written or given up, nothing was answered for an hour, or the daemon began anew. Begin it again; what it wrote is there",
    )
}

/// What a set-up is looked at with.
struct Around {
    home: Home,
    catalog: Arc<Catalog>,
    now: Timestamp,
}

impl Daemon {
    fn around(&self) -> Around {
        Around {
            home: self.home.clone(),
            catalog: Arc::clone(&self.catalog.borrow()),
            now: (self.tools.now)(),
        }
    }

    /// The one under way, or a new one.
    async fn draft(&self, of: &SetupOf, peer: &Peer) -> Answer<Draft> {
        let now = (self.tools.now)();
        if let Some(key) = &of.draft {
            let draft = self.drafts.get(key, &peer.to_string(), now);
            let is_of_it = |draft: &Draft| draft.integration == of.integration;
            return draft.filter(is_of_it).ok_or_else(ended);
        }
        let Some(id) = of.integration.clone() else {
            return Ok(Draft::default());
        };
        let around = self.around();
        off(move || plan::of_file(&id, &around)).await?
    }

    pub(super) async fn setup_of(&self, of: SetupOf, peer: Peer) -> Answer<Setup> {
        let draft = self.draft(&of, &peer).await?;
        let around = self.around();
        off(move || shown::shown(of.draft, &draft, &around)).await
    }

    pub(super) async fn answered(
        &self,
        of: SetupOf,
        answer: SetupAnswer,
        peer: Peer,
    ) -> Answer<SetupNext> {
        let owner = peer.to_string();
        let mut draft = self.draft(&of, &peer).await?;
        let now = (self.tools.now)();
        if answer == SetupAnswer::Drop {
            if let Some(key) = &of.draft {
                self.drafts.end(key, &owner, now);
            }
            return Ok(SetupNext {
                draft: None,
                step: SetupStep::Pms,
                written: None,
            });
        }
        draft.trouble = None;
        let mut written = None;
        let step = match answer {
            SetupAnswer::Write { digest, enabled } => {
                written = self.write(&mut draft, &digest, enabled, &peer).await?;
                if written.is_none() {
                    self.foresee(&mut draft).await?;
                }
                SetupStep::Preview
            }
            SetupAnswer::Foresee => {
                self.foresee(&mut draft).await?;
                SetupStep::Preview
            }
            SetupAnswer::Ask(SetupStep::Statuses) => {
                self.count(&mut draft).await?;
                SetupStep::Statuses
            }
            SetupAnswer::Ask(_) => {
                self.list(&mut draft).await?;
                SetupStep::Properties
            }
            answer => {
                let around = self.around();
                let (next, step) = off(move || {
                    let step = answers::taken(&mut draft, answer, &around);
                    (draft, step)
                })
                .await?;
                draft = next;
                self.goes_on(&mut draft, step).await?
            }
        };
        if let Some(written) = written {
            if let Some(key) = &of.draft {
                self.drafts.end(key, &owner, now);
            }
            return Ok(SetupNext {
                draft: None,
                step,
                written: Some(written),
            });
        }
        draft.reached = draft.reached.max(step);
        let key = of.draft.map_or_else(key, Ok)?;
        if !self.drafts.keep(&key, &owner, draft, now) {
            return Err(ProblemDocument::busy(
                "too many set-ups are under way; end one, or wait an hour",
            ));
        }
        Ok(SetupNext {
            draft: Some(key),
            step,
            written: None,
        })
    }

    /// Looks at what the next step shows, where that is not known yet. An account that does not let us in is looked at anew
    /// first.
    async fn goes_on(&self, draft: &mut Draft, step: SetupStep) -> Answer<SetupStep> {
        match step {
            SetupStep::Properties if draft.listed.is_none() && draft.integration.is_none() => {
                self.list(draft).await?;
                if let Some(Err(told)) = &draft.listed {
                    draft.trouble = Some((SetupStep::Credential, told.clone()));
                    draft.reached = draft.reached.max(SetupStep::Properties);
                    return Ok(SetupStep::Credential);
                }
            }
            SetupStep::Statuses if draft.counted.is_none() => self.count(draft).await?,
            SetupStep::Preview => self.foresee(draft).await?,
            _ => {}
        }
        Ok(step)
    }

    /// Asks the PMS for its properties.
    async fn list(&self, draft: &mut Draft) -> Answer<()> {
        let (of, around, reader) = (draft.clone(), self.around(), Arc::clone(&self.tools.reader));
        let asked = off(move || {
            let files = Files::read(&around.home);
            let handle = Handle::current();
            with(&of, &around, &files, &reader, |draft| {
                handle.block_on(listed(&draft, &files))
            })
        });
        draft.listed = Some(asked.await?);
        Ok(())
    }

    /// Asks the PMS for the residents of the properties that were chosen.
    async fn count(&self, draft: &mut Draft) -> Answer<()> {
        let (of, around, reader) = (draft.clone(), self.around(), Arc::clone(&self.tools.reader));
        let asked = off(move || {
            let files = Files::read(&around.home);
            let handle = Handle::current();
            let shown: Result<Shown, String> = with(&of, &around, &files, &reader, |draft| {
                handle.block_on(draft.ask(&of.properties, async |asking, reader| {
                    counted(asking, reader).await
                }))
            });
            shown.map(Arc::new)
        });
        draft.counted = Some(asked.await?);
        Ok(())
    }

    /// What the first runs would do by the files that come of it. Nothing of it remains.
    async fn foresee(&self, draft: &mut Draft) -> Answer<()> {
        let (of, around) = (draft.clone(), self.around());
        let tried = off(move || tried(&of, &around)).await?;
        let Ok((digest, ids)) = tried else {
            // The page says what is wrong.
            draft.foreseen = None;
            return Ok(());
        };
        let more = ids.len().saturating_sub(FORESEEN);
        let mut each = Vec::new();
        for (id, integration) in ids.into_iter().take(FORESEEN) {
            let Some(integration) = integration else {
                continue;
            };
            let maps = vec![Arc::clone(&integration)];
            let previews = sync::trial(integration, maps, None, self.tools.clone()).await;
            let previews = previews.map_err(|error| {
                tracing::error!(integration = %id, %error, "a trial failed");
                ProblemDocument::internal(error.to_string())
            })?;
            each.extend(previews.iter().map(|preview| shown::foreseen(&id, preview)));
        }
        draft.foreseen = Some(Foreseen { digest, each, more });
        Ok(())
    }

    /// Writes what was looked at; none where it is another by now.
    async fn write(
        &self,
        draft: &mut Draft,
        digest: &str,
        enabled: Option<bool>,
        peer: &Peer,
    ) -> Answer<Option<Vec<IntegrationId>>> {
        let (of, around, digest) = (draft.clone(), self.around(), digest.to_owned());
        let done = off(move || write(&of, &around, &digest, enabled)).await?;
        let ids = match done {
            Ok(ids) => ids,
            Err(told) => {
                draft.trouble = Some((SetupStep::Preview, told));
                return Ok(None);
            }
        };
        for integration in &ids {
            tracing::info!(%integration, uid = peer.uid, account = peer.account(), "files were written on the page");
        }
        // Its own outcome stands on the page that follows.
        if let Err(problem) = self.reload(peer.clone()).await {
            tracing::warn!(
                problem = problem.detail,
                "what was written is not loaded yet"
            );
        }
        Ok(Some(ids))
    }

    async fn reload(&self, peer: Peer) -> Answer<()> {
        use crate::control::server::Backend;
        Backend::reload(self, peer).await.map(drop)
    }
}

/// Does what may wait for a disk or a PMS, off the threads that answer.
async fn off<T: Send + 'static>(does: impl FnOnce() -> T + Send + 'static) -> Answer<T> {
    let done = tokio::task::spawn_blocking(does).await;
    done.map_err(|_| ProblemDocument::internal("it ended unexpectedly"))
}

/// What a set-up is found again by: nobody guesses it.
fn key() -> Answer<String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| ProblemDocument::internal(error.to_string()))?;
    let hex = blake3::Hash::from(bytes).to_hex();
    Ok(hex.chars().take(32).collect())
}

/// The account of a draft, as it is used now.
fn credential(draft: &Draft, files: &Files) -> Result<Credential, String> {
    if !draft.is_new {
        let read = files.credentials.get(&draft.credential);
        return match read {
            Some(Ok(file)) => Ok(file.value.clone()),
            Some(Err(problems)) => Err(Problems(problems.clone()).to_string()),
            None => Err(format!("there is no credential `{}`", draft.credential)),
        };
    }
    let text = plan::credential(draft, files)?;
    let read = File::of_credential(&draft.credential, &text);
    let file = read.map_err(|problems| Problems(problems).to_string())?;
    Ok(in_memory(file.value, draft))
}

/// The same with the secrets where they lie now.
fn in_memory(mut credential: Credential, draft: &Draft) -> Credential {
    for (field, pasted) in &draft.secrets {
        let now = CredentialValue::Secret(pasted.now());
        credential.fields.insert(field.clone(), now);
    }
    credential
}

/// Looks into the PMS of a draft.
fn with<T>(
    draft: &Draft,
    around: &Around,
    files: &Files,
    reader: &Reader,
    looks: impl FnOnce(setup::Draft<'_>) -> Result<T, String>,
) -> Result<T, String> {
    let credential = credential(draft, files)?;
    let connector = match files.connectors.get(&credential.connector) {
        Some(Ok(file)) => file,
        Some(Err(problems)) => return Err(Problems(problems.clone()).to_string()),
        None => return Err(format!("there is no connector `{}`", credential.connector)),
    };
    looks(setup::Draft {
        home: &around.home,
        connector,
        name: &draft.credential,
        credential: &credential,
        now: around.now,
        reader: Some(reader),
    })
}

/// What each integration would be by the files of a draft; none of one whose files are not right.
type Tried = Vec<(IntegrationId, Option<Arc<catalog::Integration>>)>;

fn tried(draft: &Draft, around: &Around) -> Result<(String, Tried), String> {
    let Planned { files, ids, .. } = plan::plan(draft, around, true)?;
    let catalog = as_if(&files, around);
    let each = ids.into_iter().map(|id| {
        let id = IntegrationId::new(id);
        let slot = catalog.integrations.get(&id);
        let right = slot.filter(|slot| slot.problems.is_empty());
        let current = right.and_then(|slot| slot.current.clone());
        let current = current.map(|one| {
            if draft.is_new {
                one.asking_by(in_memory(one.credential.clone(), draft))
            } else {
                one
            }
        });
        (id, current)
    });
    let each = each.collect();
    Ok((difference::digest(&files), each))
}

/// What would be loaded if the files were written.
fn as_if(files: &[setup::NewText], around: &Around) -> Catalog {
    let texts: Vec<_> = files
        .iter()
        .map(|file| (file.name.clone(), file.text.clone()))
        .collect();
    catalog::load_as_if(&around.home, &around.catalog, &texts, around.now)
}

/// Writes exactly what was looked at.
fn write(
    draft: &Draft,
    around: &Around,
    digest: &str,
    enabled: Option<bool>,
) -> Result<Vec<IntegrationId>, String> {
    let looked_at = plan::plan(draft, around, true)?;
    if difference::digest(&looked_at.files) != digest {
        return Err(
            "the files are not as they were when you looked: below is what would be written now. Nothing was written".to_owned(),
        );
    }
    let planned = match enabled {
        Some(false) => plan::plan(draft, around, false)?,
        _ => looked_at,
    };
    let problems = shown::problems(&planned, around);
    if !problems.is_empty() {
        return Err("the files would not be right, and nothing was written; see below".to_owned());
    }
    if planned.files.is_empty() {
        return Err("nothing is different, and nothing was written".to_owned());
    }
    let secrets: Vec<&Pasted> = if draft.is_new {
        draft.secrets.values().map(Arc::as_ref).collect()
    } else {
        Vec::new()
    };
    let written = setup::write(&around.home, &secrets, &planned.files);
    written.map_err(|error: Unwritten| format!("{error}. Nothing was written"))?;
    Ok(planned.ids.into_iter().map(IntegrationId::new).collect())
}

/// Whether a text is YAML at all, and has this at the place of the file of an integration.
fn fits(line: &str) -> Result<(), String> {
    let around =
        "version: 1\nproperty: { name: x, timezone: UTC }\ncredential: a\npms_properties: [b]\n";
    let bare = around
        .lines()
        .filter(|one| one.split(':').next() != line.split(':').next())
        .fold(String::new(), |text, one| format!("{text}{one}\n"));
    let text = format!("{bare}{line}\n");
    Document::parse("integration.yaml".as_ref(), &text)
        .and_then(|_| File::of_integration("integration", &text))
        .map(drop)
        .map_err(|problems| {
            let first = problems.first().map(|one| one.message.clone());
            first.unwrap_or_default()
        })
}
