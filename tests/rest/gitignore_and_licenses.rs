//! <https://docs.github.com/rest/gitignore/gitignore> and <https://docs.github.com/rest/licenses/licenses>

use forge_testing::{TestForge, for_each_database};

use crate::names;

for_each_database! {
    async fn templates_are_listed_and_read(forge: TestForge) {
        let anyone = forge.client();
        let all = anyone.get("/api/v3/gitignore/templates").await.expect(200).json();
        assert!(all.as_array().is_some_and(|all| all.contains(&"C++".into())));
        let rust = anyone.get("/api/v3/gitignore/templates/Rust").await.expect(200).json();
        assert!(rust["source"].as_str().is_some_and(|source| source.contains("target/")));
        anyone.get("/api/v3/gitignore/templates/C%2B%2B").await.expect(200);
        anyone.get("/api/v3/gitignore/templates/rust").await.expect(404);
    }

    async fn licenses_are_listed_and_read(forge: TestForge) {
        let anyone = forge.client();
        let featured = anyone.get("/api/v3/licenses?featured=true").await.expect(200).json();
        assert_eq!(names(&featured, "key"), ["apache-2.0", "gpl-3.0", "mit"]);
        let mit = anyone.get("/api/v3/licenses/MIT").await.expect(200).json();
        assert!(mit["body"].as_str().is_some_and(|body| body.contains("[year] [fullname]")));
        anyone.get("/api/v3/licenses/none").await.expect(404);
        let page = anyone.get("/api/v3/licenses?per_page=4&page=2").await.expect(200);
        assert_eq!(page.json().as_array().map(Vec::len), Some(4));
        assert!(page.header("link").is_some_and(|link| link.contains("rel=\"next\"")));
    }
}
