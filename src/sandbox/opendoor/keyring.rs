//! Who may open what at a local OpenDOOR: buildings, doors, keys, users and accesses, and the rules by which the partner API
//! changes them. Knows no HTTP.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// A building.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Building {
    pub uuid: String,
    pub name: String,
}

/// A door. `is_connected` is false where no network reaches it: it hears of a revocation when somebody goes there.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Door {
    pub uuid: String,
    pub building: String,
    pub name: String,
    pub is_communal: bool,
    pub is_connected: bool,
    /// DOOR's staff gave the partner no right to it.
    pub is_closed: bool,
}

/// A key: one or several doors.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Key {
    pub uuid: String,
    pub building: String,
    pub name: String,
    pub doors: Vec<String>,
}

/// A user. DOOR has one for an email or a phone, and never deletes one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct User {
    pub uuid: String,
    pub first_name: String,
    pub last_name: String,
    pub email: Option<String>,
    pub phone: Option<String>,
}

/// Who granted an access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Granter {
    /// Whoever has the partner's credential.
    Partner,
    /// A manager, in DOOR's own pages.
    User,
}

/// How a user opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs)]
pub enum Passcode {
    Permanent,
    Daily,
    DailySingleUse,
}

/// What a user is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs)]
pub enum Role {
    Resident,
    NonResident,
    Guest,
    Tourer,
}

/// That a user may open a key or a door.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Access {
    pub user: String,
    /// The uuid of a key or of a door.
    pub opens: String,
    pub granter: Granter,
    pub start: Timestamp,
    pub end: Option<Timestamp>,
    pub passcode: Passcode,
    pub role: Option<Role>,
    pub is_shareable: bool,
}

/// Why a request is refused: the status, and the code of its `message` where it has one.
pub(super) type Refused = (u16, Option<&'static str>);

const fn bad(code: &'static str) -> Refused {
    (400, Some(code))
}

/// All of it.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct Keyring {
    seed: u64,
    users_made: u64,
    pub buildings: Vec<Building>,
    pub doors: Vec<Door>,
    pub keys: Vec<Key>,
    pub users: Vec<User>,
    pub accesses: Vec<Access>,
    /// Users and doors that have not heard that the access is gone: they still open.
    pub unheard: BTreeSet<(String, String)>,
}

/// The body of `POST /v1/users` and `/v2/users`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewUser {
    first_name: String,
    last_name: String,
    passcode_type: Passcode,
    shareable: bool,
    start_time: String,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    phone: Option<String>,
    #[serde(default)]
    end_time: Option<String>,
    #[serde(default)]
    door_uuids: Vec<String>,
    #[serde(default)]
    key_uuids: Vec<String>,
    #[serde(default)]
    role: Option<Role>,
}

impl Keyring {
    /// Buildings with a lobby, a gym that no network reaches, and residences; a key for the building and one for each
    /// residence.
    pub(super) fn new(buildings: &[String], units: &[String], seed: u64) -> Keyring {
        let mut keyring = Keyring {
            seed,
            users_made: 0,
            buildings: Vec::new(),
            doors: Vec::new(),
            keys: Vec::new(),
            users: Vec::new(),
            accesses: Vec::new(),
            unheard: BTreeSet::new(),
        };
        for (place, name) in (0..).zip(buildings) {
            keyring.build(place, name, units);
        }
        keyring
    }

    fn build(&mut self, place: u64, name: &str, units: &[String]) {
        let (seed, base) = (self.seed, place * 1_000_000);
        let building = made_up(seed, "building", place);
        self.buildings.push(Building {
            uuid: building.clone(),
            name: name.to_owned(),
        });
        let door = |number: u64, name: String, is_communal: bool, is_connected: bool| Door {
            uuid: made_up(seed, "door", base + number),
            building: building.clone(),
            name,
            is_communal,
            is_connected,
            is_closed: false,
        };
        let communal = [
            door(0, "Lobby".to_owned(), true, true),
            door(1, "Gym".to_owned(), true, false),
        ];
        let key = |number: u64, name: String, doors: Vec<String>| Key {
            uuid: made_up(seed, "key", base + number),
            building: building.clone(),
            name,
            doors,
        };
        let doors = communal.iter().map(|door| door.uuid.clone());
        self.keys
            .push(key(0, "Common areas".to_owned(), doors.collect()));
        self.doors.extend(communal);
        for (number, label) in (1_u64..).zip(units) {
            // Most residence doors have no network of their own.
            let door = door(number + 1, label.clone(), false, number % 4 == 0);
            let doors = vec![door.uuid.clone()];
            self.keys.push(key(number, label.clone(), doors));
            self.doors.push(door);
        }
    }

    /// The key of a residence or of the common areas, by its name.
    pub fn key_named(&self, name: &str) -> Option<&Key> {
        self.keys.iter().find(|key| key.name == name)
    }

    /// The user with an email, in whatever case.
    pub fn user_with(&self, email: &str) -> Option<&User> {
        let is_theirs = |user: &&User| {
            let theirs = user.email.as_deref();
            theirs.is_some_and(|theirs| theirs.eq_ignore_ascii_case(email))
        };
        self.users.iter().find(is_theirs)
    }

    /// Somebody whom a manager lets in with DOOR's own pages.
    pub fn grant_by_hand(&mut self, email: &str, opens: &str, now: Timestamp) {
        let user = self.user(("Somebody", "Else"), Some(email), None);
        self.accesses.push(Access {
            user,
            opens: opens.to_owned(),
            granter: Granter::User,
            start: now,
            end: None,
            passcode: Passcode::Permanent,
            role: Some(Role::Guest),
            is_shareable: false,
        });
    }

    /// Somebody goes past a door with a phone: it hears what it has not heard.
    pub fn door_sync(&mut self, door: &str) {
        self.unheard.retain(|(_, unheard)| unheard != door);
    }

    /// The user with this email or phone, made where there is none.
    fn user(&mut self, name: (&str, &str), email: Option<&str>, phone: Option<&str>) -> String {
        let known = match (email, phone) {
            (Some(email), _) => self.user_with(email),
            (None, phone) => self
                .users
                .iter()
                .find(|user| user.phone.as_deref() == phone),
        };
        if let Some(known) = known {
            return known.uuid.clone();
        }
        self.users_made += 1;
        let uuid = made_up(self.seed, "user", self.users_made);
        self.users.push(User {
            uuid: uuid.clone(),
            first_name: name.0.to_owned(),
            last_name: name.1.to_owned(),
            email: email.map(str::to_owned),
            phone: phone.map(str::to_owned),
        });
        uuid
    }

    /// `POST /v1/users` and `/v2/users`: gives the user's uuid.
    pub(super) fn post_user(&mut self, body: &Value) -> Result<String, Refused> {
        // Absent members are left out: a null is a mistake in every one of them.
        let members = body.as_object().ok_or((400, None))?;
        if members.values().any(Value::is_null) {
            let is_end = members.get("endTime").is_some_and(Value::is_null);
            return Err(if is_end {
                bad("INVALID_END_TIME")
            } else {
                (400, None)
            });
        }
        let asked: NewUser = serde_json::from_value(body.clone()).map_err(|_| (400, None))?;
        if asked.first_name.is_empty() || asked.last_name.is_empty() {
            return Err((400, None));
        }
        let start = time(&asked.start_time).ok_or(bad("INVALID_START_TIME"))?;
        let end = asked
            .end_time
            .as_deref()
            .map(|end| time(end).ok_or(bad("INVALID_END_TIME")));
        let end = end.transpose()?;
        whose(&asked)?;
        match (asked.passcode_type, end) {
            (Passcode::Permanent, _) if asked.email.is_none() => {
                return Err(bad("EMAIL_REQUIRED_FOR_PERMANENT"));
            }
            (Passcode::Daily | Passcode::DailySingleUse, None) => {
                return Err(bad("MISSING_END_TIME"));
            }
            (_, Some(end)) if end <= start => return Err(bad("INVALID_END_TIME")),
            _ => {}
        }
        let opens: Vec<&String> = asked.key_uuids.iter().chain(&asked.door_uuids).collect();
        if opens.is_empty() {
            return Err(bad("BUILDING_UUID_REQUIRED"));
        }
        for uuid in &opens {
            self.may_be_granted(uuid)?;
        }
        let opens: Vec<String> = opens.into_iter().cloned().collect();
        let name = (asked.first_name.as_str(), asked.last_name.as_str());
        let user = self.user(name, asked.email.as_deref(), asked.phone.as_deref());
        for uuid in opens {
            self.accesses.push(Access {
                user: user.clone(),
                opens: uuid,
                granter: Granter::Partner,
                start,
                end,
                passcode: asked.passcode_type,
                role: asked.role,
                is_shareable: asked.shareable,
            });
        }
        Ok(user)
    }

    /// Whether the partner has the right to a key or door.
    fn may_be_granted(&self, uuid: &str) -> Result<(), Refused> {
        let doors = self.doors_of(uuid);
        if doors.is_empty() {
            return Err((404, None));
        }
        if doors.iter().any(|door| door.is_closed) {
            return Err((403, None));
        }
        Ok(())
    }

    /// The doors of a key, or the door itself.
    fn doors_of(&self, uuid: &str) -> Vec<&Door> {
        let key = self.keys.iter().find(|key| key.uuid == uuid);
        let one = [uuid.to_owned()];
        let doors = key.map_or(&one[..], |key| &key.doors);
        let is_one = |door: &&Door| doors.contains(&door.uuid);
        self.doors.iter().filter(is_one).collect()
    }

    /// `PATCH /v1/users/{user}/doors/{door or key}`: end, role and sharing alone.
    pub(super) fn patch(&mut self, user: &str, opens: &str, body: &Value) -> Result<(), Refused> {
        let members = body.as_object().ok_or((400, None))?;
        let end = match members.get("endTime") {
            None => None,
            Some(end) => Some(end.as_str().and_then(time).ok_or(bad("INVALID_END_TIME"))?),
        };
        let role = members
            .get("role")
            .map(|role| serde_json::from_value(role.clone()));
        let role: Option<Role> = role.transpose().map_err(|_| (400, None))?;
        let share = members
            .get("shareable")
            .map(|share| share.as_bool().ok_or((400, None)));
        let share = share.transpose()?;
        let mut found = false;
        let is_it = |access: &&mut Access| {
            access.user == user && access.opens == opens && access.granter == Granter::Partner
        };
        for access in self.accesses.iter_mut().filter(is_it) {
            if end.is_some_and(|end| end <= access.start) {
                return Err(bad("INVALID_END_TIME"));
            }
            found = true;
            access.end = end.or(access.end);
            access.role = role.or(access.role);
            access.is_shareable = share.unwrap_or(access.is_shareable);
        }
        if found {
            Ok(())
        } else {
            Err((404, Some("NOT_FOUND")))
        }
    }

    /// `DELETE /v1/users/{user}/doors/{door or key}`: what the partner granted.
    pub(super) fn delete(&mut self, user: &str, opens: &str) -> Result<(), Refused> {
        let is_it = |access: &Access| {
            access.user == user && access.opens == opens && access.granter == Granter::Partner
        };
        let theirs: Vec<&Access> = self
            .accesses
            .iter()
            .filter(|access| is_it(access))
            .collect();
        if theirs.is_empty() {
            return Err((404, Some("NOT_FOUND")));
        }
        if theirs
            .iter()
            .any(|access| access.passcode == Passcode::DailySingleUse)
        {
            return Err(bad("PASSCODE_TYPE_CANT_BE_REVOKED"));
        }
        let unheard = self
            .doors_of(opens)
            .into_iter()
            .filter(|door| !door.is_connected);
        let unheard: Vec<_> = unheard
            .map(|door| (user.to_owned(), door.uuid.clone()))
            .collect();
        self.unheard.extend(unheard);
        self.accesses.retain(|access| !is_it(access));
        Ok(())
    }

    /// Whether a user opens a door at a moment: by an access, or because the door has not heard that it is gone.
    pub fn opens(&self, user: &str, door: &str, now: Timestamp) -> bool {
        let lets_in = |access: &Access| {
            let is_now = access.start <= now && access.end.is_none_or(|end| end > now);
            let doors = || self.doors_of(&access.opens);
            access.user == user && is_now && doors().iter().any(|one| one.uuid == door)
        };
        self.accesses.iter().any(lets_in)
            || self.unheard.contains(&(user.to_owned(), door.to_owned()))
    }

    /// A user as the API shows one, with what the user may open.
    pub(super) fn user_shown(&self, user: &User) -> Value {
        let mut shown = person(user);
        let theirs = self
            .accesses
            .iter()
            .filter(|access| access.user == user.uuid);
        let accesses: Vec<Value> = theirs
            .map(|access| {
                let mut one = access_shown(access);
                one.insert("doorUuid".into(), access.opens.clone().into());
                // The document asks for an end that the request may leave out.
                one.entry("endTime").or_insert_with(|| FAR.into());
                Value::Object(one)
            })
            .collect();
        shown.insert("accesses".into(), accesses.into());
        Value::Object(shown)
    }

    /// The accesses of a key as the API shows them.
    pub(super) fn key_accesses(&self, key: &str) -> Option<Vec<Value>> {
        let known = self.keys.iter().find(|known| known.uuid == key)?;
        let doors: Vec<Value> = known
            .doors
            .iter()
            .map(|door| json!({ "sdkDoorUuid": door }))
            .collect();
        let of_key = self.accesses.iter().filter(|access| access.opens == key);
        let shown = of_key.map(|access| {
            let mut one = access_shown(access);
            one.insert("keyUuid".into(), key.into());
            one.insert("doors".into(), doors.clone().into());
            Value::Object(one)
        });
        Some(shown.collect())
    }

    /// Users who have an access as a resident in a building.
    pub(super) fn residents(&self, building: &str) -> Option<Vec<Value>> {
        self.buildings.iter().find(|known| known.uuid == building)?;
        let lives = |user: &&User| {
            self.accesses.iter().any(|access| {
                access.user == user.uuid
                    && access.role == Some(Role::Resident)
                    && self
                        .doors_of(&access.opens)
                        .iter()
                        .any(|door| door.building == building)
            })
        };
        Some(
            self.users
                .iter()
                .filter(lives)
                .map(|user| Value::Object(person(user)))
                .collect(),
        )
    }
}

/// What stands for an end where there is none.
const FAR: &str = "9999-12-31T23:59:59Z";

/// Exactly one of email and phone, and a right one.
fn whose(asked: &NewUser) -> Result<(), Refused> {
    match (asked.email.as_deref(), asked.phone.as_deref()) {
        (Some(_), Some(_)) => Err(bad("EMAIL_AND_PHONE_PROVIDED")),
        (None, None) => Err(bad("EMAIL_OR_PHONE_REQUIRED")),
        (Some(""), None) => Err(bad("EMAIL_CAN_NOT_BE_EMPTY")),
        (Some(_), None) => Ok(()),
        (None, Some(phone)) => {
            let digits = phone.strip_prefix('+').unwrap_or_default();
            let is_number = (8..=15).contains(&digits.len())
                && digits.bytes().all(|digit| digit.is_ascii_digit());
            if is_number {
                Ok(())
            } else {
                Err(bad("INVALID_PHONE"))
            }
        }
    }
}

/// A moment with `T` and `Z`, and in no other form.
fn time(text: &str) -> Option<Timestamp> {
    let is_form = text.ends_with('Z') && text.as_bytes().get(10) == Some(&b'T');
    is_form.then(|| text.parse().ok())?
}

fn person(user: &User) -> Map<String, Value> {
    let mut shown = Map::new();
    shown.insert("userUuid".into(), user.uuid.clone().into());
    shown.insert("firstName".into(), user.first_name.clone().into());
    shown.insert("lastName".into(), user.last_name.clone().into());
    shown.insert(
        "email".into(),
        user.email.clone().unwrap_or_default().into(),
    );
    if let Some(phone) = &user.phone {
        shown.insert("phone".into(), phone.clone().into());
    }
    shown
}

fn access_shown(access: &Access) -> Map<String, Value> {
    let mut shown = Map::new();
    let granter = match access.granter {
        Granter::Partner => "PARTNER",
        Granter::User => "USER",
    };
    shown.insert("userUuid".into(), access.user.clone().into());
    let uuid = made_up(0, granter, 0);
    shown.insert("granter".into(), json!({ "type": granter, "uuid": uuid }));
    shown.insert("startTime".into(), access.start.to_string().into());
    if let Some(end) = access.end {
        shown.insert("endTime".into(), end.to_string().into());
    }
    let passcode = match access.passcode {
        Passcode::Permanent => "PERMANENT",
        Passcode::Daily => "DAILY",
        Passcode::DailySingleUse => "DAILY_SINGLE_USE",
    };
    shown.insert("passcodeType".into(), passcode.into());
    let role = access.role.map(|role| match role {
        Role::Resident => "RESIDENT",
        Role::NonResident => "NON_RESIDENT",
        Role::Guest => "GUEST",
        Role::Tourer => "TOURER",
    });
    if let Some(role) = role {
        shown.insert("role".into(), role.into());
    }
    shown.insert("shareable".into(), access.is_shareable.into());
    shown
}

/// What residences are called that have no names: four on each floor.
pub(super) fn labels(residences: usize) -> Vec<String> {
    let letters = (0_usize..).zip("ABCD".chars().cycle()).take(residences);
    letters
        .map(|(number, letter)| format!("{}{letter}", 1 + number / 4))
        .collect()
}

/// A uuid that the same seed, word and number always have.
pub(super) fn made_up(seed: u64, word: &str, number: u64) -> String {
    let mut hash = blake3::Hasher::new();
    hash.update(&seed.to_le_bytes());
    hash.update(word.as_bytes());
    hash.update(&number.to_le_bytes());
    let mut bytes = [0; 16];
    hash.finalize_xof().fill(&mut bytes);
    // The marks of a random one.
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let hex = format!("{:032x}", u128::from_be_bytes(bytes));
    let parts = [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ];
    parts.join("-")
}
