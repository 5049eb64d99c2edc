//! The web page: what people look at, as pages and plain forms behind the same tiers, limits and acts as the socket's API.
//! Decides nothing, keeps nothing, and knows no way in of its own.
//!
//! ```text
//! pages   one file per part of the page: asks the backend, gives a template its values
//! acts    one file per part: a form's fields → a call of the backend → where to go on, and what is said there
//! look    templates, their filters, and the headers of every page
//! assets  the style sheet and the script, by the hash of what is in them
//! live    server-sent events: that something changed, and how runs come on
//! ```
//!
//! A page is a [`Route`] of [`pages`] with a handler `async fn(Asked<B>) -> Answer<Page>`; a form one with
//! `async fn(Asked<B>, Fields) -> Answer<Next>`. A problem is shown as a page with its own text.

mod acts;
mod asked;
mod assets;
mod chart;
mod clicks;
mod fields;
mod lists;
mod live;
mod look;
mod pages;
mod said;
mod strip;
mod times;
mod words;

use std::sync::Arc;

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;

use crate::control::protocol::ProblemDocument;
use crate::control::server::{Answer, Backend, Open, Route, Shows, Weight, Whole};
use crate::model::Tier;

use asked::Asked;
use fields::Fields;
use look::{Look, Page};

/// Where to go on after an act, and what is said there.
struct Next(String);

/// Every page and form.
pub fn pages<B: Backend>() -> Vec<Route<B>> {
    let look = match Look::new() {
        Ok(look) => Arc::new(look),
        Err(error) => {
            // A test renders every template: this is never seen.
            tracing::error!(%error, "the web page has a fault, and is not there");
            return Vec::new();
        }
    };
    let mut all = assets::routes(&look);
    all.push(live::route(&look));
    all.extend(pages::routes(&look));
    all.extend(acts::routes(&look));
    all
}

/// By what somebody can sign in, over the network.
#[derive(Debug, Clone, Default)]
pub struct Ways {
    /// By a name and a password.
    pub accounts: bool,
    /// By a provider of identities, which is called so.
    pub oidc: Option<String>,
}

/// What everybody sees who comes over the network: the page to sign in on.
pub fn open(ways: &Ways) -> Open {
    match Look::new() {
        Ok(look) => pages::open(&Arc::new(look), ways),
        // As above.
        Err(_) => Open::new(),
    }
}

/// A page, for whoever may observe.
fn page<B, F, A>(look: &Arc<Look>, path: &'static str, handler: F) -> Route<B>
where
    B: Backend,
    F: Fn(Asked<B>) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Answer<Page>> + Send,
{
    let own = Arc::clone(look);
    let route = Route::page(path, move |asked: Result<Asked<B>, ProblemDocument>| {
        let (look, handler) = (Arc::clone(&own), handler.clone());
        async move {
            let asked = match asked {
                Ok(asked) => asked,
                Err(problem) => return look.problem(&problem),
            };
            let frame = asked.frame();
            match handler(asked).await {
                Ok(page) => look.page(&page, &frame),
                Err(problem) => look.problem(&problem),
            }
        }
    });
    route.refused_as(shows(look))
}

/// What a form does, for whoever has this tier.
fn form<B, F, A>(look: &Arc<Look>, path: &'static str, tier: Tier, handler: F) -> Route<B>
where
    B: Backend,
    F: Fn(Asked<B>, Fields) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Answer<Next>> + Send,
{
    let answer = move |asked, fields| {
        let acted = handler(asked, fields);
        async move { acted.await.map(Done::Next) }
    };
    posted(look, path, tier, answer)
}

/// A form that is answered by a page.
fn question<B, F, A>(look: &Arc<Look>, path: &'static str, tier: Tier, handler: F) -> Route<B>
where
    B: Backend,
    F: Fn(Asked<B>, Fields) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Answer<Page>> + Send,
{
    let answer = move |asked, fields| {
        let acted = handler(asked, fields);
        async move { acted.await.map(Done::Page) }
    };
    posted(look, path, tier, answer).takes(Weight::Heavy)
}

/// What a form is answered by.
enum Done {
    Next(Next),
    Page(Page),
}

fn posted<B, F, A>(look: &Arc<Look>, path: &'static str, tier: Tier, handler: F) -> Route<B>
where
    B: Backend,
    F: Fn(Asked<B>, Fields) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Answer<Done>> + Send,
{
    let own = Arc::clone(look);
    let served = move |asked: Result<Asked<B>, ProblemDocument>,
                       headers: HeaderMap,
                       body: Result<Whole, ProblemDocument>| {
        let (look, handler) = (Arc::clone(&own), handler.clone());
        async move {
            let done = async {
                let (asked, Whole(body)) = (asked?, body?);
                is_form(&headers)?;
                let frame = asked.frame();
                let done = handler(asked, Fields::read(&body)).await?;
                Ok::<_, ProblemDocument>((done, frame))
            };
            match done.await {
                Ok((Done::Next(Next(to)), _)) => {
                    (StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response()
                }
                Ok((Done::Page(page), frame)) => look.page(&page, &frame),
                Err(problem) => look.problem(&problem),
            }
        }
    };
    Route::form(path, tier, served).refused_as(shows(look))
}

/// Nothing but the form of a page is understood.
fn is_form(headers: &HeaderMap) -> Answer<()> {
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Ok(());
    }
    Err(ProblemDocument::bad_request(
        "this takes the form of its page, `application/x-www-form-urlencoded`; programs ask beneath /v1",
    ))
}

fn shows(look: &Arc<Look>) -> Shows {
    let look = Arc::clone(look);
    Arc::new(move |problem| look.problem(problem))
}

#[cfg(test)]
mod tests;
