//! Chromium, led step by step. Each page of the forge it comes to is examined by `scripts/checks.mjs`, and what goes
//! wrong is told with the path of a screenshot.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use forge_testing::tools;
use serde_json::{Value, json};

use crate::machine::Machine;
use crate::scripts::script;

/// Whether the browser runs what pages bring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scripts {
    /// As browsers come.
    On,
    /// JavaScript is switched off.
    Off,
}

/// A browser with one page; dropping it ends it.
pub(crate) struct Browser {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Browser {
    /// Opens a browser on the machine. It knows the way to the forge by the link the forge prints, and nothing else.
    pub(crate) fn open_on(machine: &Machine, scripts: Scripts) -> Self {
        let info = machine.run_info();
        let mut node = Command::new("node");
        node.arg(script(machine.folder(), "browser.mjs"))
            .arg(tools::chromium())
            .args(["browser_url", "ca_bundle"].map(|name| info[name].as_str().expect("local mode")))
            .arg(pictures())
            .arg(if scripts == Scripts::On { "scripts" } else { "no-scripts" });
        let mut child = node
            .current_dir(machine.folder())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{node:?}: {error}"));
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().expect("the pipe was asked for"));
        Self { child, input, output }
    }

    #[track_caller]
    fn step(&mut self, step: &Value) -> Value {
        let input = self.input.as_mut().expect("the browser is open");
        writeln!(input, "{step}").unwrap_or_else(|error| panic!("the browser has ended at {step}: {error}"));
        let mut line = String::new();
        self.output.read_line(&mut line).expect("the browser answers");
        let answer: Value = serde_json::from_str(&line).unwrap_or_else(|error| {
            panic!("the browser has ended at {step}: {error}: `{line}`");
        });
        if let Some(failure) = answer["failed"].as_str() {
            panic!("{step}\n{failure}\nat {}, screenshot {}", answer["at"], answer["picture"]);
        }
        answer
    }

    /// Comes to a page and checks its status.
    #[track_caller]
    fn arrive(&mut self, step: &Value, status: u16) {
        let answer = self.step(step);
        if answer["status"] != status {
            let said = self.text();
            self.step(
                &json!({ "do": "fail", "why": format!("{step} gives {answer}, not {status}:\n{said}") }),
            );
        }
    }

    /// Opens a page, which must be there.
    #[track_caller]
    pub(crate) fn open(&mut self, url: &str) {
        self.arrive(&json!({ "do": "open", "url": url }), 200);
    }

    /// Opens a page, which must answer so.
    #[track_caller]
    pub(crate) fn open_expecting(&mut self, url: &str, status: u16) {
        self.arrive(&json!({ "do": "open", "url": url }), status);
    }

    /// Opens a page that is not of the forge.
    #[track_caller]
    pub(crate) fn open_elsewhere(&mut self, url: &str) {
        self.step(&json!({ "do": "open", "url": url }));
    }

    /// Presses a button that leads to a page.
    #[track_caller]
    pub(crate) fn press(&mut self, button: &str) {
        self.arrive(&json!({ "do": "press", "name": button }), 200);
    }

    /// Presses a button that leads to a page with another status.
    #[track_caller]
    pub(crate) fn press_expecting(&mut self, button: &str, status: u16) {
        self.arrive(&json!({ "do": "press", "name": button }), status);
    }

    /// Presses a button whose form lacks the proof that the forge has shown it, which is refused.
    #[track_caller]
    pub(crate) fn press_without_proof(&mut self, button: &str) {
        self.arrive(&json!({ "do": "forge", "name": button }), 403);
        self.sees("Not allowed");
    }

    /// Follows a link.
    #[track_caller]
    pub(crate) fn follow(&mut self, link: &str) {
        self.arrive(&json!({ "do": "follow", "name": link }), 200);
    }

    /// Fills in a field.
    #[track_caller]
    pub(crate) fn fill(&mut self, label: &str, value: &str) {
        self.step(&json!({ "do": "fill", "label": label, "value": value }));
    }

    /// Chooses from a list.
    #[track_caller]
    pub(crate) fn choose(&mut self, label: &str, value: &str) {
        self.step(&json!({ "do": "choose", "label": label, "value": value }));
    }

    /// Ticks a box.
    #[track_caller]
    pub(crate) fn tick(&mut self, value: &str) {
        self.step(&json!({ "do": "tick", "value": value }));
    }

    /// Returns what the page says.
    #[track_caller]
    pub(crate) fn text(&mut self) -> String {
        self.step(&json!({ "do": "text" }))["text"].as_str().expect("text").to_owned()
    }

    /// Returns the secret that the page shows.
    #[track_caller]
    pub(crate) fn secret(&mut self) -> String {
        self.step(&json!({ "do": "secret" }))["text"].as_str().expect("text").to_owned()
    }

    /// Checks that the page says this.
    #[track_caller]
    pub(crate) fn sees(&mut self, text: &str) {
        self.step(&json!({ "do": "see", "text": text }));
    }

    /// Checks that the page does not say this.
    #[track_caller]
    pub(crate) fn sees_no(&mut self, text: &str) {
        self.step(&json!({ "do": "miss", "text": text }));
    }

    /// Checks that a banner above everything says this, where it is seen without scrolling.
    #[track_caller]
    pub(crate) fn sees_banner(&mut self, text: &str) {
        self.step(&json!({ "do": "banner", "text": text }));
    }

    /// Checks what the browser keeps of the forge: nothing that a script or another site could read.
    #[track_caller]
    pub(crate) fn keeps_its_cookies(&mut self) {
        let answer = self.step(&json!({ "do": "cookies" }));
        let cookies = answer["cookies"].as_array().expect("a list");
        assert!(!cookies.is_empty(), "the forge has left no cookie");
        for cookie in cookies {
            assert!(cookie["name"].as_str().expect("a name").starts_with("__Host-"), "{cookie}");
            assert_eq!((&cookie["httpOnly"], &cookie["secure"]), (&true.into(), &true.into()), "{cookie}");
            assert_eq!(cookie["sameSite"], "Lax", "{cookie}");
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.wait();
    }
}

/// Where screenshots go: of failures alone, or of every page when the variable names a folder.
fn pictures() -> PathBuf {
    let chosen = std::env::var_os("FORGE_TEST_SCREENSHOTS").map(PathBuf::from);
    chosen.unwrap_or_else(|| std::env::temp_dir().join("forge-screenshots"))
}
