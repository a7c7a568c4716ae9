//! Real git: protocols, ways to authenticate, who sees what, and large histories.

use std::path::Path;

use forge_testing::{fixtures, for_each_database_sync, tools};

use crate::machine::{HOST, Machine, Person, altered, must_succeed};
use crate::sizes::LONG;

/// Creates a repository and a clone with one commit that is not pushed.
fn repository_with_commit(person: &Person<'_>, name: &str, visibility: &str) -> std::path::PathBuf {
    person.gh(&["repo", "create", name, visibility, "--add-readme"]);
    let clone = person.home().join(name);
    person.gh(&["repo", "clone", name, clone.to_str().unwrap()]);
    std::fs::write(clone.join("file"), "content\n").unwrap();
    person.git(&clone, &["add", "file"]);
    person.git(&clone, &["commit", "--quiet", "--message", "add a file"]);
    clone
}

fn head(person: &Person<'_>, folder: &Path, what: &str) -> String {
    person.git(folder, &["rev-parse", what]).trim().to_owned()
}

for_each_database_sync! {
    fn git_pushes_fetches_and_clones_by_every_protocol_version(database) {
        let machine = Machine::start(database);
        let token = machine.human_with_token("alice");
        let alice = machine.person("alice");
        alice.log_in(&token);
        let clone = repository_with_commit(&alice, "work", "--private");
        alice.git(&clone, &["push", "--quiet", "origin", "main"]);
        let pushed = head(&alice, &clone, "HEAD");
        for version in ["0", "1", "2"] {
            let protocol = format!("protocol.version={version}");
            let copy = alice.home().join(format!("copy-{version}"));
            let url = format!("https://{HOST}/alice/work");
            alice.git(alice.home(), &["-c", &protocol, "clone", "--quiet", &url, copy.to_str().unwrap()]);
            assert_eq!(head(&alice, &copy, "HEAD"), pushed, "version {version}");
            alice.git(&copy, &["fsck", "--strict", "--no-progress"]);
            let branch = format!("from-{version}");
            alice.git(&copy, &["switch", "--quiet", "--create", &branch]);
            alice.git(&copy, &["commit", "--quiet", "--allow-empty", "--message", &branch]);
            alice.git(&copy, &["-c", &protocol, "push", "--quiet", "origin", &branch]);
            let remote = alice.git(&copy, &["-c", &protocol, "ls-remote", "origin", &branch]);
            assert!(remote.starts_with(&head(&alice, &copy, "HEAD")), "{remote}");
        }
        let shallow = alice.home().join("shallow");
        let url = format!("https://{HOST}/alice/work.git");
        alice.git(alice.home(), &["clone", "--quiet", "--depth", "1", &url, shallow.to_str().unwrap()]);
        assert_eq!(alice.git(&shallow, &["rev-list", "--count", "HEAD"]).trim(), "1");
        alice.git(&clone, &["push", "--quiet", "origin", ":from-0", "HEAD:refs/tags/v1"]);
        let left = alice.git(&clone, &["ls-remote", "origin"]);
        assert!(!left.contains("from-0") && left.contains("refs/tags/v1"), "{left}");
    }

    fn a_token_is_good_as_password_under_any_name_and_as_a_header(database) {
        let machine = Machine::start(database);
        let token = machine.human_with_token("alice");
        let alice = machine.person("alice");
        alice.log_in(&token);
        repository_with_commit(&alice, "work", "--private");
        let stranger = machine.person("stranger");
        for user in ["alice", "x-access-token", "anyone"] {
            let url = format!("https://{user}:{token}@{HOST}/alice/work.git");
            assert!(stranger.git(stranger.home(), &["ls-remote", &url]).contains("refs/heads/main"));
        }
        let as_user = format!("https://{token}:x-oauth-basic@{HOST}/alice/work.git");
        assert!(stranger.git(stranger.home(), &["ls-remote", &as_user]).contains("refs/heads/main"));
        for scheme in ["Bearer", "token"] {
            let header = format!("http.extraHeader=Authorization: {scheme} {token}");
            let url = format!("https://{HOST}/alice/work");
            assert!(stranger.git(stranger.home(), &["-c", &header, "ls-remote", &url]).contains("refs/heads/main"));
        }
        let wrong = format!("https://alice:{}@{HOST}/alice/work.git", altered(&token));
        assert!(stranger.git_fails(stranger.home(), &["ls-remote", &wrong]).contains("Authentication failed"));
    }

    fn public_is_read_by_anyone_and_private_looks_like_absent(database) {
        let machine = Machine::start(database);
        let (token, other_token) = (machine.human_with_token("alice"), machine.human_with_token("bob"));
        let (alice, bob) = (machine.person("alice"), machine.person("bob"));
        alice.log_in(&token);
        bob.log_in(&other_token);
        let open = repository_with_commit(&alice, "open", "--public");
        let closed = repository_with_commit(&alice, "closed", "--private");
        alice.git(&open, &["push", "--quiet"]);
        alice.git(&closed, &["push", "--quiet"]);
        let nobody = machine.person("nobody");
        let url = |name: &str| format!("https://{HOST}/alice/{name}.git");
        nobody.git(nobody.home(), &["clone", "--quiet", &url("open"), "open"]);
        assert_eq!(head(&nobody, &nobody.home().join("open"), "HEAD"), head(&alice, &open, "HEAD"));
        let [hidden, absent] = ["closed", "absent"].map(|name| {
            let said = nobody.git_fails(nobody.home(), &["ls-remote", &url(name)]);
            said.replace(name, "NAME")
        });
        assert_eq!(hidden, absent);
        let [hidden, absent] = ["closed", "absent"].map(|name| {
            let said = bob.git_fails(bob.home(), &["ls-remote", &url(name)]);
            assert!(said.contains("not found"), "{said}");
            said.replace(name, "NAME")
        });
        assert_eq!(hidden, absent);
        bob.git(bob.home(), &["clone", "--quiet", &url("open"), "open"]);
        let copy = bob.home().join("open");
        bob.git(&copy, &["commit", "--quiet", "--allow-empty", "--message", "not mine"]);
        bob.git_fails(&copy, &["push"]);
        assert!(nobody.git(nobody.home(), &["ls-remote", &url("open"), "main"]).starts_with(&head(&alice, &open, "HEAD")));
    }

    fn git_clones_pushes_and_fetches_over_http_2_and_over_http_1(database) {
        let machine = Machine::start(database);
        let token = machine.human_with_token("alice");
        let alice = machine.person("alice");
        alice.log_in(&token);
        let clone = repository_with_commit(&alice, "work", "--private");
        alice.git(&clone, &["push", "--quiet", "origin", "main"]);
        let url = format!("https://{HOST}/alice/work");
        for (number, version) in ["HTTP/2", "HTTP/1.1"].into_iter().enumerate() {
            let trace = alice.home().join(format!("trace-{number}"));
            let run = |folder: &Path, words: &[&str]| {
                let mut git = alice.git_command(folder);
                git.env("GIT_TRACE_CURL", &trace).args(["-c", &format!("http.version={version}")]).args(words);
                must_succeed(&mut git)
            };
            let copy = alice.home().join(format!("copy-{number}"));
            run(alice.home(), &["clone", "--quiet", &url, copy.to_str().unwrap()]);
            // Larger than what git sends at once.
            std::fs::write(copy.join("large"), (0..1_500_000u32).flat_map(|at| at.wrapping_mul(0x9E37_79B9).to_le_bytes()).collect::<Vec<u8>>()).unwrap();
            alice.git(&copy, &["add", "."]);
            alice.git(&copy, &["commit", "--quiet", "--message", version]);
            run(&copy, &["push", "--quiet", "origin", &format!("HEAD:refs/heads/b{number}")]);
            run(&clone, &["fetch", "--quiet", "origin"]);
            assert_eq!(head(&alice, &clone, &format!("origin/b{number}")), head(&alice, &copy, "HEAD"));
            alice.git(&clone, &["fsck", "--strict", "--no-progress"]);
            let said = std::fs::read_to_string(&trace).unwrap();
            let answers = |version: &str| said.matches(&format!("Recv header: {version} 200")).count();
            assert!(answers(version) >= 6, "{version}");
            let other = if number == 0 { "HTTP/1.1" } else { "HTTP/2" };
            // What goes through a proxy is first asked of it, in HTTP/1.1.
            assert!(said.lines().filter(|line| line.contains(&format!("Recv header: {other} 200")) && !line.contains("onnection")).count() == 0, "{version}");
        }
    }

    fn this_projects_own_history_is_pushed_and_cloned_whole(database) {
        let machine = Machine::start(database);
        let token = machine.human_with_token("alice");
        let alice = machine.person("alice");
        alice.log_in(&token);
        alice.gh(&["repo", "create", "forge", "--private"]);
        let own = tools::workspace();
        let url = format!("https://{HOST}/alice/forge.git");
        let commit = head(&alice, own, "HEAD");
        alice.git(own, &["push", "--quiet", &url, "HEAD:refs/heads/main"]);
        let copy = alice.home().join("forge");
        alice.git(alice.home(), &["clone", "--quiet", &url, copy.to_str().unwrap()]);
        assert_eq!(head(&alice, &copy, "HEAD"), commit);
        let count = |folder: &Path| alice.git(folder, &["rev-list", "--count", &commit]);
        assert_eq!(count(&copy), count(own));
        alice.git(&copy, &["fsck", "--strict", "--no-progress"]);
        assert!(copy.join("README.md").is_file());
    }

    fn twenty_thousand_commits_and_200_megabytes_are_pushed_and_cloned(database) {
        let machine = Machine::start(database);
        let token = machine.human_with_token("alice");
        let alice = machine.person("alice");
        alice.log_in(&token);
        alice.gh(&["repo", "create", "long", "--private"]);
        let source = alice.home().join("long.git");
        fixtures::generate(&source, LONG);
        let url = format!("https://{HOST}/alice/long.git");
        alice.git(&source, &["push", "--quiet", &url, "main"]);
        let copy = alice.home().join("copy.git");
        alice.git(alice.home(), &["clone", "--quiet", "--bare", &url, copy.to_str().unwrap()]);
        assert_eq!(alice.git(&copy, &["rev-list", "--count", "main"]).trim(), LONG.commits.to_string());
        assert_eq!(head(&alice, &copy, "main"), head(&alice, &source, "main"));
        let work = alice.home().join("work");
        alice.git(alice.home(), &["clone", "--quiet", "--depth", "1", &url, work.to_str().unwrap()]);
        alice.git(&work, &["commit", "--quiet", "--allow-empty", "--message", "one more"]);
        alice.git(&work, &["push", "--quiet"]);
        alice.git(&copy, &["fetch", "--quiet", &url, "main"]);
        assert_eq!(head(&alice, &copy, "FETCH_HEAD"), head(&alice, &work, "HEAD"));
    }
}
