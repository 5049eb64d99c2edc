//! Why a resident is where they are: from the PMS's record to the decision.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Alert, Change, Decision, Delivery, IntegrationId, Link, Outcome, Person, PersonId, Resident,
    Ruling, RunId, Setting,
};

/// What is known of one resident, and with `live` what the PMS says of them now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Explanation {
    /// The integration.
    pub integration: IntegrationId,
    /// The resident's PMS id, or a record's.
    pub resident: String,
    /// The last run whose decisions are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// What that run decided about them, one for each lease.
    #[serde(default)]
    pub decisions: Vec<Decision>,
    /// Their link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<Link>,
    /// Whom they are not, as somebody said by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ruling: Option<Ruling>,
    /// The person they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<Person>,
    /// What the person has at each target, or shall have there.
    #[serde(default)]
    pub deliveries: Vec<Delivery>,
    /// Open alerts about them.
    #[serde(default)]
    pub alerts: Vec<Alert>,
    /// What they caused, newest first.
    #[serde(default)]
    pub changes: Vec<Change>,
    /// What applies at the integration, and which file says so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settings: Vec<Setting>,
    /// What the PMS says now, and what a run would make of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<Live>,
}

/// A run for the sake of one resident, of which nothing remains.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Live {
    /// How the run would end.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// The records that speak of the resident, and what became of each.
    pub steps: Vec<Step>,
    /// The people that the match considered; none where there was nothing to match.
    pub considered: Vec<Considered>,
    /// What the run would decide.
    pub decisions: Vec<Decision>,
    /// What it would change.
    pub changes: Vec<Change>,
    /// Alerts that it would raise.
    pub raised: Vec<Alert>,
}

/// One record on its way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// The connector's request that gave the record.
    pub request: String,
    /// The PMS property it was asked of.
    pub property: String,
    /// The record as the PMS sent it.
    pub record: serde_json::Value,
    /// The residents that the script made of it.
    pub residents: Vec<Mapping>,
    /// Why the script could not map it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// One resident on their way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Mapping {
    /// As the script made them.
    pub mapped: Resident,
    /// In the normal forms (R10–R12), with the unit here (R34); none where they have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub normal: Option<Resident>,
    /// Why they have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The exclusion rules in their order, up to the one that took them.
    pub exclusions: Vec<RuleSeen>,
}

/// An exclusion rule (R6) and the value that it saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RuleSeen {
    /// The rule: a word of `exclude_statuses`, `include`, or the script's `exclude`.
    pub rule: String,
    /// The file that has the rule, relative to the home; none for one that is the program's own, or the script's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The value it looked at.
    pub saw: String,
    /// The reason to leave the resident out, where it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub takes: Option<String>,
    /// Why the rule could not be asked, where it could not: the record is not mapped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// A person that a match considered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Considered {
    /// The person.
    pub person: PersonId,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// Email.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// What is the same.
    pub same: Vec<String>,
    /// Somebody said by hand that the resident is not this person.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub apart: bool,
}

/// What a rule says, in a sentence; empty for one that has none.
pub fn rule_text(rule: &str) -> &'static str {
    match rule {
        "R6" => "a status on the exclude list, or a script's exclusion, leaves the resident out",
        "R7" => "a new person comes in only with the status pending or current",
        "R8" => {
            "a linked person who is excluded now stays, and is not updated; one who is past is closed"
        }
        "R12" => {
            "a date that cannot be costs that date, of which what is known stays; what cannot be mapped is left out"
        }
        "R13" => "the same email and name is the same person: linked",
        "R13b" => {
            "who lives at two properties is called by the one that linked them first; the other writes its own stay only"
        }
        "R14" => "the same email under another name is for somebody to decide",
        "R15" => "the same name at the property under another email is for somebody to decide",
        "R16" => "residents with the same email are not taken in until the PMS is corrected",
        "R17" => "a resident whom nobody fits becomes a person; one without an email does not",
        "R18" => "every changed field of the nine is written, but for locked ones",
        "R19" => {
            "an email that changed in the PMS waits for somebody; what takes access away does not"
        }
        "R20" => {
            "an email that went away in the PMS stays here; one that was no address there is removed at the upgrade"
        }
        "R21" => "of several leases the current one counts, then the pending, then the latest",
        "R21a" => {
            "a record with another first and last name and not the same email is somebody else's: nothing of it is written"
        }
        "R22" => "a new PMS id with the same email and name is the same person",
        "R24" => "a lease that is over ends access by its end or the move-out; the person stays",
        "R25" => "absence proves nothing",
        "R27" => "a run that takes away from too many at once waits for approval",
        "R31" => "somebody resolved it by hand",
        "R41" => "a run that cannot map too many of the records writes nothing, and waits",
        "R46" => {
            "an integration that gets another name keeps its people, and one that is given up houses nobody"
        }
        "erased" => "somebody erased this person: nothing of them is taken in",
        "pin" => "somebody keeps this person from every run",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::*;

    /// The rules that stand as texts in the sources below `folder`.
    fn named(folder: &Path, rules: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                named(&path, rules);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            let quoted = text.split('"').skip(1).step_by(2);
            rules.extend(quoted.filter(|text| is_rule(text)).map(String::from));
        }
    }

    fn is_rule(text: &str) -> bool {
        let number = text.strip_prefix('R').unwrap_or_default();
        let number = number.trim_end_matches(|letter: char| letter.is_ascii_lowercase());
        !number.is_empty() && number.chars().all(|digit| digit.is_ascii_digit())
    }

    #[test]
    fn every_rule_that_a_decision_names_has_a_sentence() {
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut rules = BTreeSet::from(["R13b", "R24"].map(String::from));
        named(&sources.join("rules"), &mut rules);
        named(&sources.join("acts"), &mut rules);
        assert!(rules.len() > 15, "{rules:?}");
        for rule in rules {
            assert_ne!(rule_text(&rule), "", "{rule}");
        }
    }
}
