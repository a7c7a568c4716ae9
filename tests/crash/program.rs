//! This program as the command `forge`.

use std::process::Command;

/// What stands before the output of a command, after what the test runner prints.
pub(crate) const OUTPUT: &str = "── output of forge";

/// Returns a command that runs `forge` with these words.
pub(crate) fn forge(words: &[&str]) -> Command {
    let all: Vec<&str> = std::iter::once("forge").chain(words.iter().copied()).collect();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "program::forge_itself", "--ignored", "--nocapture", "--test-threads=1"]);
    command.env("FORGE_WORDS", serde_json::to_string(&all).unwrap());
    command
}

/// Runs a command that must succeed and returns what it printed.
pub(crate) fn succeed(words: &[&str]) -> String {
    let output = forge(words).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "forge {words:?}: {text}\n{}", String::from_utf8_lossy(&output.stderr));
    text.split_once(OUTPUT).unwrap().1.trim().to_owned()
}

#[test]
#[ignore = "it is the program under test, started by the other tests"]
fn forge_itself() {
    let words = std::env::var("FORGE_WORDS").expect("started by the other tests");
    let words: Vec<String> = serde_json::from_str(&words).unwrap();
    let code = match forge_server::cli::run_words(words) {
        Ok(output) => {
            println!("{OUTPUT}\n{output}");
            0
        }
        Err(failure) => {
            eprintln!("forge: {}", failure.message);
            3
        }
    };
    std::process::exit(code);
}
