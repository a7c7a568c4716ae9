//! People with passwords, and the browsers in which they sit.

use forge_service::admin;
use forge_types::Account;

use crate::{Answer, Client, TestForge};

/// Everybody's password.
pub const PASSWORD: &str = "correct horse battery";

impl TestForge {
    /// Creates a person with the password.
    ///
    /// # Panics
    /// When the login is taken.
    pub async fn person(&self, login: &str) -> Account {
        let new = admin::NewUser {
            login: login.to_owned(),
            email: format!("{login}@forge.example"),
            is_site_admin: false,
            password: Some(PASSWORD.to_owned()),
        };
        admin::create_user(&admin::console(self.app()), &new).await.expect("a free login").account
    }

    /// Returns the browser of a person, who has just signed in.
    ///
    /// # Panics
    /// When there is no such person with the password.
    pub async fn browser(&self, login: &str) -> Client {
        let mut browser = self.client();
        let csrf = csrf(&browser.visit("/login").await);
        browser
            .submit("/login", &[("csrf", &csrf), ("login", login), ("password", PASSWORD)])
            .await
            .expect(303);
        browser
    }
}

/// Returns the token of the forms on a page.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn csrf(page: &Answer) -> String {
    let text = page.text();
    let (_, rest) =
        text.split_once("name=\"csrf\" value=\"").unwrap_or_else(|| panic!("a page without a form: {text}"));
    rest.split('"').next().unwrap_or_default().to_owned()
}

/// Submits a form to `to`, with the token of one that stands on the page `from`.
pub async fn submit(browser: &mut Client, from: &str, to: &str, fields: &[(&str, &str)]) -> Answer {
    let csrf = csrf(&browser.visit(from).await);
    let mut all = vec![("csrf", csrf.as_str())];
    all.extend_from_slice(fields);
    browser.submit(to, &all).await
}
