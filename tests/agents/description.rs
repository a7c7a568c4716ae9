//! Our OpenAPI description says what the routes are.

use forge_testing::{TestForge, for_each_database};

use crate::EXT;

for_each_database! {
    async fn the_description_is_served_and_speaks_of_every_agent_route(forge: TestForge) {
        let answer = forge.client().get(&format!("{EXT}/openapi.json")).await.expect(200);
        let document = answer.json();
        assert_eq!(document["openapi"], "3.1.0");
        for (path, method) in [
            ("/agents", "post"), ("/admin/agents", "post"), ("/user/agents", "get"), ("/agents/{login}", "patch"),
            ("/agents/{login}/suspension", "put"), ("/agent-invites", "post"), ("/agent-invites/{id}", "delete"),
            ("/agent-bindings/confirm", "post"), ("/agent-bindings/{login}", "delete"),
            ("/agent-bindings/{login}/reset-token", "post"), ("/agent-bindings/{login}/switch-session", "post"),
            ("/agent-bindings/{login}/refresh-session", "post"), ("/audit-events", "get"),
        ] {
            assert!(document["paths"][path][method]["responses"].is_object(), "{method} {path}");
        }
    }
}
