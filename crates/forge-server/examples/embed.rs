//! A program that already knows its users and has the forge as a part of itself.
//!
//! Run it with `cargo run -p forge-server --example embed`, then:
//!
//! ```text
//! curl -H 'Cookie: session=mona' http://127.0.0.1:8080/api/v3/user     # Mona, signed in by this program
//! curl http://127.0.0.1:8080/api/v3/user                               # nobody: 401
//! ```

use axum::Router;
use axum::routing::get;
use forge_server::config::Config;
use forge_server::{ForgeBuilder, HostAuthenticator, HostIdentity};
use http::header::COOKIE;
use http::request::Parts;

/// What this program knows of its users. A real one would look the session up.
struct Sessions;

impl HostAuthenticator for Sessions {
    async fn authenticate(&self, request: &Parts) -> Option<HostIdentity> {
        let cookie = request.headers.get(COOKIE)?.to_str().ok()?;
        let user = cookie.strip_prefix("session=")?;
        Some(HostIdentity {
            provider: "example".to_owned(),
            // The lasting id: the forge finds the account by it, whatever happens to the login.
            subject: format!("user-{user}"),
            login: user.to_owned(),
            email: Some(format!("{user}@example.com")),
            groups: Vec::new(),
            site_admin: Some(user == "mona"),
        })
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut config = Config::default();
    config.server.data = "embedded-forge-data".into();
    config.server.url = "http://127.0.0.1:8080".parse()?;

    let forge = ForgeBuilder::new(config).with_authenticator(Sessions).build().await?;
    let program = Router::new().route("/hello", get(|| async { "this is the program itself\n" }));
    let everything = program.fallback_service(forge.router());

    let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
    axum::serve(listener, everything).await?;
    Ok(())
}
