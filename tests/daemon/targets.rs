//! Targets as somebody sets them up: what there is, whether all is as it should be, and a new one step by step. Nothing of it
//! does anything there.

use nix::unistd::{Uid, User};

use crate::support::{Daemon, Doors, Home, Terminal, eventually, said, told};

const PLAIN: &str = "start_delay: 0s\n";

/// A home with a roll and doors, and these lines in the target's file.
async fn begin(target: &str) -> (Home, Doors) {
    let (home, doors) = (Home::new(), Doors::start().await);
    doors.files(&home, target);
    (home, doors)
}

/// The text without what differs from machine to machine and from time to time.
fn steady(text: &str, home: &Home, doors: &Doors) -> String {
    let me = User::from_uid(Uid::effective()).unwrap().unwrap().name;
    let text = text
        .replace(home.root().to_str().unwrap(), "HOME")
        .replace(doors.url.strip_prefix("http://").unwrap(), "DOORS")
        .replace(&format!("of {me}"), "of ME");
    let mut steady = String::new();
    let mut rest = text.as_str();
    while let Some(end) = rest.find(" ms)") {
        let open = rest[..end].rfind('(').unwrap();
        steady += &format!("{}(N ms)", &rest[..open]);
        rest = &rest[end + 4..];
    }
    steady + rest
}

/// What `epms doctor doors` says of the target, and how it ends.
async fn examined(home: &Home, doors: &Doors) -> String {
    let ended = home.epms(&["doctor", "doors"]).await;
    let text = steady(&told(&ended), home, doors);
    // First the machine, and last how many checks there were.
    let of_target = text.split("\n\n").nth(1).unwrap();
    format!("{}\n{of_target}\n", ended.status.code().unwrap())
}

/// Everything that was asked of the doors looked at something.
fn only_looked(doors: &Doors) {
    let asked = doors.known().asked.clone();
    let looks = |one: &String| ["LIST", "FIND", "PLACES"].contains(&one.as_str());
    assert!(asked.iter().all(looks), "{asked:?}");
}

#[tokio::test]
async fn discover_lists_what_can_be_granted_and_whose_it_is() {
    let (home, doors) = begin(PLAIN).await;
    home.edit("config/targets/doors.yaml", "[d2]", "[d2, d22]");
    insta::assert_snapshot!(said(&home.epms(&["discover", "doors"]).await, 0), @"
    PLACE  NAME     WHOSE
    d1     Door 1A  1A
    d2     Door 2B  2B
    d3     Door 3C  3C
    d4     Door 4D
    lobby  Lobby    everybody
    roof   Roof

    `d22` of `places.map.2B` is none of the places that the target lists; did you mean `d2`?
    ");
    let json = home.epms(&["discover", "doors", "--json"]).await;
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["places"][0]["id"], "d1");
    assert_eq!(json["places"][0]["units"][0], "1A");
    assert_eq!(json["places"][4]["common"], true);
    assert_eq!(json["unlisted"][0]["near"], "d2");
    assert!(
        json.get("without_place").is_none(),
        "no daemon tells: {json}"
    );
    only_looked(&doors);
}

#[tokio::test]
async fn discover_gives_places_to_paste_with_the_units_that_people_live_in() {
    let (home, doors) = begin(PLAIN).await;
    doors.lives(1, "1A", "current");
    doors.lives(2, "4D", "current");
    doors.lives(3, "5E", "pending");
    doors.lives(4, "6F", "past");
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let block = said(&home.epms(&["discover", "doors", "--yaml"]).await, 0);
    insta::assert_snapshot!(block, @r#"
    # In the place of `places` in config/targets/doors.yaml.
    places:
      map:
        "1A": [d1]  # Door 1A
        "2B": [d2]  # Door 2B
        "3C": [d3]  # Door 3C
        "4D": [d4]  # Door 4D; of elm, by its name: see whether it is
        # people live here, and have no place yet
        # "5E": []  # of elm
      # what everybody gets
      common: [lobby]  # Lobby
      # there, and nobody's yet
      #   roof  Roof
    "#);
    // Pasted as it is, it is right, and says the same.
    let file = home.read("config/targets/doors.yaml");
    let others = file.lines().filter(|line| !line.starts_with("places:"));
    let others: Vec<&str> = others.collect();
    home.write(
        "config/targets/doors.yaml",
        format!("{}\n{block}", others.join("\n")),
    );
    said(&home.epms(&["check", "--strict"]).await, 0);
    let again = said(&home.epms(&["discover", "doors"]).await, 0);
    assert!(again.contains("have no place: 5E\n"), "{again}");
}

#[tokio::test]
async fn what_cannot_be_discovered_says_why_and_what_to_do() {
    let (home, doors) = begin(PLAIN).await;
    doors.known().is_down = true;
    let down = said(&home.epms(&["discover", "doors"]).await, 1);
    doors.known().is_down = false;
    let connector = home.read("config/connectors/doors.yaml");
    let without = connector
        .lines()
        .filter(|line| !line.starts_with("  places:"));
    let without: Vec<&str> = without.collect();
    home.write("config/connectors/doors.yaml", without.join("\n"));
    let no_places = said(&home.epms(&["discover", "doors"]).await, 2);
    let unknown = said(&home.epms(&["discover", "door"]).await, 1);
    let not_of_it = said(&home.epms(&["discover", "elm", "--yaml"]).await, 2);
    let no_target = said(&home.epms(&["discover", "elm", "--target"]).await, 2);
    insta::assert_snapshot!(format!("{down}{no_places}{unknown}{not_of_it}{no_target}"), @"
    epms: `target.places`: the target failed with status 503; it is tried again
    epms: the connector `doors` does not say how to list what can be granted: it has no `target.places`; write the ids into `places` as the target itself shows them
    epms: there is no integration and no target `door`; there are: elm; and the targets: doors
    epms: `elm` is an integration, of which --yaml gives the units; add --units, or leave it away
    epms: there is no target `elm`; there are: doors
    ");
}

#[tokio::test]
async fn where_all_is_well_at_a_target_doctor_says_what_it_did_and_saw() {
    let (home, doors) = begin(PLAIN).await;
    doors.granted_by_hand("guest@example.com", "lobby");
    home.edit(
        "config/connectors/doors.yaml",
        "script: doors",
        "script: doors\nnotes: [\"Automatic access of the vendor's own has to be off: it takes away what is granted from here.\"]",
    );
    insta::assert_snapshot!(examined(&home, &doors).await, @"
    0
    doors
      ok    files   read config/targets/doors.yaml and what it names: all is right
      ok    dns     looked up DOORS: it is an address: there is nothing to resolve
      ok    tls     connected to DOORS: by plain http, which stays on this machine: there is no TLS to verify (N ms)
      ok    clock   compared with the Date header of DOORS: the same time
      ok    login   showed the credential doors: the target takes it
      ok    list    read back what is there (target.list): 1 record
      ok    held    mapped it by `held` of the script: 0 ours, 1 granted by others
      ok    places  compared `places` of the file with what can be granted (target.places): 4 of 6 places are named, and all of those are there
      –     units   compared `places.map` with the units that people live in: no daemon answers, which would tell who lives where
      –     note    cannot be seen from here: Automatic access of the vendor's own has to be off: it takes away what is granted from here.
    ");
    only_looked(&doors);

    doors.lives(1, "1A", "current");
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let all = home.epms(&["doctor"]).await;
    let text = said(&all, 0);
    for about in ["machine\n", "\nelm\n", "\ndoors\n"] {
        assert!(text.contains(about), "{text}");
    }
    assert!(text.contains("1 unit, each with its places"), "{text}");
    assert!(!text.contains("warn "), "{text}");
}

#[tokio::test]
async fn each_thing_that_is_wrong_at_a_target_is_told_with_what_to_do() {
    let (home, doors) = begin(PLAIN).await;
    let mut told = String::new();
    for (what, spoil) in [
        ("down", &(|| doors.known().is_down = true) as &dyn Fn()),
        ("shut", &|| doors.known().is_shut = true),
        ("a record that the script cannot read", &|| {
            let mut known = doors.known();
            known.grants.insert(
                7,
                serde_json::json!({ "id": 7, "door": "d1", "by": "feed" }),
            );
        }),
        ("a slip in a place", &|| {
            home.edit("config/targets/doors.yaml", "[d1]", "[d11]");
        }),
        ("no place at all", &|| {
            let file = home.read("config/targets/doors.yaml");
            let rest = file.lines().filter(|line| !line.starts_with("places:"));
            home.write(
                "config/targets/doors.yaml",
                rest.collect::<Vec<_>>().join("\n"),
            );
        }),
        ("switched off", &|| {
            let file = home.read("config/targets/doors.yaml");
            home.write(
                "config/targets/doors.yaml",
                format!("{file}\nenabled: false\n"),
            );
        }),
        ("a file that is wrong", &|| {
            home.edit(
                "config/targets/doors.yaml",
                "credential: doors",
                "credential: door",
            );
        }),
    ] {
        let before = home.read("config/targets/doors.yaml");
        spoil();
        let said = examined(&home, &doors).await;
        let lines = said.lines().filter(|line| {
            ![
                "  ok    secret",
                "  ok    dns",
                "  ok    tls",
                "  ok    clock",
            ]
            .iter()
            .any(|known| line.starts_with(known))
        });
        told += &format!("{what}: {}\n\n", lines.collect::<Vec<_>>().join("\n"));
        home.write("config/targets/doors.yaml", before);
        let mut known = doors.known();
        (known.is_down, known.is_shut) = (false, false);
        known.grants.clear();
    }
    insta::assert_snapshot!(told, @r#"
    down: 3
    doors
      ok    files   read config/targets/doors.yaml and what it names: all is right
      –     login   showed the credential doors: whether the target takes it does not show: there was no list
      fail  list    read back what is there (target.list): the target failed with status 503
                    → it is tried again
      –     units   compared `places.map` with the units that people live in: no daemon answers, which would tell who lives where

    shut: 1
    doors
      ok    files   read config/targets/doors.yaml and what it names: all is right
      fail  login   showed the credential doors: the target refuses the login of the credential `doors` (status 401)
                    → check the credential; it is asked again when its values have changed, or after an hour
      –     units   compared `places.map` with the units that people live in: no daemon answers, which would tell who lives where

    a record that the script cannot read: 2
    doors
      ok    files   read config/targets/doors.yaml and what it names: all is right
      ok    login   showed the credential doors: the target takes it
      ok    list    read back what is there (target.list): 1 record
      fail  held    mapped it by `held` of the script: 1 record could not be mapped; the first: scripts/doors.rhai:11:20: holder: there is no `holder`; if it may be left out, read it with get(record, "holder"); of the others 0 ours
                    → correct the script: until then nothing is compared, and nothing is sent; `epms map` shows what it makes of a recorded answer
      ok    places  compared `places` of the file with what can be granted (target.places): 4 of 6 places are named, and all of those are there
      –     units   compared `places.map` with the units that people live in: no daemon answers, which would tell who lives where

    a slip in a place: 2
    doors
      ok    files   read config/targets/doors.yaml and what it names: all is right
      ok    login   showed the credential doors: the target takes it
      ok    list    read back what is there (target.list): 0 records
      ok    held    mapped it by `held` of the script: 0 ours
      fail  places  compared `places` of the file with what can be granted (target.places): `d11` of `places.map.1A` is none of the places that the target lists; did you mean `d1`?
                    → correct them, or see that the account may grant them; `epms discover doors` lists what there is
      –     units   compared `places.map` with the units that people live in: no daemon answers, which would tell who lives where

    no place at all: 0
    doors
      ok    files   read config/targets/doors.yaml and what it names: all is right
      ok    login   showed the credential doors: the target takes it
      ok    list    read back what is there (target.list): 0 records
      ok    held    mapped it by `held` of the script: 0 ours
      warn  places  compared `places` of the file with what can be granted (target.places): the file names none of 6 places
                    → nobody gets a place there; `epms discover doors --yaml` gives a block to fill in

    switched off: 0
    doors
      ok    files   read config/targets/doors.yaml and what it names: all is right, and it is switched off: nothing is sent, and what was granted stays
      ok    login   showed the credential doors: the target takes it
      ok    list    read back what is there (target.list): 0 records
      ok    held    mapped it by `held` of the script: 0 ours
      ok    places  compared `places` of the file with what can be granted (target.places): 4 of 6 places are named, and all of those are there
      –     units   compared `places.map` with the units that people live in: no daemon answers, which would tell who lives where

    a file that is wrong: 2
    doors
      fail  files   read config/targets/doors.yaml and what it names: config/targets/doors.yaml:2:13: credential: there is no credential `door`; did you mean `doors`?
                    → correct them; `epms check` shows the lines
    "#);
    only_looked(&doors);
}

#[tokio::test]
async fn doctor_names_the_units_without_a_place() {
    let (home, doors) = begin(PLAIN).await;
    doors.lives(1, "1A", "current");
    doors.lives(2, "4D", "current");
    doors.lives(3, "5E", "pending");
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let said = examined(&home, &doors).await;
    let at = said
        .find("  warn  units")
        .unwrap_or_else(|| panic!("{said}"));
    insta::assert_snapshot!(&said[at..], @"
    warn  units   compared `places.map` with the units that people live in: 2 of 3 units have no place: 4D of elm, 5E of elm
                  → whoever lives there keeps what they have, and gets nothing new; add them to `places.map`: `epms discover doors --yaml` gives a block to fill in
    ");
}

#[tokio::test]
async fn explain_goes_on_to_the_target() {
    let (home, doors) = begin("mode: automatic\nstart_delay: 0s\n").await;
    doors.lives(1, "1A", "current");
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let open = "doors ada1@example.com lobby since ";
    eventually("the lobby is read back", async || {
        let text = told(&home.epms(&["explain", "elm", "1"]).await);
        let line = text
            .lines()
            .find(|line| line.contains(open))
            .map(str::to_owned);
        line.is_some_and(|line| line.ends_with(" confirmed"))
    })
    .await;
    let json = home.epms(&["explain", "elm", "1", "--json"]).await;
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    let deliveries = json["deliveries"].as_array().unwrap();
    assert_eq!(deliveries.len(), 2, "{json}");
    assert!(
        deliveries
            .iter()
            .all(|one| one["target"] == "doors" && one["person"] == "p1")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_is_added_by_answers_at_a_terminal() {
    let (home, doors) = begin(PLAIN).await;
    home.remove("config/targets/doors.yaml");
    home.edit(
        "config/connectors/doors.yaml",
        "script: doors",
        "script: doors\nnotes: [Ask the vendor for a key.]",
    );
    let mut terminal = Terminal::run(100, home.root(), &["add", "target"]);
    // Connectors of PMSs are none of a target.
    terminal.answers("connector (doors, ", "roll");
    terminal.shows("`epms add integration` adds one");
    terminal.answers("connector (doors, ", "doors");
    terminal.answers(
        "credential (there are: doors; or a new name) [doors]: ",
        "acme",
    );
    terminal.answers("url: ", &doors.url);
    terminal.shows("note: Ask the vendor for a key.");
    terminal.answers("id of the target [acme]: ", "");
    terminal.answers("(there are: elm; empty: all): ", "elm");
    terminal.answers("automatic (nothing) [approve]: ", "perhaps");
    terminal.answers("automatic (nothing) [approve]: ", "");
    terminal.shows("  lobby  Lobby");
    terminal.answers("(empty: nothing): ", "loby");
    terminal.shows("the target shows no `loby` now; did you mean `lobby`?");
    terminal.answers("(empty: nothing) [loby]: ", "LOBBY");
    terminal.answers("switch it on [y]: ", "");
    terminal.answers("write it [y]: ", "");
    terminal.shows("wrote config/targets/acme.yaml");
    assert_eq!(terminal.ends(), Some(0));
    said(&home.epms(&["check", "--strict"]).await, 0);
    insta::assert_snapshot!(home.read("config/targets/acme.yaml"), @"
    # yaml-language-server: $schema=../.schema/target.json
    # A place that access is delivered to. The file's name without .yaml is its id: acme
    version: 1

    # The account: config/credentials/acme.yaml
    credential: acme

    # The integrations whose people it gets, by the names of their files; [] for all.
    from: [elm]

    # What waits for somebody's approval: approve (what opens or changes; whoever is past loses it at once), approve_all
    # (everything), automatic (nothing but what is too much at once).
    mode: approve

    # When access starts: so long after somebody was seen to live there, and so many whole days before they move in.
    start_delay: 15m
    early: 0d

    # When it ends: status (once the status is past), move_out (also ahead, where that day is known), and so many days later.
    end: status
    late: 0d

    # What there belongs to which unit: the PMS's unit, by its id or label, and the target's ids; `common` is what everybody
    # gets. `epms discover acme --yaml` gives this block with what there is. Whoever lives in a unit without an entry gets
    # nothing new, and an alert says so; with no entry at all, everybody gets `common` alone.
    places:
      map: {}
      common: [lobby]

    # With false nothing is sent, and what was granted stays.
    enabled: true
    ");
    only_looked(&doors);
}

#[tokio::test]
async fn a_target_is_added_by_flags_alone_and_says_what_comes_next() {
    let (home, doors) = begin(PLAIN).await;
    home.remove("config/targets/doors.yaml");
    let added = home
        .epms(&["add", "target", "--credential", "doors", "--from", "elm"])
        .await;
    insta::assert_snapshot!(said(&added, 0), @"
    wrote config/targets/doors.yaml

    next
      epms doctor doors               see whether the target lets us in; nothing is done there
      epms discover doors --yaml      its places, as a block to fill in and put into config/targets/doors.yaml
      epms check                      whether all files are right
      epms reload                     the daemon takes it in; a file that is saved later it sees by itself
      epms deliveries preview doors   what would be sent there, for whom, and why
      epms deliveries approve doors   let it through
    ");
    said(&home.epms(&["check", "--strict"]).await, 0);
    let again = home
        .epms(&["add", "target", "doors", "--credential", "doors"])
        .await;
    let of_a_pms = home
        .epms(&["add", "target", "oak", "--credential", "roll"])
        .await;
    let of_a_target = home
        .epms(&["add", "integration", "--credential", "doors"])
        .await;
    let elsewhere = home
        .epms(&[
            "add",
            "target",
            "oak",
            "--credential",
            "doors",
            "--from",
            "elmm",
        ])
        .await;
    let texts = [again, of_a_pms, of_a_target, elsewhere].map(|ended| said(&ended, 2));
    insta::assert_snapshot!(texts.concat(), @"
    epms: NAME: config/targets/doors.yaml is there already and is not overwritten; give another name
    epms: the connector `roll` reads a PMS, and delivers nothing; `epms add integration` adds one
    epms: the connector `doors` delivers to a target, and reads no PMS; `epms add target` adds one
    epms: --from: there is no integration `elmm`; did you mean `elm`?
    ");
    assert!(!home.path("config/targets/oak.yaml").exists());
    // Its account has its name, where nobody says another.
    let url = format!("url={}", doors.url);
    let words = [
        "add",
        "target",
        "gate",
        "--connector",
        "doors",
        "--field",
        &url,
    ];
    let added = said(&home.epms(&words).await, 0);
    assert!(
        added.contains("wrote config/credentials/gate.yaml"),
        "{added}"
    );
    assert_eq!(
        doors.known().asked,
        [] as [String; 0],
        "nobody is there to be shown anything"
    );
}

#[tokio::test]
async fn an_integration_and_a_target_of_one_name_are_told_apart() {
    let (home, doors) = begin(PLAIN).await;
    let elm = home.read("config/integrations/elm.yaml");
    home.remove("config/integrations/elm.yaml");
    home.write("config/integrations/doors.yaml", elm);
    doors.lives(1, "1A", "current");
    let of_pms = said(&home.epms(&["discover", "doors"]).await, 0);
    assert!(of_pms.contains("STATUS WORD"), "{of_pms}");
    let of_target = said(&home.epms(&["discover", "doors", "--target"]).await, 0);
    assert!(of_target.contains("PLACE  NAME"), "{of_target}");
    let both = said(&home.epms(&["doctor", "doors"]).await, 0);
    for file in [
        "config/integrations/doors.yaml",
        "config/targets/doors.yaml",
    ] {
        assert!(
            both.contains(&format!("read {file} and what it names")),
            "{both}"
        );
    }
}

#[tokio::test]
async fn a_target_that_is_only_told_what_happens_has_no_places_and_nothing_is_sent_to_look_at_it() {
    let (home, doors) = begin(PLAIN).await;
    home.write(
        "config/connectors/hook.yaml",
        "version: 2\nnotes: [Whoever listens reads the rest.]\ncredential_fields: { url: plain }\nhosts: [\"{{ credential.url | host }}\"]\ntarget:\n  send: { method: POST, url: \"{{ credential.url }}/hook\", body: { json: \"{{ event }}\" }, format: json }\n",
    );
    let field = format!("url={}", doors.url);
    let words = [
        "add",
        "target",
        "hook",
        "--connector",
        "hook",
        "--credential",
        "hook",
        "--field",
        &field,
    ];
    let added = said(&home.epms(&words).await, 0);
    assert!(added.contains("epms targets hook"), "{added}");
    assert!(
        added.contains("\n  Whoever listens reads the rest.\n"),
        "{added}"
    );
    assert!(!added.contains("deliveries"), "{added}");
    let file = home.read("config/targets/hook.yaml");
    assert!(!file.contains("places") && !file.contains("mode"), "{file}");
    said(&home.epms(&["check", "--strict"]).await, 0);
    let examined = said(&home.epms(&["doctor", "hook"]).await, 0);
    assert!(
        examined.contains("it is told of events, and nothing is read there"),
        "{examined}"
    );
    let discovered = said(&home.epms(&["discover", "hook"]).await, 2);
    assert!(
        discovered.contains("it has no `target.places`"),
        "{discovered}"
    );
    assert_eq!(doors.known().asked, [] as [String; 0]);
}
