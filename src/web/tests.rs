//! Templates with what hardly ever stands in them, beside the tests of the daemon, which ask for every page.

use jiff::Timestamp;
use minijinja::{Value, context};
use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};

use crate::control::protocol::{
    AlertDetail, IntegrationStatus, PersonDetail, ProblemDocument, Reads, RunDetail,
};
use crate::model::{CredentialStatus, Explanation, HeldPlan, Keeping, TargetStatus};

use super::fields::Fields;
use super::lists::pager;
use super::look::{Frame, Look, Page, value};

const AT: &str = "2026-03-01T12:00:00Z";
const ODD: &str = "<script>\"'&";

fn of<T: DeserializeOwned + serde::Serialize>(json: Json) -> Value {
    let typed: T = serde_json::from_value(json).unwrap();
    value(&typed)
}

/// The page as somebody sees it who may everything, or nothing but read.
fn seen(template: &'static str, values: Value, may: bool) -> String {
    let look = Look::new().unwrap();
    let page = Page {
        title: ODD.to_owned(),
        part: "",
        template,
        values,
    };
    let frame = Frame {
        now: AT.parse::<Timestamp>().unwrap(),
        may_operate: may,
        may_approve: may,
        may_configure: may,
        account: None,
        may_sign_out: false,
        said: super::said::said(&Fields::read(b"done=pinned&of=x4")),
        path: "/".to_owned(),
        commits: 7,
    };
    let text = look.text(&page, &frame);
    text.unwrap_or_else(|error| panic!("{template}: {error:#}"))
}

/// The page with every button, and with none.
fn rendered(template: &'static str, values: Value) -> String {
    let (all, none) = (
        seen(template, values.clone(), true),
        seen(template, values, false),
    );
    for text in [&all, &none] {
        assert_eq!(text.matches("<script").count(), 1, "{template}: {text}");
    }
    assert!(!none.contains("method=\"post\""), "{template}: {none}");
    all
}

fn no_pages() -> Value {
    value(&pager(&Fields::default(), None))
}

#[test]
fn a_problem_is_a_page_with_its_status_its_text_and_the_headers_of_every_page() {
    let look = Look::new().unwrap();
    let problem = ProblemDocument::not_found("there is no person p9; `epms people` lists them");
    let answer = look.problem(&problem);
    assert_eq!(answer.status(), 404);
    let policy = answer.headers().get("content-security-policy").unwrap();
    assert!(policy.to_str().unwrap().starts_with("default-src 'none'; "));
    assert_eq!(answer.headers().get("cache-control").unwrap(), "no-store");
    let problem = ProblemDocument::not_found(ODD);
    rendered("problem.html", context! { problem => value(&problem) });
}

#[test]
fn an_integration_of_which_everything_is_to_be_said_is_shown() {
    let place = json!({ "file": ODD, "place": { "line": 3, "column": 7 }, "field": ODD, "message": ODD, "code": "value" });
    let status = json!({
        "id": ODD, "property": ODD, "connector": ODD, "state": "paused", "health": "left_behind", "because": ODD,
        "severity": "critical", "waits_for": ODD, "slowed_by": ODD, "stuck": ODD, "generation": 3, "loaded": AT,
        "pause": { "by": { "named": { "name": ODD, "by": "socket", "uid": 7 } }, "at": AT, "until": AT, "reason": ODD },
        "took_over": { "from": ODD, "properties": [ODD], "people": 3, "at": AT, "act": "x3" },
        "problems": [place], "last_started": AT, "last_success": AT, "last_error": ODD, "not_understood": "r3",
        "failures": 2, "next": AT, "linked": 1200, "open_alerts": 3, "running": "r4",
    });
    let status: IntegrationStatus = serde_json::from_value(status).unwrap();
    let mut one = serde_json::to_value(&status).unwrap();
    one["can_sync"] = json!(true);
    one["strip"] = Json::Null;
    one["progress"] = json!({ "pages": 1, "records": 1000, "mapped": 5, "planning": true });
    let reads = Reads {
        credential: ODD.to_owned(),
        properties: vec![ODD.to_owned(), "b".to_owned()],
        exclude_statuses: vec![ODD.to_owned()],
        units_synced: true,
        units_here: vec![ODD.to_owned()],
        units_mapped: [(
            ODD.to_owned(),
            crate::control::protocol::UnitMapped {
                here: ODD.to_owned(),
                by_hand: true,
            },
        )]
        .into(),
    };
    let credential = json!({
        "name": ODD, "connector": ODD, "refused": true, "expires": "2026-04-01",
        "budgets": [{ "per": "day", "limit": 2500, "used": 100, "left": 2400, "by_hand": 50 }],
    });
    let groups = json!([{ "kind": "unmapped_unit", "integration": ODD, "count": 4, "first": "a1", "oldest": AT, "newest": AT }]);
    let text = rendered(
        "integration.html",
        context! {
            one => value(&one), runs => value(&json!([])), reads => value(&reads), groups => value(&groups),
            settings => value(&json!([{ "key": "guard.limit", "value": ODD, "from": ODD }])),
            credential => of::<CredentialStatus>(credential),
            excluded_run => "r3", excluded_by => value(&json!({ ODD: 7 })),
            of_week => value(&json!({
                "width": 336, "height": 84, "by_outcome": [{ "tone": "good", "outline": "M0 0h1v1h-1z" }], "by_length": [],
                "labels": [[18, "Sun 1"]], "outcomes": ["unchanged"], "told_outcomes": "1 run", "told_lengths": ODD,
                "days": [{ "day": "2026-03-01", "counts": [1], "total": 1, "middle": "2 s", "longest": null }],
            })),
            week_limit => 1000,
            of_people => value(&json!({
                "width": 360, "height": 22, "paths": [{ "tone": "good", "outline": "M0 0h1v1h-1z" }], "told": ODD,
                "rows": [{ "status": "current", "count": 1200, "y": 11 }],
            })),
            people_limit => 5000,
        },
    );
    assert!(text.contains("Of the last 1,000 runs"), "{text}");
    assert!(text.contains("of the first 5,000"), "{text}");
    assert!(text.contains("1,000 records read"), "{text}");
    assert!(text.contains("100 of 2,500 used"), "{text}");
    let cards = value(&json!([one]));
    rendered(
        "integrations.html",
        context! {
            cards, fitting => 1, total => 9, people => 7, open_alerts => 3, problems => value(&json!([place])), offline => true,
            loading_since => AT, healths => value(&["ok"]), q => ODD, health => ODD, pages => no_pages(),
        },
    );
    let bare = json!({ "id": "elm", "state": "broken", "linked": 0, "open_alerts": 0 });
    let bare: IntegrationStatus = serde_json::from_value(bare).unwrap();
    let text = rendered(
        "integration.html",
        context! {
            one => value(&bare), runs => value(&json!([])), reads => (), groups => value(&json!([])), settings => value(&json!([])),
            credential => (), excluded_run => (), excluded_by => (),
        },
    );
    assert!(text.contains("Its file is gone, or was never right."));
}

#[test]
fn a_person_who_is_nobody_any_more_or_is_to_be_erased_is_shown() {
    let delivery = json!({
        "target": ODD, "person": "p1", "key": ODD, "state": "visit", "since": AT, "deed": "remove", "cause": "over",
        "waits_for": "moment", "next": AT, "id": ODD, "why": ODD,
    });
    let person = json!({
        "id": "p1", "first_name": ODD, "last_name": ODD, "email": ODD, "phone": ODD, "origin": "hand", "created": AT,
        "pinned": true, "merged_into": "p7", "withdrawn": true, "erased": true, "locks": ["email"],
        "stays": { ODD: {
            "status": "current", "unit": { "id": ODD, "label": ODD }, "more_units": [{ "id": ODD, "label": ODD }],
            "lease_start": "2026-01-01", "notice": true, "eviction": true, "excluded": true,
        } },
    });
    let detail = json!({
        "person": person, "deliveries": [delivery], "alerts": [], "changes": [],
        "links": [{ "integration": ODD, "resident": ODD, "since": AT, "misses": 2 }],
        "erasing": { "by": { "user": 7 }, "at": AT, "rule": "erase", "act": "x9", "people": ["p1"], "waits_for": [] },
    });
    let change = json!({
        "seq": 7, "at": AT, "person": "p1", "kind": "updated", "integration": ODD, "rule": "R18", "actor": { "user": 7 },
        "fields": [{ "field": "email", "before": ODD }, { "field": "phone", "after": ODD }], "undo": "x4",
    });
    for is_nobody in [true, false] {
        let text = rendered(
            "person.html",
            context! {
                detail => of::<PersonDetail>(detail.clone()), fields => value(&json!([
                    { "field": "email", "value": ODD, "locked": true, "from": change },
                    { "field": "phone", "value": null, "locked": false, "from": null },
                    { "field": "last_name", "value": ODD, "locked": false, "from": null, "by_hand": true },
                    { "field": "first_name", "value": ODD, "locked": false, "from": change, "by_hand": true },
                ])),
                locks => value(&json!([["email", true], ["phone", false]])), changes => value(&json!([change])),
                integrations => value(&[ODD]), is_nobody, pages => no_pages(),
            },
        );
        assert_eq!(text.contains("Lock or unlock"), !is_nobody);
        assert_eq!(
            text.matches("<td data-label=\"From\">by hand or by an import, ")
                .count(),
            2
        );
        let erase = rendered(
            "erase.html",
            context! { name => ODD, is_nobody, detail => of::<PersonDetail>(detail.clone()) },
        );
        assert_eq!(erase.contains("Type <b>p1</b> to go on"), !is_nobody);
        assert!(text.contains("To be erased") && text.contains("became <a href=\"/people/p7\">"));
    }
}

#[test]
fn a_run_that_waits_for_two_plans_and_was_rejected_is_shown() {
    let plan = json!({ "run": "r3", "digest": ODD, "items": [] });
    let report = json!({
        "id": "r3", "integration": ODD, "cause": "manual", "generation": 2, "started": AT, "outcome": "not_understood",
        "reason": ODD, "digest": ODD, "excluded_by": { ODD: 3 }, "notes": { ODD: 4 },
    });
    let detail = json!({ "id": "r3", "integration": ODD, "report": report, "progress": { "pages": 1, "records": 1, "mapped": 1, "planning": true } });
    let detail: RunDetail = serde_json::from_value(detail).unwrap();
    let _: HeldPlan = serde_json::from_value(plan).unwrap();
    let item = json!({ "what": "closing", "kind": "closing", "subject": ODD, "person": "p1", "name": ODD, "unit": ODD, "from": ODD, "to": ODD });
    let feed = json!({ "what": "empty feed", "kind": "empty_feed", "subject": "" });
    let plan =
        json!({ "digest": ODD, "counts": [["closing", 6]], "items": [item, feed], "more": 3 });
    let decision =
        json!({ "subject": ODD, "fate": "rejected", "rule": "R41", "reason": ODD, "person": "p1" });
    for waits in [true, false] {
        let text = rendered(
            "run.html",
            context! {
                id => "r3", run => value(&detail.state), outcome => "not_understood", reason => ODD, digest => ODD, waits,
                rejected_by => ODD, approved_by => ODD, took => "4 s", held => value(&plan), since_upgrade => value(&plan),
                fates => value(&json!([{ "fate": "rejected", "told": "not mapped", "count": 3, "address": "?fate=rejected" }])),
                fate => "rejected", all => "?", q => ODD, decisions => value(&json!([decision])), has_decisions => true,
                pages => no_pages(),
            },
        );
        assert_eq!(text.contains("This plan waits for approval"), waits);
        assert!(text.contains("approve-since-upgrade"));
    }
}

#[test]
fn an_alert_with_all_that_one_may_have_is_shown() {
    let by = json!({ "named": { "name": ODD, "by": "oidc" } });
    let alert = json!({
        "id": "a1", "kind": "mass_change_held", "integration": ODD, "subject": ODD, "state": "open", "detail": ODD,
        "sides": [{ "resident": ODD, "person": "p1", "values": { "email": ODD } }, { "values": {} }],
        "confidence": "low", "count": 1000, "examples": [ODD], "suggestion": ODD, "raised_by": "r1", "first_seen": AT, "last_seen": AT,
        "acts": ["x1"], "assigned": { "to": ODD, "by": by, "at": AT }, "comments": [{ "text": ODD, "by": by, "at": AT }],
        "done": [{ "id": "x1", "kind": "assign", "at": AT, "by": by, "said": ODD, "undone_by": "x2" }],
    });
    let detail: AlertDetail = serde_json::from_value(alert).unwrap();
    let text = rendered(
        "alert.html",
        context! {
            alert => value(&detail.alert), done => value(&detail.done), sentence => "it is so", remedy => "do it in the PMS",
            compared => value(&json!([{ "field": "email", "differs": true, "values": [ODD, null] }])),
            offered => value(&json!([{ "how": "map_unit", "button": "Map", "says": ODD, "into": "p1", "unit": true }])),
            is_open => true, dismisses => true, undoes => true, told_by_sides => false, by_run => true,
        },
    );
    assert!(text.contains("Do it in the PMS.") && text.contains("Look at what is held"));
}

#[test]
fn what_the_pms_says_of_a_resident_now_is_shown_also_where_it_cannot_be_mapped() {
    let told = json!({
        "integration": ODD, "resident": ODD, "run": "r1", "decisions": [{ "subject": ODD, "fate": "held", "rule": "R16" }],
        "ruling": { "apart": ["p7"] }, "alerts": [], "changes": [],
        "live": {
            "outcome": "failed", "reason": ODD, "steps": [], "decisions": [{ "subject": ODD, "fate": "held", "rule": "R16", "reason": ODD }],
            "considered": [{ "person": "p7", "first_name": ODD, "last_name": ODD, "same": [] }], "changes": [], "raised": [],
        },
    });
    let sent = json!([{ "request": ODD, "property": ODD, "record": ODD, "error": ODD }]);
    let told = of::<Explanation>(told);
    let text = rendered(
        "resident.html",
        context! { told, sent => value(&sent), reason => ODD },
    );
    assert!(text.contains("What the PMS says now") && text.contains("not <a href=\"/people/p7\">"));
}

#[test]
fn a_target_that_fails_and_a_daemon_that_cannot_work_are_shown() {
    let target = json!({
        "id": ODD, "state": "failing", "connector": ODD, "mode": "approve_all", "from": [ODD], "people": 3, "behind": 4, "others": 5,
        "grants": { "parked": 2, "wanted": 1 }, "error": ODD, "failing_since": AT, "read_back": AT,
        "problems": [{ "file": ODD, "message": ODD, "code": "file" }],
    });
    let deed = json!({ "target": ODD, "person": "p1", "key": ODD, "state": "wanted", "since": AT, "deed": "create", "waits_for": "target", "next": AT });
    let target: TargetStatus = serde_json::from_value(target).unwrap();
    rendered(
        "target.html",
        context! { target => value(&target), digest => ODD, deeds => value(&json!([deed])), more => 3 },
    );
    rendered("targets.html", context! { targets => value(&[target]) });
    let backup = json!({ "to": ODD, "every": 3600, "keep": 14, "last": { "file": ODD, "at": AT, "age": 7, "bytes": 7 }, "failing": ODD });
    let keeping = json!({ "bytes": 7, "growth": { "per_day": 7, "hours": 30 }, "backup": backup });
    let problem = json!({ "file": ODD, "message": ODD });
    let credential = json!({
        "name": ODD, "connector": ODD, "integrations": [ODD], "targets": [ODD], "refused": true, "expires": "2026-04-01",
        "budgets": [{ "per": "month", "limit": 2500, "used": 100, "left": 2400, "by_hand": 50 }], "secrets_read": AT,
    });
    let credential: CredentialStatus = serde_json::from_value(credential).unwrap();
    let text = rendered(
        "health.html",
        context! {
            not_ready => ODD, not_well => value(&[ODD]), version => "1", started => AT, up => "4 h",
            store => value(&json!({ "id": ODD, "epoch": 2 })), people => 3, problems => value(&json!([problem])),
            loading_since => AT, of_files => value(&json!([{ "id": ODD, "problems": [problem], "runs": true }])),
            credentials => value(&[credential]), keeping => of::<Keeping>(keeping), bytes => "7 bytes", growth => "7 bytes",
        },
    );
    assert!(text.contains("not ready") && text.contains("grows by 7 bytes a day"));
}

#[test]
fn whom_an_erasure_or_a_retirement_takes_is_shown_and_what_a_file_would_make() {
    let left = json!({ "target": ODD, "person": "p1", "grants": 2, "why": ODD });
    for state in ["erased", "erasing"] {
        let erasure = json!({
            "person": "p1", "people": ["p1", "p7"], "state": state, "waits_for": [left], "stays_at": [left],
            "copies": [ODD], "still": [ODD], "done": { "act": "x9", "kind": "erase" },
        });
        let text = rendered(
            "erased.html",
            context! { erasure => of::<crate::model::Erasure>(erasure) },
        );
        assert_eq!(text.contains("It goes on by itself"), state == "erasing");
        assert!(text.contains("Waits for") && text.contains("What still holds it"));
    }
    let leaver =
        json!({ "person": "p1", "name": ODD, "unit": ODD, "from": "current", "to": "past" });
    let takes =
        json!({ "integration": ODD, "property": ODD, "people": [leaver], "alerts": ["a1"] });
    let text = rendered(
        "retire.html",
        context! { people => value(&json!([leaver])), more => 3, takes => of::<crate::model::Retirement>(takes) },
    );
    assert!(text.contains("… and 3 more") && text.contains("name=\"property\""));
    let none = json!({ "integration": "elm", "people": [], "alerts": [] });
    let none = context! { people => value(&json!([])), more => 0, takes => of::<crate::model::Retirement>(none) };
    assert!(rendered("retire.html", none).contains("Nobody's stay ends"));

    let wrong = json!({ "line": 3, "column": ODD, "message": ODD });
    let report =
        json!({ "made": [], "new": 4, "there": [[7, "p1"]], "problems": [wrong], "dry_run": true });
    let report: crate::model::Imported = serde_json::from_value(report).unwrap();
    let page = super::pages::by_hand::imported(Some(&report), ODD);
    let text = rendered(page.template, page.values);
    assert!(text.contains("as 1 line is not right") && !text.contains("name=\"encoded\""));
    let right = crate::model::Imported {
        problems: Vec::new(),
        ..report
    };
    let page = super::pages::by_hand::imported(Some(&right), ODD);
    let text = rendered(page.template, page.values);
    assert!(text.contains("value=\"%3Cscript%3E%22%27%26\""), "{text}");
    let people = json!([{ "id": "p1", "name": ODD, "units": ODD, "status": "current" }]);
    let text = rendered(
        "rename.html",
        context! { id => ODD, linked => 7, others => value(&[ODD]), people => value(&people), more => true },
    );
    assert!(text.contains("7 residents linked"), "{text}");
    rendered(
        "new-person.html",
        context! { integrations => value(&[ODD]) },
    );
}

#[test]
fn every_step_of_a_set_up_shows_what_is_odd_as_text_and_no_secret() {
    let details = json!({
        "name": ODD, "id": ODD, "timezone": ODD, "country": ODD, "enabled": true, "every": ODD, "limit": ODD, "percent": ODD,
        "window": ODD, "newcomers": ODD,
    });
    let mut setup = json!({
        "draft": ODD, "integration": null, "reached": "preview", "trouble": null,
        "connectors": [{ "name": ODD, "title": ODD, "credentials": 2, "problem": ODD }], "connector": ODD,
        "credentials": [{ "name": ODD, "integrations": 1, "problem": null }], "credential": ODD, "is_new": true,
        "ask_vendor_for": [ODD], "notes": [ODD],
        "fields": [
            { "name": ODD, "help": ODD, "is_secret": true, "default": null, "value": "", "is_kept": true },
            { "name": ODD, "help": ODD, "is_secret": false, "default": ODD, "value": ODD, "is_kept": false },
        ],
        "properties": [
            { "id": ODD, "name": ODD, "feeds": ODD, "chosen": true }, { "id": ODD, "name": "", "feeds": null, "chosen": true },
        ],
        "unlisted": ODD, "typed_properties": ODD, "chosen": [ODD], "each": false, "ids": [[ODD, ODD]], "details": details,
        "zones": [ODD],
        "statuses": [{ "word": ODD, "status": "current", "residents": 7, "excluded": true, "who": [[ODD, ODD]] }],
        "uncounted": ODD, "typed_statuses": ODD, "are_inherited": true, "left_out": [[ODD, 3]], "rejected": [2, ODD],
        "foreseen": [{
            "id": ODD, "outcome": "held", "reason": ODD, "counts": [["come in", 3]], "more": 2, "left_out": [[ODD, 1]],
            "people": [{ "name": ODD, "what": "comes in", "unit": ODD, "status": ODD }], "alerts": [["missing_email", 1]],
        }],
        "not_foreseen": 2,
        "files": [{ "name": ODD, "is_new": true, "lines": [["new", ODD], ["gone", ODD], ["same", ODD], ["left_out", ""]] }],
        "secrets": [[ODD, "secrets/a-key"]], "by_hand": [ODD],
        "problems": [{ "file": ODD, "place": { "line": 3, "column": 7 }, "field": ODD, "message": ODD, "code": "value" }],
        "digest": ODD, "enabled": true, "patch": ODD, "unwritable": ODD, "root": ODD, "is_checkout": true,
    });
    let shown = |setup: &Json, step: &str| {
        let steps = json!([
            [1, "pms", "PMS", true, false],
            [2, step, ODD, false, true],
            [3, "preview", ODD, false, false]
        ]);
        let values = context! {
            setup => value(setup), steps => value(&steps), step => step, before => "pms", trouble => ODD,
        };
        let text = seen("set-up.html", values, true);
        assert_eq!(text.matches("<script").count(), 1, "{step}: {text}");
        assert!(
            !text.contains("\"'&") && text.contains("&lt;script&gt;"),
            "{step}"
        );
        text
    };
    let steps = [
        "pms",
        "credential",
        "properties",
        "details",
        "statuses",
        "preview",
    ];
    for is_there in [false, true] {
        if is_there {
            setup["integration"] = json!(ODD);
        }
        for step in steps {
            shown(&setup, step);
        }
    }
    let text = shown(&setup, "credential");
    assert_eq!(text.matches("type=\"password\"").count(), 1);
    assert!(text.contains("It was typed already"), "{text}");
    let text = shown(&setup, "preview");
    assert!(text.contains("git apply") && !text.contains("name=\"digest\""));
    // Of the same with nothing in it.
    for (key, empty) in [
        ("draft", Json::Null),
        ("integration", Json::Null),
        ("patch", Json::Null),
        ("unwritable", Json::Null),
        ("properties", Json::Null),
        ("statuses", Json::Null),
        ("unlisted", Json::Null),
        ("uncounted", Json::Null),
        ("rejected", Json::Null),
        ("connectors", json!([])),
        ("credentials", json!([])),
        ("foreseen", json!([])),
        ("problems", json!([])),
        ("each", json!(true)),
    ] {
        setup[key] = empty;
        for step in steps {
            shown(&setup, step);
        }
    }
    let text = shown(&setup, "preview");
    assert!(
        text.contains("name=\"digest\"") && text.contains("not committed"),
        "{text}"
    );
    assert!(shown(&setup, "pms").contains("There is no connector in this home"));
}
