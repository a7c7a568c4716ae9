//! An export, its checkpoints and the public keys, judged without the forge: by `forge audit verify --export`, and by the
//! script in docs/ that shares no code with it. Both must say the same of every kind of tampering (attack A90).

use std::process::Command;

use forge_server::cli::run_words;
use forge_server::failure::Exit;
use forge_testing::{TestForge, for_each_database, tools};

use crate::world::{Files, busy, labels};

/// What a judge says: nothing is wrong, or what is.
fn ours(files: &Files) -> Result<String, (i32, String)> {
    let words = ["forge", "audit", "verify", "--export"].map(str::to_owned).into_iter();
    let path = |path: &std::path::Path| path.to_str().unwrap().to_owned();
    let words = words
        .chain([path(&files.export), "--checkpoints".to_owned(), path(&files.checkpoints)])
        .chain(["--key".to_owned(), path(&files.key)]);
    run_words(words).map_err(|failure| {
        let code = match failure.exit {
            Exit::Finding => 1,
            Exit::Usage => 2,
            Exit::Unavailable => 3,
        };
        (code, failure.message)
    })
}

fn the_script(files: &Files) -> Result<String, (i32, String)> {
    let script = tools::workspace().join("docs/audit-verify.py");
    let output = Command::new("python3")
        .arg(script)
        .args([&files.export, &files.checkpoints, &files.key])
        .output()
        .expect("python3 is there");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match output.status.code() {
        Some(0) => Ok(text(&output.stdout)),
        code => Err((code.unwrap_or(-1), text(&output.stdout) + &text(&output.stderr))),
    }
}

/// Both find something, and ours says these words.
#[track_caller]
fn both_find(files: &Files, words: &str) {
    let (code, message) = ours(files).expect_err("ours finds it");
    assert_eq!(code, 1, "{message}");
    assert!(message.contains(words), "{words}: {message}");
    let (code, message) = the_script(files).expect_err("the script finds it");
    assert_eq!(code, 1, "{message}");
}

#[track_caller]
fn both_are_content(files: &Files) -> String {
    let said = ours(files).unwrap_or_else(|(_, message)| panic!("{message}"));
    the_script(files).unwrap_or_else(|(code, message)| panic!("the script ends with {code}: {message}"));
    said
}

for_each_database! {
    async fn an_outsider_comes_to_the_same_verdict(forge: TestForge) {
        let client = busy(&forge, 6).await;
        labels(&client, "tail", 2).await;
        let files = Files::of(&forge).await;
        let said = both_are_content(&files);
        assert!(said.contains("6 events, positions 1 to 6") && said.contains("unsealed tail: 2 events"), "{said}");
        assert!(said.contains("1 agree, the last at position 6"), "{said}");
    }

    async fn a90_an_export_cannot_be_tampered_with_unseen(forge: TestForge) {
        busy(&forge, 8).await;
        let changed = async |change: &dyn Fn(&mut Vec<String>)| {
            let files = Files::of(&forge).await;
            both_are_content(&files);
            Files::change(&files.export, change);
            files
        };
        let edit = |from: &'static str, to: &'static str| {
            move |lines: &mut Vec<String>| lines[2] = lines[2].replace(from, to)
        };
        both_find(&changed(&edit("\"actor_login\":\"alice\"", "\"actor_login\":\"bob\"")).await, "position 3 was changed");
        both_find(&changed(&edit("\"ip\":\"203.0.113.7\"", "\"ip\":\"203.0.113.8\"")).await, "position 3 was changed: its personal");
        both_find(&changed(&|lines| drop(lines.remove(3))).await, "the event at position 4 is missing");
        both_find(&changed(&|lines| lines.swap(3, 4)).await, "missing");
        both_find(&changed(&|lines| lines.truncate(5)).await, "the log ends at position 5");
        both_find(&changed(&|lines| lines.insert(4, lines[3].clone())).await, "position 4 comes after position 4");
        both_find(&changed(&|lines| lines[4].truncate(40)).await, "line 5 is no entry");
        // Who closes the gap in the positions still has a chain that does not hold.
        let closed = changed(&|lines| {
            lines.remove(3);
            for (at, line) in lines.iter_mut().enumerate().skip(3) {
                *line = line.replace(&format!("\"position\":{}", at + 2), &format!("\"position\":{}", at + 1));
            }
        });
        both_find(&closed.await, "the chain does not hold at position 4");
        // Another forge's log in the place of this one.
        both_find(&changed(&|lines| {
            for line in lines.iter_mut() {
                *line = line.replace("\"chain\":\"ach_", "\"chain\":\"ach_x");
            }
        }).await, "the chain does not hold at position 1");
    }

    async fn a90_a_log_written_anew_as_a_whole_does_not_have_the_old_signatures(forge: TestForge) {
        busy(&forge, 4).await;
        let files = Files::of(&forge).await;
        both_are_content(&files);
        // Somebody who can compute hashes rewrites what happened, and every hash after it.
        let script = r#"
import hashlib, json, sys
canonical = lambda value: json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
lines = [json.loads(line) for line in open(sys.argv[1])]
before = hashlib.sha256(f"forge audit chain 1\n{lines[0]['chain']}\n".encode()).digest()
lines[1]["content"]["actor_login"] = "mallory"
with open(sys.argv[1], "w") as out:
    for line in lines:
        content = hashlib.sha256(canonical(line["content"]).encode()).digest()
        before = hashlib.sha256(before + content).digest()
        line["content_hash"], line["hash"] = content.hex(), before.hex()
        out.write(json.dumps(line) + "\n")
"#;
        let done = Command::new("python3").args(["-c", script]).arg(&files.export).status().unwrap();
        assert!(done.success());
        both_find(&files, "the log at position 4 is not what was signed there");
    }

    async fn a90_a_checkpoint_that_is_not_the_forges_is_found(forge: TestForge) {
        busy(&forge, 4).await;
        for (from, to) in [("\"position\":4", "\"position\":3"), ("\"key_id\":\"", "\"key_id\":\"00"), ("\"signature\":\"", "\"signature\":\"00")] {
            let files = Files::of(&forge).await;
            Files::change(&files.checkpoints, |lines| lines[0] = lines[0].replace(from, to));
            both_find(&files, "is not signed by the key");
        }
        let files = Files::of(&forge).await;
        Files::change(&files.checkpoints, |lines| lines.push("{\"chain\":\"ach_cut of".to_owned()));
        assert!(both_are_content(&files).contains("line 2 of the checkpoints is no checkpoint"));
    }

    async fn keys_are_read_as_the_well_known_place_has_them(forge: TestForge) {
        busy(&forge, 3).await;
        let files = Files::of(&forge).await;
        let answer = forge.client().get("/.well-known/forge-audit-keys").await.expect(200);
        assert_eq!(answer.json()["keys"][0]["crv"], "Ed25519");
        std::fs::write(&files.key, answer.text()).unwrap();
        both_are_content(&files);
    }
}

#[test]
fn what_cannot_be_judged_ends_with_another_code() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("empty"), "").unwrap();
    let exit = |words: &[&str]| {
        let words = ["forge", "audit", "verify"].iter().chain(words).map(|word| (*word).to_owned());
        run_words(words).unwrap_err().exit
    };
    assert_eq!(exit(&["--export", &path("nowhere")]), Exit::Unavailable);
    assert_eq!(exit(&["--export", &path("empty")]), Exit::Unavailable);
    assert_eq!(exit(&["--export", &path("empty"), "--checkpoints", &path("empty")]), Exit::Usage);
    let both = ["--export", &path("empty"), "--checkpoints", &path("empty"), "--key", &path("empty")];
    assert_eq!(exit(&both), Exit::Unavailable);
    std::fs::write(path("checkpoints"), "{\"chain\":\"c\",\"position\":1,\"hash\":\"00\",\"created_at_micros\":1,\"key_id\":\"k\",\"signature\":\"00\"}\n").unwrap();
    let both = ["--export", &path("empty"), "--checkpoints", &path("checkpoints"), "--key", &path("empty")];
    assert_eq!(exit(&both), Exit::Usage, "no key in it");
    assert_eq!(exit(&["--data", &path("no data")]), Exit::Unavailable);
}
