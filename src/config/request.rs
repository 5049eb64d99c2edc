//! `config/connectors/*.yaml`: the requests of a connector. The language only; `source` speaks it.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::Span;
use super::answer::{AnswerRule, Condition};
use super::expires::Expires;
use super::schema;

/// One kind of request.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The method.
    #[serde(default)]
    pub method: Method,
    /// That a POST only reads, and may be repeated. What does something at a target is sent once.
    #[serde(default)]
    pub reads: bool,
    /// Template of the URL. Values are escaped as path segments, except one that is itself an http(s) URL, and a path that the
    /// filter `path` writes down: `{{ credential.url }}{{ given.file | path }}`. Other filters are `host` (of a URL),
    /// `date('%m/%d/%Y')` and `days_ago(7)` of `today`, and `moment('%Y-%m-%d')` of `since`. A value that the record of `each`
    /// does not have makes the reading incomplete.
    pub url: String,
    /// Templates of query parameters. One that comes out empty is left out, and so is one with `| optional` whose value is not
    /// set.
    #[serde(default)]
    pub query: BTreeMap<String, String>,
    /// Query parameters that are sent once for each template of a list, also for one that comes out empty:
    /// `{ status: [Current, Notice], all: [""] }`.
    #[serde(default)]
    pub query_lists: BTreeMap<String, Vec<String>>,
    /// Headers; templates.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The body.
    #[serde(default)]
    pub body: Option<Body>,
    /// The encoding of the answer, such as `windows-1252`, where what the answer says about itself is wrong. Only a
    /// byte-order mark goes before it; without `encoding` the header counts, then the declaration of XML, else it is UTF-8.
    #[serde(default)]
    pub encoding: Option<String>,
    /// What the answer is packed in, where it is a packed file. One that is not packed is taken as it is.
    #[serde(default)]
    pub unpack: Option<Packed>,
    /// The form of the answer.
    pub format: Format,
    /// For `csv`: what separates the columns; a comma unless it says otherwise.
    #[serde(default)]
    pub delimiter: Option<char>,
    /// For `csv`: what stands around the rows, and how they are quoted.
    #[serde(default)]
    pub csv: Option<Csv>,
    /// Where the records are inside a text of the answer that is itself XML, JSON or CSV.
    #[serde(default)]
    pub inner: Option<Inner>,
    /// Path of the records in the answer: names separated by `/`; `*` is any name. For `soap` it begins
    /// inside the Body, with `inner` inside that text. Empty for an answer that is the list itself, and for
    /// `csv`. One object where a list is expected is as good as the list of it. In JSON, an object whose
    /// members are the records is `people/*`; each gets its name as `@key`. A `null` among records is one, and the script
    /// rejects it. Of several columns of `csv` of one name the first has it, the others are `Phone#2`, `Phone#3`; the report
    /// counts them as `column_twice`.
    #[serde(default)]
    pub records: String,
    /// What an answer means that has nothing at `records`: it is incomplete (`error`), or there are no records where it
    /// says so: `{ empty: { path: Status, equals: OK } }`. One that is refused for its status, such as 404, does not come so
    /// far, and is for `errors`.
    #[serde(default)]
    pub missing: Missing,
    /// Path of the id inside a record; for reports, and as the key of lookups. Where no record has it, the reading is
    /// incomplete. Of several records of a lookup with one key the last is taken; where they differ, the report counts the key as `several_in_lookup`.
    #[serde(default)]
    pub id: Option<String>,
    /// Path of the PMS property inside a record, where it names one: a record of another property than was asked for
    /// makes the reading incomplete, as the PMS may have answered somebody else's question; so do records of which none
    /// names any. Of a request that is asked once only the records of attached properties are taken, each as one of its
    /// property; those that name none are left out, and counted in the report as `without_property`; an attached property that no
    /// record of residents names is `property_not_named` there. Case does not matter.
    #[serde(default)]
    pub property: Option<String>,
    /// Path of what people call it, for `discover`.
    #[serde(default)]
    pub name: Option<String>,
    /// How the next page is found. Without it there is one page, and `{{ page.… }}` is 0 or empty.
    #[serde(default)]
    pub page: Option<Page>,
    /// Where the PMS declares the number of records in all: a path in the answer, or a header. Where it moves while pages
    /// are read, they are read again, twice at most; where no answer with records has it, the reading is incomplete.
    #[serde(default)]
    pub total: Option<Total>,
    /// What answers mean, first match first; before the connector's rules and the usual reading.
    #[serde(default)]
    pub errors: Vec<AnswerRule>,
    /// Whether it is asked once for each PMS property, or once in all. One that gives residents and is asked once needs
    /// `property`, or it reads those of properties too that are not attached; with it, one reading serves all integrations of
    /// the credential that ask at about the same time.
    #[serde(default)]
    pub per: Per,
    /// That its records are residents too, and go through the script with those of `residents`; the script
    /// sees the request's name as `ctx.request`. A run is complete only when all of them are.
    #[serde(default)]
    pub feeds: Option<Feeds>,
    /// That it is asked once for each record of this other request, of the same PMS property: `{{ record.NAME }}` is a
    /// field of that record. A list of ids and the details of each are read so. Details without anybody, and those that are
    /// gone, are counted in the report as `empty_details` and `gone_details`.
    #[serde(default)]
    pub each: Option<String>,
    /// Requests that are asked before it, in this order, once for each reading: what they give is `{{ given.NAME }}` here
    /// and in those behind them. A report that is ordered, waited for and fetched is read so.
    #[serde(default)]
    pub after: Vec<String>,
    /// What the answer gives to the requests that name this one in `after`: a path in the answer, `{ header: NAME }` (of
    /// `Location` all of the URL), or `{ newest: PATH, by: PATH }` of that of its records, of all its pages, at which the
    /// second path has the greatest number, the latest date, or the name with the greatest number in it. Where several have it,
    /// and differ at the first path, the reading is incomplete.
    #[serde(default)]
    pub gives: BTreeMap<String, Given>,
    /// That it is asked again until its answer says this; so is one that a rule calls `accepted`.
    #[serde(default)]
    pub poll: Option<Poll>,
    /// That the PMS can be asked for what has changed alone: `{{ since }}` is the moment from which, in UTC as
    /// `2026-03-01T09:30:00Z`, and empty where all is asked for. What is not in such an answer is as it was: nobody is missed for it,
    /// and so the request has to ask with `{{ since }}`.
    #[serde(default)]
    pub since: Option<Since>,
    /// Where its answer tells until when the credential is taken. An alert tells it 14 days ahead, as it does for `expires` of the
    /// credential's file; the earlier one counts. The first answer of each reading tells it, and where nothing is there, nothing
    /// is told.
    #[serde(default)]
    pub expires: Option<Expires>,
    /// What an account must be allowed for it, in the words of whoever gives it: `epms doctor` names it where it is denied.
    #[serde(default)]
    pub right: Option<String>,
    /// For lookups: how long an answer serves; a day unless it says otherwise.
    #[serde(default)]
    pub refresh: Option<Span>,
}

/// The methods. Nothing is written to a PMS: its connector reads with GET, and with POST. The others are for `target`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs)]
pub enum Method {
    #[default]
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

/// What an answer is packed in.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(with = "PackedForm")]
pub enum Packed {
    /// A zip archive, and the name of the file in it; none where there is one alone.
    Zip(Option<String>),
    /// A gzip file.
    Gzip,
}

/// What an answer is packed in.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[allow(dead_code, reason = "says how it is written")]
enum PackedForm {
    Short(PackedKind),
    Long(ZipFile),
}

/// A packed file.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum PackedKind {
    /// A zip archive with one file in it.
    Zip,
    /// A gzip file.
    Gzip,
}

/// A file in a zip archive.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ZipFile {
    /// Its name, folders included; `*` stands for anything.
    zip: String,
}

/// What stands around the rows of CSV, and how they are quoted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Csv {
    /// So many lines stand before the header row.
    pub skip: usize,
    /// What fields are quoted with; `"` unless it says otherwise.
    pub quote: Option<char>,
    /// What stands behind the rows: how its first line begins, or `{ begins: …, counts: true }`. Where it is not there,
    /// the answer was cut off; where what looks like a row stands behind it, the answer is not read either.
    pub footer: Option<Footer>,
}

/// What stands behind the rows of CSV.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(deny_unknown_fields, transform = schema::or_text)]
pub struct Footer {
    /// How its first line begins: these words, and not a longer one.
    pub begins: String,
    /// That the first whole number in that line is the number of rows: where others came, the answer is incomplete.
    #[schemars(default)]
    pub counts: bool,
}

/// What an answer means that has nothing where the records stand.
#[derive(Debug, Clone, PartialEq, Eq, Default, JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum Missing {
    /// It is incomplete.
    #[default]
    Error,
    /// There are no records, where the answer says this.
    Empty(Condition),
}

/// What an answer gives to later requests.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(with = "GivenForm")]
pub enum Given {
    /// What is at this path.
    Path(String),
    /// What is in this header.
    Header(String),
    /// What one of the records has there: the one that is greatest by another path.
    Newest(Newest),
}

/// What an answer gives to later requests.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[allow(dead_code, reason = "says how it is written")]
enum GivenForm {
    Path(#[schemars(extend("minLength" = 0))] String),
    Header(InHeader),
    Newest(Newest),
}

/// What the newest of the records has.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Newest {
    /// Path of what is given, inside a record.
    pub newest: String,
    /// Path of what tells the newest: a number, a date from the year on, or a name in which only numbers differ. Where a
    /// record has nothing there, or they cannot be compared, the reading is incomplete.
    pub by: String,
}

/// How a feed of changes is read. What it said before is kept in memory, so that all is read once more after a restart, when
/// the files or the credential change, and now and then.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Since {
    /// How often all is read once more: only then it is seen who is there no longer.
    #[serde(default = "since_full")]
    pub full: Span,
    /// How far `{{ since }}` goes back before the beginning of the last reading, as clocks differ and changes show late.
    #[serde(default = "since_overlap")]
    pub overlap: Span,
}

fn since_full() -> Span {
    Span::seconds(86_400)
}

fn since_overlap() -> Span {
    Span::seconds(600)
}

/// How long a request is asked again.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Poll {
    /// What its answer says when it is ready.
    #[serde(default)]
    pub until: Option<Condition>,
    /// How long to wait between two questions; less than `at_most`.
    #[serde(default = "poll_every")]
    pub every: Span,
    /// How long to wait in all.
    #[serde(default = "poll_at_most")]
    pub at_most: Span,
}

fn poll_every() -> Span {
    Span::seconds(5)
}

fn poll_at_most() -> Span {
    Span::seconds(900)
}

impl<'de> Deserialize<'de> for Given {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Long {
            header: Option<String>,
            newest: Option<String>,
            by: Option<String>,
        }

        text_or_mapping(
            deserializer,
            "a path, `{ header: NAME }` or `{ newest: PATH, by: PATH }`",
            |path| Ok(Given::Path(path)),
            |Long { header, newest, by }| match (header, newest, by) {
                (Some(name), None, None) => Ok(Given::Header(name)),
                (None, Some(newest), Some(by)) => Ok(Given::Newest(Newest { newest, by })),
                _ => Err(de::Error::custom(
                    "is neither `{ header: NAME }` nor `{ newest: PATH, by: PATH }`",
                )),
            },
        )?
    }
}

impl Method {
    /// As HTTP writes it.
    pub fn name(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
        }
    }
}

/// The body of a request. Text leaves are templates. A leaf of `json` that is one template alone and ends in `| number` or
/// `| boolean` gives a number or a boolean: `"{{ page.number | number }}"`; with `| json` it gives the value as it is, be it a
/// list or an object. One of `json` or `form` whose value may not be set, `"{{ grant.phone | optional }}"`, is left out then.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// `application/x-www-form-urlencoded`.
    Form(BTreeMap<String, String>),
    /// `application/json`.
    Json(serde_json::Value),
    /// XML.
    Xml(String),
    /// The content of a SOAP body; the envelope is added.
    Soap(Soap),
}

/// A SOAP request.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Soap {
    /// `1.1` or `1.2`.
    #[serde(default)]
    pub version: SoapVersion,
    /// The SOAPAction.
    pub action: String,
    /// Template of the element inside the Body.
    pub xml: String,
}

/// The SOAP versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[allow(missing_docs)]
pub enum SoapVersion {
    #[default]
    #[serde(rename = "1.1")]
    V11,
    #[serde(rename = "1.2")]
    V12,
}

/// The form of an answer. A byte-order mark is no part of it. An answer of status 204, which has no body, is
/// none of them: where it means that there is nothing, the connector says so with the rule
/// `{ status: 204, is: empty }`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// JSON.
    Json,
    /// XML. Elements become objects by their local names, attributes `@name`, text beside them `#text`. Of several attributes
    /// of one local name the one without a prefix is `@name`, and the others are `@prefix:name`.
    Xml,
    /// XML in a SOAP envelope of either version.
    Soap,
    /// A header row, then one row for each record. An empty field is null.
    Csv,
}

/// A text of the answer that is itself an answer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Inner {
    /// Path of the text.
    pub path: String,
    /// Its form.
    #[serde(default = "xml")]
    pub format: Format,
}

/// How the next page is found.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Page {
    /// In the answer: a path, or `{ path: …, keep: …, force: … }`; none at the end. Where something else stands there than a
    /// text, the reading is incomplete. That no answer has it at all, not even as null, is noted in the report, and
    /// incomplete where a page has just as many records as the request asks for.
    Next(Next),
    /// In a `Link` header (RFC 8288): its `rel`, usually `next`, or `{ rel: …, keep: …, force: … }`; none at
    /// the end, as for `next`.
    Link(Link),
    /// Path of a cursor for `{{ page.cursor }}` in the answer; none at the end, as for `next`.
    Cursor(String),
    /// `{{ page.offset }}` grows by what came, `until` the end.
    Offset(Counted),
    /// `{{ page.number }}` grows by one, `until` the end.
    Number(Counted),
}

/// A next page whose link stands in the answer.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(deny_unknown_fields, transform = schema::or_text)]
pub struct Next {
    /// Path of the link: a URL, or a path on the same host; with `keep: query` also a query string alone.
    pub path: String,
    /// What of the link counts.
    #[schemars(default)]
    pub keep: Keep,
    /// Query parameters that the next page is asked with, whatever the link says; templates.
    #[schemars(default)]
    pub force: BTreeMap<String, String>,
}

/// A next page whose link stands in a `Link` header.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(deny_unknown_fields, transform = schema::or_text)]
pub struct Link {
    /// The relation of the link.
    pub rel: String,
    /// What of the link counts.
    #[schemars(default)]
    pub keep: Keep,
    /// Query parameters that the next page is asked with, whatever the link says; templates.
    #[schemars(default)]
    pub force: BTreeMap<String, String>,
}

/// What of a link counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Keep {
    /// All of it.
    #[default]
    Url,
    /// Only its query: scheme, host and path stay those of the first request.
    Query,
}

/// Where the number of records in all stands: a path, or `{ header: NAME }`.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(untagged)]
#[allow(missing_docs)]
pub enum Total {
    Path(#[schemars(extend("minLength" = 0))] String),
    Header(#[schemars(with = "InHeader")] String),
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct InHeader {
    /// The header's name; case does not matter.
    header: String,
}

/// What a request feeds besides the request of that name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Feeds {
    Residents,
}

/// A page that is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Counted {
    /// The number of the first record or page.
    #[serde(default)]
    pub first: u64,
    /// Records on a page.
    pub size: u64,
    /// What shows that a page is the last.
    #[serde(default)]
    pub until: Until,
}

/// What shows that a page is the last. One that is answered with status 404 in the form of the others, with status 204, with
/// null and no error, or with the page before once more is behind the last, whatever is said here; what a rule calls `fatal`
/// is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Until {
    /// It has fewer records than `size`, and there is nothing behind it: that is asked where no `total` says it. With
    /// `total`, as many records as are declared end the reading too.
    #[default]
    Short,
    /// There is no record on it: for a PMS whose pages have any size.
    Empty,
    /// As many records came as `total` declares, however many are on each page.
    Total,
}

/// For what a request is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Per {
    #[default]
    Property,
    Once,
}

fn xml() -> Format {
    Format::Xml
}

impl<'de> Deserialize<'de> for Next {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Long {
            path: String,
            #[serde(default)]
            keep: Keep,
            #[serde(default)]
            force: BTreeMap<String, String>,
        }

        text_or_mapping(
            deserializer,
            "a path, or `{ path: …, keep: query }`",
            |path| Next {
                path,
                keep: Keep::Url,
                force: BTreeMap::new(),
            },
            |Long { path, keep, force }| Next { path, keep, force },
        )
    }
}

impl<'de> Deserialize<'de> for Packed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text_or_mapping(
            deserializer,
            "`zip`, `gzip`, or `{ zip: NAME }`",
            |text| match PackedKind::deserialize(de::value::StrDeserializer::<D::Error>::new(
                &text,
            ))? {
                PackedKind::Zip => Ok(Packed::Zip(None)),
                PackedKind::Gzip => Ok(Packed::Gzip),
            },
            |ZipFile { zip }| Ok(Packed::Zip(Some(zip))),
        )?
    }
}

impl<'de> Deserialize<'de> for Missing {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Long {
            empty: Condition,
        }

        text_or_mapping(
            deserializer,
            "`error`, or `{ empty: { path: …, equals: … } }`",
            |text| match text.as_str() {
                "error" => Ok(Missing::Error),
                "empty" => Err(de::Error::custom(
                    "`empty` needs what such an answer must say, or an error would be nobody at all; write `{ empty: { path: Status, equals: OK } }`",
                )),
                other => Err(de::Error::unknown_variant(other, &["error", "empty"])),
            },
            |Long { empty }| Ok(Missing::Empty(empty)),
        )?
    }
}

impl<'de> Deserialize<'de> for Footer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Long {
            begins: String,
            #[serde(default)]
            counts: bool,
        }

        text_or_mapping(
            deserializer,
            "how the footer begins, or `{ begins: Total, counts: true }`",
            |begins| Footer {
                begins,
                counts: false,
            },
            |Long { begins, counts }| Footer { begins, counts },
        )
    }
}

impl<'de> Deserialize<'de> for Link {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Long {
            rel: String,
            #[serde(default)]
            keep: Keep,
            #[serde(default)]
            force: BTreeMap<String, String>,
        }

        text_or_mapping(
            deserializer,
            "`next`, or `{ rel: next, keep: query }`",
            |rel| Link {
                rel,
                keep: Keep::Url,
                force: BTreeMap::new(),
            },
            |Long { rel, keep, force }| Link { rel, keep, force },
        )
    }
}

impl<'de> Deserialize<'de> for Total {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text_or_mapping(
            deserializer,
            "a path, or `{ header: NAME }`",
            Total::Path,
            |InHeader { header }| Total::Header(header),
        )
    }
}

/// Reads what is written as a text where it is simple, and as a mapping where it is not.
pub(super) fn text_or_mapping<'de, D: Deserializer<'de>, L: Deserialize<'de>, T>(
    deserializer: D,
    expecting: &'static str,
    text: fn(String) -> T,
    mapping: fn(L) -> T,
) -> Result<T, D::Error> {
    struct Either<L, T> {
        expecting: &'static str,
        text: fn(String) -> T,
        mapping: fn(L) -> T,
    }

    impl<'de, L: Deserialize<'de>, T> Visitor<'de> for Either<L, T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.expecting)
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
            Ok((self.text)(text.to_owned()))
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
            L::deserialize(de::value::MapAccessDeserializer::new(map)).map(self.mapping)
        }
    }

    deserializer.deserialize_any(Either {
        expecting,
        text,
        mapping,
    })
}
