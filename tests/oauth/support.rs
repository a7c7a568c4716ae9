//! What the tests of this folder share: people with passwords, browsers, clients, flows.

use forge_auth::token::Secret;
use forge_service::oauth::clients::{self, ClientRequest, OAuthClient};
use forge_service::{admin, people};
use forge_testing::TestForge;
pub(crate) use forge_testing::browser::PASSWORD;
use forge_testing::{Answer, Client};
use forge_types::account::Account;
use serde_json::Value;

/// The client id of every GitHub CLI.
pub(crate) const GITHUB_CLI: &str = "178c6fc778ccc68e1d6a";
/// The vector of RFC 7636, appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
/// What the verifier's challenge is.
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
/// Where the tests' client may be sent.
pub(crate) const REDIRECT: &str = "https://client.example/callback";
/// Something that takes any valid token.
pub(crate) const ANYTHING: &str = "/api/ext/v1/user/tokens";

/// Creates a person with the password.
pub(crate) async fn person(forge: &TestForge, login: &str) -> Account {
    forge.person(login).await
}

/// Returns the browser of a new person who has signed in.
pub(crate) async fn signed_in(forge: &TestForge, login: &str) -> Client {
    person(forge, login).await;
    let mut browser = forge.client();
    sign_in(&mut browser, login, PASSWORD).await.expect(303);
    browser
}

/// Signs in on the page.
pub(crate) async fn sign_in(browser: &mut Client, login: &str, password: &str) -> Answer {
    let page = browser.visit("/login").await;
    let csrf = csrf(&page);
    browser.submit("/login", &[("csrf", &csrf), ("login", login), ("password", password)]).await
}

/// Returns the token of the forms on a page.
pub(crate) fn csrf(page: &Answer) -> String {
    hidden(page, "csrf")
}

/// Returns the value of a hidden field.
pub(crate) fn hidden(page: &Answer, name: &str) -> String {
    let text = page.text();
    let marker = format!("name=\"{name}\" value=\"");
    let (_, rest) = text.split_once(&marker).unwrap_or_else(|| panic!("no field `{name}`: {text}"));
    rest.split('"').next().expect("a value").replace("&amp;", "&")
}

/// Returns an answer's body as JSON text.
pub(crate) fn text(json: &Value, name: &str) -> String {
    json[name].as_str().unwrap_or_else(|| panic!("no `{name}`: {json}")).to_owned()
}

/// Posts a form without cookies and reads JSON.
pub(crate) async fn call(client: &Client, path: &str, fields: &[(&str, &str)]) -> Answer {
    let form = encode(fields);
    let client = client.clone().with_header("accept".parse().expect("a name"), "application/json");
    let method = "POST".parse().expect("a method");
    client.send_body(method, path, "application/x-www-form-urlencoded", form).await
}

/// Encodes fields as a form.
pub(crate) fn encode(fields: &[(&str, &str)]) -> String {
    let escape = |text: &str| -> String {
        text.bytes()
            .map(|byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                    char::from(byte).to_string()
                }
                other => format!("%{other:02X}"),
            })
            .collect()
    };
    fields.iter().map(|(name, value)| format!("{name}={}", escape(value))).collect::<Vec<_>>().join("&")
}

/// Registers a client.
pub(crate) async fn register(
    forge: &TestForge,
    name: &str,
    is_confidential: bool,
    uri: &str,
) -> (OAuthClient, Option<Secret>) {
    let request = ClientRequest {
        name: name.to_owned(),
        homepage: None,
        is_confidential,
        redirect_uris: vec![uri.to_owned()],
        allows_device: false,
    };
    clients::register(&admin::console(forge.app()), &request).await.expect("a new client")
}

/// Returns whether a token opens the forge.
pub(crate) async fn opens(forge: &TestForge, token: &str) -> bool {
    let answer = forge.client().with_token(&Secret::new(token.to_owned())).get(ANYTHING).await;
    assert!([200, 401].contains(&answer.status.as_u16()), "{}", answer.text());
    answer.status == 200
}

/// A device that has asked for codes.
pub(crate) struct Device {
    /// The code it keeps.
    pub device_code: String,
    /// The code it shows.
    pub user_code: String,
}

impl Device {
    /// Asks for codes as the GitHub CLI does.
    pub(crate) async fn begin(forge: &TestForge, scope: &str) -> Self {
        let fields = [("client_id", GITHUB_CLI), ("scope", scope)];
        let answer = call(&forge.client(), "/login/device/code", &fields).await.expect(200).json();
        assert_eq!((answer["expires_in"].as_i64(), answer["interval"].as_i64()), (Some(900), Some(5)));
        Self { device_code: text(&answer, "device_code"), user_code: text(&answer, "user_code") }
    }

    /// Asks whether somebody has decided.
    pub(crate) async fn poll(&self, forge: &TestForge) -> Value {
        let fields = [
            ("client_id", GITHUB_CLI),
            ("device_code", self.device_code.as_str()),
            ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ];
        call(&forge.client(), "/login/oauth/access_token", &fields).await.expect(200).json()
    }
}

/// Types a device's code and decides.
pub(crate) async fn decide(browser: &mut Client, user_code: &str, decision: &str) -> Answer {
    let page = browser.visit("/login/device").await.expect(200);
    let fields = [("csrf", csrf(&page)), ("user_code", user_code.to_owned())];
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let page = browser.submit("/login/device", &fields).await;
    if page.status != 200 {
        return page;
    }
    let (csrf, code) = (csrf(&page), hidden(&page, "user_code"));
    let fields = [("csrf", csrf.as_str()), ("user_code", &code), ("decision", decision)];
    browser.submit("/login/device/decision", &fields).await
}

/// Returns the address at which a client asks for consent.
pub(crate) fn authorize_path(client_id: &str, uri: &str) -> String {
    let fields = [
        ("response_type", "code"),
        ("client_id", client_id),
        ("redirect_uri", uri),
        ("scope", "repo read:org"),
        ("state", "xyz&1"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    format!("/login/oauth/authorize?{}", encode(&fields))
}

/// Decides on the consent page at `path` and returns the answer.
pub(crate) async fn consent(browser: &mut Client, path: &str, decision: &str) -> Answer {
    let page = browser.visit(path).await.expect(200);
    let (csrf, request) = (csrf(&page), hidden(&page, "request"));
    let fields = [("csrf", csrf.as_str()), ("request", &request), ("decision", decision)];
    browser.submit("/login/oauth/authorize", &fields).await
}

/// Returns where an answer sends the browser, which must not make it send its form again.
pub(crate) fn location(answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{}", answer.text());
    answer.header("location").expect("a location").to_owned()
}

/// Returns a parameter of an address.
pub(crate) fn parameter(address: &str, name: &str) -> Option<String> {
    let query = address.split_once('?')?.1;
    let pair = query.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")))?;
    Some(pair.replace("%3A", ":").replace("%2F", "/").replace("%26", "&").replace('+', " "))
}

/// Has a person consent and returns the code the client is given.
pub(crate) async fn code(browser: &mut Client, client_id: &str, uri: &str) -> String {
    let address = location(&consent(browser, &authorize_path(client_id, uri), "approve").await);
    parameter(&address, "code").expect("a code")
}

/// Exchanges a code as the public client of the tests.
pub(crate) async fn exchange(forge: &TestForge, client_id: &str, code: &str, verifier: &str) -> Answer {
    let fields = [
        ("grant_type", "authorization_code"),
        ("client_id", client_id),
        ("code", code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", verifier),
    ];
    call(&forge.client(), "/login/oauth/access_token", &fields).await
}

/// Exchanges a refresh token.
pub(crate) async fn refresh(forge: &TestForge, client_id: &str, token: &str) -> Answer {
    let fields = [("grant_type", "refresh_token"), ("client_id", client_id), ("refresh_token", token)];
    call(&forge.client(), "/login/oauth/access_token", &fields).await
}

/// Returns the value of a one-time link.
pub(crate) async fn setup_path(forge: &TestForge) -> String {
    let url = people::setup::create_link(&admin::console(forge.app())).await.expect("no administrator yet");
    url.path().to_owned()
}
