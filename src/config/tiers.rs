//! Who may do what over the control socket: the users and groups of each tier, and which of them a caller is.
//! The decision is pure; only [`Caller::known`] asks the system.

use std::ffi::CString;
use std::fmt;

use nix::errno::Errno;
use nix::unistd::{Gid, Group, Uid, User, getgrouplist};
use schemars::JsonSchema;
use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use crate::model::Tier;

/// The tiers of the control socket. Each may also do what those before it may.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Tiers {
    /// Who may read everything.
    pub observe: Callers,
    /// Who may also ask for syncs, previews, reloads and copies of the store, resolve alerts, and change people
    /// by hand.
    pub operate: Callers,
    /// Who may also let a held plan through.
    pub approve: Callers,
    /// Who may also set integrations up and change what their files say, on the page: the daemon's user and root, too,
    /// only where they are named.
    pub configure: Callers,
}

/// Users and groups of this machine, by name or number.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Callers {
    /// Users.
    pub users: Vec<Named>,
    /// Groups: a user's own, and those they are a member of.
    pub groups: Vec<Named>,
}

/// A user or a group.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(title = "name or number", untagged)]
pub enum Named {
    /// By its number.
    Number(u32),
    /// By its name.
    Name(String),
}

/// A caller, as the system knows them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Caller {
    /// The user's number.
    pub uid: u32,
    /// The user's name, when they have one.
    pub user: Option<String>,
    /// The groups: number, and name where there is one.
    pub groups: Vec<(u32, Option<String>)>,
}

impl Tiers {
    /// The highest tier of a caller; none when nothing names them.
    pub fn of(&self, caller: &Caller) -> Option<Tier> {
        Tier::ALL
            .into_iter()
            .rev()
            .find(|tier| self.callers(*tier).include(caller))
    }

    /// Whether anybody at all has this tier.
    pub fn has(&self, tier: Tier) -> bool {
        let Callers { users, groups } = self.callers(tier);
        !(users.is_empty() && groups.is_empty())
    }

    fn callers(&self, tier: Tier) -> &Callers {
        match tier {
            Tier::Observe => &self.observe,
            Tier::Operate => &self.operate,
            Tier::Approve => &self.approve,
            Tier::Configure => &self.configure,
        }
    }

    /// Names that nobody has on this machine, and where they stand: `socket.tiers.operate.groups: epms-ops`.
    pub fn strangers(&self) -> Vec<String> {
        let mut found = Vec::new();
        for tier in Tier::ALL {
            let Callers { users, groups } = self.callers(tier);
            let mut look = |kind: &str, all: &[Named], known: fn(&str) -> bool| {
                found.extend(all.iter().filter_map(|named| match named {
                    Named::Name(name) if !known(name) => {
                        Some(format!("socket.tiers.{tier}.{kind}: {name}"))
                    }
                    _ => None,
                }));
            };
            look("users", users, |name| {
                !matches!(User::from_name(name), Ok(None))
            });
            look("groups", groups, |name| {
                !matches!(Group::from_name(name), Ok(None))
            });
        }
        found
    }
}

impl Callers {
    fn include(&self, caller: &Caller) -> bool {
        let is_user = |named: &Named| named.is(caller.uid, caller.user.as_deref());
        let is_group = |named: &Named| {
            let mut groups = caller.groups.iter();
            groups.any(|(gid, name)| named.is(*gid, name.as_deref()))
        };
        self.users.iter().any(is_user) || self.groups.iter().any(is_group)
    }
}

impl Named {
    fn is(&self, number: u32, name: Option<&str>) -> bool {
        match self {
            Named::Number(wanted) => *wanted == number,
            Named::Name(wanted) => name == Some(wanted),
        }
    }
}

impl Caller {
    /// The name that this machine has for a user. May wait for a directory service.
    pub fn name(uid: u32) -> Result<Option<String>, Errno> {
        let user = User::from_uid(Uid::from_raw(uid))?;
        Ok(user.map(|user| user.name))
    }

    /// What this machine says of a user who connected with `gid` as their group: their name, and the groups they
    /// are a member of. A socket tells no more than the two numbers; membership is looked up at each call, so it
    /// ends when it is taken away. May wait for a directory service.
    pub fn known(uid: u32, gid: u32) -> Result<Caller, Errno> {
        let user = User::from_uid(Uid::from_raw(uid))?;
        let mut gids = vec![gid];
        if let Some(user) = &user {
            let name = CString::new(user.name.as_str()).map_err(|_| Errno::EINVAL)?;
            let member = getgrouplist(&name, Gid::from_raw(gid))?;
            gids.extend(member.into_iter().map(Gid::as_raw));
            gids.push(user.gid.as_raw());
        }
        gids.sort_unstable();
        gids.dedup();
        let named = |gid: u32| {
            let group = Group::from_gid(Gid::from_raw(gid))?;
            Ok((gid, group.map(|group| group.name)))
        };
        Ok(Caller {
            uid,
            user: user.map(|user| user.name),
            groups: gids.into_iter().map(named).collect::<Result<_, Errno>>()?,
        })
    }
}

impl<'de> Deserialize<'de> for Named {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl Visitor<'_> for Read {
            type Value = Named;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name or the number of a user or group")
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Named, E> {
                // The last number is what the system calls 'nobody at all'.
                match u32::try_from(number) {
                    Ok(number) if number != u32::MAX => Ok(Named::Number(number)),
                    _ => Err(E::custom(format!(
                        "`{number}` is no number of a user or group; `id` shows them"
                    ))),
                }
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Named, E> {
                match u64::try_from(number) {
                    Ok(number) => self.visit_u64(number),
                    Err(_) => Err(E::custom(format!(
                        "`{number}` is no number of a user or group; `id` shows them"
                    ))),
                }
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Named, E> {
                match text.parse::<u64>() {
                    Ok(number) => self.visit_u64(number),
                    Err(_) if text.is_empty() => Err(E::custom(
                        "is empty; write the name or the number of a user or group",
                    )),
                    Err(_) => Ok(Named::Name(text.to_owned())),
                }
            }
        }
        deserializer.deserialize_any(Read)
    }
}

impl Serialize for Named {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Named::Number(number) => serializer.serialize_u32(*number),
            Named::Name(name) => serializer.serialize_str(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Document, Settings};

    fn tiers(text: &str) -> Result<Option<Tiers>, String> {
        let text = format!("version: 1\nsocket:\n{text}");
        let document =
            Document::parse("epms.yaml".as_ref(), &text).map_err(|_| "no YAML".to_owned())?;
        let read: Result<Settings, _> = document.read();
        read.map(|settings| settings.socket.tiers)
            .map_err(|problems| format!("{problems:?}"))
    }

    fn caller(uid: u32, user: Option<&str>, groups: &[(u32, &str)]) -> Caller {
        Caller {
            uid,
            user: user.map(str::to_owned),
            groups: groups
                .iter()
                .map(|(gid, name)| (*gid, Some((*name).to_owned())))
                .collect(),
        }
    }

    #[test]
    fn the_highest_tier_that_names_a_caller_is_theirs() {
        let tiers = tiers(
            "  tiers:\n    observe: { users: [1001, ana], groups: [watch] }\n    operate: { groups: [ops, 2002] }\n    approve: { users: [ana] }\n    configure: { users: [cy] }\n",
        )
        .unwrap()
        .unwrap();
        let of = |caller: Caller| tiers.of(&caller);
        assert_eq!(of(caller(1001, None, &[])), Some(Tier::Observe));
        assert_eq!(of(caller(7, Some("ana"), &[])), Some(Tier::Approve));
        assert_eq!(of(caller(7, Some("cy"), &[])), Some(Tier::Configure));
        assert_eq!(
            of(caller(8, Some("bo"), &[(9, "watch")])),
            Some(Tier::Observe)
        );
        let member = caller(8, Some("bo"), &[(1, "users"), (9, "watch"), (10, "ops")]);
        assert_eq!(of(member), Some(Tier::Operate));
        assert_eq!(
            of(caller(8, Some("bo"), &[(2002, "other")])),
            Some(Tier::Operate)
        );
        assert_eq!(of(caller(8, Some("bo"), &[(10, "users")])), None);
        // A user's number is not a group's, and a name is not a number.
        assert_eq!(of(caller(2002, None, &[(1001, "1001")])), None);
        assert_eq!(of(caller(5, Some("watch"), &[(6, "ana")])), None);
    }

    #[test]
    fn tiers_with_nobody_in_them_are_not_the_absence_of_tiers() {
        assert_eq!(tiers("  mode: \"0660\"\n").unwrap(), None);
        // Whoever wrote the key did not mean everybody.
        assert!(
            tiers("  tiers:\n")
                .unwrap_err()
                .contains("nothing stands here")
        );
        for text in ["  tiers: {}\n", "  tiers: { observe: {} }\n"] {
            let tiers = tiers(text).unwrap();
            assert_eq!(tiers, Some(Tiers::default()), "{text}");
        }
        assert_eq!(
            Tiers::default().of(&caller(0, Some("root"), &[(0, "root")])),
            None
        );
    }

    #[test]
    fn what_names_nobody_is_refused_with_its_place() {
        for (text, says) in [
            (
                "  tiers: { observe: { users: [-1] } }\n",
                "`-1` is no number",
            ),
            (
                "  tiers: { observe: { users: [4294967295] } }\n",
                "`4294967295` is no number",
            ),
            ("  tiers: { observe: { users: [\"\"] } }\n", "is empty"),
            (
                "  tiers: { observe: { users: [true] } }\n",
                "the name or the number",
            ),
            ("  tiers: { aprove: { users: [ana] } }\n", "approve"),
            ("  tiers: { observe: { user: [ana] } }\n", "users"),
        ] {
            let told = tiers(text).unwrap_err();
            assert!(told.contains(says), "{text}: {told}");
        }
    }

    #[test]
    fn a_caller_is_known_by_name_and_by_all_of_their_groups() {
        let root = Caller::known(0, 4_242_424).unwrap();
        assert_eq!((root.uid, root.user.as_deref()), (0, Some("root")));
        let gids: Vec<u32> = root.groups.iter().map(|(gid, _)| *gid).collect();
        assert!(gids.contains(&0) && gids.contains(&4_242_424), "{gids:?}");
        assert_eq!(Caller::name(0).unwrap().as_deref(), Some("root"));
        assert_eq!(Caller::name(3_999_999_999).unwrap(), None);
        let nobody = Caller::known(3_999_999_999, 3_999_999_998).unwrap();
        assert_eq!(nobody.user, None);
        assert_eq!(nobody.groups, [(3_999_999_998, None)]);
    }

    #[test]
    fn a_name_that_nobody_has_is_told_with_its_place() {
        let tiers = tiers(
            "  tiers: { observe: { users: [root, no-such-user] }, approve: { groups: [no-such-group, 12] } }\n",
        );
        assert_eq!(
            tiers.unwrap().unwrap().strangers(),
            [
                "socket.tiers.observe.users: no-such-user",
                "socket.tiers.approve.groups: no-such-group"
            ]
        );
    }
}
