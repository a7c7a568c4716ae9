//! Cookies: for this host alone, unreadable by scripts, and over TLS alone wherever the forge has TLS.

use std::time::Duration;

use axum::http::HeaderMap;
use axum::http::header::{COOKIE, HeaderValue, SET_COOKIE};
use forge_service::Settings;

/// A cookie of the forge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cookie {
    /// The session of a person who is signed in.
    Session,
    /// What binds forms to a browser that is not signed in.
    Form,
    /// A message for the next page.
    Flash,
    /// The switch session through which the person acts as an agent.
    Switch,
    /// What signing in through a provider has to find again.
    Provider,
}

impl Cookie {
    fn name(self, settings: &Settings) -> String {
        let name = match self {
            Self::Session => "forge_session",
            Self::Form => "forge_form",
            Self::Flash => "forge_flash",
            Self::Switch => "forge_switch",
            Self::Provider => "forge_provider",
        };
        // Browsers let no other host and no plain connection set a cookie whose name starts like this.
        if is_secure(settings) { format!("__Host-{name}") } else { name.to_owned() }
    }

    /// Returns its value in a request.
    #[must_use]
    pub fn find(self, settings: &Settings, headers: &HeaderMap) -> Option<String> {
        let name = self.name(settings);
        let pairs = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs =
            pairs.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value.to_owned())
            .filter(|value| !value.is_empty())
    }

    /// Sets it in an answer. Values are letters, digits and what percent-encoding makes.
    pub fn set(self, settings: &Settings, headers: &mut HeaderMap, value: &str, age: Duration) {
        let secure = if is_secure(settings) { "; Secure" } else { "" };
        let cookie = format!(
            "{}={value}; Path=/; Max-Age={}; HttpOnly; SameSite=Lax{secure}",
            self.name(settings),
            age.as_secs()
        );
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            headers.append(SET_COOKIE, cookie);
        }
    }

    /// Removes it.
    pub fn remove(self, settings: &Settings, headers: &mut HeaderMap) {
        self.set(settings, headers, "", Duration::ZERO);
    }
}

fn is_secure(settings: &Settings) -> bool {
    settings.people_origin.scheme() == "https"
}
