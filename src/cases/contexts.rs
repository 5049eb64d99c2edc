//! What a script may know besides each of several records: the same for all, but for the PMS property where one answer has the
//! records of several. As in a run. Maps nothing.

use crate::model::is_same_property;
use crate::script::{Context, Inputs};
use crate::source::Path;

/// What a script may know besides each record.
#[derive(Debug, Clone)]
pub struct Contexts {
    of_all: Context,
    /// Where a record names its PMS property.
    property: Option<Path>,
}

/// Whose a record is.
pub(super) enum Whose {
    /// It is mapped with this.
    Known(Context),
    /// Of this property, which is not attached: a run does not look at it.
    Elsewhere(String),
    /// It names none: a run leaves it out, and counts it.
    Nobody,
}

impl Contexts {
    /// For records of a request that is asked once, with the path of their PMS property; without one, all are of that of
    /// `of_all`.
    pub fn new(of_all: Context, property: Option<Path>) -> Contexts {
        Contexts { of_all, property }
    }

    /// What all have.
    pub fn of_all(&self) -> &Context {
        &self.of_all
    }

    /// Whether each record names its PMS property.
    pub(super) fn has_property(&self) -> bool {
        self.property.is_some()
    }

    /// That of one record. Where it is not known which properties are attached, all of them are.
    pub(super) fn whose(&self, json: &str) -> Whose {
        let Some(path) = &self.property else {
            return Whose::Known(self.of_all.clone());
        };
        let Some(named) = path.text_in(json) else {
            return Whose::Nobody;
        };
        let inputs = self.of_all.inputs();
        let named = named.trim();
        let mut attached = inputs.properties.iter();
        let property = match attached.find(|one| is_same_property(one, named)) {
            Some(attached) => attached.clone(),
            None if inputs.properties.is_empty() => named.to_owned(),
            None => return Whose::Elsewhere(named.to_owned()),
        };
        Whose::Known(Context::new(Inputs {
            property,
            ..inputs.clone()
        }))
    }

    /// Why a run would be incomplete, where it is not known of any record whose it is.
    pub(super) fn amiss(&self, of_nobody: usize, records: usize) -> Option<String> {
        let path = self.property.as_ref()?;
        (records > 0 && of_nobody == records)
            .then(|| format!("no record has anything at `{path}`, where `property` looks"))
    }

    /// What a script may know besides a record; none where a run leaves it out.
    pub(super) fn of(&self, json: &str) -> Option<Context> {
        match self.whose(json) {
            Whose::Known(context) => Some(context),
            Whose::Elsewhere(_) | Whose::Nobody => None,
        }
    }
}
