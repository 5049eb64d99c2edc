//! The requests of a connector: their templates, paths and pages, and what does not fit together.

use std::collections::BTreeMap;

use crate::config::{
    self, Auth, Body, Connector, Format, Given, Missing, Operation, Page, Until, Verdict, nearest,
};

use crate::model::Code;

use super::super::Path;
use super::super::answer::Rule;
use super::super::compiled::{Gives, Request, Total};
use super::super::decode::Shape;
use super::super::page::Paging;
use super::super::template::{Place, Uses};
use super::kinds::unused;
use super::rules::Form;
use super::{Compile, form};

impl Compile<'_> {
    pub(super) fn request(
        &mut self,
        name: &str,
        request: &config::Request,
        shared: &[Rule],
    ) -> Request {
        let place = Connector::place_of(name);
        let at = |field: &str| format!("{place}.{field}");
        let operation = Operation::of_request(name);
        let is_login = match &self.connector.auth {
            Some(Auth::Login(login)) => login.request == name,
            _ => false,
        };
        let is_logout = match &self.connector.auth {
            Some(Auth::Login(login)) => login.logout.as_deref() == Some(name),
            _ => false,
        };
        if is_login {
            self.uses = Uses::Credential;
        } else if is_logout {
            self.uses = Uses::Token;
        }
        self.chain(name, request, is_login || is_logout);
        self.template(Place::Url, &at("url"), &request.url);
        for (key, values) in &request.query_lists {
            if request.query.contains_key(key) {
                let field = at(&format!("query_lists.{key}"));
                self.problem(&field, "stands in `query` too; keep one of them");
            }
            for (index, value) in values.iter().enumerate() {
                let field = at(&format!("query_lists.{key}.{index}"));
                self.template(Place::Plain, &field, value);
            }
        }
        for (key, value) in &request.query {
            self.template(Place::Plain, &at(&format!("query.{key}")), value);
        }
        self.headers(&at("headers"), &request.headers);
        if let Some(body) = &request.body {
            self.body(&at("body"), body);
        }
        self.uses = self.all_uses();
        self.before.clear();
        self.writes(name, request, is_logout);
        let form = form(request);
        let gives = self.gives(&at("gives"), request);
        let until = match request.poll.as_ref().and_then(|poll| poll.until.as_ref()) {
            Some(until) => vec![self.rule(&at("poll.until"), &until.means(Verdict::Ok), form)],
            None => Vec::new(),
        };
        let id = request.id.as_deref().map(|path| self.path(&at("id"), path));
        let property = request.property.as_deref();
        let property = property.map(|path| self.path(&at("property"), path));
        let gives_residents = name == "residents" || request.feeds.is_some();
        if property.is_some() && (is_login || name == "properties") {
            self.problem(
                &at("property"),
                "is only for requests of residents, and for lookups; remove it",
            );
        } else if property.is_none() && request.per == config::Per::Once && gives_residents {
            let message = "reads the residents of all PMS properties, those that are not attached too; add `property`, the path in a record that names its property, or remove `per: once` where an answer is of one property alone";
            self.warn(&at("per"), message, Code::AllProperties);
        }
        let total = match &request.total {
            Some(config::Total::Path(path)) => Some(Total::Path(self.path(&at("total"), path))),
            Some(config::Total::Header(name)) => {
                self.header_name(&at("total.header"), name);
                Some(Total::Header(name.clone()))
            }
            None => None,
        };
        if let Some(Page::Offset(counted) | Page::Number(counted)) = &request.page
            && counted.until == Until::Total
            && total.is_none()
        {
            self.problem(
                &at("page"),
                "goes on until the total, and there is none; add `total`, where the PMS declares it",
            );
        }
        if let Some(operation) = operation {
            self.operation(operation, request);
        }
        for (key, why) in unused(self.connector, name, request) {
            // That is refused in a login, whatever the version.
            if !(is_login && key == "page") {
                self.warn(&at(key), why, Code::UnusedKey);
            }
        }
        self.pause(&at("poll.every"), request);
        let shape = self.shape(name, request);
        let mut rules = self.rules(&at("errors"), &request.errors, form);
        rules.extend(shared.iter().cloned());
        let missing = match &request.missing {
            Missing::Empty(condition) => {
                let rule = condition.means(Verdict::Empty);
                let rule = self.rule(&at("missing.empty"), &rule, form);
                self.seen_as_missing(&rule, &rules);
                vec![rule]
            }
            Missing::Error => Vec::new(),
        };
        if form != Form::Rows {
            self.absent_records(rules.iter().chain(&missing), &shape.place());
        }
        if is_login {
            if request.page.is_some() {
                self.problem(&at("page"), "a login has one answer; remove it");
            }
        } else if name != "residents"
            && !is_logout
            && operation.is_none()
            && self.connector.target.is_none()
            && request.feeds.is_none()
            && id.is_none()
            && !self.comes_before(name)
        {
            self.problem(
                &place,
                "has no `id`; add the path of the key by which its records are looked up",
            );
        }
        if name == "properties" && request.feeds.is_some() {
            self.problem(
                &at("feeds"),
                "`properties` is for `discover`; give the request another name",
            );
        }
        let label = request
            .name
            .as_deref()
            .map(|path| self.path(&at("name"), path));
        Request {
            shape,
            id,
            property,
            name: label,
            total,
            paging: request
                .page
                .as_ref()
                .map(|page| self.paging(&at("page"), page)),
            rules,
            missing,
            gives,
            until,
            expires: request
                .expires
                .as_ref()
                .map(|expires| self.expires(&at("expires"), expires)),
        }
    }

    /// Whether others are asked after this one, or for each of its records.
    fn comes_before(&self, name: &str) -> bool {
        let mut others = self.connector.all_requests();
        others.any(|(_, other)| {
            other.each.as_deref() == Some(name) || other.after.iter().any(|one| one == name)
        })
    }

    /// What comes before a request: it must be there, and not come after it in turn.
    fn chain(&mut self, name: &str, request: &config::Request, is_login: bool) {
        let connector = self.connector;
        let place = Connector::place_of(name);
        let at = |field: &str| format!("{place}.{field}");
        self.about(name);
        let names: Vec<&str> = connector.requests.keys().map(String::as_str).collect();
        let before = request.after.iter().enumerate();
        let before = before.map(|(index, one)| (at(&format!("after.{index}")), one));
        let each = request.each.iter().map(|one| (at("each"), one));
        for (field, one) in before.chain(each) {
            let Some(other) = connector.requests.get(one) else {
                let near = nearest(one, &names).map_or_else(
                    || "add it to `requests`".to_owned(),
                    |near| format!("did you mean `{near}`?"),
                );
                self.problem(&field, format!("there is no request `{one}`; {near}"));
                continue;
            };
            let is_chained = !other.after.is_empty() || other.each.is_some();
            if is_login || one == name || is_chained || other.feeds.is_some() {
                let message = format!(
                    "`{one}` cannot come before it: that is for requests that feed nothing, log nobody in, and have neither `each` nor `after`"
                );
                self.problem(&field, message);
            }
            self.before
                .extend(other.gives.keys().map(|name| format!("given.{name}")));
        }
        if request.each.is_some() {
            self.before.push("record.".into());
        }
        if request.since.is_some() {
            self.before.push("since".into());
            let is_read = name == "residents" || request.feeds.is_some();
            if !is_read || request.each.is_some() || request.id.is_none() {
                let message = "is for requests that feed residents and have an `id` and no `each`";
                self.problem(&at("since"), message);
            }
        }
        // The steps of a request are given what those before them gave.
        for (_, other) in connector.all_requests() {
            let steps = other.after.iter().take_while(|step| *step != name);
            if other.after.iter().any(|step| step == name) {
                for step in steps.filter_map(|step| connector.requests.get(step)) {
                    self.before
                        .extend(step.gives.keys().map(|name| format!("given.{name}")));
                }
            }
        }
        if request.poll.is_some() && !self.comes_before(name) {
            let message = "is for a request that another names in `after`; remove it";
            self.problem(&at("poll"), message);
        }
    }

    /// Tells of a request that is asked again and again, with nothing between two questions.
    fn pause(&mut self, field: &str, request: &config::Request) {
        let limits = &self.connector.limits;
        let limits = [limits.per_second, limits.per_minute, limits.per_hour];
        let is_limited = limits.iter().any(Option::is_some);
        let poll = request.poll.as_ref();
        if !is_limited && poll.is_some_and(|poll| poll.every.0.is_zero()) {
            let message = "is 0, so that the PMS is asked again and again without a pause; write `5s`, or longer";
            self.warn(field, message, Code::Budget);
        }
    }

    fn gives(&mut self, field: &str, request: &config::Request) -> Vec<(String, Gives)> {
        let given = request.gives.iter().map(|(name, given)| {
            let at = format!("{field}.{name}");
            let gives = match given {
                Given::Path(path) => Gives::Path(self.path(&at, path)),
                Given::Header(name) => {
                    self.header_name(&format!("{at}.header"), name);
                    Gives::Header(name.clone())
                }
                Given::Newest(one) => Gives::Newest {
                    path: self.path(&format!("{at}.newest"), &one.newest),
                    by: self.path(&format!("{at}.by"), &one.by),
                },
            };
            (name.clone(), gives)
        });
        given.collect()
    }

    fn shape(&mut self, name: &str, request: &config::Request) -> Shape {
        let place = Connector::place_of(name);
        let at = |field: &str| format!("{place}.{field}");
        let records = self.path(&at("records"), &request.records);
        if let Some(message) = records.not_for_records() {
            self.problem(&at("records"), message);
        }
        let inner = request.inner.as_ref().map(|inner| {
            let path = self.path(&at("inner.path"), &inner.path);
            if path.segments().is_empty() || !path.is_names() {
                self.problem(
                    &at("inner.path"),
                    "does not lead to one text; write the names down to it",
                );
            }
            if request.format == Format::Csv {
                self.problem(&at("inner"), "a text inside CSV has no path; remove it");
            }
            (inner.format, path)
        });
        let is_csv = inner.as_ref().map_or(request.format, |(format, _)| *format) == Format::Csv;
        if is_csv && !request.records.is_empty() {
            self.problem(&at("records"), "the rows of CSV have no path; remove it");
        }
        let is_resident = name == "residents" || request.feeds.is_some() || name == "target.list";
        if is_csv && is_resident && request.id.is_none() {
            self.problem(
                &place,
                "has no `id`; name the column of the id, which tells CSV from a page with an error",
            );
        }
        let delimiter = match request.delimiter {
            Some(_) if !is_csv => {
                self.problem(&at("delimiter"), "is only for `format: csv`; remove it");
                b','
            }
            Some(delimiter) => u8::try_from(delimiter)
                .ok()
                .filter(|byte| byte.is_ascii() && !b"\"\r\n".contains(byte))
                .unwrap_or_else(|| {
                    self.problem(
                        &at("delimiter"),
                        "cannot separate columns; write one such as \";\"",
                    );
                    b','
                }),
            None => b',',
        };
        let shape = Shape {
            inner,
            packed: request.unpack.clone(),
            column: request.id.clone(),
            ..Shape::new(request.format, records).separated_by(delimiter)
        };
        if request.csv.is_some() && !is_csv {
            self.problem(&at("csv"), "is only for `format: csv`; remove it");
        }
        let with_csv = shape
            .clone()
            .with_csv(&request.csv.clone().unwrap_or_default());
        let shape = with_csv.unwrap_or_else(|(key, message)| {
            self.problem(&at(&format!("csv.{key}")), message);
            shape
        });
        let Some(label) = &request.encoding else {
            return shape;
        };
        shape.clone().encoded(label).unwrap_or_else(|message| {
            self.problem(&at("encoding"), message);
            shape
        })
    }

    fn paging(&mut self, field: &str, page: &Page) -> Paging {
        let path = match page {
            Page::Next(next) => {
                // The place of a short form is that of the key itself.
                let path = self.path(&format!("{field}.next.path"), &next.path);
                self.force(&format!("{field}.next.force"), &next.force);
                path
            }
            Page::Link(link) => {
                if link.rel.trim().is_empty() {
                    self.problem(&format!("{field}.link"), "is empty; write `next`");
                }
                self.force(&format!("{field}.link.force"), &link.force);
                Path::default()
            }
            Page::Cursor(path) => self.path(&format!("{field}.cursor"), path),
            Page::Offset(counted) | Page::Number(counted) => {
                if counted.size == 0 {
                    self.problem(field, "`size` is 0; write 1 or more");
                }
                Path::default()
            }
        };
        Paging {
            page: page.clone(),
            path,
        }
    }

    fn force(&mut self, field: &str, force: &BTreeMap<String, String>) {
        for (name, value) in force {
            self.template(Place::Plain, &format!("{field}.{name}"), value);
        }
    }

    fn body(&mut self, field: &str, body: &Body) {
        match body {
            Body::Form(members) => {
                for (key, value) in members {
                    self.template(Place::Plain, &format!("{field}.form.{key}"), value);
                }
            }
            Body::Json(value) => self.leaves(&format!("{field}.json"), value),
            Body::Xml(text) => self.template(Place::Xml, &format!("{field}.xml"), text),
            Body::Soap(soap) => {
                self.template(Place::Header, &format!("{field}.soap.action"), &soap.action);
                self.template(Place::Xml, &format!("{field}.soap.xml"), &soap.xml);
            }
        }
    }

    /// The text leaves of a JSON body, by their dotted place.
    fn leaves(&mut self, field: &str, value: &serde_json::Value) {
        match value {
            serde_json::Value::String(text) => self.template(Place::Plain, field, text),
            serde_json::Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.leaves(&format!("{field}.{index}"), item);
                }
            }
            serde_json::Value::Object(members) => {
                for (name, item) in members {
                    self.leaves(&format!("{field}.{name}"), item);
                }
            }
            _ => {}
        }
    }
}
