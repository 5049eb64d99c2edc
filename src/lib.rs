//! epms: resident feeds from property management systems (PMS).
//!
//! Buildings run on a PMS; it knows who lives where and until when. `epms` is a daemon that pulls residents
//! and leases from PMSs into a store of people, every hour and whenever somebody asks. YAML files say how a
//! kind of PMS is reached and what feeds which property; Rhai scripts say what its records mean. Both are
//! reloaded when they change. This text is the architecture: what is there, and what is deliberately absent.
//!
//! # The flow: one way
//!
//! ```text
//! config ──▶ catalog ──▶ source ──▶ script ─────────▶ sync ───────▶ store
//!  YAML      compiled,   request,   map and           match,        redb,
//!  files     frozen,     page,      exclude           alert,        one
//!            numbered    decode                       plan          commit
//! Files ──▶ Integration ──▶ Record ──▶ Entry ──────────▶ Plan ──▶ commit ──▶ Change
//! ```
//!
//! Each stage has its own input and output type, so that no stage can be skipped or run twice by mistake. A
//! record, or each resident in it, ends in exactly one [`Fate`](model::Fate); a run whose counts do not add
//! up commits nothing. A reading is [`Complete` or `Partial`](model::Reading); only a complete one may be
//! committed, and only it may say that somebody was not seen (R25, R26).
//!
//! # The modules, in reading order
//!
//! ```text
//! model    what things are: ids, residents, people, alerts, changes, runs. No I/O, no clock
//! config   YAML field for field, checked, every problem at once; secrets only by reference
//! source   how a PMS is read: templates, authentication, paging, limits, retries; JSON and XML → Record
//! script   the only module that names rhai: limits, helpers, compiling, calling, errors with their place
//! cases    mapping tests: data beside the scripts
//! catalog  config and scripts compiled together, numbered per integration; watch → load → swap
//! store    the only module that names redb: tables, indexes, transactions
//! sync     one run: read → map → exclude → match → plan → commit → report; `plan` is pure
//! acts     what people do by hand: each act one transaction, with its actor, before and after
//! control  HTTP over the Unix socket: protocol, server, client
//! sandbox  local PMS servers with seeded people, and faults on demand
//! daemon   all wiring on one screen; `schedule` is pure
//! cli      one file per verb
//! ```
//!
//! Which module may name which is a test (`tests/architecture.rs`), and so are the homes of foreign crates.
//! `source`, `script` and `store` never name each other. No module knows a PMS by name, except the sandbox,
//! which imitates them: a new PMS is a connector's YAML, a script, and mapping tests.
//!
//! # Who owns what
//!
//! | state | one owner | others see it through |
//! |---|---|---|
//! | catalog | [`catalog::watch`] | a `watch` channel of `Arc<Catalog>`; a run takes its `Arc<Integration>` once and ends on the generation it began with (R9) |
//! | schedule | the loop in `daemon::runs` | commands with a `oneshot` reply; requests during a run become one more run (R3) |
//! | store | `Arc<Store>` | only inside `spawn_blocking`; redb lets one process in |
//! | stop | `main` | a `CancellationToken` |
//!
//! Start: load the catalog → open the store → bind the socket → ready → run; a service manager is told so once
//! the socket itself answers that it is. A store that cannot be read is
//! never replaced by an empty one. Stop: take no new work → finish what runs within the grace time → drop the
//! rest (an uncommitted transaction never happened) → remove the socket.
//!
//! # Reload is a load
//!
//! There is no second code path. Events of the file system are hints; what counts is a hash of what lies on
//! disk, looked at on every hint, every twenty seconds, and on request. Everything is compiled, then swapped
//! once per integration: a broken file leaves its integration on the generation that runs, and the others
//! move on. A deleted integration file pauses it; its people stay.
//!
//! # What a run remembers
//!
//! A run keeps the print of every record, what mapping made of it, and whether the next run would decide the same
//! about it ([`sync`]'s `memory`). The next run compares an answer's bytes with the prints, and maps and plans only
//! what is new or gone, what never rests (alerts, residents who are absent), whoever somebody else wrote about since,
//! and what hangs together with any of them by resident, person or email. The memory lies in the same transaction as
//! the people. It can be dropped at any time and no result changes: a property test holds a run that remembers
//! against one that looks at everything. A change of the files, the lookups, the units mapped by hand or, where a
//! script asks for it, the date drops it.
//!
//! # Deliberately absent
//!
//! - Nothing is ever written to a PMS (R1), and nobody is ever deleted here because the PMS is silent (R23, R25).
//! - No decision reads the clock or chance: both come in as arguments. The same inputs give the same plan.
//! - No script reaches a clock, a file, the network or chance; none can import what was not there when it was
//!   loaded.
//! - No request goes to a host that the connector does not list; redirects are not followed.
//! - No personal data in logs, and no secret in any text: ids and places stand there instead.
//! - No request over the socket names a file, a URL or a script.

pub mod model;

pub mod config;
pub mod source;
pub mod script;
pub mod cases;
pub mod catalog;
pub mod store;
pub mod sync;
pub mod acts;
pub mod control;
pub mod sandbox;
pub mod daemon;
pub mod cli;
