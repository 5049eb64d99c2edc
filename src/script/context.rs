//! What a script may know besides the record: `ctx`. The same for every record of a request, a
//! property and a run.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use jiff::civil::Date;
use rhai::{Array, Dynamic, Engine, Map};

use super::decode::decode;
use super::described::Described;
use super::helpers::as_text;
use super::lookups::Lookups;
use super::sparse;

/// The inputs of a mapping besides the record.
#[derive(Debug, Clone)]
pub struct Context(Arc<Inputs>, Arc<Heard>);

/// What scripts asked of a context.
#[derive(Debug, Default)]
struct Heard {
    today: AtomicBool,
    /// A lookup that was not read.
    unread: OnceLock<String>,
}

/// What [`Context`] holds.
#[derive(Debug, Clone, Default)]
pub struct Inputs {
    /// The date at the property.
    pub today: Date,
    /// The PMS property that the record came from.
    pub property: String,
    /// The request that the record answers, as the connector names it.
    pub request: String,
    /// The integration.
    pub integration: String,
    /// The property's country, by ISO 3166 code.
    pub country: String,
    /// The property's time zone, by IANA name; UTC where it is empty.
    pub timezone: String,
    /// The PMS properties that feed the integration.
    pub properties: Vec<String>,
    /// The integration's `fields`.
    pub fields: BTreeMap<String, String>,
    /// The answers of the connector's other requests.
    pub lookups: Arc<Lookups>,
    /// The other requests that were not read, and why. Whoever looks something up there gets nothing, and what was made
    /// so does not count: see [`Context::asked_unread`].
    pub unread: Arc<BTreeMap<String, String>>,
    /// The grant that a target was asked about, where a record answers that, as a JSON text.
    pub grant: Option<String>,
}

impl Context {
    /// For the records of one request and property.
    pub fn new(inputs: Inputs) -> Context {
        Context(Arc::new(inputs), Arc::default())
    }

    /// What it holds.
    pub fn inputs(&self) -> &Inputs {
        &self.0
    }

    /// The property's country, by ISO 3166 code.
    pub fn country(&self) -> &str {
        &self.0.country
    }

    /// Whether a script asked for the date, so that what it made of a record holds for that day alone.
    pub fn asked_today(&self) -> bool {
        self.1.today.load(Ordering::Relaxed)
    }

    /// The first lookup that a script asked although it was not read.
    pub fn asked_unread(&self) -> Option<&str> {
        self.1.unread.get().map(String::as_str)
    }

    /// All records that can be looked up, as JSON texts.
    pub fn looked_up(&self) -> impl Iterator<Item = &str> {
        let all = self.0.lookups.iter();
        let records = all.flat_map(|(_, _, records)| records.values());
        records.map(String::as_str)
    }

    /// The record of a lookup with a key. That there is none is remembered for [`missed`].
    fn lookup(&self, name: &str, key: &Dynamic) -> Dynamic {
        sparse::told(key);
        let key = as_text(key).unwrap_or_else(|| key.to_string().into());
        let found = self.0.lookups.get(name, &self.0.property, key.trim());
        if self.0.unread.contains_key(name) {
            self.1.unread.get_or_init(|| name.to_owned());
        } else if found.is_none() {
            MISSED.with_borrow_mut(|missed| missed.insert(name.to_owned()));
        }
        found
            .and_then(|json| decode(json, sparse::names().as_ref()).ok())
            .unwrap_or(Dynamic::UNIT)
    }
}

thread_local! {
    static MISSED: RefCell<BTreeSet<String>> = const { RefCell::new(BTreeSet::new()) };
}

/// The lookups that scripts asked on this thread, since this was called last, for what is not there.
pub fn missed() -> BTreeSet<String> {
    MISSED.take()
}

pub(super) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<Context>("Context");
    let ctx = "ctx: Context";
    Described(engine)
        .value(
            "today",
            &[ctx, "&str"],
            "The date at the property, `YYYY-MM-DD`.
             ctx.today → \"2026-03-01\"",
            |ctx: &mut Context| {
                ctx.1.today.store(true, Ordering::Relaxed);
                ctx.0.today.to_string()
            },
        )
        .value(
            "property",
            &[ctx, "&str"],
            "The PMS property that the record came from.
             ctx.property → \"bldg123\"",
            |ctx: &mut Context| ctx.0.property.clone(),
        )
        .value(
            "request",
            &[ctx, "&str"],
            "The request that the record answers, as the connector names it.
             ctx.request → \"residents\"",
            |ctx: &mut Context| ctx.0.request.clone(),
        )
        .value(
            "integration",
            &[ctx, "&str"],
            "The integration.
             ctx.integration → \"123-building-name\"",
            |ctx: &mut Context| ctx.0.integration.clone(),
        )
        .value(
            "country",
            &[ctx, "&str"],
            "The property's country, by ISO 3166 code.
             ctx.country → \"US\"",
            |ctx: &mut Context| ctx.0.country.clone(),
        )
        .value(
            "timezone",
            &[ctx, "&str"],
            "The property's time zone, by IANA name: what instant_date and epoch_date take.
             ctx.timezone → \"America/New_York\"",
            |ctx: &mut Context| match ctx.0.timezone.as_str() {
                "" => "UTC".to_owned(),
                zone => zone.to_owned(),
            },
        )
        .value(
            "properties",
            &[ctx, "Array"],
            "The PMS properties that the integration names in pms_properties.
             ctx.properties → [\"bldg123\", \"bldg124\"]
             ctx.property in ctx.properties → true",
            |ctx: &mut Context| {
                let properties = ctx.0.properties.iter();
                properties.map(|one| one.clone().into()).collect::<Array>()
            },
        )
        .value(
            "fields",
            &[ctx, "Map"],
            "The integration's `fields`.
             get(ctx.fields, \"company\") → \"Acme\"",
            |ctx: &mut Context| {
                ctx.0
                    .fields
                    .iter()
                    .map(|(name, text)| (name.as_str().into(), text.clone().into()))
                    .collect::<Map>()
            },
        )
        .value(
            "grant",
            &[ctx, "Dynamic"],
            "The grant that the target was asked about, where the record answers that: the fields that `wanted` gave, and `key`. `()`
             where everything was asked for.
             ctx.grant.user_name → \"ada.quill@example.com\"",
            |ctx: &mut Context| {
                let grant = ctx.0.grant.as_ref();
                grant
                    .and_then(|json| decode(json, None).ok())
                    .unwrap_or(Dynamic::UNIT)
            },
        )
        .function(
            "lookup",
            &[ctx, "request: &str", "key", "Dynamic"],
            "The record with this id among the answers of another request of the connector; `()` where there is none. Where that
             request is asked for each PMS property, or has `property`, it is the record of ctx.property. Of several records with this
             id it is the last.
             ctx.lookup(\"units\", 7).UnitName → \"12B\"
             ctx.lookup(\"units\", 8) → ()",
            |ctx: &mut Context, name: &str, key: Dynamic| ctx.lookup(name, &key),
        );
}
