//! Libraries that speak Git without `git`: libgit2, dulwich, isomorphic-git, JGit, go-git. Each of them clones, pushes, forces, deletes
//! and cuts history; afterwards what the forge has is whole.

use std::path::{Path, PathBuf};
use std::process::Command;

use forge_testing::{TestForge, fixtures, for_each_database, tools};

use crate::bench::{Bench, commit, git};

const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/git/scripts");

/// Runs a script of a library; a failure shows what it said.
async fn run(program: PathBuf, script: PathBuf, arguments: Vec<String>) {
    let mut command = Command::new(program);
    command.arg(script).args(arguments).env("HOME", "/nonexistent").env("GIT_CONFIG_NOSYSTEM", "1");
    tokio::task::spawn_blocking(move || fixtures::succeed(&mut command)).await.unwrap();
}

/// A repository with some history, branches and tags.
async fn filled(forge: TestForge) -> Bench {
    let bench = Bench::new(forge).await;
    let work = bench.pushed("work").await;
    for number in 0..5 {
        commit(&work, "counter", &format!("{number}\n")).await;
    }
    git(&work, ["tag", "-a", "v1", "-m", "one"]).await.good();
    git(&work, ["push", "--quiet", "origin", "main", "v1", "main~2:refs/heads/older"]).await.good();
    bench
}

/// A clone by git is whole and has this file.
async fn check(bench: &Bench, file: &str) {
    git(bench.folder.path(), ["clone", "--quiet", &bench.url(), "checked"]).await.good();
    let checked = bench.path("checked");
    git(&checked, ["fsck", "--strict", "--no-progress"]).await.good();
    assert_eq!(std::fs::read_to_string(checked.join(file)).unwrap(), "one\n");
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

for_each_database! {
    async fn libgit2_clones_and_pushes(forge: TestForge) {
        let bench = filled(forge).await;
        let script = Path::new(SCRIPTS).join("with_pygit2.py");
        let folder = text(&bench.path("lib"));
        let arguments = vec![bench.bare_url(), "alice".to_owned(), bench.token.expose().to_owned(), folder];
        run(tools::python(), script, arguments).await;
        check(&bench, "lib.txt").await;
    }

    async fn dulwich_clones_and_pushes(forge: TestForge) {
        let bench = filled(forge).await;
        let script = Path::new(SCRIPTS).join("with_dulwich.py");
        run(tools::python(), script, vec![bench.url(), text(&bench.path("dul"))]).await;
        check(&bench, "dul.txt").await;
    }

    async fn go_git_clones_and_pushes(forge: TestForge) {
        let bench = filled(forge).await;
        let mut program = Command::new(tools::go_git());
        program.args([bench.bare_url().as_str(), "alice", bench.token.expose(), &text(&bench.path("gogit"))]);
        program.env("HOME", "/nonexistent").env("GIT_CONFIG_NOSYSTEM", "1");
        tokio::task::spawn_blocking(move || fixtures::succeed(&mut program)).await.unwrap();
        check(&bench, "gogit.txt").await;
    }

    async fn jgit_clones_and_pushes(forge: TestForge) {
        let bench = filled(forge).await;
        // Its command line takes passwords from no address.
        let home = bench.folder.path().to_owned();
        let login = format!("machine 127.0.0.1 login alice password {}\n", bench.token.expose());
        std::fs::write(home.join(".netrc"), login).unwrap();
        let run = |folder: PathBuf, words: Vec<String>| {
            let home = home.clone();
            async move {
            let mut java = Command::new("java");
            java.current_dir(folder).arg(format!("-Duser.home={}", home.display()));
            java.args(["-Djava.awt.headless=true", "-cp", &tools::jgit()]);
            java.arg("org.eclipse.jgit.pgm.Main").args(words);
            java.env("HOME", &home).env("GIT_CONFIG_NOSYSTEM", "1");
            tokio::task::spawn_blocking(move || fixtures::succeed(&mut java)).await.unwrap()
            }
        };
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let folder = bench.path("jgit");
        run(bench.folder.path().to_owned(), words(&["clone", &bench.bare_url(), "jgit"])).await;
        git(&folder, ["fsck", "--strict", "--no-progress"]).await.good();
        assert_eq!(git(&folder, ["tag"]).await.good(), "v1");
        std::fs::write(folder.join("jgit.txt"), "one\n").unwrap();
        run(folder.clone(), words(&["add", "jgit.txt"])).await;
        let author = "--author=J <j@forge.example>";
        run(folder.clone(), words(&["commit", author, "-m", "by JGit"])).await;
        run(folder.clone(), words(&["tag", "v2"])).await;
        run(folder.clone(), words(&["push", "origin", "HEAD:refs/heads/main", "v2", "HEAD:refs/heads/by-jgit"])).await;
        assert_eq!(bench.stored("refs/heads/main").await, bench.stored("refs/heads/by-jgit").await);
        // It forces, deletes, and fetches what others pushed.
        run(folder.clone(), words(&["push", "--force", "origin", "HEAD~1:refs/heads/older", ":refs/heads/by-jgit"])).await;
        assert_eq!(bench.stored("refs/heads/by-jgit").await, None);
        let theirs = commit(&bench.path("work"), "theirs", "1\n").await;
        git(&bench.path("work"), ["push", "--quiet", "origin", "HEAD:refs/heads/theirs"]).await.good();
        run(folder.clone(), words(&["fetch", "origin"])).await;
        assert_eq!(git(&folder, ["rev-parse", "origin/theirs"]).await.good(), theirs);
        check(&bench, "jgit.txt").await;
    }

    async fn isomorphic_git_clones_and_pushes(forge: TestForge) {
        let bench = filled(forge).await;
        // Node.js looks for packages beside the script.
        let scripts = bench.path("scripts");
        std::fs::create_dir(&scripts).unwrap();
        let script = scripts.join("with_isomorphic_git.mjs");
        std::fs::copy(Path::new(SCRIPTS).join("with_isomorphic_git.mjs"), &script).unwrap();
        std::os::unix::fs::symlink(tools::node_modules(), scripts.join("node_modules")).unwrap();
        let arguments = vec![bench.bare_url(), bench.token.expose().to_owned(), text(&bench.path("iso"))];
        run(PathBuf::from("node"), script, arguments).await;
        check(&bench, "iso.txt").await;
    }
}
