//! Tokens and the messages of the authorization server.

use forge_auth::messages::{
    AuthorizationRequest, ClientAuthentication, DeviceRequest, Encoding, Parameters, TokenRequest,
    TokenToCheck, check_registered, redirect_matches, with_parameters,
};
use forge_auth::token::{Secret, TokenPrefix, mint_lettered, recognise_letter};

use crate::support::choice;

/// The first bits choose what the text is.
pub(crate) fn run(bytes: &[u8]) {
    let (choice, bytes) = choice(bytes);
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match choice & 3 {
        0 => token(text),
        1 => redirect(text),
        _ => message(text, choice & 1 == 0),
    }
}

/// A text that is a token has the form of one, and none that differs in one character is.
fn token(text: &str) {
    let secret = Secret::new(text.to_owned());
    assert!(text.ends_with(secret.tail()));
    assert_eq!(secret.fingerprint().len(), 12);
    let prefix = TokenPrefix::default();
    let letters: Vec<char> = text.chars().take(1).filter(char::is_ascii_lowercase).collect();
    if let Some(letter) = letters.first() {
        let mut bytes = text.bytes().cycle();
        let made = mint_lettered(&prefix, *letter, |buffer| {
            // It ends: bytes that cannot be used are few enough.
            buffer.fill_with(|| bytes.next().unwrap_or_default() % 248);
        });
        assert_eq!(recognise_letter(&prefix, made.expose()), Some(*letter));
    }
    let Some(letter) = recognise_letter(&prefix, text) else { return };
    assert!(text.starts_with(&format!("fge{letter}_")), "{text}");
    for at in text.len() - 36..text.len() {
        let mut changed = text.as_bytes().to_vec();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).expect("a letter was put in the place of another");
        assert_eq!(recognise_letter(&prefix, &changed), None, "{changed}");
    }
}

/// Two addresses, of which the first may be registered.
fn redirect(text: &str) {
    let (registered, requested) = text.split_once('\n').unwrap_or((text, text));
    if check_registered(registered).is_err() {
        return;
    }
    assert!(registered.starts_with("https://") || registered.starts_with("http://"), "{registered}");
    assert!(redirect_matches(registered, registered));
    if redirect_matches(registered, requested) && registered != requested {
        let is_local = |uri: &str| uri.starts_with("http://127.0.0.1") || uri.starts_with("http://[::1]");
        assert!(is_local(registered) && is_local(requested), "{registered} is not {requested}");
        assert!(!requested.contains('@') && !requested.contains('#'), "{requested}");
    }
    let sent = with_parameters(requested, &[("code", "x y&z"), ("state", text)]);
    if let Some(sent) = sent.filter(|_| redirect_matches(registered, requested)) {
        assert_eq!(sent.fragment(), None);
        let last: Vec<_> = sent.query_pairs().collect();
        assert!(last.ends_with(&[("code".into(), "x y&z".into()), ("state".into(), text.into())]), "{sent}");
    }
}

/// The `Authorization` header up to the first line feed, then the parameters.
fn message(text: &str, is_json: bool) {
    let (basic, body) = text.split_once('\n').unwrap_or(("", text));
    let basic = Some(basic).filter(|basic| !basic.is_empty());
    let parameters = if is_json { Parameters::from_json(body) } else { Parameters::from_form(body) };
    let parameters = match parameters {
        Ok(parameters) => parameters,
        Err(error) => {
            let _ = Encoding::choose(text, Encoding::Json).write(error.members());
            return;
        }
    };
    if let Ok(client) = ClientAuthentication::read(basic, &parameters) {
        let is_named = parameters.find("client_id").is_some();
        assert!(!is_named || client.client_id.as_deref() == parameters.find("client_id"));
    }
    let _ = DeviceRequest::read(basic, &parameters);
    let _ = TokenRequest::read(&parameters);
    let _ = TokenToCheck::read(basic, &parameters);
    if AuthorizationRequest::read(&parameters).is_ok() {
        assert_eq!(parameters.find("code_challenge_method"), Some("S256"));
    }
}
