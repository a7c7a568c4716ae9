//! Every question, asked of every route: the refusals first, so that the honest request shows that none of them did anything.

use forge_auth::token::Secret;
use forge_testing::contract::ours;
use forge_testing::database::OnDatabase;
use forge_testing::{Answer, Client, Database, TestForge, for_each_database};
use http::Method;
use serde_json::{Map, Value, json};

use crate::table::{Route, Who, routes};
use crate::world::World;

/// A scope that no operation of ours asks for.
const UNRELATED: &str = "gist";

for_each_database! {
    async fn every_route_answers_as_it_is_documented_and_refuses_everything_else(database: Database) {
        for route in routes() {
            // What one route does would be in the way of the next.
            let forge = TestForge::on(database).await;
            let world = World::new(&forge).await;
            let walk = Walk::new(&world, &route).await;
            walk.asks_who_calls().await;
            walk.takes_the_scopes_it_names().await;
            walk.refuses_bodies_that_are_wrong().await;
            walk.knows_nothing_of_what_is_absent().await;
            walk.has_no_other_methods().await;
            walk.answers_the_honest().await;
        }
    }
}

/// One route, on its way.
struct Walk<'a> {
    world: &'a World<'a>,
    route: &'a Route,
    path: String,
    honest: Client,
    body: Option<Value>,
    operation: &'static Value,
}

impl<'a> Walk<'a> {
    async fn new(world: &'a World<'a>, route: &'a Route) -> Self {
        let operation = ours::description().operation(route.method(), route.path()).unwrap();
        // A token with the scope that is described, and no other: were more needed, the honest request would fail.
        let scope = scopes(operation).into_iter().next().unwrap_or_else(|| UNRELATED.to_owned());
        Self {
            world,
            route,
            path: world.path(route.path()),
            honest: world.client(route.who, &scope).await,
            body: route.body.map(|body| body(world)),
            operation,
        }
    }

    async fn send(&self, client: &Client, path: &str, body: Option<&Value>) -> Answer {
        let method: Method = self.route.method().parse().unwrap();
        match body {
            Some(body) => client.send_json(method, path, body).await,
            None => client.send(client.request(method, path)).await,
        }
    }

    #[track_caller]
    fn is(&self, answer: Answer, status: u16, why: &str) -> Answer {
        assert_eq!(answer.status.as_u16(), status, "{} {why}: {}", self.route.name, answer.text());
        answer
    }

    async fn asks_who_calls(&self) {
        let is_public = self.operation["security"] == json!([]);
        let (anonymous, wrong) = if is_public { (200, 401) } else { (self.route.anonymous, 401) };
        let answer = self.send(&self.world.nobody(), &self.path, self.body.as_ref()).await;
        self.is(answer, anonymous, "without a credential");
        let stranger = self.world.nobody().with_token(&Secret::new("fgep_nonsense".to_owned()));
        let answer = self.send(&stranger, &self.path, self.body.as_ref()).await;
        self.is(answer, wrong, "with a token that is none");
    }

    async fn takes_the_scopes_it_names(&self) {
        if scopes(self.operation).is_empty() {
            return;
        }
        let client = self.world.client(self.route.who, UNRELATED).await;
        let answer = self.send(&client, &self.path, self.body.as_ref()).await;
        let answer = self.is(answer, 403, "with a token that lacks the scope");
        assert_eq!(answer.json()["code"], "insufficient_scope", "{}", self.route.name);
        let accepted = answer.header("x-accepted-oauth-scopes").unwrap().to_owned();
        let described = scopes(self.operation);
        assert!(accepted.split(", ").any(|scope| described.iter().any(|one| one == scope)), "{accepted}");
    }

    async fn refuses_bodies_that_are_wrong(&self) {
        let Some(body) = &self.body else { return };
        let method: Method = self.route.method().parse().unwrap();
        for text in ["{", "[]", "\"text\"", "{\"a\":1,}"] {
            let answer = self.honest.send_body(method.clone(), &self.path, "application/json", text).await;
            let answer = self.is(answer, 400, text);
            assert_eq!(answer.json()["code"], "malformed");
        }
        for (why, wrong) in wrong_bodies(self.operation, self.route, body) {
            let answer = self.send(&self.honest, &self.path, Some(&wrong)).await;
            let answer = self.is(answer, 422, &why);
            assert_eq!(answer.json()["code"], "invalid");
        }
    }

    async fn knows_nothing_of_what_is_absent(&self) {
        let Some(absent) = self.route.absent else { return };
        let answer = self.send(&self.honest, &self.world.path(absent), self.body.as_ref()).await;
        let answer = self.is(answer, 404, "about something absent");
        assert_eq!(answer.json()["message"], "Not Found");
    }

    /// Other methods are as unknown as other paths; that none of them answers is checked by the client.
    async fn has_no_other_methods(&self) {
        for method in [Method::GET, Method::PUT, Method::POST, Method::PATCH, Method::DELETE] {
            if ours::description().operation(method.as_str(), self.route.path()).is_none() {
                let answer = self.honest.send_json(method.clone(), &self.path, &json!({})).await;
                self.is(answer, 404, &format!("asked with {method}"));
            }
        }
    }

    async fn answers_the_honest(&self) {
        let answer = self.send(&self.honest, &self.path, self.body.as_ref()).await;
        let answer = self.is(answer, self.route.status, "asked honestly");
        if self.route.status == 204 {
            return;
        }
        let is_stream =
            answer.header("content-type").is_some_and(|media| media.starts_with("text/event-stream"));
        let body = if is_stream { first_event(&answer) } else { answer.json() };
        let first =
            body.as_array().map_or(&body, |items| items.first().expect("a list with something in it"));
        for field in self.route.fields {
            assert!(first.get(*field).is_some(), "{} lacks `{field}`: {body}", self.route.name);
        }
    }
}

/// Returns the first event of a stream.
fn first_event(answer: &Answer) -> Value {
    let text = answer.text();
    let data =
        text.lines().find_map(|line| line.strip_prefix("data: ")).expect("a stream with something in it");
    serde_json::from_str(data).unwrap()
}

/// Returns the scopes of which one is enough, as they are described.
fn scopes(operation: &Value) -> Vec<String> {
    let ways = operation["security"].as_array().into_iter().flatten();
    let scopes = ways.filter_map(|way| way.get("token")?.as_array()).flatten();
    scopes.filter_map(|scope| scope.as_str().map(str::to_owned)).collect()
}

/// Returns the honest body with one thing wrong: a member too much, one too few, one of another type.
fn wrong_bodies(operation: &Value, route: &Route, body: &Value) -> Vec<(String, Value)> {
    let honest = body.as_object().unwrap();
    let changed = |why: String, change: &dyn Fn(&mut Map<String, Value>)| {
        let mut wrong = honest.clone();
        change(&mut wrong);
        (why, Value::Object(wrong))
    };
    let schema = operation.pointer("/requestBody/content/application~1json/schema").unwrap();
    assert_eq!(schema["additionalProperties"], json!(false), "{} is not strict", route.name);
    let described = schema["properties"].as_object().unwrap();
    let mut wrong = vec![changed("with an unknown member".to_owned(), &|body| {
        body.insert("surprise".to_owned(), json!(1));
    })];
    for name in route.required {
        wrong.push(changed(format!("without `{name}`"), &|body| drop(body.remove(*name))));
    }
    for (name, member) in described {
        // Where the members may have any names, an object is honest.
        let (what, other) = match &member["additionalProperties"] {
            Value::Object(_) => ("a list", json!(["a", "list"])),
            _ => ("an object", json!({ "an": "object" })),
        };
        wrong.push(changed(format!("with {what} as `{name}`"), &|body| {
            body.insert(name.clone(), other.clone());
        }));
    }
    wrong
}

#[test]
fn every_way_of_being_wrong_is_tried() {
    let route = routes().into_iter().find(|route| route.name == "POST /agents").unwrap();
    assert_eq!(route.who, Who::Key);
    let operation = ours::description().operation("POST", "/agents").unwrap();
    let wrong = wrong_bodies(operation, &route, &json!({ "prefix_login": "x", "default_repo_name": "y" }));
    assert_eq!(wrong.len(), 1 + 2 + 6);
}
