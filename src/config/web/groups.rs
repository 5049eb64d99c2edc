//! Groups that somebody else knows people by, and how much their members may do here. Pure.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::Tier;

/// Groups, as the provider or the proxy names them, by what their members may do. Each tier may also do what those before it
/// may; who is in none of them gets in nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TierGroups {
    /// Whose members may read everything.
    pub observe: Vec<String>,
    /// Whose members may also ask for syncs, resolve alerts, and change people by hand.
    pub operate: Vec<String>,
    /// Whose members may also let a held plan through.
    pub approve: Vec<String>,
    /// Whose members may also set integrations up and change what their files say, on the page.
    pub configure: Vec<String>,
}

impl TierGroups {
    /// The highest tier that one of these groups has; none where none has one.
    pub fn of(&self, groups: &[String]) -> Option<Tier> {
        let has = |tier: &Tier| self.at(*tier).iter().any(|group| groups.contains(group));
        Tier::ALL.into_iter().rev().find(has)
    }

    /// Whether it names a group.
    pub fn names(&self, group: &str) -> bool {
        let mut all = Tier::ALL.into_iter().flat_map(|tier| self.at(tier));
        all.any(|named| named == group)
    }

    fn at(&self, tier: Tier) -> &[String] {
        match tier {
            Tier::Observe => &self.observe,
            Tier::Operate => &self.operate,
            Tier::Approve => &self.approve,
            Tier::Configure => &self.configure,
        }
    }

    /// What is wrong with it.
    pub(super) fn problem(&self) -> Option<&'static str> {
        let mut all = Tier::ALL
            .into_iter()
            .flat_map(|tier| self.at(tier))
            .peekable();
        if all.peek().is_none() {
            return Some(
                "names no group, so nobody gets in by it; write `{ observe: [GROUP] }`, or `operate`, `approve` or `configure`",
            );
        }
        all.any(|group| group.trim() != group || group.is_empty())
            .then_some("has a group without a name, or with blanks around it; write it as it is")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_tier_of_all_groups_counts_and_who_is_in_none_has_none() {
        let tiers = TierGroups {
            observe: vec!["staff".into()],
            operate: vec!["office".into(), "staff of elm".into()],
            approve: vec!["leads".into()],
            configure: vec!["integrators".into()],
        };
        let of = |groups: &[&str]| {
            let groups: Vec<String> = groups.iter().map(|one| (*one).to_owned()).collect();
            tiers.of(&groups)
        };
        assert_eq!(of(&["staff"]), Some(Tier::Observe));
        assert_eq!(of(&["staff", "leads", "office"]), Some(Tier::Approve));
        assert_eq!(of(&["staff of elm"]), Some(Tier::Operate));
        assert_eq!(of(&["integrators", "leads"]), Some(Tier::Configure));
        for none in [&[][..], &["Staff"], &["lead"], &["staff "], &[""]] {
            assert_eq!(of(none), None, "{none:?}");
        }
        assert!(tiers.names("leads") && !tiers.names("others"));
    }

    #[test]
    fn groups_that_let_nobody_in_are_told() {
        let of = |groups: &[&str]| TierGroups {
            operate: groups.iter().map(|one| (*one).to_owned()).collect(),
            ..TierGroups::default()
        };
        assert!(of(&[]).problem().unwrap().contains("names no group"));
        for odd in ["", " staff"] {
            assert!(of(&[odd]).problem().unwrap().contains("without a name"));
        }
        assert_eq!(of(&["staff"]).problem(), None);
    }
}
