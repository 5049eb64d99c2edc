//! Values that templates ask for and that are never set where they stand, and keys of a request with which none of its
//! templates asks. Renders nothing.

use std::collections::BTreeMap;

use crate::config::{Auth, Connector, Operation, Page, Per};
use crate::model::Code;

use super::Compile;
use super::kinds::unused;

/// What stands in templates of every request.
const EVERYWHERE: [&str; 2] = ["headers", "auth"];

const SINCE: &str = "is of no use here: no template of the request has {{ since }}, so that the PMS sends everybody each time, and only the full readings miss who is gone; ask with it, or remove it";

const EACH: &str = "is of no use here: no template of the request has a {{ record.NAME }} of that list, so that it asks the same for each of its records; ask with one, or remove it";

impl Compile<'_> {
    /// Tells of values that are never set where a template asks for them.
    pub(super) fn never_set(&mut self) {
        let mut found = Vec::new();
        let once = asked_for_none(self.connector);
        for (name, request) in self.connector.all_requests() {
            let place = Connector::place_of(name);
            for (at, value) in self.templates.named_at(&place) {
                let page = is_of_pages(value).then(|| still(value, request.page.as_ref()));
                found.extend(page.flatten().map(|why| (at.to_owned(), why)));
                if let Some(by) = once.get(name).filter(|_| value == "property") {
                    let why = format!(
                        "`property` is empty here: `{by}` is asked once for all PMS properties; leave it out, or remove `per: once`"
                    );
                    found.push((at.to_owned(), why));
                }
            }
        }
        found.extend(self.never_set_everywhere());
        for (at, why) in found {
            self.warn(&at, why, Code::UnsetValue);
        }
    }

    /// The same in templates of every request, where it is never set in any of them.
    fn never_set_everywhere(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        for place in EVERYWHERE {
            for (at, value) in self.templates.named_at(place) {
                let requests = self.connector.all_requests();
                let mut pages = requests.map(|(_, request)| request.page.as_ref());
                if is_of_pages(value)
                    && pages.all(|page| still(value, page).is_some())
                    && let Some(why) = still(value, None)
                {
                    found.push((at.to_owned(), why));
                }
            }
        }
        found
    }

    /// Tells of keys of a request with which none of its templates asks.
    pub(super) fn of_no_use(&mut self) {
        let mut found = Vec::new();
        for (name, request) in self.connector.all_requests() {
            let place = Connector::place_of(name);
            let asks = |value: &str| {
                let places = EVERYWHERE.into_iter().chain([place.as_str()]);
                let mut named = places.flat_map(|place| self.templates.named_at(place));
                named.any(|(_, name)| name == value)
            };
            let is_told = || {
                let mut unused = unused(self.connector, name, request).into_iter();
                unused.any(|(key, _)| key == "page")
                    || Operation::of_request(name).is_some_and(Operation::acts)
            };
            let value = request.page.as_ref().and_then(moved_by);
            if let Some(value) = value.filter(|value| !asks(value) && !is_told()) {
                let why = format!(
                    "is of no use here: no template of the request has {{{{ {value} }}}}, so that each page is the first once more; ask with it, or remove it"
                );
                found.push((format!("{place}.page"), why));
            }
            if request.since.is_some() && !asks("since") {
                found.push((format!("{place}.since"), SINCE.to_owned()));
            }
            let mut named = self.templates.named_at(&place);
            if request.each.is_some() && !named.any(|(_, name)| name.starts_with("record.")) {
                found.push((format!("{place}.each"), EACH.to_owned()));
            }
        }
        for (at, why) in found {
            self.warn(&at, why, Code::UnusedKey);
        }
    }
}

fn is_of_pages(value: &str) -> bool {
    value.starts_with("page.")
}

/// The value that pages move by; none where links lead on.
fn moved_by(page: &Page) -> Option<&'static str> {
    match page {
        Page::Number(_) => Some("page.number"),
        Page::Offset(_) => Some("page.offset"),
        Page::Cursor(_) => Some("page.cursor"),
        Page::Next(_) | Page::Link(_) => None,
    }
}

/// Why a value of pages is the same in each request for a page; none where it is set.
fn still(value: &str, page: Option<&Page>) -> Option<String> {
    let is_counted = matches!(page, Some(Page::Number(_) | Page::Offset(_)));
    if value == "page.size" && is_counted || page.and_then(moved_by) == Some(value) {
        return None;
    }
    let why = match value {
        "page.cursor" => {
            "`page.cursor` is empty here: it comes from `page: { cursor: PATH }`, which the request does not have; add it, or leave it out"
        }
        "page.size" => {
            "`page.size` is 0 here: it is `size` of `page: { number: … }` or `page: { offset: … }`, which the request does not have; add it, or write the number down"
        }
        "page.offset" => {
            "`page.offset` is 0 here: it grows by `page: { offset: { size: 100 } }`, which the request does not have, so that the first page is all that is asked for; add it, or write the number down"
        }
        _ => {
            "`page.number` is 0 here: it grows by `page: { number: { first: 1, size: 100 } }`, which the request does not have, so that one page is all that is asked for; add it, or write the number down"
        }
    };
    Some(why.to_owned())
}

/// The requests that are asked for no PMS property, each with the one for which it is: what is asked once for all, and
/// what comes before it. What is for `discover` is seen by whoever looks.
fn asked_for_none(connector: &Connector) -> BTreeMap<&str, &str> {
    let login = match &connector.auth {
        Some(Auth::Login(login)) => Some(login),
        _ => None,
    };
    let is_of_login = |name: &str| {
        login.is_some_and(|login| login.request == name || login.logout.as_deref() == Some(name))
    };
    let once = connector.requests.iter().filter(|(name, request)| {
        request.per == Per::Once && *name != "properties" && !is_of_login(name)
    });
    let mut asked = BTreeMap::new();
    for (name, request) in once {
        let before = request.after.iter().chain(&request.each);
        for one in before.map(String::as_str).chain([name.as_str()]) {
            asked.insert(one, name.as_str());
        }
    }
    asked
}
