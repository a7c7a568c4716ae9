//! How each command ends: 0 good, 1 a finding, 2 wrong usage, 3 no server or no data; the same through the socket of a
//! running server and by itself under the lock.

use crate::{ADMIN, Place};

/// Commands that a forge with the user `mona` carries out, in this order.
const GOOD: &[&[&str]] = &[
    &["admin", "user", "create", "hubot", "--email", "h@example.com"],
    &["admin", "org", "create", "octo", "--owner", "mona"],
    &["admin", "token", "create", "mona", "--scopes", "repo,read:org", "--expires", "30d"],
    &["admin", "registration-key"],
    &["admin", "registration-key", "--rotate"],
    &["admin", "agent", "create", "robo", "--description", "mends things"],
    &["admin", "setup-link"],
    &["verify"],
    &["audit", "export"],
    &["audit", "export", "--after", "1"],
    &["audit", "export", "--format", "ocsf"],
    &["audit", "export", "--format", "cef"],
    &["audit", "verify"],
    &["audit", "erase", "hubot"],
    &["audit", "key"],
    &["repo", "export-refs"],
    &["repo", "import-refs"],
    &["repo", "maintain"],
];

/// Commands that the forge refuses after those.
const REFUSED: &[(&[&str], &str)] = &[
    (&["admin", "user", "create", "HUBOT", "--email", "h@example.com"], "taken"),
    (&["admin", "org", "create", "Octo", "--owner", "mona"], "taken"),
    (&["admin", "token", "create", "nobody", "--scopes", "repo"], "`nobody`"),
    (&["admin", "agent", "create", "robo", "--description", "again"], "taken"),
    (&["audit", "erase", "nobody"], "`nobody`"),
    (&["repo", "export-refs", "octo/none"], "`octo/none`"),
    (&["repo", "import-refs", "octo/none"], "`octo/none`"),
    (&["repo", "maintain", "octo/none"], "`octo/none`"),
];

/// Commands that are used wrongly, which only the forge can tell.
const WRONG: &[(&[&str], &str)] = &[
    (&["admin", "user", "create", "a b", "--email", "x@example.com"], "login"),
    (&["admin", "user", "create", "zoe", "--email", "nowhere"], "email"),
    (&["admin", "org", "create", "api", "--owner", "mona"], "reserved"),
    (&["admin", "token", "create", "mona", "--scopes", "everything"], "`everything`"),
    (&["admin", "agent", "create", "-x-", "--description", "x"], ""),
];

/// Command lines that are none, whatever there is; one of them names what is not built.
const NO_COMMAND: &[&[&str]] = &[
    &["admin", "user", "create"],
    &["admin", "user", "create", "zoe"],
    &["admin", "org", "create", "octo3"],
    &["admin", "token", "create", "mona"],
    &["admin", "token", "create", "mona", "--scopes", "repo", "--expires", "soon"],
    &["admin", "agent", "create", "bot"],
    &["admin", "registration-key", "--bogus"],
    &["admin", "setup-link", "extra"],
    &["backup"],
    &["restore"],
    &["verify", "extra"],
    &["audit"],
    &["audit", "verify", "--checkpoints", "file"],
    &["audit", "erase"],
    &["audit", "export", "--after", "soon"],
    &["audit", "export", "--format", "xml"],
    &["repo"],
    &["repo", "export-refs", "a/b", "c/d"],
    &["repo", "import-refs", "a/b", "c/d"],
    &["repo", "maintain", "a/b", "c/d"],
    &["agent", "proxy", "--login", "robo"],
    &["auth"],
    &["env", "--bogus"],
    &["serve", "extra"],
];

/// Everything that needs data.
const NEEDING_DATA: &[&[&str]] = &[
    &["admin", "org", "create", "octo", "--owner", "mona"],
    &["admin", "agent", "create", "robo", "--description", "x"],
    &["backup", "somewhere"],
    &["verify"],
    &["audit", "export"],
    &["audit", "verify"],
    &["audit", "erase", "mona"],
    &["repo", "export-refs"],
    &["repo", "import-refs"],
    &["repo", "maintain"],
];

fn good(place: &Place) {
    for words in GOOD {
        let ended = place.run(words);
        assert_eq!((ended.code, ended.errors.as_str()), (Some(0), ""), "{words:?}: {ended:?}");
    }
}

fn refused_and_wrong(place: &Place) {
    for (words, told) in REFUSED {
        place.run(words).refused(1, told);
    }
    for (words, told) in WRONG {
        assert_eq!(place.run(words).code, Some(2), "{words:?}");
        if !told.is_empty() {
            place.run(words).refused(2, told);
        }
    }
    for words in NO_COMMAND {
        let ended = place.run(words);
        assert_eq!((ended.code, ended.output.as_str()), (Some(2), ""), "{words:?}: {ended:?}");
        assert!(ended.errors.contains("--help"), "{words:?}: {ended:?}");
    }
}

#[test]
fn through_a_running_server_each_command_ends_as_its_outcome_says() {
    let place = Place::new();
    let (server, _) = place.serve();
    place.run(ADMIN[2]).good();
    good(&place);
    refused_and_wrong(&place);
    assert!(place.run(&["env"]).good().contains("GH_HOST"));
    assert!(place.run(&["backup", "copy"]).good().contains("copy"));
    place.run(&["backup", "copy"]).refused(2, "not empty");
    place.run(&["restore", "copy"]).refused(3, "in use");
    place.run(&["serve", "--listen", "127.0.0.1:0"]).refused(3, "in use");
    assert_eq!(server.stop().0, Some(0));
}

#[test]
fn without_a_server_each_command_ends_the_same_under_the_lock() {
    let place = Place::new();
    let (server, _) = place.serve();
    place.run(ADMIN[2]).good();
    assert_eq!(server.stop().0, Some(0));
    good(&place);
    refused_and_wrong(&place);
    place.run(&["env"]).refused(3, "no forge is running");
    assert!(place.run(&["backup", "copy"]).good().contains("copy"));
    place.run(&["restore", "copy"]).refused(2, "holds data already");
    let other = Place::new();
    let copy = place.directory.path().join("copy");
    other.run(&["restore", copy.to_str().unwrap()]).good();
    // A copy without the keys is whole, and its secrets stay sealed until the keys are put beside it.
    other.run(&["verify"]).refused(3, "no key file");
    std::fs::copy(place.data().join("keys.toml"), other.data().join("keys.toml")).unwrap();
    assert!(other.run(&["verify"]).good().contains("whole"));
}

#[test]
fn without_data_each_command_that_needs_it_ends_with_3() {
    let place = Place::new();
    for words in NEEDING_DATA {
        place.run(words).refused(3, "no data directory");
    }
    std::fs::create_dir(place.data()).unwrap();
    for words in NEEDING_DATA {
        place.run(words).refused(3, "there is no data");
    }
    place.run(&["env"]).refused(3, "no forge is running");
    place.run(&["restore", "nowhere"]).refused(3, "not a whole backup");
}

#[test]
fn a_finding_of_verify_ends_with_1_and_says_what_it_is() {
    let place = Place::new();
    let (server, _) = place.serve();
    place.create_repository("work");
    let pack = place.files("objects/pack").into_iter().find(|path| path.ends_with(".pack")).unwrap();
    std::fs::write(&pack, "torn").unwrap();
    place.run(&["verify"]).refused(1, "mona/work: the pack");
    server.stop();
    place.run(&["verify"]).refused(1, "mona/work: the pack");
}

#[test]
fn an_export_is_verified_without_any_forge_and_a_finding_ends_with_1() {
    let place = Place::new();
    let (server, _) = place.serve();
    place.create_repository("work");
    server.stop();
    // The end of a server leaves nothing unsealed, and a checkpoint of it all.
    let said = place.run(&["audit", "verify"]).good();
    assert!(said.contains("unsealed tail: 0 events") && said.contains("nothing is wrong"), "{said}");
    let export = place.run(&["audit", "export"]).good();
    let file = |name: &str, text: &str| {
        let path = place.directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let elsewhere = Place::new();
    let whole = file("whole", &export);
    assert!(
        elsewhere.run(&["audit", "verify", "--export", &whole]).good().contains("no checkpoint was given")
    );
    let edited = file("edited", &export.replacen("\"surface\":\"console\"", "\"surface\":\"rest\"", 1));
    elsewhere.run(&["audit", "verify", "--export", &edited]).refused(1, "was changed");
    let key = file("key", &place.run(&["audit", "key"]).good());
    elsewhere
        .run(&["audit", "verify", "--export", &whole, "--checkpoints", &key, "--key", &key])
        .refused(3, "no checkpoint");
}

#[test]
fn a_new_signing_key_signs_from_the_next_start_on_and_the_former_one_is_still_known() {
    let place = Place::new();
    let checkpoints = place.directory.path().join("checkpoints.jsonl");
    let variable = [("FORGE_AUDIT_CHECKPOINT_FILE", checkpoints.to_str().unwrap())];
    let run = |name: &str| {
        let (server, _) = place.serve_with(&variable);
        place.run(&["admin", "user", "create", name, "--email", "x@example.com"]).good();
        server.stop();
    };
    run("one");
    let before = place.run(&["audit", "key"]).good();
    let after = place.run(&["audit", "key", "--rotate"]).good();
    assert!(after.ends_with(&before) && after.len() > before.len(), "{after}");
    run("two");
    let lines = std::fs::read_to_string(&checkpoints).unwrap();
    let ids: Vec<&str> =
        lines.lines().filter_map(|line| line.split("\"key_id\":\"").nth(1)?.split('"').next()).collect();
    assert_ne!(ids.first(), ids.last(), "{lines}");
    let key = place.directory.path().join("key.pem");
    std::fs::write(&key, &after).unwrap();
    let both = ["--checkpoints", checkpoints.to_str().unwrap(), "--key", key.to_str().unwrap()];
    let said = place.run(&[&["audit", "verify"][..], &both].concat()).good();
    assert!(said.contains("nothing is wrong"), "{said}");
    std::fs::write(&key, &before).unwrap();
    place.run(&[&["audit", "verify"][..], &both].concat()).refused(1, "is not signed by the key");
}
