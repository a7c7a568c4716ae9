//! What `forge env` prints: shell lines with which programs on this machine reach and trust the server.
//!
//! INVARIANT: every value is quoted so that a shell takes it as text, whatever it holds; what a variable held
//! before is kept in `FORGE_PREVIOUS_<NAME>`, however often the command is run, until `--unset` puts it back.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use super::noproxy::NoProxy;
use crate::config::Environment;
use crate::data::RunInfo;

/// Names the variables that are ours now, separated by spaces.
const MANAGED: &str = "FORGE_PREVIOUS";

/// A line for the shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// `export NAME='value'`
    Export(String, String),
    /// `unset NAME`
    Unset(String),
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Export(name, value) => write!(f, "export {name}={}", quoted(value)),
            Self::Unset(name) => write!(f, "unset {name}"),
        }
    }
}

/// Quotes a value so that a POSIX shell takes every byte of it as it is.
fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\'', r"'\''"))
}

/// Returns a path as a word of a POSIX shell, quoted only if it has to be.
pub fn word(path: &Path) -> String {
    let text = path.to_string_lossy();
    let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte));
    if is_plain { text.into_owned() } else { quoted(&text) }
}

/// Variables that `forge env` sets (or, without a value, removes).
type Wanted = BTreeMap<&'static str, Option<String>>;

/// Returns the lines that lead this shell to the server.
///
/// `is_reachable` says whether the host and its API name resolve to this machine.
pub fn enter(info: &RunInfo, environment: &Environment, is_reachable: bool) -> Vec<Line> {
    let before = Before(environment);
    let wanted = wanted(info, &before, is_reachable);
    let mut lines = Vec::new();
    for name in before.managed().filter(|name| !wanted.contains_key(name)) {
        before.restore(name, &mut lines);
    }
    for (name, value) in &wanted {
        before.keep(name, &mut lines);
        match value {
            Some(value) => lines.push(Line::Export((*name).to_owned(), value.clone())),
            None => lines.push(Line::Unset((*name).to_owned())),
        }
    }
    lines.push(Line::Export(MANAGED.into(), wanted.keys().copied().collect::<Vec<_>>().join(" ")));
    lines
}

/// Returns the lines that put everything back.
pub fn leave(environment: &Environment) -> Vec<Line> {
    let before = Before(environment);
    let mut lines = Vec::new();
    for name in before.managed() {
        before.restore(name, &mut lines);
    }
    if environment.raw(MANAGED).is_some() {
        lines.push(Line::Unset(MANAGED.into()));
    }
    lines
}

fn wanted(info: &RunInfo, before: &Before<'_>, is_reachable: bool) -> Wanted {
    let mut wanted = Wanted::new();
    wanted.insert("GH_HOST", Some(info.host.clone()));
    if let Some(bundle) = &info.ca_bundle {
        let bundle = bundle.display().to_string();
        for name in
            ["SSL_CERT_FILE", "GIT_SSL_CAINFO", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"]
        {
            wanted.insert(name, Some(bundle.clone()));
        }
    }
    if let Some(proxy) = &info.proxy
        && !(is_reachable && info.port() == Some(443))
    {
        let url = format!("http://forge:{}@127.0.0.1:{}", proxy.password, proxy.port);
        wanted.insert("HTTPS_PROXY", Some(url.clone()));
        wanted.insert("https_proxy", Some(url));
        // Node.js 22.21 and 24 follow a proxy only when told to; older ones never do.
        wanted.insert("NODE_USE_ENV_PROXY", Some("1".into()));
        let api = format!("api.{}", info.host);
        for name in ["NO_PROXY", "no_proxy"] {
            // A list with `localhost` in it would keep our host away from the proxy.
            let Some(list) = before.value(name) else { continue };
            let list = NoProxy::parse(list).without(&[&info.host, &api]);
            wanted.insert(name, Some(list).filter(|list| !list.is_empty()));
        }
    }
    wanted
}

/// The environment as it was before the first `forge env`.
struct Before<'a>(&'a Environment);

impl<'a> Before<'a> {
    fn managed(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        // The list comes from the environment and its names are printed bare: only what is a name counts.
        let is_name = |name: &&str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        self.0.raw(MANAGED).unwrap_or_default().split_ascii_whitespace().filter(is_name)
    }

    fn saved(&self, name: &str) -> Option<&'a str> {
        self.0.raw(&format!("{MANAGED}_{name}"))
    }

    fn value(&self, name: &str) -> Option<&'a str> {
        if self.managed().any(|managed| managed == name) { self.saved(name) } else { self.0.raw(name) }
    }

    /// Saves what a variable holds, unless it holds ours.
    fn keep(&self, name: &str, lines: &mut Vec<Line>) {
        let saved = format!("{MANAGED}_{name}");
        match self.value(name) {
            Some(value) => lines.push(Line::Export(saved, value.to_owned())),
            None if self.saved(name).is_some() => lines.push(Line::Unset(saved)),
            None => {}
        }
    }

    /// Puts back what a variable held.
    fn restore(&self, name: &str, lines: &mut Vec<Line>) {
        match self.saved(name) {
            Some(value) => {
                lines.push(Line::Export(name.to_owned(), value.to_owned()));
                lines.push(Line::Unset(format!("{MANAGED}_{name}")));
            }
            None => lines.push(Line::Unset(name.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::data::ProxyInfo;

    #[test]
    fn a_path_is_a_word_whatever_it_holds() {
        assert_eq!(word(Path::new("/srv/forge-data")), "/srv/forge-data");
        assert_eq!(word(Path::new("/srv/my $data's")), r"'/srv/my $data'\''s'");
    }

    fn info(port: u16) -> RunInfo {
        RunInfo {
            pid: 1,
            version: "0".into(),
            url: "https://forge.localhost".into(),
            host: "forge.localhost".into(),
            browser_url: "https://forge.localhost".into(),
            listen: vec![std::net::SocketAddr::from(([127, 0, 0, 1], port))],
            ops: "127.0.0.1:9".parse().unwrap(),
            ca_bundle: Some("/data dir/it's/ca-bundle.pem".into()),
            proxy: Some(ProxyInfo { port: 7, password: "pw".into() }),
        }
    }

    fn environment(pairs: &[(&str, &str)]) -> Environment {
        pairs.iter().copied().collect()
    }

    /// Runs lines in a shell and returns the environment after them.
    fn evaluated(before: &Environment, pairs: &[(&str, &str)], lines: &[Line]) -> Environment {
        assert_eq!(before, &environment(pairs));
        let script: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let output = Command::new("/bin/sh")
            .args(["-c", &format!("eval \"$0\"\n{}", "/usr/bin/env -0"), &script])
            .env_clear()
            .envs(pairs.iter().copied())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        let variables = text.split('\0').filter_map(|line| line.split_once('='));
        variables.filter(|(name, _)| !["PWD", "OLDPWD", "SHLVL", "_"].contains(name)).collect()
    }

    fn pairs(environment: &Environment) -> Vec<(String, String)> {
        environment
            .names_starting_with("")
            .map(|name| (name.to_owned(), environment.raw(name).unwrap().to_owned()))
            .collect()
    }

    fn entered(start: &[(&str, &str)], info: &RunInfo, is_reachable: bool) -> Environment {
        let before = environment(start);
        evaluated(&before, start, &enter(info, &before, is_reachable))
    }

    fn left(state: &Environment) -> Environment {
        let owned = pairs(state);
        let start: Vec<(&str, &str)> =
            owned.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        evaluated(state, &start, &leave(state))
    }

    #[test]
    fn values_survive_a_shell_whatever_they_hold() {
        let evil = "a'b\"c $(touch /tmp/x) `id` \\ \n!* ; rm -rf";
        let line = Line::Export("GH_HOST".into(), evil.into());
        let after = evaluated(&Environment::default(), &[], &[line]);
        assert_eq!(after.raw("GH_HOST"), Some(evil));
    }

    #[test]
    fn entering_names_host_bundle_and_proxy() {
        let after = entered(&[], &info(8443), true);
        assert_eq!(after.raw("GH_HOST"), Some("forge.localhost"));
        for name in
            ["SSL_CERT_FILE", "GIT_SSL_CAINFO", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"]
        {
            assert_eq!(after.raw(name), Some("/data dir/it's/ca-bundle.pem"), "{name}");
        }
        for name in ["HTTPS_PROXY", "https_proxy"] {
            assert_eq!(after.raw(name), Some("http://forge:pw@127.0.0.1:7"), "{name}");
        }
        assert_eq!(after.raw("NODE_USE_ENV_PROXY"), Some("1"));
    }

    #[test]
    fn the_proxy_is_left_out_only_when_the_name_leads_to_our_port_443() {
        assert_eq!(entered(&[], &info(443), true).raw("HTTPS_PROXY"), None);
        assert!(entered(&[], &info(443), false).raw("HTTPS_PROXY").is_some());
        assert!(entered(&[], &info(8443), true).raw("HTTPS_PROXY").is_some());
    }

    #[test]
    fn no_proxy_lists_lose_what_would_hide_our_host() {
        let start = [("NO_PROXY", "localhost,127.0.0.1"), ("no_proxy", "localhost")];
        let after = entered(&start, &info(8443), true);
        assert_eq!(after.raw("NO_PROXY"), Some("127.0.0.1"));
        assert_eq!(after.raw("no_proxy"), None);
        assert_eq!(left(&after), environment(&start));
    }

    #[test]
    fn leaving_puts_back_exactly_what_was_there() {
        for start in [
            &[][..],
            &[
                ("GH_HOST", "github.example"),
                ("HTTPS_PROXY", "http://corp:3128"),
                ("SSL_CERT_FILE", "/corp.pem"),
            ],
            &[("GH_HOST", ""), ("OTHER", "x")],
        ] {
            let after = entered(start, &info(8443), false);
            assert_eq!(left(&after), environment(start));
        }
    }

    #[test]
    fn entering_twice_keeps_what_was_there_before_the_first_time() {
        let start = [("HTTPS_PROXY", "http://corp:3128"), ("NO_PROXY", "localhost,corp")];
        let first = entered(&start, &info(8443), false);
        let owned = pairs(&first);
        let again: Vec<(&str, &str)> =
            owned.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(entered(&again, &info(8443), false), first);
        // The second server needs no proxy: the one from before the first comes back.
        let second = entered(&again, &info(443), true);
        assert_eq!(second.raw("HTTPS_PROXY"), Some("http://corp:3128"));
        assert_eq!(second.raw("NO_PROXY"), Some("localhost,corp"));
        assert_eq!(left(&second), environment(&start));
    }

    #[test]
    fn leaving_without_having_entered_touches_nothing() {
        assert_eq!(leave(&environment(&[("GH_HOST", "theirs")])), []);
    }

    #[test]
    fn names_from_the_environment_cannot_smuggle_commands() {
        let lines = leave(&environment(&[("FORGE_PREVIOUS", "GH_HOST x;id $(id)")]));
        assert_eq!(lines, [Line::Unset("GH_HOST".into()), Line::Unset("FORGE_PREVIOUS".into())]);
    }
}
