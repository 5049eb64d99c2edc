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
//! Behind the store it goes on to the places that have the doors: `store ──▶ deliver ──▶ source ──▶ target`. A run knows
//! nothing of that: delivery is woken by the change log, and compares what people should have with what the target says
//! that they have.
//!
//! Each stage has its own input and output type, so that no stage can be skipped or run twice by mistake. A
//! record, or each resident in it, ends in exactly one [`Fate`](model::Fate); a run whose counts do not add
//! up commits nothing. A reading is [`Complete` or `Partial`](model::Reading); only a complete one may be
//! committed, and only it may say that somebody was not seen (R25, R26).
//!
//! # Words
//!
//! One meaning each, here, in the files, in logs and in commands.
//!
//! | word | means |
//! |---|---|
//! | PMS, connector | a property management system; the file that says how a kind of them is reached |
//! | credential | an account at a PMS or a target, shared by all integrations that name it |
//! | property, PMS property | a building here; what the PMS calls one, by its id there |
//! | integration | a property here, fed by PMS properties through one credential |
//! | generation | the files of an integration or a target, compiled and numbered; a run ends on the one it began with |
//! | record | one thing that the PMS gave, as JSON; nobody has judged it |
//! | resident | somebody in a record, as the script says: a PMS id, a name, a status, dates, a unit |
//! | lease status | `current`, `pending`, `past`, `applicant`, `void` or `unknown` (R5); the PMS's own word is the *status word* |
//! | person | somebody here, once, wherever they live; no PMS knows the id |
//! | link, stay | that a resident is a person; how that person lives at one integration |
//! | reading | all that was read for a run: `Complete`, or `Partial`, which changes nothing |
//! | entry, fate | a record mapped; the one thing that became of it: created, linked, updated, excluded, rejected … |
//! | plan, digest | what a run would do, as one value; what stands for exactly that plan, and for no other |
//! | guard, held | what judges a plan before it is carried out (R27); a plan that waits for somebody |
//! | run | reading, mapping, planning and one commit for an integration, with a report |
//! | decision | what a run decided about one resident, by which rule: what `explain` tells |
//! | change | an entry of the log that others follow: what became different about a person |
//! | alert, way | something that somebody has to look at; one of the things that can be done about it |
//! | act, actor | something done by hand, which can be undone; who did it, with the name as it was then |
//! | tier | what a caller may do: observe, operate, approve, configure |
//! | target, place | a system that has the doors; something there that can be opened |
//! | grant | that a person may open a place, wanted here or held there |
//! | deed, lane | one thing to do at a target; all that is to be done for one person there, in its order |
//! | rest | not being looked at again until the record, the script or somebody else changes it |
//! | moment | when a run is due |
//! | notice, letter | that somebody is told of alerts and runs; one message on its way |
//!
//! # The modules, in reading order
//!
//! ```text
//! model    what things are: ids, residents, people, alerts, changes, runs. No I/O, no clock
//! beneath  files opened beneath the home alone, regular ones, up to a limit: the one place that reads them
//! config   YAML field for field, checked, every problem at once; secrets only by reference
//! outbound the guarded way out: hosts, addresses, TLS, budgets, retries, tokens; whether a credential is taken
//! source   how a PMS is read: templates, authentication, paging, verdicts; JSON, XML and CSV → Record
//! script   the only module that names rhai: limits, helpers, compiling, calling, errors with their place
//! rules    what may be done about whom, for runs and acts alike: normal forms, matching, plan, guard. Pure
//! cases    mapping tests: data beside the scripts
//! catalog  config and scripts compiled together, numbered per integration and target; watch → load → swap
//! setup    the set-up of an integration: answers, looks into the PMS on the way, the files that come of it
//! store    the only module that names redb: tables, indexes, transactions
//! sync     one run: read → map → exclude → rules → commit → report
//! acts     what is done by hand, or follows from the files: each act one transaction, with its actor, before and after
//! deliver  what people may open at a target: by desired state, compared with what is read back
//! notify   somebody is told of alerts and runs: what is told when is pure; by mail, to a URL, or to a program
//! signin   who gets in over the network: accounts, a provider of identities, sessions, tokens, the certificate
//! control  HTTP over the Unix socket and the network: protocol, server, client
//! web      the same for people: pages and forms, made of what the socket's API is made of
//! sandbox  local PMS servers with seeded people, and faults on demand
//! daemon   all wiring on one screen; `schedule` is pure
//! cli      one file per verb
//! ```
//!
//! Which module may name which is a test (`tests/architecture.rs`), and so are the homes of foreign crates.
//! `source`, `script` and `store` never name each other; `outbound` knows no PMS, no property, no record and no page: what
//! else is asked beyond this machine goes the same way. No module knows a PMS by name, except the sandbox,
//! which imitates them: a new PMS is a connector's YAML, a script, and mapping tests.
//!
//! Tests of one module lie in it. Those of the whole program are four crates with a file for each subject: `tests/daemon`,
//! `tests/language` (connectors and scripts), `tests/files` (homes, schemas, packaging, README) and `tests/hostile`;
//! `tests/support` is what they share. `cargo test --test daemon held::` runs one file. Tests of a crate are threads of
//! one process: none may change its environment, current folder or limits, and one that measures the process asks
//! for one of its own (`has_its_own_process`).
//!
//! # Four walks
//!
//! The files on the way, in their order, each with what it does there.
//!
//! **A record becomes a change.** `src/source/read.rs` asks for page after page → `src/source/fetch.rs` for one, with a token →
//! `src/outbound/exchange.rs` sends and repeats → `src/source/verdict.rs` says what the answer means →
//! `src/source/decode.rs` takes it apart → `src/sync/run.rs` hands each page on → `src/sync/mapping.rs` makes an entry of each
//! record, by `src/script/compiled.rs` → `src/sync/commit.rs` opens the one transaction → `src/sync/memory/gather.rs` leaves out
//! what rests → `src/rules/plan.rs` decides, by `src/rules/matching.rs` who it is and by `src/rules/update.rs` what may be written
//! → `src/rules/guard.rs` judges all of it → `src/store/people.rs` writes. Fifteen files.
//!
//! **A file becomes a generation.** `src/catalog/watch.rs` sees that the home has another hash → `src/catalog/load.rs` reads
//! everything, each file by `src/config/files.rs` → `src/source/compile.rs` compiles the connector, `src/script/compiled.rs` the script
//! → `src/catalog/load/outcomes.rs` says what became of each → `src/daemon/runs.rs` takes the new catalog over. Seven files.
//!
//! **A request is answered.** `epms people lock p17 email`: `src/cli/people.rs` → `src/control/client/acts.rs` →
//! `src/control/server/acts.rs` checks the form, behind `src/control/server/admission.rs`, which checks the tier →
//! `src/daemon/backend/acts.rs` names the hand → `src/acts/keep.rs` does it at `src/acts/desk.rs`, in one transaction. Seven files;
//! on the page `src/web/acts/people.rs` stands in the place of the first three.
//!
//! **An alert is resolved.** `src/web/acts/alerts.rs` reads the form → `src/daemon/backend/acts.rs` → `src/acts/resolve.rs` chooses
//! the way → `src/acts/agree.rs` ties the resident and writes what `src/rules/update.rs` allows → `src/acts/desk.rs` settles the
//! alert and notes everything before and after. Six files.
//!
//! # Who owns what
//!
//! | state | one owner | others see it through |
//! |---|---|---|
//! | catalog | [`catalog::watch`] | a `watch` channel of `Arc<Catalog>`; a run takes its `Arc<Integration>` once and ends on the generation it began with (R9) |
//! | schedule | the loop in `daemon::runs` | commands with a `oneshot` reply; requests during a run become one more run (R3) |
//! | a target's deliveries | its worker; `daemon::deliveries` keeps the workers as the files have them | `Desk`, which writes what is sent before it is |
//! | what was told to whom | the worker of each notification; `daemon::notices` keeps them as the file has them | its letters in the store, written before they are sent |
//! | store | `Arc<Store>` | only inside `spawn_blocking`; redb lets one process in |
//! | stop | `main` | a `CancellationToken` |
//!
//! Start: open the store → load the catalog → bind the socket → ready → run; a service manager is told so once
//! the socket itself answers that it is. A store that cannot be read is
//! never replaced by an empty one. Stop: take no new work → finish what runs within the grace time → drop the
//! rest (an uncommitted transaction never happened) → remove the socket.
//!
//! # Reload is a load
//!
//! There is no second code path. Events of the file system are hints; what counts is a hash of what lies on
//! disk, looked at on every hint, every twenty seconds, and on request. Everything is compiled, then swapped
//! once per integration: a broken file leaves its integration on the generation that runs, and the others
//! move on. A deleted integration file pauses it; its people stay. Targets are loaded alike, after the integrations whose
//! people they get; without its file nothing is sent to one, and what was granted there stays.
//!
//! # Whose people go where
//!
//! The store remembers of every integration which account and which PMS properties its people come from (no secret is
//! in that). When files are loaded, the catalog holds this against what lies on disk, and decides with it who may run:
//! a PMS property feeds one integration, the one whose people are linked. A property that stands in exactly one other
//! file than before, or a file that has another name, takes its people along: the owner of the schedule moves them in
//! one transaction before anything reads for them, and not while a run of theirs is under way (R46). Where it is not
//! clear who is meant, nothing is moved and the new file does not run; `epms integration rename` says it by hand.
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
//! # What a run keeps in memory
//!
//! Of everybody only marks: which ids and emails the feed has, where each record's entry lies, what is written of each link.
//! What mapping made of the records, and the people, links, changes and decisions of the plan are lists of bytes
//! ([`Spooled`](model::Spooled)) that the run puts away from a few megabytes on, in a file beside the store that has no name
//! ([`Store::spool`](store::Store::spool)). They are written from there, in one transaction. A disk that is full, or cannot
//! be read again, ends the run: before the commit it is asked whether all was put away.
//!
//! # What of a record is decoded
//!
//! The names that a script and its imports can ask for are known when it is compiled: its literals. Of a record only
//! those are decoded ([`script`]'s `sparse`). A script that looks at a map as a whole, or asks for a name that is not
//! written out, is noticed by what it calls, and called again with the whole record. It is the same script in the same
//! language; what it makes of a record does not depend on this, and a property test says so.
//!
//! # What is promised, and the test that would break it
//!
//! | promise | shown by |
//! |---|---|
//! | a run commits everything or nothing, also when the process is killed | `a_daemon_killed_at_any_point_of_a_run_comes_to_the_same_people_on_json_pages`, `a_daemon_killed_in_its_very_first_run_begins_anew` |
//! | … when the disk fails, is full, or loses its power | `a_disk_that_fails_at_any_step_leaves_the_store_before_or_the_one_after`, `a_disk_that_loses_its_power_at_any_step_keeps_what_was_done`, `a_full_disk_loses_nothing_and_is_no_reason_to_start_anew` |
//! | what is called complete has everybody who was there all the time | `a_complete_reading_has_everybody_who_was_there_all_the_time` |
//! | nobody is closed but who is truly past, whatever the PMS does | `whatever_a_feed_says_nobody_becomes_another_nobody_who_lives_here_is_closed_and_nobody_who_left_is_kept`, `whatever_a_pms_does_in_a_week_nobody_loses_anything_who_has_not_left` |
//! | what people may open arrives at real doors, each once, also over kills; what opens waits for approval of exactly that | `r40_a_move_in_a_unit_change_and_a_move_out_arrive_at_the_doors`, `a_daemon_killed_while_it_delivers_grants_nothing_twice_and_loses_nothing`, `what_opens_waits_for_approval_of_exactly_that` |
//! | a run that cannot keep what it has to until it commits fails, and nothing is lost | `a_disk_that_is_full_while_a_run_spools_ends_the_run_and_nothing_is_lost`, `what_was_spooled_and_cannot_be_read_again_ends_the_run_and_nothing_is_lost` |
//! | … and nothing is taken from many without approval of that very plan | `r27_a_mass_move_out_waits_for_approval_of_exactly_that_plan`, `r27_whatever_the_mornings_bring_no_day_takes_from_more_than_it_may_without_approval` |
//! | whatever a target does, once it is calm there is what is wanted, each once; nobody loses anything by silence | `whatever_a_target_does_once_it_is_calm_there_is_what_is_wanted_and_each_once`, `whatever_a_target_does_nothing_opens_or_changes_that_nobody_approved` |
//! | files that are tried change nothing, and no secret goes where the running files do not send it | `a_script_is_tried_on_what_the_running_files_read_and_nothing_remains`, `a_sent_file_never_says_where_a_secret_goes` |
//! | whoever is to be told of a trouble is told once, outside quiet hours, and once when it is over | `each_trouble_is_told_once_its_end_after_it_and_nothing_in_quiet_hours`, `a_week_of_ten_properties_in_which_each_trouble_is_heard_of_once` |
//! | an ordinary morning is held for nothing | `a_year_of_ordinary_mornings_has_no_needless_hold` |
//! | the same inputs give the same plan; a preview is the run | `whatever_happens_in_the_pms_a_run_keeps_what_is_promised`, `a_preview_is_what_the_next_run_does` |
//! | what is remembered changes no result | `a_memory_can_be_dropped_at_any_time_and_no_result_changes`, `what_is_skimmed_is_what_would_be_read` |
//! | nor does how much of a record is decoded, or on how many cores a page is mapped | `what_a_script_makes_of_a_record_does_not_depend_on_how_much_of_it_is_decoded`, `a_page_mapped_on_all_cores_comes_out_in_the_order_of_its_records` |
//! | whatever files come, go and change their names, nobody is lost and nobody is in two places | `r46_whatever_files_come_and_go_nobody_is_lost_and_nobody_is_in_two_places`, `r46_wherever_people_are_moved_nobody_is_lost_and_nobody_is_in_two_places` |
//! | months of syncs keep all this, and the store its size | `months_of_hourly_syncs_keep_what_is_promised_and_stay_as_large_as_they_were` |
//! | what an office does in a PMS arrives as the manual's page says | `what_an_office_does_in_resman_arrives_as_its_page_says`, `what_an_office_does_in_rent_manager_arrives_as_its_page_says` |
//! | a refused reload changes nothing, and none touches a run under way | `what_runs_is_always_the_last_that_was_right_also_under_runs`, `a_run_under_way_ends_on_the_generation_it_began_with` |
//! | any bytes end in a clear error in bounded time and memory | `every_target_has_a_corpus_and_every_corpus_a_target_of_the_fuzzer`, `an_answer_that_unpacks_to_gigabytes_is_given_up_before_it_is_held`, `what_is_nested_without_end_is_no_answer`, `whatever_a_script_tries_it_is_an_error_of_its_record_in_bounded_time_and_memory`, `no_helper_panics_whatever_it_is_given`, `there_is_room_for_a_hundred_megabytes_also_on_the_smallest_stack` |
//! | a script or a PMS that holds a run up ends that run and no more | `a_run_that_a_script_holds_up_is_given_up_at_its_deadline_and_the_next_is_ordinary`, `a_run_that_the_pms_holds_up_is_given_up_at_its_deadline_and_the_next_is_ordinary` |
//! | a clock that is set keeps no run back | `r45_whatever_the_wall_clock_does_runs_are_a_rhythm_and_the_jitter_apart_at_most`, `r45_wherever_the_clock_was_that_the_store_was_written_by_a_run_is_due_after_a_rhythm` |
//! | no clock makes anything forgotten, and what is closed costs nobody anything who does not ask for it | `a_clock_that_is_ahead_forgets_nothing_and_age_goes_on_once_it_is_right`, `status_and_open_alerts_read_as_much_with_twenty_thousand_closed_ones_as_with_none` |
//! | stores of earlier versions open, a newer one is refused with the remedy | `a_store_of_an_earlier_version_opens_and_says_what_it_said`, `a_store_of_a_later_version_is_refused_with_both_versions_and_the_remedy` |
//! | whoever is erased stands in no table, in no byte of the store's file once it is compacted, and comes back by no feed and no backup | `after_an_erasure_nothing_of_the_person_stands_in_any_table_whatever_runs_come`, `whoever_is_erased_stays_away_and_after_compact_no_byte_of_the_store_says_who_they_were`, `a_backup_from_before_that_is_restored_has_nobody_in_it_who_was_erased_since` |
//! | a lost store is not taken for a new one, and no number is given twice | `r47_a_store_that_is_removed_while_it_is_open_is_told_and_nothing_of_it_is_lost`, `r47_a_restore_begins_an_epoch_and_gives_no_number_twice`, `r47_a_new_beginning_gives_no_number_twice` |
//! | a caller who floods, stalls or breaks off costs others nothing | `a_flood_of_requests_from_many_threads_is_answered_and_so_is_everybody_else`, `a_caller_who_does_not_read_holds_up_nobody`, `who_breaks_off_in_the_middle_leaves_nothing_behind` |
//! | a caller reaches what its tier reaches, and names no file, URL or script | `each_tier_reaches_its_routes_and_no_others_and_what_is_denied_is_logged`, `no_request_names_a_file_a_url_or_a_script` |
//! | what stands in a PMS, a file or a comment runs in nobody's browser, and no other site acts through one | `markup_and_length_in_what_others_write_stay_text`, `nothing_is_done_that_another_site_asks_for_in_a_browser` |
//! | secrets and people stand in no log | `no_secret_and_no_resident_stands_in_the_log_of_json_pages`, `a_secret_does_not_show_itself`, `a_pms_that_repeats_the_credential_in_whatever_form_is_quoted_nowhere`, `a_secret_file_that_others_may_read_or_write_is_refused`, `a_proxy_that_wants_a_password_is_shown_the_one_that_the_settings_name`, `nobody_s_name_or_address_is_in_the_metrics` |
//! | nothing outside the home is read as a file of it, and nothing that lies in it holds up a reload or the end | `nothing_of_a_file_outside_the_home_is_quoted_wherever_a_link_leads_to_it`, `a_named_pipe_or_a_socket_in_the_home_holds_up_no_check_no_reload_and_no_end`, `a_load_that_does_not_end_is_seen_and_is_not_in_the_way_of_the_end` |
//! | the memory of a daemon is written to no disk | `the_memory_of_a_daemon_is_written_to_no_disk_and_shown_to_no_process_of_its_user` |
//! | loopback is asked through no proxy, and nothing through one that the environment names | `requests_go_through_the_proxy_and_those_to_loopback_never_do`, `proxies_of_the_environment_get_nothing_of_what_is_asked` |
//! | requests go to the connector's hosts alone, judged when a name is resolved | `an_account_goes_to_no_host_but_those_of_its_connector`, `a_name_that_leads_to_metadata_or_to_the_local_link_is_not_followed`, `plain_http_goes_to_this_machine_alone_unless_the_connector_says_so` |
//! | the state folder and the socket are for whom they are meant for | `the_state_is_for_its_owner_alone_and_the_socket_for_whom_the_settings_say` |
//!
//! Where a test searches, by chance or step by step, it does so briefly in `cargo test` and `.ci/run`. For long:
//!
//! ```sh
//! EPMS_CASES=5000 cargo test --release --lib sync::tests    # cases of each property test about runs, by chance
//! EPMS_CASES=200 cargo test --test hostile misbehaving      # weeks with a PMS that misbehaves
//! EPMS_WORLDS=10000 cargo test --release --lib deliver      # worlds of people and a target that misbehaves
//! EPMS_POWER_CUTS=300 cargo test --release --lib power -- --nocapture      # outcomes of a power cut at each step
//! EPMS_SIMULATED_YEAR=1 cargo test --release --lib year -- --nocapture     # a year of mornings of forty buildings
//! EPMS_SIMULATED_DAYS=30 cargo test --release --lib months -- --nocapture  # days of hourly syncs of fifty properties
//! EPMS_KILLS=300 cargo test --test daemon killed -- --nocapture            # kills of a run, for each of two PMSs
//! fuzz/run 3600                                             # seconds for each target
//! ```
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

pub mod beneath;
pub mod config;
pub mod outbound;
pub mod source;
pub mod script;
pub mod rules;
pub mod cases;
pub mod catalog;
pub mod setup;
pub mod store;
pub mod sync;
pub mod acts;
pub mod deliver;
pub mod notify;
pub mod signin;
pub mod control;
pub mod web;
pub mod sandbox;
pub mod daemon;
pub mod cli;
#[cfg(test)]
mod testing;

/// What a test says of the memory is said of the program's.
#[cfg(test)]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;
