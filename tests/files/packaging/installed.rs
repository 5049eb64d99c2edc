//! What packages, image and manifests name is there. That they can be installed is `packaging/try`'s to show.

use std::path::Path;

use super::{of_unit, packaged};
use crate::support::{Home, told};
use serde_json::Value;

/// What `Cargo.toml` says of a package: where its files come from, and where to.
fn assets(package: &str) -> Vec<(String, String)> {
    let cargo = std::env::var("CARGO").unwrap_or("cargo".into());
    let output = std::process::Command::new(cargo)
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let all: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", told(&output)));
    let metadata = &all["packages"][0]["metadata"][package];
    let text = |value: &Value| value.as_str().unwrap().trim_start_matches('/').to_owned();
    let assets = metadata["assets"].as_array().unwrap().iter();
    let assets = assets.map(|asset| match asset.as_array() {
        Some(parts) => (text(&parts[0]), text(&parts[1])),
        None => (text(&asset["source"]), text(&asset["dest"])),
    });
    assets.collect()
}

/// How many files a source stands for, with one `*` in its last part at most.
fn count(source: &str) -> usize {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(source);
    let name = path.file_name().unwrap().to_str().unwrap().to_owned();
    let Some((begin, end)) = name.split_once('*') else {
        return usize::from(path.is_file());
    };
    let entries = std::fs::read_dir(path.parent().unwrap()).unwrap();
    let fits = entries.filter(|entry| {
        let entry = entry.as_ref().unwrap();
        let name = entry.file_name().into_string().unwrap();
        entry.path().is_file() && name.starts_with(begin) && name.ends_with(end)
    });
    fits.count()
}

#[test]
fn what_the_packages_hold_is_there_and_none_of_it_goes_to_etc() {
    let [deb, rpm] = ["deb", "generate-rpm"].map(assets);
    let build = packaged("build");
    for (source, dest) in deb.iter().chain(&rpm) {
        assert!(dest.starts_with("usr/"), "{source} → {dest}");
        match source.strip_prefix("target/release/") {
            Some("epms") => {}
            Some(made) => {
                let made = made.strip_prefix("package/").unwrap();
                let made = made.split('/').next().unwrap();
                assert!(
                    build.contains(&format!("$made/{made}\"")),
                    "who makes {source}?"
                );
            }
            None => assert!(count(source) > 0, "there is no {source}"),
        }
    }
    // The same in both, but for what only one of them has.
    let common = |assets: &[(String, String)]| -> Vec<String> {
        let sources = assets.iter().map(|(source, _)| source.clone());
        let own = |source: &String| {
            ["changelog", "lintian", "LICENSE"]
                .iter()
                .any(|own| source.contains(own))
        };
        sources.filter(|source| !own(source)).collect()
    };
    assert_eq!(common(&deb), common(&rpm));
}

#[test]
fn maintainer_scripts_leave_room_for_what_starts_the_unit_and_make_the_user_first() {
    for name in ["postinst", "postrm"] {
        let script = packaged(&format!("deb/{name}"));
        assert_eq!(script.matches("\n#DEBHELPER#\n").count(), 1, "{name}");
    }
    for script in [packaged("deb/postinst"), packaged("rpm/post")] {
        let at = |text: &str| {
            script
                .find(text)
                .unwrap_or_else(|| panic!("{text}: {script}"))
        };
        assert!(at("systemd-sysusers") < at("init --system"));
    }
    let (users, folders) = (packaged("epms.sysusers"), packaged("epms.tmpfiles"));
    assert!(users.contains(&format!("\nu {} ", of_unit("User"))));
    for (key, above) in [("StateDirectory", "/var/lib"), ("RuntimeDirectory", "/run")] {
        let mode = of_unit(&format!("{key}Mode"));
        let line = format!("\nd {above}/{} {mode} epms epms -\n", of_unit(key));
        assert!(folders.contains(&line), "{line}");
    }
}

#[test]
fn each_secret_that_a_connector_wants_has_a_line_for_systemd() {
    let lines = packaged("examples/credentials.conf");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/connectors");
    let mut wanted = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let connector: Value =
            serde_yaml::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let section = lines.split("\n# ").find(|section| {
            let names = section.lines().next().unwrap();
            names.split(", ").any(|one| one == name)
        });
        for (field, kind) in connector["credential_fields"].as_object().unwrap() {
            if kind == "secret" || kind["kind"] == "secret" {
                let section = section.unwrap_or_else(|| panic!("nothing for {name}"));
                assert!(
                    section.contains(&format!("-{field}:/etc/credstore/")),
                    "{name}: {field}"
                );
                wanted += 1;
            }
        }
    }
    assert!(wanted > 12, "{wanted}");
}

#[test]
fn what_the_image_is_built_of_is_there() {
    let containerfile = packaged("Containerfile");
    let mut copied = 0;
    for line in containerfile
        .lines()
        .filter_map(|line| line.strip_prefix("COPY "))
    {
        let words: Vec<&str> = line.split(' ').collect();
        if let [sources @ .., _] = words.as_slice()
            && !line.starts_with("--from")
        {
            for source in sources {
                let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(source);
                assert!(path.exists(), "{source}");
                copied += 1;
            }
        }
    }
    assert_eq!(copied, 6);
    assert!(containerfile.contains("\nUSER 65532:65532\n"));
}

/// The documents of a file of YAML.
fn documents(name: &str) -> Vec<Value> {
    let text = packaged(name);
    let parts = text.split("\n---\n");
    parts
        .map(|part| serde_yaml::from_str(part).unwrap())
        .collect()
}

fn keys(value: &Value) -> Vec<&str> {
    value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

#[tokio::test]
async fn the_manifests_mount_files_that_are_right_where_the_daemon_looks() {
    let home = Home::new();
    let listed = documents("kubernetes/kustomization.yaml");
    let mut all = Vec::new();
    for name in listed[0]["resources"].as_array().unwrap() {
        all.extend(documents(&format!("kubernetes/{}", name.as_str().unwrap())));
    }
    let of_kind = |kind: &str| {
        all.iter()
            .filter(move |one| one["kind"] == kind)
            .collect::<Vec<_>>()
    };
    let [pod] = of_kind("StatefulSet").try_into().unwrap();
    assert_eq!(pod["spec"]["replicas"], 1);
    let pod = &pod["spec"]["template"]["spec"];
    let mounts = pod["containers"][0]["volumeMounts"].as_array().unwrap();
    let (mut files, mut secrets) = (0, Vec::new());
    for volume in pod["volumes"].as_array().unwrap() {
        let Some(map) = volume["configMap"]["name"].as_str() else {
            continue;
        };
        let [map] = of_kind("ConfigMap")
            .into_iter()
            .filter(|one| one["metadata"]["name"] == map)
            .collect::<Vec<_>>()
            .try_into()
            .unwrap();
        let Some(mount) = mounts.iter().find(|mount| mount["name"] == volume["name"]) else {
            continue;
        };
        let path = mount["mountPath"].as_str().unwrap();
        let folder = path.strip_prefix("/etc/epms/").unwrap();
        // In the image config/epms.yaml is a link to that.
        let folder = if folder == "settings" {
            "config"
        } else {
            folder
        };
        for (name, text) in map["data"].as_object().unwrap() {
            home.write(&format!("{folder}/{name}"), text.as_str().unwrap());
            secrets.extend(
                text.as_str()
                    .unwrap()
                    .split("{ file: secrets/")
                    .skip(1)
                    .map(|rest| rest.split(' ').next().unwrap().to_owned()),
            );
            files += 1;
        }
    }
    assert_eq!((files, secrets.len()), (3, 2));
    let output = home.epms(&["check", "--strict"]).await;
    assert!(output.status.success(), "{}", told(&output));
    let [secret] = of_kind("Secret").try_into().unwrap();
    let there = keys(&secret["stringData"]);
    assert!(
        secrets.iter().all(|name| there.contains(&name.as_str())),
        "{there:?}"
    );
    // Who passes on the metrics is who may look.
    let user = pod["containers"][1]["securityContext"]["runAsUser"]
        .as_u64()
        .unwrap();
    assert!(
        home.read("config/epms.yaml")
            .contains(&format!("observe: {{ users: [{user}] }}"))
    );
    let [compose] = documents("compose.yaml").try_into().unwrap();
    assert_eq!(compose["services"]["epms"]["read_only"], true);
}

#[test]
fn what_is_typed_to_try_the_package_stands_in_the_manual() {
    let page =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/install.md"));
    let (page, trial) = (page.unwrap(), packaged("try"));
    let mut blocks = 0;
    for block in trial.split("\n# typed ").skip(1) {
        let typed = block.split("\n# end\n").next().unwrap();
        let typed: String = typed
            .lines()
            .skip(1)
            .flat_map(|line| [line.strip_prefix("#| ").unwrap(), "\n"])
            .collect();
        assert!(page.contains(&format!("```sh\n{typed}```\n")), "{typed}");
        blocks += 1;
    }
    assert_eq!(blocks, 5);
}
