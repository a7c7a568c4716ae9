//! People with browsers.

use crate::browser::{Browser, Scripts};
use crate::machine::Machine;

/// Everybody's password.
pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// Returns the one-time link that the first start printed.
#[track_caller]
pub(crate) fn setup_link(machine: &Machine) -> String {
    link_in(&machine.server().output("/setup/"), "/setup/")
}

/// Returns the link of a kind in what a program printed.
#[track_caller]
pub(crate) fn link_in(printed: &str, kind: &str) -> String {
    let is_link = |word: &&str| word.starts_with("https://") && word.contains(kind);
    let link = printed.split_whitespace().find(is_link);
    link.unwrap_or_else(|| panic!("no link with `{kind}`: {printed}")).to_owned()
}

/// Opens a browser, follows the set-up link and creates the administrator, who is signed in then.
#[track_caller]
pub(crate) fn set_up(machine: &Machine, login: &str, scripts: Scripts) -> Browser {
    let mut browser = Browser::open_on(machine, scripts);
    browser.open(&setup_link(machine));
    browser.fill("Login", login);
    browser.fill("E-mail address", &format!("{login}@forge.example"));
    browser.fill("Password", PASSWORD);
    browser.press("Create the administrator");
    browser.sees(&format!("Signed in as {login}"));
    browser
}

/// Creates a person from the console, who chooses a password through the printed link and is signed in then.
#[track_caller]
pub(crate) fn join(machine: &Machine, login: &str, scripts: Scripts) -> Browser {
    let email = format!("{login}@forge.example");
    let printed = machine.run_forge(&["admin", "user", "create", login, "--email", &email]);
    let mut browser = Browser::open_on(machine, scripts);
    browser.open(&link_in(&printed, "/password/"));
    browser.fill("Password", PASSWORD);
    browser.press("Save and sign in");
    browser.sees(&format!("Signed in as {login}"));
    browser
}
