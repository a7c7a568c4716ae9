//! `forge repo export-refs` and `import-refs`: out to the repository directory, and back when the database lost them.

use std::process::Command;

use crate::{ADMIN, Place};

impl Place {
    /// Creates a private repository of mona's with one commit, through the running server.
    pub(crate) fn create_repository(&self, name: &str) {
        self.run(ADMIN[2]);
        let token = self.run(&["admin", "token", "create", "mona", "--scopes", "repo"]).good();
        let script = "eval \"$(\"$FORGE\" env)\" && curl -sS -o /dev/null -w '%{http_code}' -H \"Authorization: token $TOKEN\" \
             -d \"$BODY\" https://forge.localhost/api/v3/user/repos";
        let output = Command::new("/bin/sh")
            .args(["-c", script])
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("FORGE", env!("CARGO_BIN_EXE_forge"))
            .env("FORGE_DATA", self.data())
            .env("TOKEN", token.trim())
            .env("BODY", format!("{{\"name\":\"{name}\",\"private\":true,\"auto_init\":true}}"))
            .output()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "201", "{output:?}");
    }

    /// Returns the files in a folder of the only repository.
    pub(crate) fn files(&self, folder: &str) -> Vec<String> {
        let folder = self.data().join("repositories/01/1.git").join(folder);
        let entries = std::fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().path().to_str().unwrap().to_owned()).collect()
    }

    /// Lets the database lose all refs and packs, as no command can.
    fn lose_refs(&self) {
        let script = "import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); db.execute('DELETE FROM refs'); \
                      db.execute('DELETE FROM packs'); db.commit()";
        let database = self.data().join("forge.db");
        let status = Command::new("python3").args(["-c", script]).arg(database).status().unwrap();
        assert!(status.success());
    }
}

#[test]
fn refs_that_the_database_lost_come_back_from_the_directory() {
    let place = Place::new();
    let (server, _) = place.serve();
    place.create_repository("work");
    assert!(place.run(&["repo", "export-refs"]).good().starts_with("mona/work: 1 refs in "));
    server.stop();
    place.lose_refs();
    place.run(&["verify"]).refused(1, "is on no manifest");

    let import = ["repo", "import-refs", "mona/work"];
    let said = place.run(&import).good();
    assert_eq!(said, "mona/work: 1 refs put back, 0 there already, 1 packs taken up\n");
    assert!(place.run(&["verify"]).good().contains("whole"));
    let unchanged = "mona/work: 0 refs put back, 1 there already, 0 packs taken up\n";
    assert_eq!(place.run(&import).good(), unchanged, "a second time there is nothing to do");

    let (server, _) = place.serve();
    assert_eq!(place.run(&["repo", "import-refs"]).good(), unchanged, "through the server, and for all");
    let audit = place.run(&["audit", "export"]).good();
    let imports = audit.lines().filter(|line| line.contains("\"door\":\"console:import\"")).count();
    assert_eq!(imports, 1, "{audit}");
    server.stop();
}

#[test]
fn what_cannot_be_put_back_is_listed_and_ends_with_1() {
    let place = Place::new();
    let (server, _) = place.serve();
    place.create_repository("work");
    place.run(&["repo", "export-refs"]).good();
    server.stop();
    place.lose_refs();
    let packed = place.data().join("repositories/01/1.git/packed-refs");
    let text = std::fs::read_to_string(&packed).unwrap();
    let absent = "deadbeefdeadbeefdeadbeefdeadbeefdeadbeef";
    std::fs::write(&packed, format!("{text}{absent} refs/heads/absent\nnonsense refs/heads/torn\n")).unwrap();

    let ended = place.run(&["repo", "import-refs", "mona/work"]);
    for told in [
        "mona/work: 1 refs put back",
        "refs/heads/absent was not put back",
        "refs/heads/torn was not put back",
    ] {
        assert!(ended.errors.contains(told), "{ended:?}");
    }
    ended.refused(1, "is missing");
    place.run(&["repo", "import-refs"]).refused(1, "0 refs put back, 1 there already");
    assert!(place.run(&["verify"]).good().contains("whole"), "what was good is back");
}
