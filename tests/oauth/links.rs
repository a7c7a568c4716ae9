//! One-time links: the first administrator, and choosing a password.

use std::time::Duration;

use forge_service::people::identities::{HostIdentity, from_host};
use forge_service::{RequestInfo, Surface, admin, registration_key};
use forge_testing::TestForge;
use forge_testing::for_each_database;

use crate::support::{PASSWORD, csrf, person, setup_path, sign_in};

fn identity(subject: &str, login: &str) -> HostIdentity {
    HostIdentity {
        provider: "host".into(),
        subject: subject.into(),
        login: login.into(),
        email: Some(format!("{login}@example.com")),
        groups: vec![],
        site_admin: None,
    }
}

async fn visit(forge: &TestForge, identity: &HostIdentity) -> forge_types::Result<String> {
    let info = RequestInfo {
        id: forge.app().new_request_id(),
        surface: Surface::Web,
        ip: None,
        user_agent: None,
        certificate: None,
    };
    let caller = from_host(forge.app(), identity, info).await?;
    Ok(caller.account.expect("an account").login)
}

for_each_database! {
    async fn the_set_up_link_makes_one_administrator_and_dies(forge: TestForge) {
        let former = setup_path(&forge).await;
        let path = setup_path(&forge).await;
        let mut browser = forge.client();
        browser.visit(&former).await.expect(404);
        let csrf_token = csrf(&browser.visit(&path).await.expect(200));
        let submit = |password: &'static str| {
            let (mut browser, path, csrf) = (browser.clone(), path.clone(), csrf_token.clone());
            async move {
                let fields = [("csrf", csrf.as_str()), ("login", "root-user"), ("email", "r@forge.example"), ("password", password)];
                (browser.submit(&path, &fields).await, browser)
            }
        };
        submit("short").await.0.expect(422);
        let (answer, signed_in) = submit(PASSWORD).await;
        assert_eq!(answer.expect(303).header("location"), Some("/"));
        signed_in.get("/settings/tokens").await.expect(200);
        submit(PASSWORD).await.0.expect(404);
        browser.visit(&path).await.expect(404);
        let again = forge_service::people::setup::create_link(&admin::console(forge.app())).await;
        assert!(again.is_err());
    }

    async fn a_set_up_link_ends_after_a_day(forge: TestForge) {
        let path = setup_path(&forge).await;
        forge.client().get(&path).await.expect(200);
        forge.advance(Duration::from_secs(24 * 3600));
        forge.client().get(&path).await.expect(404);
    }

    async fn a_password_link_sets_a_password_once(forge: TestForge) {
        let ctx = admin::console(forge.app());
        let new = admin::NewUser { login: "bob".into(), email: "b@forge.example".into(), is_site_admin: false, password: None };
        let link = admin::create_user(&ctx, &new).await.expect("a user").password_link.expect("a link");
        let mut browser = forge.client();
        let csrf = csrf(&browser.visit(link.path()).await.expect(200));
        browser.submit(link.path(), &[("csrf", &csrf), ("password", "bob")]).await.expect(422);
        browser.submit(link.path(), &[("csrf", &csrf), ("password", PASSWORD)]).await.expect(303);
        forge.client().get(link.path()).await.expect(404);
        sign_in(&mut forge.client(), "bob", PASSWORD).await.expect(303);
    }

    async fn a_forge_tells_its_secrets_at_its_first_start_alone(forge: TestForge) {
        let ctx = admin::console(forge.app());
        let first = admin::prepare(&ctx).await.expect("prepared").expect("a first start");
        assert!(first.setup_link.is_some());
        assert!(admin::prepare(&ctx).await.expect("prepared").is_none());
        let shown = registration_key::show(&ctx).await.expect("the operator may");
        assert!(shown.matches(&first.registration_key));
        let rotated = registration_key::rotate(&ctx).await.expect("the operator may");
        let mut tx = forge.app().db().begin().await.expect("a transaction");
        assert!(registration_key::matches(&ctx, &mut tx, &rotated).await.expect("readable"));
        assert!(!registration_key::matches(&ctx, &mut tx, &shown).await.expect("readable"));
    }

    /// A provider that calls its user like somebody here does not thereby give them that account.
    async fn identities_of_a_host_never_take_an_account_by_its_name(forge: TestForge) {
        person(&forge, "alice").await;
        assert_eq!(visit(&forge, &identity("1", "alice")).await.expect("let in"), "alice-2");
        assert_eq!(visit(&forge, &identity("1", "renamed")).await.expect("let in"), "alice-2");
        assert_eq!(visit(&forge, &identity("2", "admin")).await.expect("let in"), "admin-2");
        let other = HostIdentity { provider: "other".into(), ..identity("1", "carol") };
        assert_eq!(visit(&forge, &other).await.expect("let in"), "carol");
        assert!(visit(&forge, &identity("", "dave")).await.is_err());
    }
}
